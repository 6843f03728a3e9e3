"""What became of the check of an ESNcard, and how long it is tried."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

MOST_TRIES: Final = 8
FIRST_PAUSE: Final = timedelta(minutes=1)
LEASE: Final = timedelta(minutes=1)


class Outcome(StrEnum):
    """What is known of somebody's card; `unknown`: nobody could tell, or has told yet."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries in vain: less than a day in all.

    >>> sum((pause(tries) for tries in range(1, MOST_TRIES)), timedelta()) < timedelta(days=1)
    True
    """
    return FIRST_PAUSE * int(3 ** (tries - 1))
