"""Dead letters as an operator sees them: what a consumer could not carry out, trying it again, giving it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.events import DEAD_LETTERS


@dataclass(frozen=True, slots=True)
class Letter:
    """A parked event; `error` is None where it only waits behind another of its aggregate."""

    consumer: str
    event_id: UUID
    name: str
    aggregate: str
    tries: int
    error: str | None
    parked_at: datetime
    next_try_at: datetime | None


async def listed(session: AsyncSession, *, consumer: str | None = None) -> list[Letter]:
    """What is parked, in the order in which it will be carried out."""
    columns = [DEAD_LETTERS.c[name] for name in Letter.__slots__]
    statement = sa.select(*columns).where(_of(consumer)).order_by(
        DEAD_LETTERS.c.consumer, DEAD_LETTERS.c.xid, DEAD_LETTERS.c.number
    )  # fmt: skip
    return [Letter(*row) for row in (await session.execute(statement)).all()]


async def retry(session: AsyncSession, *, consumer: str | None = None) -> int:
    """Let the workers try everything parked again, with all tries before them; answers how many events that are."""
    statement = sa.update(DEAD_LETTERS).where(_of(consumer)).values(tries=0, next_try_at=sa.func.now())
    return len((await session.execute(statement.returning(DEAD_LETTERS.c.number))).all())


async def discard(session: AsyncSession, *, consumer: str | None = None) -> int:
    """Give up what no try is left for, so that what waits behind it goes on; answers how many events that are."""
    given_up = sa.and_(_of(consumer), DEAD_LETTERS.c.next_try_at.is_(None))
    return len((await session.execute(sa.delete(DEAD_LETTERS).where(given_up).returning(DEAD_LETTERS.c.number))).all())


def _of(consumer: str | None) -> sa.ColumnElement[bool]:
    return sa.true() if consumer is None else DEAD_LETTERS.c.consumer == consumer
