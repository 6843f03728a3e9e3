"""Replay: setting a consumer's cursor back, so that it carries out again what its handlers know how to meet twice."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.events import CURSORS, LOG


async def set_back(session: AsyncSession, *, consumer: str, since: datetime) -> int:
    """Set the cursor before the first event recorded at or after `since`; answers how many events lie past it then.

    It never moves the cursor forward: what has not been read yet is read in any case.
    """
    # The row is locked first, so that a worker's batch under way can't move the cursor forward again.
    cursor = (
        await session.execute(sa.select(CURSORS).where(CURSORS.c.consumer == consumer).with_for_update())
    ).one_or_none()
    if cursor is None:
        return 0
    begins = sa.select(LOG.c.xid, LOG.c.number).where(LOG.c.recorded_at >= since).order_by(LOG.c.xid, LOG.c.number)
    first = (await session.execute(begins.limit(1))).one_or_none()
    if first is not None and (int(first.xid), first.number - 1) < (int(cursor.xid), cursor.number):
        position = (first.xid, first.number - 1)
        await session.execute(
            sa.update(CURSORS).where(CURSORS.c.consumer == consumer).values(xid=position[0], number=position[1])
        )
    else:
        position = (cursor.xid, cursor.number)
    here = sa.tuple_(sa.literal(position[0], LOG.c.xid.type), sa.literal(position[1], sa.BigInteger))
    past = sa.select(sa.func.count()).select_from(LOG).where(sa.tuple_(LOG.c.xid, LOG.c.number) > here)
    return (await session.execute(past)).scalar_one()
