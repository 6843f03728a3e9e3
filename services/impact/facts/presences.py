"""Attendances from the log into every total, by two statements for as many as there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts import totals
from services.impact.facts.rules import Cell, Figures, Label
from services.impact.facts.totals import Kept
from services.impact.people.counting import COUNTED
from services.impact.people.store import PLACE
from services.kernel.events import Recorded, Span

ADDED: Final = ("attendances_international", "attendances_local", "attendances_esn_volunteer", "checked_in_hours")
"""The figures that presences add to."""

# One of them is a word of SQL.
_FIGURES: Final = tuple(name if name in ADDED else f'"{name}"' for name in Figures._fields)


class News(NamedTuple):
    """How much more, or less, presences amount to at an activity; `has_facts` if its people are counted somewhere."""

    activity_id: UUID
    has_facts: bool
    international: int
    local: int
    esn_volunteer: int
    hours: Decimal


async def keep(session: AsyncSession, told: Sequence[Recorded] | Span) -> list[News]:
    """Write attendances as the log tells of them, each unless as new a revision is known, and count their people.

    People at activities without facts are left to whoever makes these.
    """
    if isinstance(told, Span):
        (after_xid, after_number), (upto_xid, upto_number) = told.after, told.upto
        values: dict[str, Any] = {
            "name": told.name, "after_xid": after_xid, "after_number": after_number, "upto_xid": upto_xid,
            "upto_number": upto_number,
        }  # fmt: skip
        statement = _KEEP_SPAN
        await session.execute(_ROOM)
    else:
        values = {"xids": [each.xid for each in told], "numbers": [each.number for each in told]}
        statement = _KEEP_THESE
    return [News(*row) for row in await session.execute(statement, values)]


async def add(session: AsyncSession, news: Collection[News]) -> list[UUID]:
    """Add to the facts of activities and to all totals; answers the activities of which nothing is left to tell."""
    told = [each for each in news if any(each[2:])]
    if not told:
        return []
    names = ("activities", *ADDED)
    columns = zip(*((each.activity_id, *each[2:]) for each in told), strict=True)
    values = {name: list(column) for name, column in zip(names, columns, strict=True)}
    emptied: dict[str, list[Any]] = {}
    for table, identity, activity in await session.execute(_ADD, values):
        emptied.setdefault(table, []).append(activity or identity)
    over = emptied.pop("", [])
    for table, ids in emptied.items():
        await totals.forget(session, table, ids)
    return over


def _kept(source: str) -> str:
    # What must be there and of which kind it is, the columns of the table say. Whatever a statistic of the planner
    # says, attendances are looked up one by one: all that there are is never the shorter way.
    return f"""
    WITH told AS MATERIALIZED (
      SELECT DISTINCT ON (activity_id, attendance_key) each.*
      FROM {source}
      CROSS JOIN LATERAL jsonb_to_record(log.payload) AS each (
        activity_id uuid, attendance_key uuid, revision int, participant_class text, present boolean,
        hours numeric(7, 2), person_key uuid, home_country text, mobility text)
      ORDER BY activity_id, attendance_key, revision DESC
    ), news AS MATERIALIZED (
      SELECT told.*, known.revision IS NOT NULL AS is_known, known.present AS was_present,
        known.person_key AS was_person, known.participant_class AS was_class, known.hours AS was_hours
      FROM told LEFT JOIN LATERAL (
        SELECT * FROM impact.attendances AS known
        WHERE known.activity_id = told.activity_id AND known.attendance_key = told.attendance_key OFFSET 0
      ) AS known ON true
      WHERE known.revision IS NULL OR known.revision < told.revision
    ), fresh AS (
      INSERT INTO impact.attendances (activity_id, attendance_key, revision, participant_class, present, hours,
        person_key, home_country, mobility)
      SELECT activity_id, attendance_key, revision, participant_class, present, hours, person_key, home_country,
        mobility FROM news WHERE NOT is_known
    ), again AS (
      INSERT INTO impact.attendances (activity_id, attendance_key, revision, participant_class, present, hours,
        person_key, home_country, mobility)
      SELECT activity_id, attendance_key, revision, participant_class, present, hours, person_key, home_country,
        mobility FROM news WHERE is_known
      ON CONFLICT (activity_id, attendance_key) DO UPDATE SET revision = excluded.revision,
        participant_class = excluded.participant_class, present = excluded.present, hours = excluded.hours,
        person_key = excluded.person_key, home_country = excluded.home_country, mobility = excluded.mobility
    ), changes AS MATERIALIZED (
      SELECT activity_id, person_key, participant_class, hours, 1 AS times FROM news WHERE present
      UNION ALL
      SELECT activity_id, was_person, was_class, was_hours, -1 FROM news WHERE was_present
    ), standing AS MATERIALIZED (
      SELECT told.activity_id, facts.place_id FROM (SELECT DISTINCT activity_id FROM changes) AS told
      LEFT JOIN LATERAL (
        SELECT {PLACE} AS place_id
        FROM impact.activity_facts AS facts WHERE facts.activity_id = told.activity_id OFFSET 0
      ) AS facts ON true
    ), presences AS MATERIALIZED (
      SELECT place_id, person_key, sum(times) AS times FROM changes JOIN standing USING (activity_id)
      WHERE place_id IS NOT NULL GROUP BY place_id, person_key HAVING sum(times) <> 0
    ){COUNTED}
    SELECT activity_id, place_id IS NOT NULL,
      coalesce(sum(times) FILTER (WHERE participant_class = 'international'), 0),
      coalesce(sum(times) FILTER (WHERE participant_class = 'local'), 0),
      coalesce(sum(times) FILTER (WHERE participant_class = 'esn_volunteer'), 0),
      coalesce(sum(times * hours), 0)
    FROM changes JOIN standing USING (activity_id) GROUP BY activity_id, place_id"""


# So that thousands of people are sorted in memory; nobody else does such a thing in one service at one time.
_ROOM: Final = sa.text("SET LOCAL work_mem = '32MB'")
_KEEP_THESE: Final = sa.text(
    _kept("""unnest(CAST(:xids AS text[]), CAST(:numbers AS bigint[])) AS news (xid, number)
      JOIN events.log ON log.xid = CAST(news.xid AS xid8) AND log.number = news.number""")
).bindparams(sa.bindparam("xids", type_=ARRAY(sa.Text)), sa.bindparam("numbers", type_=ARRAY(sa.BigInteger)))
_KEEP_SPAN: Final = sa.text(
    _kept("""(
        SELECT payload FROM events.log
        WHERE (xid, number) > (CAST(CAST(:after_xid AS text) AS xid8), CAST(:after_number AS bigint))
        AND (xid, number) <= (CAST(CAST(:upto_xid AS text) AS xid8), CAST(:upto_number AS bigint))
        AND name = CAST(:name AS text)
      ) AS log""")
)


def _comma(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name}" for name in names)


def _into(kept: Kept, source: str) -> str:
    """A statement that adds rows of a source, which has the dimensions of facts, to the cells of a table."""
    table = kept.table.__tablename__
    told = _comma((*kept.dimensions, *kept.parts))
    grain = "" if kept.grain is None else "grain, "
    value = "" if kept.grain is None else f"'{kept.grain}', "
    others = [name for name in _FIGURES if name not in ADDED]
    sums = _comma(f"sum({name}) AS {name}" for name in ADDED)
    return f"""
      INSERT INTO impact.{table} AS kept ({grain}{told}, {_comma(others)}, {_comma(ADDED)})
      SELECT {value}{told}, {_comma("0" for _ in others)}, {sums}
      FROM {source} GROUP BY {told} HAVING {" OR ".join(f"sum({name}) <> 0" for name in ADDED)} ORDER BY {told}
      ON CONFLICT ({_comma(kept.key)}) DO UPDATE SET
        {_comma(f"{name} = kept.{name} + excluded.{name}" for name in ADDED)}
      RETURNING id, {" AND ".join(f"kept.{name} = 0" for name in _FIGURES)} AS is_empty"""


def _added() -> str:
    """Facts first; their cells, and those of their labels, are what the totals and the roll-ups are added to from."""
    label = "split_part(each, ':', 1) AS scheme, substr(each, strpos(each, ':') + 1) AS label"
    steps = {
        f"in_{each.table.__tablename__}_{each.grain or 'cells'}": (each, _into(each, source))
        for kind, source in ((totals.FIGURES, "changed"), (totals.LABEL_FIGURES, "labelled"))
        for each in (kind.totals, *kind.roll_ups)
    }
    written = "".join(f", {name} AS ({text}\n    )" for name, (_, text) in steps.items())
    emptied = "".join(
        f"\n    UNION ALL SELECT '{each.table.__tablename__}', id, NULL FROM {name} WHERE is_empty"
        for name, (each, _) in steps.items()
    )
    counts = _comma(f"{name} = facts.{name} + told.{name}" for name in ADDED)
    arrays = _comma(f"CAST(:{name} AS {'numeric' if name == 'checked_in_hours' else 'bigint'}[])" for name in ADDED)
    return f"""
    WITH changed AS (
      UPDATE impact.activity_facts AS facts SET {counts}
      FROM unnest(CAST(:activities AS uuid[]), {arrays}) AS told (activity_id, {_comma(ADDED)})
      WHERE facts.activity_id = told.activity_id
      RETURNING facts.activity_id, labels, {_comma(Cell._fields)}, {_comma(ADDED, "told.")},
        {" AND ".join(f"facts.{name} = 0" for name in _FIGURES)} AS is_over
    ), labelled AS MATERIALIZED (
      SELECT {_comma(Cell._fields)}, {_comma(Label._fields)}, {_comma(f"sum({name}) AS {name}" for name in ADDED)}
      FROM changed CROSS JOIN LATERAL (SELECT {label} FROM unnest(labels) AS each) AS each
      GROUP BY {_comma((*Cell._fields, *Label._fields))}
    ){written}
    SELECT '' AS kept, CAST(NULL AS bigint) AS id, activity_id FROM changed WHERE is_over{emptied}"""


_ADD: Final = sa.text(_added()).bindparams(
    sa.bindparam("activities", type_=ARRAY(sa.Uuid)),
    *(sa.bindparam(name, type_=ARRAY(sa.Numeric if name == "checked_in_hours" else sa.BigInteger)) for name in ADDED),
)
