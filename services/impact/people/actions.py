"""Counting people: their numbers follow the presences that are told, in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.people import store
from services.impact.people.rules import Presences, Scope, scopes_of

MANY_SCOPES = 100


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is to be added to make the numbers those of a recount."""

    scopes: int
    people: Mapping[tuple[Scope, UUID], int]
    guests: Mapping[Scope, int]
    numbers: Mapping[int, int]

    @property
    def are_many(self) -> bool:
        """Whether so much is wrong that it was not looked for one by one."""
        return self.scopes > MANY_SCOPES

    def __len__(self) -> int:
        """How many numbers are wrong, or in how many scopes there are such."""
        return (self.scopes if self.are_many else len(self.people) + len(self.guests)) + len(self.numbers)


async def count(session: AsyncSession, presences: Presences) -> None:
    """Add presences, or take them away where their number is negative."""
    people = {key: times for key, times in presences.items() if times and key[1] is not None}
    guests = {key[0]: times for key, times in presences.items() if times and key[1] is None}
    places = {where: scopes_of(where) for where in {*guests, *(where for where, _ in people)}}
    ids = await store.scopes(session, [scope for scopes in places.values() for scope in scopes])
    numbers = {where: [ids[scope] for scope in scopes] for where, scopes in places.items()}
    await store.add_people(session, people, numbers)
    totals = Counter[int]()
    for where, times in guests.items():
        for number in numbers[where]:
            totals[number] += times
    await store.add_guests(session, totals)


async def wrong(session: AsyncSession) -> Wrong:
    """Compare all that is kept with a recount, beside whatever goes on."""
    scopes = await store.wrong_scopes(session)
    found = await store.wrong_counts(session, scopes) if 0 < len(scopes) <= MANY_SCOPES else []
    return Wrong(
        scopes=len(scopes),
        people={(scope, person): times for scope, person, times in found if person is not None},
        guests={scope: times for scope, person, times in found if person is None},
        numbers=await store.wrong_numbers(session),
    )


async def count_anew(session: AsyncSession) -> None:
    """Count everybody again, while nobody else does."""
    await store.count_anew(session)


async def correct(session: AsyncSession, found: Wrong) -> None:
    """Add what was missing; it does not matter what was counted since."""
    ids = await store.scopes(session, [*(scope for scope, _ in found.people), *found.guests])
    await store.add_people(session, found.people, {scope: [number] for scope, number in ids.items()})
    await store.add_guests(session, {ids[scope]: times for scope, times in found.guests.items()}, found.numbers)
