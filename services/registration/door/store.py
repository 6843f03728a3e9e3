"""Every statement about passes, and the list of the day as a helper may see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import reach
from services.registration.door.rules import KEPT_DAYS
from services.registration.door.tables import CheckInPass
from services.registration.places.tables import Registration

_HAS_NOT_ENDED = sa.and_(CheckInPass.revoked_at.is_(None), CheckInPass.expires_at > sa.func.now())
_IS_LIVE = sa.and_(_HAS_NOT_ENDED, CheckInPass.begins_at <= sa.func.now())
_SEATED = sa.text("registrations.state IN ('unconfirmed', 'offered', 'confirmed')")


async def live_pass(session: AsyncSession, activity_id: UUID, secret_hash: bytes) -> CheckInPass | None:
    """The pass of a secret for an activity, if it has begun and has neither ended nor been revoked."""
    await reach.show(session, "pass", secret_hash.hex())
    ours = sa.and_(CheckInPass.activity_id == activity_id, CheckInPass.secret_hash == secret_hash)
    return await session.scalar(sa.select(CheckInPass).where(ours, _IS_LIVE))


async def count_live(session: AsyncSession, activity_id: UUID) -> int:
    """How many passes of an activity open its door, now or later."""
    statement = sa.select(sa.func.count()).select_from(CheckInPass).where(CheckInPass.activity_id == activity_id)
    return (await session.scalars(statement.where(_HAS_NOT_ENDED))).one()


async def add(session: AsyncSession, **values: Any) -> CheckInPass:
    """Keep a new pass."""
    statement = sa.insert(CheckInPass).values(**values).returning(CheckInPass)
    return (await session.scalars(statement)).one()


async def page(session: AsyncSession, activity_id: UUID, *, after: UUID | None, limit: int) -> Sequence[CheckInPass]:
    """An activity's passes, oldest first."""
    statement = sa.select(CheckInPass).where(CheckInPass.activity_id == activity_id)
    if after is not None:
        statement = statement.where(CheckInPass.id > after)
    return (await session.scalars(statement.order_by(CheckInPass.id).limit(limit))).all()


async def revoke(session: AsyncSession, activity_id: UUID, identity: UUID) -> bool:
    """Take a pass back; answers whether there is one. One that was taken back before stays as it is."""
    statement = (
        sa.update(CheckInPass)
        .where(CheckInPass.id == identity, CheckInPass.activity_id == activity_id)
        .values(revoked_at=sa.func.coalesce(CheckInPass.revoked_at, sa.func.now()))
        .returning(CheckInPass.id)
    )
    return (await session.scalars(statement)).one_or_none() is not None


async def forget_old(session: AsyncSession) -> int:
    """Delete passes that ended long enough ago."""
    old = CheckInPass.expires_at < sa.func.now() - sa.func.make_interval(0, 0, 0, KEPT_DAYS)
    return len((await session.scalars(sa.delete(CheckInPass).where(old).returning(CheckInPass.id))).all())


async def people_page(
    session: AsyncSession, activity_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Registration]:
    """Who has a place in an activity, in the order of sign-up."""
    statement = sa.select(Registration).where(
        Registration.activity_id == activity_id, Registration.forgotten_at.is_(None), _SEATED
    )
    if after is not None:
        statement = statement.where(Registration.id > after)
    return (await session.scalars(statement.order_by(Registration.id).limit(limit))).all()
