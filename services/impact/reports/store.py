"""Every statement about reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.reports.rules import Outcome, Source, State
from services.impact.reports.tables import Report, ReportHistoryEntry, ReportQuantity


async def now(session: AsyncSession) -> datetime:
    """The database's clock: the only one by which an activity has started."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def report(session: AsyncSession, activity_id: UUID) -> Report | None:
    """The report of an activity."""
    return await session.get(Report, activity_id)


async def lock_report(session: AsyncSession, activity_id: UUID) -> Report | None:
    """The report of an activity, locked until the transaction ends."""
    return await session.get(Report, activity_id, with_for_update=True)


async def begin_report(session: AsyncSession, activity_id: UUID, source: Source) -> Report | None:
    """An empty report, locked, or None where somebody else began one."""
    values = {
        "activity_id": activity_id,
        "state": State.DRAFT,
        "revision": 0,
        "source": source,
        "outcome": Outcome.HELD,
    }
    statement = insert(Report).values(values).on_conflict_do_nothing().returning(Report.activity_id)
    if (await session.execute(statement)).first() is None:
        return None
    return await lock_report(session, activity_id)


async def quantities(session: AsyncSession, activity_id: UUID) -> Sequence[ReportQuantity]:
    """The quantities of a report in the order of their codes."""
    statement = sa.select(ReportQuantity).where(ReportQuantity.activity_id == activity_id)
    return (await session.scalars(statement.order_by(ReportQuantity.measure, ReportQuantity.unit))).all()


async def replace_quantities(session: AsyncSession, activity_id: UUID, wanted: Iterable[ReportQuantity]) -> None:
    """Put these quantities in the place of those that the report had."""
    for row in await quantities(session, activity_id):
        await session.delete(row)
    await session.flush()
    session.add_all(wanted)


async def history(session: AsyncSession, activity_id: UUID) -> Sequence[ReportHistoryEntry]:
    """What was done to a report, the first first."""
    statement = sa.select(ReportHistoryEntry).where(ReportHistoryEntry.activity_id == activity_id)
    return (await session.scalars(statement.order_by(ReportHistoryEntry.revision))).all()


def add_history(session: AsyncSession, entry: ReportHistoryEntry) -> None:
    """Remember who did what."""
    session.add(entry)
