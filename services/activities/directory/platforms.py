"""When a country is in which regional platform: days from one until before another, and never in two at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal, NamedTuple, Protocol

Certainty = Literal["stated", "inferred"]


class Dated(Protocol):
    """What is asked of a membership."""

    @property
    def platform(self) -> str:
        """The code of the platform."""

    @property
    def starts_on(self) -> date | None:
        """The first day, or None where the beginning is not known."""

    @property
    def ends_on(self) -> date | None:
        """The first day after it, or None where no end is known."""


class Membership(NamedTuple):
    """A country's time in a platform."""

    platform: str
    starts_on: date | None
    ends_on: date | None
    certainty: str
    source: str | None


class Flaw(NamedTuple):
    """What can't be in a list of memberships: which of them, its field, and why."""

    number: int
    field: str
    detail: str


def platform_on(memberships: Iterable[Dated], day: date) -> str | None:
    """The platform of a country on a day, if it is known."""
    return next((each.platform for each in memberships if _holds(each, day)), None)


def flaws_of(memberships: Sequence[Dated]) -> list[Flaw]:
    """Memberships that end before they begin, and those that overlap one before them in the list."""
    found = []
    for number, each in enumerate(memberships):
        if each.starts_on is not None and each.ends_on is not None and each.ends_on <= each.starts_on:
            found.append(Flaw(number, "until", "Must lie after `from`; it is the first day after the membership."))
            continue
        overlapped = next((other for other in range(number) if _overlap(memberships[other], each)), None)
        if overlapped is not None:
            found.append(Flaw(number, "from", f"Overlaps the membership number {overlapped} of the list."))
    return found


def _holds(membership: Dated, day: date) -> bool:
    return (membership.starts_on or date.min) <= day and (membership.ends_on is None or day < membership.ends_on)


def _overlap(one: Dated, other: Dated) -> bool:
    return _begins_before_the_end(one, other) and _begins_before_the_end(other, one)


def _begins_before_the_end(one: Dated, other: Dated) -> bool:
    return other.ends_on is None or (one.starts_on or date.min) < other.ends_on
