"""Statements about keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.access import KEYS
from services.kernel.auth import Actor, Role

_FIELDS = (
    KEYS,
    sa.case(
        (KEYS.c.revoked_at.is_not(None), "revoked"), (KEYS.c.expires_at <= sa.func.now(), "expired"), else_="active"
    ).label("state"),
)


def _within(actor: Actor) -> sa.ColumnElement[bool]:
    if actor.role is Role.LOCAL_COORDINATOR:
        return sa.and_(KEYS.c.section == actor.section)
    if actor.role is Role.NATIONAL_COORDINATOR:
        return sa.and_(KEYS.c.country == actor.country)
    return sa.true()


async def add(session: AsyncSession, values: Mapping[str, Any], *, days: int) -> Row[Any]:
    """A new key, as it is told from now on."""
    lasts = sa.func.now() + sa.func.make_interval(0, 0, 0, days)
    statement = sa.insert(KEYS).values(**values, expires_at=lasts, revision=1).returning(*_FIELDS)
    row: Row[Any] = (await session.execute(statement)).one()
    return row


async def page(
    session: AsyncSession, actor: Actor, *, section: str | None, state: str | None, after: UUID | None, limit: int
) -> list[Row[Any]]:
    """Keys within somebody's reach, the newest first."""
    statement = sa.select(*_FIELDS).where(_within(actor)).order_by(KEYS.c.id.desc()).limit(limit)
    if section is not None:
        statement = statement.where(KEYS.c.section == section)
    if state is not None:
        statement = statement.where(_FIELDS[1] == state)
    if after is not None:
        statement = statement.where(KEYS.c.id < after)
    return list((await session.execute(statement)).all())


async def key(session: AsyncSession, actor: Actor, key_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    """One key within somebody's reach."""
    statement = sa.select(*_FIELDS).where(KEYS.c.id == key_id, _within(actor))
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).one_or_none()


async def revoke(session: AsyncSession, key_id: UUID) -> Row[Any]:
    """End a key, and the one before it."""
    values = {"revoked_at": sa.func.now(), "revision": KEYS.c.revision + 1}
    return await _change(session, key_id, values)


async def rotate(session: AsyncSession, row: Row[Any], *, key_hash: bytes, last_four: str, hours: int) -> Row[Any]:
    """Put a new secret in the place of the former one, which goes on working for a while."""
    values = {
        "key_hash": key_hash,
        "last_four": last_four,
        "former_hash": row.key_hash if hours else None,
        "former_until": sa.func.now() + sa.func.make_interval(0, 0, 0, 0, hours) if hours else None,
        "revision": KEYS.c.revision + 1,
    }
    return await _change(session, row.id, values)


async def _change(session: AsyncSession, key_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    statement = sa.update(KEYS).where(KEYS.c.id == key_id).values(**values).returning(*_FIELDS)
    row: Row[Any] = (await session.execute(statement)).one()
    return row
