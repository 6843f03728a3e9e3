"""Every statement about activities, but for those that find them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue.tables import Activity, HistoryEntry


async def now(session: AsyncSession) -> datetime:
    """The database's clock: the only one by which windows open and close."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def activity(session: AsyncSession, identity: UUID) -> Activity | None:
    """One activity in any state."""
    return await session.get(Activity, identity)


async def lock_activity(session: AsyncSession, identity: UUID) -> Activity | None:
    """One activity, locked until the transaction ends."""
    return await session.get(Activity, identity, with_for_update=True)


async def whole_of(session: AsyncSession, identity: UUID) -> UUID | None:
    """What an activity is a part of, which never changes."""
    return await session.scalar(sa.select(Activity.part_of).where(Activity.id == identity))


async def lock_parts(session: AsyncSession, whole: UUID) -> Sequence[Activity]:
    """The parts of an activity, locked, in the order of their start."""
    statement = sa.select(Activity).where(Activity.part_of == whole).order_by(Activity.id).with_for_update()
    found = (await session.scalars(statement.execution_options(populate_existing=True))).all()
    return sorted(found, key=lambda part: (str(part.starts_at), part.id))


async def public_parts(session: AsyncSession, whole: UUID) -> int:
    """How many parts of an activity are published or were held."""
    these = sa.and_(Activity.part_of == whole, Activity.state.in_(("published", "held")))
    return (await session.execute(sa.select(sa.func.count()).where(these))).scalar_one()


async def imported(session: AsyncSession, source: str, source_id: str) -> Activity | None:
    """The activity that was made from a record of another system."""
    statement = sa.select(Activity).where(Activity.source == source, Activity.source_id == source_id).with_for_update()
    return await session.scalar(statement)


async def holds_samples(session: AsyncSession) -> bool:
    """Whether there is any sample activity."""
    return bool(await session.scalar(sa.select(sa.exists().where(Activity.sample))))


async def lock_due_to_turn(session: AsyncSession, *, limit: int) -> Sequence[Activity]:
    """Activities whose sign-up opens or closes by the passing of time, and has done so."""
    statement = sa.select(Activity).where(Activity.turns_at <= sa.func.now()).order_by(Activity.turns_at).limit(limit)
    return (await session.scalars(statement.with_for_update(skip_locked=True))).all()


async def history(
    session: AsyncSession, identity: UUID, *, after: Sequence[Any] | None, limit: int
) -> Sequence[HistoryEntry]:
    """What was done to an activity, from the beginning."""
    statement = sa.select(HistoryEntry).where(HistoryEntry.activity_id == identity)
    if after is not None:
        statement = statement.where(HistoryEntry.revision > after[0])
    return (await session.scalars(statement.order_by(HistoryEntry.revision).limit(limit))).all()


def document_in(languages: Sequence[str]) -> sa.ColumnElement[str]:
    """The document in the first of these languages that it is written in, else in its original one."""
    if not languages:
        return sa.type_coerce(Activity.document, sa.Text)
    ways = []
    for tag in languages:
        ways.append((sa.func.lower(Activity.language) == tag, Activity.document))
        ways.append((Activity.documents.has_key(tag), Activity.documents[tag].astext))
    return sa.case(*ways, else_=Activity.document)


def add_history(session: AsyncSession, entry: HistoryEntry) -> None:
    """Remember who did what."""
    session.add(entry)
