"""Every query of what stands around the figures: the clock, editions, sections, and what is known of codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.tables import RollUp, Total
from services.impact.projections.tables import Activity, Edition, OrganisedDay, Section
from services.impact.reports.rules import State
from services.impact.reports.tables import Report
from services.impact.statistics import store
from services.impact.statistics.periods import EditionDays
from services.impact.statistics.rules import Asked, Reports

_TODAY, _EDITIONS = "the day on which it began", "the editions that were known"
_FIRST_MEMBER = 1
"""Postgres counts the members of an array from one."""


class SectionStanding(NamedTuple):
    """A section, how many of its activities are reported in a period, and when it was active last."""

    code: str
    title: str
    country: str
    reported: int
    last_reported_on: date | None
    last_active_on: date | None


async def today(session: AsyncSession) -> date:
    """The day by the database's clock, in UTC, on which the transaction began."""
    if _TODAY not in session.info:
        now: datetime = (await session.execute(sa.select(sa.func.now()))).scalar_one()
        session.info[_TODAY] = now.astimezone(UTC).date()
    found: date = session.info[_TODAY]
    return found


async def editions(session: AsyncSession) -> list[EditionDays]:
    """Every edition that is known; who asks again in the same transaction gets the same answer."""
    if _EDITIONS not in session.info:
        columns = (Edition.code, Edition.series, Edition.starts_on, Edition.ends_on)
        rows = await session.execute(sa.select(*columns).order_by(Edition.code))
        session.info[_EDITIONS] = [EditionDays(*row) for row in rows]
    return list(session.info[_EDITIONS])


async def unknown(session: AsyncSession, name: str, codes: Collection[str]) -> list[str]:
    """Those of the codes of editions, sections or platforms that nothing is known of."""
    found: set[str] = set()
    if name in {"edition", "section"}:
        table = Edition if name == "edition" else Section
        found |= set(await session.scalars(sa.select(table.code).where(table.code.in_(codes))))
    column = getattr(Activity, name)
    found |= set(await session.scalars(sa.select(column).where(column.in_(codes)).distinct()))
    return [code for code in codes if code not in found]


async def have_met(session: AsyncSession, codes: dict[str, tuple[str, ...]]) -> bool:
    """Whether any activity has one of the codes of each dimension."""
    conditions = [getattr(Activity, name).in_(values) for name, values in codes.items()]
    return await session.scalar(sa.select(sa.exists().where(*conditions))) is True


async def countries_of(session: AsyncSession, sections: Collection[str]) -> set[str]:
    """The countries of these sections."""
    return set(await session.scalars(sa.select(Section.country).where(Section.code.in_(sections))))


async def active_sections(session: AsyncSession, asked: Asked) -> list[SectionStanding]:
    """The active sections among what is asked for, by country and code, with what they reported and when.

    Active last is the last day on which an activity that it organised, alone or with others, began and was not called
    off; sample activities are nobody's.
    """
    reported = store.reported(asked).subquery()
    # Of each section the last day by an index, whatever the number of activities.
    last_reported = (
        sa.select(Total.starts_on.label("last_on"))
        .where(Total.section == reported.c.section, sa.text("totals.reports > 0"), Total.starts_on.is_not(None))
        .where(*store.conditions(Total, asked))
        .order_by(Total.starts_on.desc())
        .limit(1)
        .lateral()
    )
    last = (
        sa.select(OrganisedDay.starts_on.label("last_on"))
        .where(OrganisedDay.section == Section.code, OrganisedDay.activities > 0)
        .where(OrganisedDay.starts_on <= sa.func.current_date())
        .order_by(OrganisedDay.starts_on.desc())
        .limit(1)
        .lateral()
    )
    statement = (
        sa.select(
            Section.code,
            Section.title,
            Section.country,
            sa.func.coalesce(reported.c.reported, 0),
            last_reported.c.last_on,
            last.c.last_on,
        )
        .outerjoin(reported, reported.c.section == Section.code)
        .outerjoin(last_reported, sa.true())
        .outerjoin(last, sa.true())
        .where(*store.active_among(asked))
        .order_by(sa.collate(Section.country, "C"), sa.collate(Section.code, "C"))
    )
    return [SectionStanding(*row) for row in await session.execute(statement)]


async def sections(session: AsyncSession, codes: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The title and the country of sections."""
    statement = sa.select(Section.code, Section.title, Section.country).where(Section.code.in_(list(codes)))
    return {code: (title, country) for code, title, country in await session.execute(statement)}


async def reports(session: AsyncSession, asked: Asked) -> dict[tuple[Any, ...], Reports]:
    """How many activities were to be reported and how many were, by the dimensions of the question."""
    verified = Report.state == State.VERIFIED
    columns = [_of_activity(name) for name in asked.stored_by]
    begun = sa.and_(
        ~Activity.sample,
        Activity.state != "cancelled",
        sa.or_(Activity.state == "held", Activity.starts_on <= sa.func.current_date()),
    )
    conditions = [_of_activity(name).in_(codes) for name, codes in asked.codes.items()]
    if asked.since is not None:
        conditions.append(Activity.starts_on >= asked.since)
    if asked.until is not None:
        conditions.append(Activity.starts_on <= asked.until)
    statement = (
        sa.select(*columns, sa.func.count(), sa.func.count().filter(verified))
        .select_from(Activity)
        .outerjoin(Report, Report.activity_id == Activity.activity_id)
        .where(~Activity.has_parts, sa.or_(begun, verified), *conditions)
        .group_by(*columns)
    )
    return {tuple(row[:-2]): Reports(row[-2], row[-1]) for row in await session.execute(statement)}


async def first_days(session: AsyncSession, columns: Sequence[str]) -> dict[str, date | None]:
    """The first day on which there is something to count, for each column of the totals."""
    # The first month by its roll-up, and its first day by an index: nobody looks through all days.
    months = (
        sa.select(*(sa.func.min(RollUp.month).filter(getattr(RollUp, name) != 0).label(name) for name in columns))
        .where(RollUp.grain == "months")
        .subquery()
    )
    firsts = [
        sa.select(Total.starts_on)
        .where(Total.starts_on >= sa.func.to_date(months.c[name], "YYYY-MM"), getattr(Total, name) != 0)
        .order_by(Total.starts_on)
        .limit(1)
        .scalar_subquery()
        for name in columns
    ]
    row = (await session.execute(sa.select(*firsts).select_from(months))).one()
    return dict(zip(columns, row, strict=True))


def _of_activity(name: str) -> Any:
    """A dimension of an activity as the catalogue tells it; areas and causes by the main one."""
    if name in {"area", "cause"}:
        return getattr(Activity, f"{name}s")[_FIRST_MEMBER]
    if name == "month":
        return sa.func.to_char(Activity.starts_on, "YYYY-MM")
    if name == "academic_year":
        first = sa.func.extract("year", Activity.starts_on - sa.text("interval '7 months'"))
        whole = sa.cast(first, sa.Integer)
        return sa.func.concat(
            sa.func.lpad(sa.cast(whole, sa.Text), 4, "0"), "/",
            sa.func.lpad(sa.cast((whole + 1) % 100, sa.Text), 2, "0"),
        )  # fmt: skip
    return getattr(Activity, name)
