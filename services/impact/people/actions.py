"""Counting people: their numbers follow the presences that are told, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.people import store
from services.impact.people.rules import Presences, Scope, by_scope


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is to be added to make the numbers those of a recount."""

    people: Mapping[tuple[Scope, UUID], int]
    guests: Mapping[Scope, int]
    numbers: Mapping[int, int]

    def __len__(self) -> int:
        """How many numbers are wrong."""
        return len(self.people) + len(self.guests) + len(self.numbers)


async def count(session: AsyncSession, presences: Presences) -> None:
    """Add presences, or take them away where their number is negative."""
    await _add(session, *by_scope(presences))


async def wrong(session: AsyncSession) -> Wrong:
    """Compare all that is kept with a recount, beside whatever goes on."""
    found = await store.wrong_counts(session)
    return Wrong(
        people={(scope, person): times for scope, person, times in found if person is not None},
        guests={scope: times for scope, person, times in found if person is None},
        numbers=await store.wrong_numbers(session),
    )


async def correct(session: AsyncSession, found: Wrong) -> None:
    """Add what was missing; it does not matter what was counted since."""
    await store.add_guests(session, {}, found.numbers)
    await _add(session, found.people, found.guests)


async def _add(session: AsyncSession, people: Mapping[tuple[Scope, UUID], int], guests: Mapping[Scope, int]) -> None:
    ids = await store.scopes(session, [*(scope for scope, _ in people), *guests])
    await store.add_people(session, {(ids[scope], person): times for (scope, person), times in people.items()})
    await store.add_guests(session, {ids[scope]: times for scope, times in guests.items()})
