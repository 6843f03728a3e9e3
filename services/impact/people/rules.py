"""Where somebody counts as one of the distinct people."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

DEFINITION: Final = (
    "Different people who were recorded as present at one activity or more, each once. People are told apart by a "
    "random key that stands for one mailbox; somebody who signed up with two counts twice, and so does somebody who "
    "came back after their data was erased. Guests and walk-ins have no key: `without_key` counts each of their "
    "presences as one, and `people` is the sum of both. Sections and countries share people, so their numbers must "
    "not be added."
)


class Kind(StrEnum):
    """What the place of a scope is."""

    NETWORK = "network"
    COUNTRY = "country"
    SECTION = "section"


class Period(StrEnum):
    """What the time of a scope is."""

    ACADEMIC_YEAR = "academic_year"
    EDITION = "edition"


class Where(NamedTuple):
    """What decides where the people of an activity count."""

    section: str | None
    country: str | None
    edition: str | None
    academic_year: str | None


class Scope(NamedTuple):
    """A place and a time in which people are counted; the network is no place."""

    kind: str
    place: str | None
    period_kind: str
    period: str


Moves = Mapping[UUID, tuple[int | None, int | None]]
"""Activities whose people count elsewhere than before: from which place to which, None being nowhere."""


def scopes_of(where: Where) -> list[Scope]:
    """Every scope in which the people of an activity count; none of a place or a time that is not stated.

    >>> [scope.place for scope in scopes_of(Where("IT-MILA-STA", "IT", None, "2026/27"))]
    [None, 'IT', 'IT-MILA-STA']
    """
    places = ((Kind.NETWORK, None), (Kind.COUNTRY, where.country), (Kind.SECTION, where.section))
    periods = ((Period.ACADEMIC_YEAR, where.academic_year), (Period.EDITION, where.edition))
    return [
        Scope(kind.value, place, period_kind.value, period)
        for period_kind, period in periods
        for kind, place in places
        if period is not None and (place is not None or kind is Kind.NETWORK)
    ]
