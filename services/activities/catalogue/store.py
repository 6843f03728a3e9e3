"""Every statement about activities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue.rules import PUBLIC
from services.activities.catalogue.tables import Activity, HistoryEntry

# Spelt out in the statement, since a partial index is not used for a parameter.
IS_PUBLIC = sa.text("state IN ('published', 'held', 'cancelled')")
assert len(PUBLIC) == 3


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader of the list wants; empty means everything."""

    edition: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    section: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    sdg: tuple[int, ...] = ()
    kind: tuple[str, ...] = ()
    programme: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    updated_since: datetime | None = None
    open: bool | None = field(default=None)


async def now(session: AsyncSession) -> datetime:
    """The database's clock: the only one by which windows open and close."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def activity(session: AsyncSession, identity: UUID) -> Activity | None:
    """One activity in any state."""
    return await session.get(Activity, identity)


async def lock_activity(session: AsyncSession, identity: UUID) -> Activity | None:
    """One activity, locked until the transaction ends."""
    return await session.get(Activity, identity, with_for_update=True)


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


def add_history(session: AsyncSession, entry: HistoryEntry) -> None:
    """Remember who did what."""
    session.add(entry)


async def page_of_documents(
    session: AsyncSession, filters: Filters, *, after: tuple[str, UUID] | None, limit: int
) -> Sequence[tuple[str, datetime | None, UUID]]:
    """Public documents by start (unknown dates last), beginning after (start, id): (document, starts_at, id)."""
    start = sa.func.coalesce(Activity.starts_at, sa.text("'infinity'::timestamptz"))
    statement = (
        sa.select(Activity.document, Activity.starts_at, Activity.id)
        .where(IS_PUBLIC, *conditions(filters))
        .order_by(start, Activity.id)
        .limit(limit)
    )
    if after is not None:
        moment = sa.cast(sa.literal(after[0], sa.Text), sa.DateTime(timezone=True))
        statement = statement.where(sa.tuple_(start, Activity.id) > sa.tuple_(moment, sa.literal(after[1], sa.Uuid)))
    return [(document, starts_at, identity) for document, starts_at, identity in await session.execute(statement)]


def conditions(wanted: Filters) -> list[sa.ColumnElement[bool]]:
    """What a row must satisfy for its reader."""
    conditions: list[sa.ColumnElement[bool]] = []
    for column, codes in (
        (Activity.edition, wanted.edition),
        (Activity.country, wanted.country),
        (Activity.kind, wanted.kind),
        (Activity.programme, wanted.programme),
    ):
        if codes:
            conditions.append(column.in_(codes))
    for labels, chosen in (
        (Activity.section_codes, wanted.section),
        (Activity.areas, wanted.area),
        (Activity.causes, wanted.cause),
        (Activity.sdgs, wanted.sdg),
    ):
        if chosen:
            # Of the column's own type: Postgres compares neither text[] with varchar[] nor smallint[] with integer[].
            conditions.append(labels.overlap(sa.literal(list(chosen), labels.type)))
    if wanted.since is not None:
        conditions.append(sa.func.coalesce(Activity.ends_at, Activity.starts_at) >= wanted.since)
    if wanted.until is not None:
        conditions.append(Activity.starts_at < wanted.until)
    if wanted.updated_since is not None:
        conditions.append(Activity.updated_at >= wanted.updated_since)
    if wanted.open is not None:
        is_open = sa.and_(
            Activity.state == "published",
            Activity.takes_sign_ups,
            Activity.has_places,
            sa.func.coalesce(Activity.sign_up_opens_at, sa.func.now()) <= sa.func.now(),
            sa.func.coalesce(Activity.sign_up_closes_at > sa.func.now(), sa.true()),
        )
        conditions.append(is_open if wanted.open else sa.not_(is_open))
    return conditions
