"""When the occurrences of a series are: explicit times, or days of the week by the clock of its zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from services.activities.catalogue.rules import WallClockError, instant
from services.kernel.problems import Conflict, FieldError, Invalid

MOST_OCCURRENCES: Final = 100
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class NoSeries(Conflict):
    """An occurrence and a joint day have no occurrences of their own."""


class TakesSignUpsAlready(Conflict):
    """It is published as a single activity that people sign up for; add its dates before it is, or draft a series."""


class Slot(NamedTuple):
    """When an occurrence is meant to be, and what of the request says so."""

    starts_at: datetime
    ends_at: datetime
    said_at: str
    """A JSON pointer; the starts and ends that it holds are named behind it, if it holds any."""


def weekly(
    weekdays: Sequence[str], first: date, last: date, *, starts: time, ends: time, left_out: frozenset[date]
) -> list[tuple[datetime, datetime]]:
    """Wall-clock times of every such day from the first to the last; an end that is not after the start is next day's.

    >>> weekly(["friday"], date(2027, 1, 28), date(2027, 2, 6), starts=time(22), ends=time(1), left_out=frozenset())
    [(datetime.datetime(2027, 1, 29, 22, 0), datetime.datetime(2027, 1, 30, 1, 0)), \
(datetime.datetime(2027, 2, 5, 22, 0), datetime.datetime(2027, 2, 6, 1, 0))]
    """
    wanted = {WEEKDAYS.index(weekday) for weekday in weekdays}
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    after = timedelta(days=ends <= starts)
    return [
        (datetime.combine(day, starts), datetime.combine(day + after, ends))
        for day in days
        if day.weekday() in wanted and day not in left_out
    ]


def instants(slots: Sequence[Slot], zone: ZoneInfo, *, known: frozenset[datetime]) -> list[tuple[datetime, datetime]]:
    """The times as instants, or a 422 that names each that can't be, lies before its end, or is taken already."""
    faults: list[FieldError] = []
    found: list[tuple[datetime, datetime]] = []
    taken = set(known)
    for slot in slots:
        try:
            starts_at, ends_at = instant(slot.starts_at, zone), instant(slot.ends_at, zone)
        except WallClockError as error:
            faults.append(FieldError(pointer=slot.said_at, detail=f"{slot.starts_at:%Y-%m-%d}: {error}"))
            continue
        # Two times of one zone are compared by their clock faces, which an hour shown twice turns around.
        beginning, end = starts_at.astimezone(UTC), ends_at.astimezone(UTC)
        if end < beginning:
            faults.append(FieldError(pointer=slot.said_at, detail="An occurrence must not end before it starts."))
        elif beginning in taken:
            faults.append(FieldError(pointer=slot.said_at, detail="There is an occurrence at this time already."))
        taken.add(beginning)
        found.append((starts_at, ends_at))
    if faults:
        raise Invalid(errors=faults)
    return sorted(found, key=lambda times: times[0].astimezone(UTC))
