"""The statements that keep the numbers of distinct people, whatever changes the presences that they are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.people.rules import Moves, Scope, Where, scopes_of

COUNTED: Final = """, present AS MATERIALIZED (
      SELECT place_id, person_key, times FROM presences WHERE person_key IS NOT NULL
    ), kept AS MATERIALIZED (
      SELECT known.* FROM (SELECT DISTINCT person_key FROM present) AS told CROSS JOIN LATERAL (
        SELECT person_key, place_id, times, ctid AS place_in_table FROM impact.person_places AS known
        WHERE known.person_key = told.person_key OFFSET 0) AS known
    ), counted AS MATERIALIZED (
      SELECT place_id, person_key, present.times AS more, coalesce(kept.times, 0) AS before, place_in_table
      FROM present LEFT JOIN kept USING (person_key, place_id)
    ), fresh_people AS (
      INSERT INTO impact.person_places (person_key, place_id, times)
      SELECT person_key, place_id, more FROM counted WHERE place_in_table IS NULL ORDER BY person_key, place_id
    ), known_people AS (
      INSERT INTO impact.person_places AS known (person_key, place_id, times)
      SELECT person_key, place_id, more FROM counted WHERE place_in_table IS NOT NULL AND before + more <> 0
      ON CONFLICT (person_key, place_id) DO UPDATE SET times = known.times + excluded.times
    ), gone_people AS (
      DELETE FROM impact.person_places
      WHERE ctid = ANY(ARRAY(SELECT place_in_table FROM counted WHERE before + more = 0))
    ), turned AS MATERIALIZED (
      SELECT person_key, place_id, CAST(before + more > 0 AS int) - CAST(before > 0 AS int) AS turn, scopes
      FROM counted JOIN impact.people_places AS place ON place.id = place_id
      WHERE (before > 0) <> (before + more > 0)
    ), elsewhere AS (
      SELECT DISTINCT kept.person_key, kept.place_id, place.scopes FROM kept
      JOIN impact.people_places AS place ON place.id = kept.place_id
      JOIN turned ON turned.person_key = kept.person_key AND turned.scopes && place.scopes WHERE kept.times > 0
    ), numbers AS (
      SELECT scope_id, sum(CAST(places + turns > 0 AS int) - CAST(places > 0 AS int)) AS people, 0 AS guests FROM (
        SELECT person_key, scope_id, sum(place) AS places, sum(turn) AS turns FROM (
          SELECT person_key, 0 AS place, turn, scopes FROM turned
          UNION ALL SELECT person_key, 1, 0, scopes FROM elsewhere
        ) AS each CROSS JOIN unnest(scopes) AS scope_id GROUP BY person_key, scope_id HAVING sum(turn) <> 0
      ) AS people GROUP BY scope_id
      UNION ALL
      SELECT scope_id, 0, sum(times) FROM presences JOIN impact.people_places AS place ON place.id = place_id
      CROSS JOIN unnest(place.scopes) AS scope_id WHERE person_key IS NULL GROUP BY scope_id
    ), told_numbers AS (
      UPDATE impact.people_scopes AS scope SET people = scope.people + more.people, guests = scope.guests + more.guests
      FROM (SELECT scope_id, sum(people) AS people, sum(guests) AS guests FROM numbers GROUP BY scope_id) AS more
      WHERE more.scope_id = scope.id AND (more.people <> 0 OR more.guests <> 0)
    )"""
"""Follows `presences (place_id, person_key, times)`: how often more, or less, somebody was at a place, each once.

Who begins or ceases to be anywhere in a scope moves its number of people. Nobody else writes meanwhile: whoever folds
holds the cursor, so that what a statement sees before it writes is what it adds to.
"""


async def move(session: AsyncSession, moves: Moves) -> None:
    """Take whoever is known as present at these activities from where they were, and count them where they are."""
    if moves:
        befores, afters = ([each[side] for each in moves.values()] for side in (0, 1))
        await session.execute(_MOVE, {"activities": list(moves), "befores": befores, "afters": afters})


async def add(session: AsyncSession, presences: Mapping[tuple[int, UUID], int]) -> None:
    """Add to how often people were present at places."""
    if presences:
        told = [[place for place, _ in presences], [person for _, person in presences], list(presences.values())]
        await session.execute(_ADD, dict(zip(("places", "people", "times"), told, strict=True)))


async def add_to_scopes(session: AsyncSession, numbers: Mapping[int, tuple[int, int]]) -> None:
    """Add to the numbers of people and of those without a key themselves, where only these are wrong."""
    if numbers:
        people, guests = ([each[side] for each in numbers.values()] for side in (0, 1))
        await session.execute(_ADD_TO_SCOPES, {"ids": list(numbers), "people": people, "guests": guests})


async def places(session: AsyncSession, wheres: Iterable[Where]) -> dict[Where, int]:
    """The ids of places, made where they are new."""
    wanted = sorted({Where(*(value or "" for value in where)) for where in wheres})
    if not wanted:
        return {}
    found = {Where(*row[1:]): row[0] for row in await session.execute(_PLACES, _arrays(Where._fields, wanted))}
    fresh = [where for where in wanted if where not in found]
    if fresh:
        lying = {where: scopes_of(Where(*(value or None for value in where))) for where in fresh}
        ids = await scopes(session, (scope for each in lying.values() for scope in each))
        lists = [",".join(str(ids[scope]) for scope in lying[where]) for where in fresh]
        rows = await session.execute(_NEW_PLACES, {**_arrays(Where._fields, fresh), "scopes": lists})
        found |= {Where(*row[1:]): row[0] for row in rows}
    return {Where(*(value or None for value in where)): number for where, number in found.items()}


async def scopes(session: AsyncSession, wanted: Iterable[Scope]) -> dict[Scope, int]:
    """The ids of scopes, made where they are new."""
    ordered = sorted(set(wanted), key=lambda scope: [value or "" for value in scope])
    if not ordered:
        return {}
    arrays = _arrays(Scope._fields, ordered)
    await session.execute(_NEW_SCOPES, arrays)
    found = await session.execute(_SCOPES, arrays)
    return {Scope(*row[1:]): row[0] for row in found}


def _arrays(names: Iterable[str], rows: Collection[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}


def _statement(text: str, **kinds: Any) -> sa.TextClause:
    return sa.text(text).bindparams(*(sa.bindparam(name, type_=ARRAY(kind)) for name, kind in kinds.items()))


_TOLD_SCOPES = """unnest(
      CAST(:kind AS text[]), CAST(:place AS text[]), CAST(:period_kind AS text[]), CAST(:period AS text[])
    ) AS told (kind, place, period_kind, period)"""
_OF_SCOPES = dict.fromkeys(Scope._fields, sa.Text)
_NEW_SCOPES = _statement(
    f"""
    INSERT INTO impact.people_scopes (kind, place, period_kind, period)
    SELECT kind, place, period_kind, period FROM {_TOLD_SCOPES} WHERE NOT EXISTS (
      SELECT FROM impact.people_scopes AS known WHERE known.kind = told.kind
      AND coalesce(known.place, '') = coalesce(told.place, '')
      AND known.period_kind = told.period_kind AND known.period = told.period)
    ON CONFLICT DO NOTHING""",
    **_OF_SCOPES,
)
_SCOPES = _statement(
    f"""
    SELECT known.id, told.kind, told.place, told.period_kind, told.period FROM {_TOLD_SCOPES}
    JOIN impact.people_scopes AS known ON known.kind = told.kind AND known.period_kind = told.period_kind
    AND known.period = told.period AND coalesce(known.place, '') = coalesce(told.place, '')""",
    **_OF_SCOPES,
)
_TOLD_PLACES = """unnest(
      CAST(:section AS text[]), CAST(:country AS text[]), CAST(:edition AS text[]), CAST(:academic_year AS text[])"""
_OF_PLACES = dict.fromkeys(Where._fields, sa.Text)
_PLACES = _statement(
    f"""
    SELECT known.id, section, country, edition, academic_year
    FROM {_TOLD_PLACES}) AS told (section, country, edition, academic_year)
    JOIN impact.people_places AS known USING (section, country, edition, academic_year)""",
    **_OF_PLACES,
)
_NEW_PLACES = _statement(
    f"""
    INSERT INTO impact.people_places (section, country, edition, academic_year, scopes)
    SELECT section, country, edition, academic_year, CAST('{{' || scopes || '}}' AS int[])
    FROM {_TOLD_PLACES}, CAST(:scopes AS text[])) AS told (section, country, edition, academic_year, scopes)
    RETURNING id, section, country, edition, academic_year""",
    **_OF_PLACES,
    scopes=sa.Text,
)
_MOVE = _statement(
    f"""
    WITH presences AS MATERIALIZED (
      SELECT place_id, person_key, sum(times) AS times
      FROM unnest(CAST(:activities AS uuid[]), CAST(:befores AS int[]), CAST(:afters AS int[]))
        AS moved (activity_id, before, after)
      CROSS JOIN LATERAL (
        SELECT person_key, count(*) AS seen FROM impact.attendances AS attendance
        WHERE attendance.activity_id = moved.activity_id AND present GROUP BY person_key OFFSET 0
      ) AS there CROSS JOIN LATERAL (VALUES (before, -seen), (after, seen)) AS counted (place_id, times)
      WHERE place_id IS NOT NULL GROUP BY place_id, person_key HAVING sum(times) <> 0
    ){COUNTED}
    SELECT count(*) FROM presences""",
    activities=sa.Uuid,
    befores=sa.Integer,
    afters=sa.Integer,
)
_ADD = _statement(
    f"""
    WITH presences AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:places AS int[]), CAST(:people AS uuid[]), CAST(:times AS bigint[]))
        AS told (place_id, person_key, times)
    ){COUNTED}
    SELECT count(*) FROM presences""",
    places=sa.Integer,
    people=sa.Uuid,
    times=sa.BigInteger,
)
_ADD_TO_SCOPES = _statement(
    """
    UPDATE impact.people_scopes AS scope SET people = scope.people + told.people, guests = scope.guests + told.guests
    FROM unnest(CAST(:ids AS int[]), CAST(:people AS bigint[]), CAST(:guests AS bigint[])) AS told (id, people, guests)
    WHERE told.id = scope.id""",
    ids=sa.Integer,
    people=sa.BigInteger,
    guests=sa.BigInteger,
)
