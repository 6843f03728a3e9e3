"""Every statement about distinct people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.people.rules import Scope
from services.impact.people.tables import PeopleScope


async def scopes(session: AsyncSession, wanted: Iterable[Scope]) -> dict[Scope, int]:
    """The ids of scopes, made where they are new."""
    ordered = sorted(set(wanted), key=lambda scope: [value or "" for value in scope])
    if not ordered:
        return {}
    arrays = {name: list(values) for name, values in zip(Scope._fields, zip(*ordered, strict=True), strict=True)}
    await session.execute(_NEW_SCOPES, arrays)
    found = await session.execute(_SCOPES, arrays)
    return {Scope(*row[1:]): row[0] for row in found}


async def add_people(session: AsyncSession, times: Mapping[Any, int], scopes: Mapping[Any, Sequence[int]]) -> None:
    """Add to how often people were present in each scope of where they were.

    `times` is by where and by key. Who begins or ceases to be there moves the number of people of the scope.
    """
    if times:
        numbers = {where: number for number, where in enumerate(scopes)}
        values = {
            "places": [numbers[where] for where, _ in times],
            "people": [person for _, person in times],
            "times": list(times.values()),
            "wheres": [numbers[where] for where, ids in scopes.items() for _ in ids],
            "scopes": [each for ids in scopes.values() for each in ids],
        }
        gone = (await session.execute(_ADD_PEOPLE, values)).all()
        if gone:
            await session.execute(_FORGET, {"scopes": [row[0] for row in gone], "people": [row[1] for row in gone]})


async def add_guests(session: AsyncSession, guests: Mapping[int, int], people: Mapping[int, int] | None = None) -> None:
    """Add to the numbers of those without a key, and of people where their number itself is to be corrected."""
    more = people or {}
    ids = sorted({*guests, *more})
    if ids:
        values = {
            "ids": ids,
            "guests": [guests.get(each, 0) for each in ids],
            "people": [more.get(each, 0) for each in ids],
        }
        await session.execute(_ADD_GUESTS, values)


async def wrong_scopes(session: AsyncSession) -> list[Scope]:
    """The scopes whose presences are not those that are counted, by their number and a sum over their keys."""
    return [Scope(*row) for row in await session.execute(_WRONG_SCOPES)]


async def wrong_counts(session: AsyncSession, scopes: Sequence[Scope]) -> list[tuple[Scope, UUID | None, int]]:
    """What must be added in these scopes to be the recount of all presences, in one snapshot; of people and guests."""
    told = {name: list(values) for name, values in zip(Scope._fields, zip(*scopes, strict=True), strict=True)}
    return [(Scope(*row[:4]), row[4], row[5]) for row in await session.execute(_WRONG_COUNTS, told)]


async def count_anew(session: AsyncSession) -> None:
    """Put a count of all presences in the place of what was kept, while nobody else counts."""
    for statement in _COUNT_ANEW:
        await session.execute(statement)


async def wrong_numbers(session: AsyncSession) -> dict[int, int]:
    """What must be added to the numbers of people to be the number of their counts, in one snapshot."""
    return {row[0]: row[1] for row in await session.execute(_WRONG_NUMBERS)}


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


def _statement(text: str, **kinds: Any) -> sa.TextClause:
    return sa.text(text).bindparams(*(sa.bindparam(name, type_=ARRAY(kind)) for name, kind in kinds.items()))


_OF_SCOPES = dict.fromkeys(Scope._fields, sa.Text)
_NEW_SCOPES = _statement(
    """
    INSERT INTO impact.people_scopes (kind, place, period_kind, period)
    SELECT kind, place, period_kind, period FROM unnest(
      CAST(:kind AS text[]), CAST(:place AS text[]), CAST(:period_kind AS text[]), CAST(:period AS text[])
    ) AS told (kind, place, period_kind, period) WHERE NOT EXISTS (
      SELECT FROM impact.people_scopes AS known WHERE known.kind = told.kind
      AND coalesce(known.place, '') = coalesce(told.place, '')
      AND known.period_kind = told.period_kind AND known.period = told.period)
    ON CONFLICT DO NOTHING""",
    **_OF_SCOPES,
)
_SCOPES = _statement(
    """
    SELECT known.id, told.kind, told.place, told.period_kind, told.period FROM unnest(
      CAST(:kind AS text[]), CAST(:place AS text[]), CAST(:period_kind AS text[]), CAST(:period AS text[])
    ) AS told (kind, place, period_kind, period)
    JOIN impact.people_scopes AS known ON known.kind = told.kind AND known.period_kind = told.period_kind
    AND known.period = told.period AND coalesce(known.place, '') = coalesce(told.place, '')""",
    **_OF_SCOPES,
)
_ADD_PEOPLE = _statement(
    """
    WITH told AS (
      SELECT scope_id, person_key, sum(times) AS times
      FROM unnest(CAST(:places AS int[]), CAST(:people AS uuid[]), CAST(:times AS int[]))
        AS seen (place, person_key, times)
      JOIN unnest(CAST(:wheres AS int[]), CAST(:scopes AS int[])) AS counted (place, scope_id) USING (place)
      GROUP BY scope_id, person_key HAVING sum(times) <> 0 ORDER BY scope_id, person_key
    ), written AS (
      INSERT INTO impact.person_counts AS known (scope_id, person_key, times)
      SELECT scope_id, person_key, times FROM told
      ON CONFLICT (scope_id, person_key) DO UPDATE SET times = known.times + excluded.times
      RETURNING scope_id, person_key, times
    ), turned AS (
      SELECT scope_id, person_key, written.times = 0 AS is_gone,
        CAST(written.times > 0 AS int) - CAST(written.times - told.times > 0 AS int) AS people
      FROM written JOIN told USING (scope_id, person_key)
    ), moved AS (
      SELECT scope_id, sum(people) AS people FROM turned GROUP BY scope_id HAVING sum(people) <> 0
    ), numbers AS (
      UPDATE impact.people_scopes AS scope SET people = scope.people + moved.people
      FROM moved WHERE moved.scope_id = scope.id
    )
    SELECT scope_id, person_key FROM turned WHERE is_gone""",
    places=sa.Integer,
    people=sa.Uuid,
    times=sa.Integer,
    wheres=sa.Integer,
    scopes=sa.Integer,
)
_FORGET = _statement(
    """
    DELETE FROM impact.person_counts AS known
    USING unnest(CAST(:scopes AS int[]), CAST(:people AS uuid[])) AS gone (scope_id, person_key)
    WHERE known.scope_id = gone.scope_id AND known.person_key = gone.person_key AND known.times = 0""",
    scopes=sa.Integer,
    people=sa.Uuid,
)
_ADD_GUESTS = _statement(
    """
    UPDATE impact.people_scopes AS scope SET guests = scope.guests + told.guests, people = scope.people + told.people
    FROM unnest(CAST(:ids AS int[]), CAST(:guests AS bigint[]), CAST(:people AS bigint[])) AS told (id, guests, people)
    WHERE told.id = scope.id""",
    ids=sa.Integer,
    guests=sa.BigInteger,
    people=sa.BigInteger,
)
# The scopes of an activity are those of its facts: where its people are counted now. `place_id` numbers what has the
# same of them, so that presences are added up by one number and not by all that it stands for.
_WHERE = """
    WITH facts AS (
      SELECT activity_id, section, country, edition, academic_year,
        dense_rank() OVER (ORDER BY section, country, edition, academic_year) AS place_id
      FROM impact.activity_facts
    ), counted AS (
      SELECT place_id, kind, place, period_kind, period
      FROM (SELECT DISTINCT place_id, section, country, edition, academic_year FROM facts) AS places
      CROSS JOIN LATERAL (VALUES
        ('network', NULL, 'academic_year', academic_year), ('network', NULL, 'edition', edition),
        ('country', country, 'academic_year', academic_year), ('country', country, 'edition', edition),
        ('section', section, 'academic_year', academic_year), ('section', section, 'edition', edition)
      ) AS scope (kind, place, period_kind, period)
      WHERE period IS NOT NULL AND (place IS NOT NULL OR kind = 'network')
    )"""


def _counted(text: str) -> str:
    return _WHERE + text


_WRONG_SCOPES = sa.text(
    _counted(""", seen AS (
      SELECT place_id, count(person_key) AS times, sum(uuid_hash_extended(person_key, 0)) AS keys,
        count(*) - count(person_key) AS guests
      FROM impact.attendances JOIN facts USING (activity_id) WHERE present GROUP BY place_id
    ), both_sides AS (
      SELECT kind, place, period_kind, period, times, keys, guests FROM seen JOIN counted USING (place_id)
      UNION ALL SELECT kind, place, period_kind, period, -kept.times, -kept.keys, 0
      FROM (SELECT scope_id, sum(times) AS times,
        sum(times * CAST(uuid_hash_extended(person_key, 0) AS numeric)) AS keys
        FROM impact.person_counts GROUP BY scope_id) AS kept
      JOIN impact.people_scopes ON id = scope_id
      UNION ALL SELECT kind, place, period_kind, period, 0, 0, -guests FROM impact.people_scopes
    )
    SELECT kind, place, period_kind, period FROM both_sides GROUP BY kind, place, period_kind, period
    HAVING sum(times) <> 0 OR sum(keys) <> 0 OR sum(guests) <> 0""")
)
_WRONG_COUNTS = _statement(
    _counted(""", told AS (
      SELECT kind, place, period_kind, period FROM unnest(
        CAST(:kind AS text[]), CAST(:place AS text[]), CAST(:period_kind AS text[]), CAST(:period AS text[])
      ) AS told (kind, place, period_kind, period)
    ), both_sides AS (
      SELECT told.*, person_key, 1 AS times FROM impact.attendances JOIN facts USING (activity_id)
      JOIN counted AS known USING (place_id) JOIN told ON known.kind = told.kind
      AND coalesce(known.place, '') = coalesce(told.place, '') AND known.period_kind = told.period_kind
      AND known.period = told.period WHERE present
      UNION ALL
      SELECT told.*, person_key, -times FROM impact.person_counts JOIN impact.people_scopes AS known ON id = scope_id
      JOIN told ON known.kind = told.kind
      AND coalesce(known.place, '') = coalesce(told.place, '') AND known.period_kind = told.period_kind
      AND known.period = told.period
      UNION ALL SELECT told.*, NULL, -guests FROM impact.people_scopes AS known JOIN told ON known.kind = told.kind
      AND coalesce(known.place, '') = coalesce(told.place, '') AND known.period_kind = told.period_kind
      AND known.period = told.period
    )
    SELECT kind, place, period_kind, period, person_key, CAST(sum(times) AS int) FROM both_sides
    GROUP BY kind, place, period_kind, period, person_key HAVING sum(times) <> 0"""),
    **_OF_SCOPES,
)
# One comparison and not four, of which Postgres would expect a single row and compare each with each.
_PLACED = """, placed AS MATERIALIZED (
      SELECT place_id, id AS scope_id FROM counted JOIN impact.people_scopes AS known
      ON concat_ws(' ', known.kind, coalesce(known.place, ''), known.period_kind, known.period)
        = concat_ws(' ', counted.kind, coalesce(counted.place, ''), counted.period_kind, counted.period)
    )"""


def _placed(text: str) -> str:
    return _counted(_PLACED + text)


_COUNT_ANEW = (
    sa.text("DELETE FROM impact.person_counts"),
    sa.text(
        _counted("""
    INSERT INTO impact.people_scopes (kind, place, period_kind, period)
    SELECT DISTINCT kind, place, period_kind, period FROM counted ON CONFLICT DO NOTHING""")
    ),
    sa.text(
        _placed(""", seen AS (
      SELECT place_id, person_key, count(*) AS times FROM impact.attendances JOIN facts USING (activity_id)
      WHERE present AND person_key IS NOT NULL GROUP BY place_id, person_key
    )
    INSERT INTO impact.person_counts (scope_id, person_key, times)
    SELECT scope_id, person_key, sum(times) FROM seen JOIN placed USING (place_id)
    GROUP BY scope_id, person_key ORDER BY scope_id, person_key""")
    ),
    sa.text(
        _placed(""", seen AS (
      SELECT place_id, count(*) AS guests FROM impact.attendances JOIN facts USING (activity_id)
      WHERE present AND person_key IS NULL GROUP BY place_id
    ), guests AS (
      SELECT scope_id, sum(guests) AS guests FROM seen JOIN placed USING (place_id) GROUP BY scope_id
    ), people AS (
      SELECT scope_id, count(*) AS people FROM impact.person_counts GROUP BY scope_id
    )
    UPDATE impact.people_scopes AS scope SET people = coalesce(people.people, 0), guests = coalesce(guests.guests, 0)
    FROM impact.people_scopes AS same
    LEFT JOIN people ON people.scope_id = same.id LEFT JOIN guests ON guests.scope_id = same.id
    WHERE same.id = scope.id
      AND (scope.people, scope.guests) <> (coalesce(people.people, 0), coalesce(guests.guests, 0))""")
    ),
)
_WRONG_NUMBERS = sa.text("""
    SELECT id, CAST(coalesce(counted.people, 0) - scope.people AS bigint) FROM impact.people_scopes AS scope
    LEFT JOIN (SELECT scope_id, count(*) AS people FROM impact.person_counts WHERE times > 0 GROUP BY scope_id)
      AS counted ON counted.scope_id = scope.id
    WHERE coalesce(counted.people, 0) <> scope.people""")
