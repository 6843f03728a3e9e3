"""Reading the numbers of distinct people, and comparing them with a recount of all presences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.people.rules import Where
from services.impact.people.tables import PeopleScope

PLACE: Final = """coalesce(place_id, (
        SELECT id FROM impact.people_places AS place WHERE place.section = coalesce(facts.section, '')
        AND place.country = coalesce(facts.country, '') AND place.edition = coalesce(facts.edition, '')
        AND place.academic_year = coalesce(facts.academic_year, '')))"""
"""The place of `facts`; the version before writes facts without it."""


async def listed(
    session: AsyncSession, filters: Mapping[str, Sequence[str]], *, after: int | None, limit: int
) -> Sequence[PeopleScope]:
    """Scopes in which anybody was present, in the order in which they were first heard of."""
    statement = sa.select(PeopleScope).where(PeopleScope.people + PeopleScope.guests > 0)
    for name, values in filters.items():
        statement = statement.where(getattr(PeopleScope, name).in_(values))
    if after is not None:
        statement = statement.where(PeopleScope.id > after)
    return (await session.scalars(statement.order_by(PeopleScope.id).limit(limit))).all()


async def wheres(session: AsyncSession) -> list[Where]:
    """Everywhere that facts are."""
    return [Where(*row) for row in await session.execute(_WHERES)]


async def wrong_places(session: AsyncSession) -> list[int | None]:
    """The places at which not those are counted who were there, by their number and a sum over their keys.

    None is a place that nobody was counted at yet.
    """
    return list(await session.scalars(_WRONG_PLACES))


async def wrong_people(session: AsyncSession, places: Sequence[int]) -> dict[tuple[int, UUID], int]:
    """What must be added at these places to be the recount of all presences, in one snapshot."""
    found = await session.execute(_WRONG_PEOPLE, {"places": list(places)})
    return {(row[0], row[1]): row[2] for row in found}


async def wrong_numbers(session: AsyncSession) -> dict[int, tuple[int, int]]:
    """What must be added to the numbers of people and of those without a key, in one snapshot."""
    return {row[0]: (row[1], row[2]) for row in await session.execute(_WRONG_NUMBERS)}


async def count_anew(session: AsyncSession) -> None:
    """Put a count of all presences in the place of what was kept, while nobody else counts; places are made."""
    for statement in _COUNT_ANEW:
        await session.execute(statement)


_WHERES = sa.text("SELECT DISTINCT section, country, edition, academic_year FROM impact.activity_facts")
_FACTS = """
    WITH facts AS (
      SELECT activity_id, known.id AS place_id FROM impact.activity_facts AS facts
      LEFT JOIN impact.people_places AS known ON known.section = coalesce(facts.section, '')
      AND known.country = coalesce(facts.country, '') AND known.edition = coalesce(facts.edition, '')
      AND known.academic_year = coalesce(facts.academic_year, '')
    )"""
_WRONG_PLACES = sa.text(f"""{_FACTS}, both_sides AS (
      SELECT place_id, count(person_key) AS times, sum(uuid_hash_extended(person_key, 0)) AS keys
      FROM impact.attendances JOIN facts USING (activity_id) WHERE present GROUP BY place_id
      UNION ALL
      SELECT place_id, -sum(times), -sum(times * CAST(uuid_hash_extended(person_key, 0) AS numeric))
      FROM impact.person_places GROUP BY place_id
    )
    SELECT place_id FROM both_sides GROUP BY place_id
    HAVING place_id IS NULL OR sum(times) <> 0 OR sum(keys) <> 0""")
_WRONG_PEOPLE = sa.text(f"""{_FACTS}, both_sides AS (
      SELECT place_id, person_key, 1 AS times FROM impact.attendances JOIN facts USING (activity_id)
      WHERE present AND person_key IS NOT NULL AND place_id = ANY(CAST(:places AS int[]))
      UNION ALL
      SELECT place_id, person_key, -times FROM impact.person_places WHERE place_id = ANY(CAST(:places AS int[]))
    )
    SELECT place_id, person_key, sum(times) FROM both_sides GROUP BY place_id, person_key HAVING sum(times) <> 0""")
_PEOPLE = """
      SELECT scope_id, count(*) AS people FROM (
        SELECT DISTINCT person_key, scope_id FROM impact.person_places
        JOIN impact.people_places AS place ON place.id = place_id CROSS JOIN unnest(place.scopes) AS scope_id
        WHERE times > 0
      ) AS each GROUP BY scope_id"""
_GUESTS = """
      SELECT scope_id, sum(seen) AS guests FROM (
        SELECT place_id, count(*) AS seen FROM impact.attendances JOIN facts USING (activity_id)
        WHERE present AND person_key IS NULL GROUP BY place_id
      ) AS there JOIN impact.people_places AS place ON place.id = place_id
      CROSS JOIN unnest(place.scopes) AS scope_id GROUP BY scope_id"""
_RECOUNT = f"""{_FACTS}, people AS ({_PEOPLE}), guests AS ({_GUESTS}), wrong AS (
      SELECT scope.id, coalesce(people.people, 0) - scope.people AS people,
        coalesce(guests.guests, 0) - scope.guests AS guests
      FROM impact.people_scopes AS scope
      LEFT JOIN people ON people.scope_id = scope.id LEFT JOIN guests ON guests.scope_id = scope.id
    )"""
_WRONG_NUMBERS = sa.text(f"""{_RECOUNT}
    SELECT id, CAST(people AS bigint), CAST(guests AS bigint) FROM wrong WHERE people <> 0 OR guests <> 0""")
_COUNT_ANEW = (
    sa.text("DELETE FROM impact.person_places"),
    sa.text(f"""{_FACTS}
    UPDATE impact.activity_facts AS kept SET place_id = facts.place_id FROM facts
    WHERE facts.activity_id = kept.activity_id AND kept.place_id IS DISTINCT FROM facts.place_id"""),
    sa.text(f"""{_FACTS}
    INSERT INTO impact.person_places (person_key, place_id, times)
    SELECT person_key, place_id, count(*) FROM impact.attendances JOIN facts USING (activity_id)
    WHERE present AND person_key IS NOT NULL GROUP BY person_key, place_id ORDER BY person_key, place_id"""),
    sa.text(f"""{_RECOUNT}
    UPDATE impact.people_scopes AS scope SET people = scope.people + wrong.people, guests = scope.guests + wrong.guests
    FROM wrong WHERE wrong.id = scope.id AND (wrong.people <> 0 OR wrong.guests <> 0)"""),
)
