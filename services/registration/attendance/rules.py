"""Pure decisions about attendance: when somebody can be checked in, and what several check-ins of one person mean.

Two devices may check the same person in, and one of them may hear of it a day later. What is recorded is therefore a
function of the set of check-ins, in whatever order they arrive: the person came at the earliest `at`, and stayed for
the hours of the latest check-in that names hours (the greater nonce decides between equal instants). Where none does,
the planned duration stands.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from services.contracts import ActivityState
from services.registration.places.rules import SEATED, State

EARLIEST_BEFORE_THE_START: Final = timedelta(hours=24)
LATEST_AFTER_THE_END: Final = timedelta(days=30)
CLOCKS_MAY_DIFFER_BY: Final = timedelta(minutes=10)
MOST_HOURS: Final = Decimal(24)
_HUNDREDTH: Final = Decimal("0.01")


class Outcome(StrEnum):
    """What became of a check-in: it changed what is recorded, it changed nothing, or it was refused."""

    RECORDED = "recorded"
    ALREADY_RECORDED = "already_recorded"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why a check-in was refused."""

    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_REGISTRATION = "unknown_registration"
    NOT_CONFIRMED = "not_confirmed"
    CANCELLED = "cancelled"
    ACTIVITY_CANCELLED = "activity_cancelled"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    IN_THE_FUTURE = "in_the_future"
    NONCE_REUSED = "nonce_reused"


@dataclass(frozen=True, slots=True)
class Note:
    """One check-in of somebody."""

    nonce: str
    at: datetime
    hours: Decimal | None


def refusal(
    *,
    registration: State,
    activity: ActivityState,
    starts_at: datetime | None,
    ends_at: datetime | None,
    at: datetime,
    now: datetime,
) -> Reason | None:
    """Why somebody can't be checked in, if so.

    A place that is held or offered and not yet confirmed is as good as a confirmed one: who stands at the door has
    shown more than a click on a link could, so checking in confirms it.
    """
    if activity is ActivityState.CANCELLED:
        return Reason.ACTIVITY_CANCELLED
    if registration is State.CANCELLED:
        return Reason.CANCELLED
    if registration not in SEATED:
        return Reason.NOT_CONFIRMED
    if at > now + CLOCKS_MAY_DIFFER_BY:
        return Reason.IN_THE_FUTURE
    if starts_at is not None and at < starts_at - EARLIEST_BEFORE_THE_START:
        return Reason.TOO_EARLY
    last = ends_at or starts_at
    if last is not None and at > last + LATEST_AFTER_THE_END:
        return Reason.TOO_LATE
    return None


def planned_hours(starts_at: datetime | None, ends_at: datetime | None) -> Decimal | None:
    """The planned duration in hours, at most a day's."""
    if starts_at is None or ends_at is None:
        return None
    hours = Decimal(int((ends_at - starts_at).total_seconds())) / 3600
    return min(MOST_HOURS, hours).quantize(_HUNDREDTH)


def presence(notes: Collection[Note], planned: Decimal | None) -> tuple[datetime, Decimal | None]:
    """When somebody came and how many hours they stayed, from every check-in of theirs."""
    told = [(note.at, note.nonce, note.hours) for note in notes if note.hours is not None]
    hours = max(told)[2] if told else planned
    return min(note.at for note in notes), hours if hours is None else hours.quantize(_HUNDREDTH)
