"""Every statement that reads the audit for those in whose reach it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.audit.tables import Audit
from services.kernel.auth import Actor, Role


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts are asked for."""

    object: str | None = None
    actor: UUID | None = None
    verb: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def _within_reach(audit: Audit, actor: Actor) -> sa.ColumnElement[bool]:
    entries = audit.entries.c
    if actor.role in {Role.INTERNATIONAL, Role.OPERATOR}:
        return sa.true()
    if actor.role is Role.NATIONAL_COORDINATOR:
        return entries.country == actor.country
    return entries.sections.contains(sa.cast([actor.section], ARRAY(sa.Text)))


def _matching(audit: Audit, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    entries, found = audit.entries.c, []
    if wanted.object is not None:
        below = entries.object.startswith(f"{wanted.object}/", autoescape=True)
        found.append(sa.or_(entries.object == wanted.object, below))
    if wanted.actor is not None:
        found.append(entries.actor_id == wanted.actor)
    if wanted.verb is not None:
        found.append(entries.verb == wanted.verb)
    if wanted.since is not None:
        found.append(entries.at >= wanted.since)
    if wanted.until is not None:
        found.append(entries.at < wanted.until)
    return found


async def page(
    session: AsyncSession, audit: Audit, actor: Actor, wanted: Wanted, *, after: int | None, limit: int
) -> Sequence[Row[Any]]:
    """Acts in an actor's reach, the latest first."""
    entries = audit.entries
    statement = sa.select(entries).where(_within_reach(audit, actor), *_matching(audit, wanted))
    if after is not None:
        statement = statement.where(entries.c.number < after)
    return (await session.execute(statement.order_by(entries.c.number.desc()).limit(limit))).all()


async def find(session: AsyncSession, audit: Audit, actor: Actor, identity: UUID) -> Row[Any] | None:
    """One act in an actor's reach."""
    statement = sa.select(audit.entries).where(audit.entries.c.id == identity, _within_reach(audit, actor))
    return (await session.execute(statement)).one_or_none()


async def first_changes(
    session: AsyncSession, audit: Audit, entries: Sequence[UUID], *, each: int
) -> dict[UUID, list[Row[Any]]]:
    """The first so many changes of each act."""
    asked = sa.select(sa.func.unnest(sa.cast(list(entries), ARRAY(sa.Uuid))).label("id")).subquery("asked")
    changes = (
        sa.select(audit.changes)
        .where(audit.changes.c.entry == asked.c.id)
        .order_by(audit.changes.c.number)
        .limit(each)
        .lateral("found")
    )
    found: dict[UUID, list[Row[Any]]] = {}
    for row in await session.execute(sa.select(changes).select_from(asked.join(changes, sa.true()))):
        found.setdefault(row.entry, []).append(row)
    return {entry: sorted(rows, key=lambda row: int(row.number)) for entry, rows in found.items()}


async def page_of_changes(
    session: AsyncSession, audit: Audit, entry: UUID, *, after: int | None, limit: int
) -> Sequence[Row[Any]]:
    """What one act changed, in its order."""
    changes = audit.changes
    statement = sa.select(changes).where(changes.c.entry == entry)
    if after is not None:
        statement = statement.where(changes.c.number > after)
    return (await session.execute(statement.order_by(changes.c.number).limit(limit))).all()
