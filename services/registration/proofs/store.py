"""Every statement about proofs, and about what is held by people who have not confirmed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.proofs import Proof
from services.registration.proofs.tables import SpentProof


def held_of(activity_id: Any) -> sa.ColumnElement[int]:
    """How many places of an activity are held by people who have not confirmed, as a part of a statement."""
    # Counted by a function, since whoever signs up does not see the others.
    return sa.func.registration.held_unconfirmed(activity_id, type_=sa.BigInteger)


async def held(session: AsyncSession, activity_ids: Collection[UUID]) -> dict[UUID, int]:
    """The same of several activities, by itself."""
    ids = sa.func.unnest(sa.bindparam("ids", list(activity_ids), ARRAY(sa.Uuid))).table_valued("id")
    each = ids.render_derived(name="each")
    found = await session.execute(sa.select(each.c.id, held_of(each.c.id)))
    return {row.id: row[1] for row in found}


async def spent(session: AsyncSession, nonces: Collection[bytes]) -> set[bytes]:
    """Which of these were used."""
    statement = sa.select(SpentProof.nonce).where(SpentProof.nonce.in_(nonces))
    return set((await session.scalars(statement)).all())


async def spend(session: AsyncSession, proof: Proof) -> bool:
    """Use a proof, unless somebody did."""
    values = {"nonce": proof.nonce, "expires_at": proof.expires_at}
    statement = insert(SpentProof).values(values).on_conflict_do_nothing().returning(SpentProof.nonce)
    return (await session.scalar(statement)) is not None


async def forget_old(session: AsyncSession) -> int:
    """Delete what has expired, and would be refused for that."""
    old = SpentProof.expires_at < sa.func.now() - sa.func.make_interval(0, 0, 0, 1)
    return cast("sa.CursorResult[Any]", await session.execute(sa.delete(SpentProof).where(old))).rowcount
