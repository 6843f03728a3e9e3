"""Dead letters: events that a consumer could not carry out, kept with their aggregate so that the rest goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.events import DEAD_LETTERS, LOG, Recorded

MOST_TRIES = 5
FIRST_PAUSE_SECONDS = 1.0


async def aggregates(session: AsyncSession, consumer: str) -> set[str]:
    """The aggregates of which something is parked: what follows waits behind it."""
    statement = sa.select(DEAD_LETTERS.c.aggregate).where(DEAD_LETTERS.c.consumer == consumer).distinct()
    return set((await session.execute(statement)).scalars())


async def park(session: AsyncSession, consumer: str, row: Recorded, *, error: str | None) -> None:
    """Park an event that failed or, without an error, one that waits behind another."""
    tries = 0 if error is None else 1
    await session.execute(
        insert(DEAD_LETTERS)
        .values(
            consumer=consumer,
            xid=row.xid,
            number=row.number,
            event_id=row.id,
            name=row.name,
            aggregate=row.aggregate,
            tries=tries,
            error=error,
            next_try_at=_pause(tries) if error is not None else sa.func.now(),
        )
        # A replay meets again what is still parked.
        .on_conflict_do_nothing()
    )


async def due(
    session: AsyncSession, consumer: str, columns: Sequence[sa.ColumnElement[Any]], *, limit: int
) -> list[tuple[Recorded, int]]:
    """The dead letters that are due again, oldest first, as these columns of the log; and how often they were tried."""
    # Only the oldest letter of an aggregate is tried by its time; those behind it wait for it.
    oldest = (
        sa.select(DEAD_LETTERS.c.aggregate, DEAD_LETTERS.c.next_try_at)
        .ext(distinct_on(DEAD_LETTERS.c.aggregate))
        .where(DEAD_LETTERS.c.consumer == consumer)
        .order_by(DEAD_LETTERS.c.aggregate, DEAD_LETTERS.c.xid, DEAD_LETTERS.c.number)
        .subquery()
    )
    are_due = sa.select(oldest.c.aggregate).where(oldest.c.next_try_at <= sa.func.now())
    statement = (
        sa.select(*columns, DEAD_LETTERS.c.tries)
        .join(DEAD_LETTERS, sa.and_(DEAD_LETTERS.c.xid == LOG.c.xid, DEAD_LETTERS.c.number == LOG.c.number))
        .where(DEAD_LETTERS.c.consumer == consumer, DEAD_LETTERS.c.aggregate.in_(are_due))
        .order_by(LOG.c.xid, LOG.c.number)
        .limit(limit)
    )
    return [(Recorded(*row[:-1]), row[-1]) for row in (await session.execute(statement)).all()]


async def settle(session: AsyncSession, consumer: str, row: Recorded) -> None:
    """Forget a letter that found its way."""
    await session.execute(sa.delete(DEAD_LETTERS).where(_letter(consumer, row)))


async def put_off(session: AsyncSession, consumer: str, row: Recorded, *, tries: int, error: str) -> None:
    """Let a letter that failed again wait for its next try."""
    values = {"tries": tries, "error": error, "next_try_at": _pause(tries)}
    await session.execute(sa.update(DEAD_LETTERS).where(_letter(consumer, row)).values(values))


def _letter(consumer: str, row: Recorded) -> sa.ColumnElement[bool]:
    return sa.and_(
        DEAD_LETTERS.c.consumer == consumer, DEAD_LETTERS.c.xid == row.xid, DEAD_LETTERS.c.number == row.number
    )


def _pause(tries: int) -> Any:
    """When to try again: a second, then longer each time; after the last try only a person decides."""
    if tries >= MOST_TRIES:
        return sa.null()
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, FIRST_PAUSE_SECONDS * 2.0**tries)
