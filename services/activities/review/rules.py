"""Automatic hints about an activity: what may be wrong with it, in words, before anybody reviews it.

A hint stops nothing, so each rule would rather miss a fault than cry wolf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from services.activities.catalogue.rules import PUBLIC, State
from services.kernel.problems import Forbidden

SIMILAR_FROM: Final = 0.6
"""How many of the groups of three letters of two titles are the same, of 1, where they look like one."""
DAYS_APART: Final = 3
LONGEST_HOURS: Final = 24


class Hint(NamedTuple):
    """What may be wrong: where, in words, and how sure it is (1: worth a look, 2: likely, 3: almost certain)."""

    code: str
    pointer: str
    detail: str
    weight: int


@dataclass(frozen=True, slots=True)
class Described:
    """What the rules look at; days are those of the activity's own zone, None where they are not known to the day."""

    title: str
    summary: str | None
    language: str
    starts_on: date | None
    ends_on: date | None
    starts_at: datetime | None
    ends_at: datetime | None
    sign_up_closes_at: datetime | None
    capacity: int | None
    cost: Decimal | None
    further_texts: Mapping[str, str]


class Similar(NamedTuple):
    """Another activity of the same organisers around the same time, and how far the titles resemble each other."""

    id: str
    title: str
    state: str
    section_codes: frozenset[str]
    country: str | None
    resemblance: float


class QueueOutOfReach(Forbidden):
    """The queue of a country is for its national coordinator and for ESN International."""


def of_times(given: Described) -> list[Hint]:
    """What is unusual about the times."""
    hints = []
    if given.starts_at and given.ends_at:
        lasts = given.ends_at - given.starts_at
        hours = lasts.total_seconds() / 3600
        if hours > LONGEST_HOURS:
            detail = f"It lasts {hours:g} hours; an activity of several days is better entered day by day."
            hints.append(Hint("implausible_duration", "#/ends_at", detail, 1))
        elif not hours:
            hints.append(Hint("implausible_duration", "#/ends_at", "It ends when it begins.", 2))
    if given.sign_up_closes_at and given.ends_at and given.sign_up_closes_at > given.ends_at:
        hints.append(Hint("sign_up_after_end", "#/sign_up/closes_at", "Sign-up closes after the end.", 2))
    return hints


def of_duplicates(found: Iterable[Similar], *, is_in_reach: Callable[[Similar], bool]) -> list[Hint]:
    """Other activities that may be this one; a draft of others is not told to who may not read it."""
    return [
        Hint(
            "likely_duplicate",
            "#/title",
            f"The same organisers have “{other.title}” ({other.id}) within {DAYS_APART} days.",
            3 if other.resemblance >= 0.9 else 2,
        )
        for other in found
        if State(other.state) in PUBLIC or is_in_reach(other)
    ]


def in_order(hints: Iterable[Hint]) -> list[Hint]:
    """Each hint once, the surest first."""
    return sorted(dict.fromkeys(hints), key=lambda hint: -hint.weight)
