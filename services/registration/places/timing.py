"""When those who signed up are written to: what counts as a move, how long it may settle, when a reminder is due."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SETTLES: Final = timedelta(minutes=10)
"""Organisers who move an activity often do so in several steps: these are one letter."""

SOON: Final = timedelta(hours=6)
"""Of a move of what begins so soon people are told at once."""

SAME_END: Final = timedelta(minutes=30)
"""An end that moves by less is no reason to ask anybody again."""

FIRST_HOUR: Final = time(9)
LAST_HOUR: Final = time(20)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """When and where an activity is."""

    starts_at: datetime | None
    ends_at: datetime | None
    location: str | None

    def moved_to(self, other: Whereabouts) -> bool:
        """Whether somebody who planned for this must plan anew: another start or place, or quite another end."""
        if self.starts_at != other.starts_at or _plain(self.location) != _plain(other.location):
            return True
        if self.ends_at is None or other.ends_at is None:
            return False
        return abs(self.ends_at - other.ends_at) >= SAME_END


def _plain(location: str | None) -> str:
    """A place without what may be written in several ways: case, spaces, commas."""
    return " ".join(re.findall(r"\w+", (location or "").casefold()))


def told_at(now: datetime, starts_at: datetime | None) -> datetime:
    """When people are told of a move that is noted now."""
    return now if starts_at is not None and starts_at - now < SOON else now + SETTLES


def reminded_at(starts_at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """When people are reminded: a day before by the clock of the place, but at no time when they sleep.

    >>> reminded_at(datetime.fromisoformat("2027-05-08T05:30+02:00"), ZoneInfo("Europe/Rome")).isoformat()
    '2027-05-07T09:00:00+02:00'
    """
    if starts_at is None:
        return None
    local = starts_at.astimezone(zone)
    clock = min(max(local.time(), FIRST_HOUR), LAST_HOUR)
    return datetime.combine(local.date() - timedelta(days=1), clock, zone)
