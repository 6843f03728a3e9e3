"""Comparing the numbers of people with a recount, and making them right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.people import counting, store

MANY_PLACES = 100


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is to be added to make the numbers those of a recount."""

    places: int
    are_many: bool
    """Whether so much is wrong that it was not looked for one by one."""

    people: Mapping[tuple[int, UUID], int]
    numbers: Mapping[int, tuple[int, int]]

    def __len__(self) -> int:
        """How many numbers are wrong, or at how many places there are such."""
        return (self.places if self.are_many else len(self.people)) + len(self.numbers)


async def wrong(session: AsyncSession) -> Wrong:
    """Compare all that is kept with a recount, beside whatever goes on."""
    places = await store.wrong_places(session)
    known = [place for place in places if place is not None]
    are_many = len(places) > MANY_PLACES or len(known) < len(places)
    people = await store.wrong_people(session, known) if known and not are_many else {}
    return Wrong(len(places), are_many, people, await store.wrong_numbers(session))


async def count_anew(session: AsyncSession) -> None:
    """Count everybody again, while nobody else does."""
    await counting.places(session, await store.wheres(session))
    await store.count_anew(session)


async def correct(session: AsyncSession, found: Wrong) -> None:
    """Add what was missing; it does not matter what was counted since."""
    await counting.add_to_scopes(session, found.numbers)
    await counting.add(session, found.people)
