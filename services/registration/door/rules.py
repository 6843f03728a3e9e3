"""Pure decisions about passes: which day each is for, how long it lasts, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.kernel.problems import Conflict, FieldError, Invalid, NotFound

PREFIX: Final = "cip_"  # Check-in pass: a leaked one is found by scanners that look for it.
MOST_AT_A_TIME: Final = 50
MOST_DAYS_AHEAD: Final = 365
KEPT_DAYS: Final = 30
NOON: Final = time(12)


class PassNotFound(NotFound):
    """This activity has no such pass."""


class TooManyPasses(Conflict):
    """This activity has as many passes as it can: revoke some, or wait until they end."""

    title = "Too many passes"


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when a pass opens its door."""

    begins_at: datetime
    ends_at: datetime


def span(
    on: date | None, *, zone: ZoneInfo, starts_at: datetime | None, ends_at: datetime | None, now: datetime
) -> Span:
    """When a pass for a day works, by the clock of the activity.

    It opens the door from noon of the day before, so that it can be tried, to the end of its day, or the end of what
    goes on past midnight then. Without a day it is for the first one that there is from now on.
    """
    today = now.astimezone(zone).date()
    begins_on = today if starts_at is None else max(today, starts_at.astimezone(zone).date())
    day = begins_on if on is None else on
    if not today <= day <= today + timedelta(days=MOST_DAYS_AHEAD):
        detail = f"Must be a day from today on, and at most {MOST_DAYS_AHEAD} days from now."
        raise Invalid(errors=[FieldError(pointer="#/on", detail=detail)])
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    last = datetime.combine(day + timedelta(days=1), NOON, tzinfo=zone)
    goes_on = starts_at is not None and ends_at is not None and starts_at < midnight < ends_at
    return Span(
        begins_at=datetime.combine(day - timedelta(days=1), NOON, tzinfo=zone),
        ends_at=min(ends_at, last) if goes_on and ends_at is not None else midnight,
    )
