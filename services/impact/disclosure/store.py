"""Every statement about releases, and the one that counts people for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.contracts import ParticipantClass
from services.impact.disclosure.rules import Group, ToldRow
from services.impact.disclosure.tables import Release, ReleasedRow
from services.impact.facts.tables import ActivityFacts
from services.impact.projections.tables import Attendance

_RELEASING: Final = 0x7E_1118
"""Any number that no other lock has."""

_COUNTED: Final = (Attendance.present, Attendance.participant_class == ParticipantClass.INTERNATIONAL.value)


async def hold_releasing(session: AsyncSession) -> bool:
    """Let nobody else release before this transaction ends; answers whether nobody else is about to."""
    return bool(await session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_RELEASING))))


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def today(session: AsyncSession) -> date:
    """The day of the database's clock, in UTC."""
    return (await now(session)).date()


async def unreleased(session: AsyncSession) -> Sequence[str]:
    """The academic years of which somebody was counted and nothing was released, earliest first."""
    attended = sa.exists().where(Attendance.activity_id == ActivityFacts.activity_id, *_COUNTED)
    years = sa.select(ActivityFacts.academic_year).where(
        ActivityFacts.academic_year.is_not(None),
        ActivityFacts.academic_year.not_in(sa.select(Release.academic_year)),
        attended,
    )
    return [year for year in await session.scalars(years.distinct().order_by(ActivityFacts.academic_year)) if year]


async def groups(session: AsyncSession, academic_year: str) -> list[Group]:
    """The international students of a year; nobody leaves the database, only how many are alike.

    Who took part in a year that is released was counted there, and with two years' tables more could be worked out
    than with either.
    """
    before, known = aliased(Attendance), aliased(ActivityFacts)
    counted_before = (
        sa.select(sa.literal(1))
        .select_from(before)
        .join(known, known.activity_id == before.activity_id)
        .where(
            before.person_key == Attendance.person_key,
            before.present,
            before.participant_class == ParticipantClass.INTERNATIONAL.value,
            known.academic_year.in_(sa.select(Release.academic_year)),
        )
    )
    person = sa.func.coalesce(Attendance.person_key, Attendance.attendance_key)
    latest = (ActivityFacts.starts_on.desc(), Attendance.attendance_key)
    people = (
        sa.select(
            _each(ActivityFacts.edition).label("editions"),
            _each(ActivityFacts.country).label("host_countries"),
            _each(ActivityFacts.section).label("sections"),
            _each(ActivityFacts.cause).label("causes"),
            *(_first(column, latest).label(column.key) for column in (Attendance.home_country, Attendance.mobility)),
        )
        .join(ActivityFacts, ActivityFacts.activity_id == Attendance.activity_id)
        .where(ActivityFacts.academic_year == academic_year, *_COUNTED, ~counted_before.exists())
        .group_by(person)
        .subquery()
    )
    statement = sa.select(*people.c, sa.func.count()).group_by(*people.c)
    return [
        Group(row[0] or (), row[1] or (), row[2] or (), row[3] or (), *row[4:])
        for row in map(tuple, await session.execute(statement))
    ]


def _each(column: Any) -> Any:
    return sa.func.array_agg(column.distinct()).filter(column.is_not(None))


def _first(column: Any, order: Sequence[Any]) -> Any:
    """What somebody stated last."""
    stated = sa.func.array_agg(aggregate_order_by(column, *order), type_=ARRAY(sa.Text))
    return stated.filter(column.is_not(None))[1]


async def keep(session: AsyncSession, academic_year: str, as_of: datetime, rows: Sequence[ToldRow]) -> None:
    """Keep a release for good."""
    session.add(Release(academic_year=academic_year, as_of=as_of))
    await session.flush()
    values = [
        {
            "academic_year": academic_year,
            "table_code": row.table,
            "row_key": row.key,
            "people": row.people,
            "counts": row.counts,
        }
        for row in rows
    ]
    if values:
        await session.execute(sa.insert(ReleasedRow), values)


async def releases(session: AsyncSession) -> Sequence[Release]:
    """Every release, the latest year first."""
    return (await session.scalars(sa.select(Release).order_by(Release.academic_year.desc()))).all()


async def page_of_rows(
    session: AsyncSession, table: str, years: Sequence[str], *, after: Sequence[Any] | None, limit: int | None
) -> Sequence[ReleasedRow]:
    """Rows of a table by academic year and key, all of them where there is no limit."""
    key = (sa.collate(ReleasedRow.academic_year, "C"), sa.collate(ReleasedRow.row_key, "C"))
    statement = sa.select(ReleasedRow).where(ReleasedRow.table_code == table).order_by(*key).limit(limit)
    if years:
        statement = statement.where(ReleasedRow.academic_year.in_(years))
    if after is not None:
        statement = statement.where(sa.tuple_(*key) > sa.tuple_(*(sa.literal(value, sa.Text) for value in after)))
    return (await session.scalars(statement)).all()


async def labels_told(session: AsyncSession, table: str, years: Sequence[str]) -> dict[str, list[str]]:
    """Of each of these years the labels of which a table tells something."""
    label = sa.func.jsonb_object_keys(ReleasedRow.counts)
    statement = sa.select(ReleasedRow.academic_year, label).distinct().order_by(ReleasedRow.academic_year, label)
    statement = statement.where(ReleasedRow.table_code == table, ReleasedRow.academic_year.in_(years))
    found: dict[str, list[str]] = {}
    for year, name in await session.execute(statement):
        found.setdefault(year, []).append(name)
    return found
