"""Reading the log: a consumer's cursor, its handlers, and the dead letters that let the rest go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import parking
from services.kernel.events import CURSORS, DEAD_LETTERS, HORIZON, LOG, Recorded, Span
from services.kernel.facts import Event
from services.kernel.logs import logger
from services.kernel.runtime import Runtime
from services.kernel.trace import traced

BATCH = 200
MOST_TOGETHER = 5_000
"""How many events that are all carried out together may be one batch: their cost is that of the batch."""
MOST_IN_A_SPAN = 20_000
"""How many events may be one batch that stays in the log."""
STALE_AFTER_SECONDS = 30.0

Handler = Callable[[AsyncSession, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Together:
    """A reaction to many events at once, in their order: `react(session, events, runtime)`.

    The events of a batch are carried out together or, where that fails, one by one, so that only the one that can't be
    carried out is parked.
    """

    react: Callable[[AsyncSession, Any, Any], Awaitable[None]]


class InTheLog(Together):
    """Such a reaction that is told where its events are, and reads them in the log by SQL: their payload stays there.

    `react(session, told, runtime)` must refuse what is not as the contract says. It is told of rows or, where many of
    them follow each other, of their span alone; what fails comes to it again in smaller parts, and at last alone.
    """


Heard = TypeVar("Heard", bound=Event)

log = logger(__name__)

_WHICH = (LOG.c.xid, LOG.c.number, LOG.c.id, LOG.c.name, LOG.c.aggregate, LOG.c.recorded_at, LOG.c.trace_id)


@dataclass(frozen=True, slots=True)
class _Cursor:
    xid: str
    number: int
    is_stale: bool


@dataclass(frozen=True)
class Consumer:
    """What one service does when it hears of others: a handler for each kind of event."""

    name: str
    handlers: Mapping[type[Event], Handler | Together]
    _by_name: dict[str, tuple[type[Event], Handler | Together]] = field(init=False, default_factory=dict)
    _row: list[sa.ColumnElement[Any]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        for kind, handler in self.handlers.items():
            if self.name not in kind.heard_by:
                raise ValueError(f"{kind.name} does not name {self.name} among its hearers")
            self._by_name[kind.name] = (kind, handler)
        stays = [kind.name for kind, handler in self.handlers.items() if isinstance(handler, InTheLog)]
        self._row.extend((*_WHICH, sa.case((LOG.c.name.not_in(stays), LOG.c.payload)) if stays else LOG.c.payload))

    async def read_on(self, session: AsyncSession, runtime: Runtime) -> int | None:
        """Carry out the next events in the caller's transaction and move the cursor with them.

        Answers how many rows were passed: 0 when there is no news, None when another worker holds the cursor.
        """
        cursor = await self._lock_cursor(session)
        if cursor is None:
            return None
        horizon = (await session.execute(HORIZON)).scalar_one()
        rows = await self._after(session, cursor.xid, cursor.number, horizon, limit=BATCH)
        parked = await parking.aggregates(session, self.name) if rows else set()
        if (passed := await self._pass_span(session, cursor, horizon, rows, parked, runtime)) is not None:
            return passed
        rows, is_all = await self._news(session, rows, horizon)
        waiting: dict[Together, list[Recorded]] = {}
        waits_for: dict[str, Together] = {}
        for row in rows:
            together = self._together(row)
            before = waits_for.get(row.aggregate)
            if before is not None and before is not together:
                # The events of one aggregate keep their order, whatever they are carried out with.
                earlier = waiting.pop(before)
                for each in earlier:
                    waits_for.pop(each.aggregate, None)
                await self._carry_out_together(session, earlier, parked, runtime)
            if row.aggregate in parked:
                await parking.park(session, self.name, row, error=None)
            elif together is not None:
                waiting.setdefault(together, []).append(row)
                waits_for[row.aggregate] = together
            else:
                await self._carry_out_or_park(session, row, parked, runtime)
        for together in list(waiting):
            await self._carry_out_together(session, waiting.pop(together), parked, runtime)
        if rows or cursor.is_stale:
            # Who has read everything below the horizon has passed what this consumer does not hear, too.
            await self._move(session, (horizon, 0) if is_all else (rows[-1].xid, rows[-1].number))
        return len(rows)

    async def is_up_to_date(self, session: AsyncSession) -> bool:
        """Whether `read_on` and `retry_parked` would find nothing to do; it holds nothing and writes nothing."""
        cursor = await self._cursor(session, lock=False)
        if cursor is None or cursor.is_stale:
            return False
        horizon = (await session.execute(HORIZON)).scalar_one()
        if await self._after(session, cursor.xid, cursor.number, horizon, limit=1):
            return False
        return not await parking.due(session, self.name, self._row, limit=1)

    async def _move(self, session: AsyncSession, position: tuple[str, int]) -> None:
        moved = sa.update(CURSORS).where(CURSORS.c.consumer == self.name)
        await session.execute(moved.values(xid=position[0], number=position[1], moved_at=sa.func.now()))

    async def _pass_span(
        self,
        session: AsyncSession,
        cursor: _Cursor,
        horizon: str,
        rows: Sequence[Recorded],
        parked: set[str],
        runtime: Runtime,
    ) -> int | None:
        """Carry out many in a row by their places in the log; None where there are few, or where that failed."""
        if len(rows) < BATCH or not isinstance(self._together(rows[0]), InTheLog):
            return None
        name = rows[0].name
        if any(row.name != name or row.aggregate in parked for row in rows):
            return None
        here = {"xid": cursor.xid, "number": cursor.number, "horizon": horizon, "name": name}
        heard = {"heard": list(self._by_name), "parked": list(parked), "most": MOST_IN_A_SPAN}
        count, xid, number = (await session.execute(_SPAN, here | heard)).one()
        span = Span(name, (cursor.xid, cursor.number), (xid, number))
        if await self._carry_out(session, rows[:1], runtime, span=span, count=count) is not None:
            return None
        await self._move(session, span.upto)
        return int(count)

    async def retry_parked(self, session: AsyncSession, runtime: Runtime) -> int:
        """Try the dead letters that are due again, oldest first; answers how many found their way."""
        if await self._lock_cursor(session) is None:
            return 0
        stuck: set[str] = set()
        found = 0
        for row, tries in await parking.due(session, self.name, self._row, limit=BATCH):
            if row.aggregate in stuck:
                continue
            error = await self._carry_out(session, [row], runtime)
            if error is None:
                await parking.settle(session, self.name, row)
                found += 1
            else:
                stuck.add(row.aggregate)
                await parking.put_off(session, self.name, row, tries=tries + 1, error=error)
        return found

    def _together(self, row: Recorded) -> Together | None:
        handler = self._by_name[row.name][1]
        return handler if isinstance(handler, Together) else None

    async def _carry_out_together(
        self, session: AsyncSession, rows: Sequence[Recorded], parked: set[str], runtime: Runtime
    ) -> None:
        if await self._carry_out(session, rows, runtime) is not None:
            for row in rows:
                if row.aggregate in parked:
                    await parking.park(session, self.name, row, error=None)
                else:
                    await self._carry_out_or_park(session, row, parked, runtime)

    async def _carry_out_or_park(
        self, session: AsyncSession, row: Recorded, parked: set[str], runtime: Runtime
    ) -> None:
        if (error := await self._carry_out(session, [row], runtime)) is not None:
            parked.add(row.aggregate)
            await parking.park(session, self.name, row, error=error)

    async def _carry_out(
        self,
        session: AsyncSession,
        rows: Sequence[Recorded],
        runtime: Runtime,
        *,
        span: Span | None = None,
        count: int | None = None,
    ) -> str | None:
        """Carry out events that have one reaction, or a span that begins with the first; answers a failure's kind."""
        first, events = rows[0], count or len(rows)
        if first.name not in self._by_name:
            return None  # It was parked by an older version of this service, which still heard of it.
        handler = self._by_name[first.name][1]
        with traced(first.trace_id):
            try:
                async with session.begin_nested():
                    if isinstance(handler, InTheLog):
                        await handler.react(session, span or rows, runtime)
                    elif isinstance(handler, Together):
                        await handler.react(session, self._read(rows), runtime)
                    else:
                        await handler(session, self._read(rows)[0], runtime)
            except DBAPIError as failure:
                # A lost connection or a lost race says nothing about the event: the whole batch is tried again.
                if failure.connection_invalidated or _passes_by_itself(failure):
                    raise
                return self._failed(first, events, failure)
            except Exception as failure:  # noqa: BLE001  # Whatever it is, the events of others go on.
                return self._failed(first, events, failure)
            log.info("event carried out", event_name=first.name, number=first.number, events=events, consumer=self.name)
            return None

    def _read(self, rows: Sequence[Recorded]) -> list[Event]:
        return [self._by_name[row.name][0].model_validate(row.payload) for row in rows]

    def _failed(self, first: Recorded, events: int, failure: Exception) -> str:
        # The message of a failure may repeat data, so only its kind is kept; the traceback goes to the log.
        told = {"event_name": first.name, "number": first.number, "consumer": self.name}
        if events > 1:
            log.warning("events failed together", events=events, **told, exc_info=failure)
        else:
            log.error("event failed", **told, exc_info=failure)
        return type(failure).__name__

    async def _cursor(self, session: AsyncSession, *, lock: bool) -> _Cursor | None:
        stale = CURSORS.c.moved_at < sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, STALE_AFTER_SECONDS)
        statement = sa.select(CURSORS.c.xid, CURSORS.c.number, stale).where(CURSORS.c.consumer == self.name)
        if lock:
            statement = statement.with_for_update(skip_locked=True)
        found = (await session.execute(statement)).one_or_none()
        return None if found is None else _Cursor(*found)

    async def _lock_cursor(self, session: AsyncSession) -> _Cursor | None:
        if (found := await self._cursor(session, lock=True)) is None:
            await session.execute(insert(CURSORS).values(consumer=self.name).on_conflict_do_nothing())
            found = await self._cursor(session, lock=True)
        return found

    async def _news(self, session: AsyncSession, rows: list[Recorded], horizon: str) -> tuple[list[Recorded], bool]:
        """The next events, and whether these are all: a batch, or many that are carried out together."""
        if len(rows) < BATCH:
            return rows, True
        if all(self._together(row) for row in rows):
            more = await self._after(session, rows[-1].xid, rows[-1].number, horizon, limit=MOST_TOGETHER - BATCH)
            rows += takewhile(self._together, more)
        return rows, False

    async def _after(self, session: AsyncSession, xid: str, number: int, horizon: str, *, limit: int) -> list[Recorded]:
        statement = (
            sa.select(*self._row)
            .where(_past(xid, number), LOG.c.xid < sa.literal(horizon, LOG.c.xid.type))
            .where(LOG.c.name.in_(list(self._by_name)))
            .order_by(LOG.c.xid, LOG.c.number)
            .limit(limit)
        )
        return [Recorded(*row) for row in (await session.execute(statement)).all()]


_SPAN = sa.text("""
    WITH ahead AS MATERIALIZED (
      SELECT xid, number, name = :name AND aggregate <> ALL(:parked) AS goes_on FROM events.log
      WHERE (xid, number) > (CAST(CAST(:xid AS text) AS xid8), CAST(:number AS bigint))
      AND xid < CAST(CAST(:horizon AS text) AS xid8) AND name = ANY(:heard)
      ORDER BY xid, number LIMIT :most
    ), stop AS (
      SELECT xid, number FROM ahead WHERE NOT goes_on ORDER BY xid, number LIMIT 1
    ), passed AS MATERIALIZED (
      SELECT xid, number FROM ahead WHERE NOT EXISTS (SELECT FROM stop)
      UNION ALL
      SELECT ahead.xid, ahead.number FROM ahead JOIN stop ON (ahead.xid, ahead.number) < (stop.xid, stop.number)
    )
    SELECT (SELECT count(*) FROM passed), CAST(xid AS text), number
    FROM passed ORDER BY xid DESC, number DESC LIMIT 1""").bindparams(
    sa.bindparam("name", type_=sa.Text),
    *(sa.bindparam(name, type_=ARRAY(sa.Text)) for name in ("heard", "parked")),
)
"""How far the events of a kind go on, before one of another kind that is heard or one that waits for what is parked."""


def _passes_by_itself(failure: DBAPIError) -> bool:
    # Serialization failure, deadlock, lock timeout, server shutting down.
    return getattr(failure.orig, "sqlstate", None) in {"40001", "40P01", "55P03", "57P01", "57P02", "57P03"}


def _past(xid: str, number: int) -> sa.ColumnElement[bool]:
    here = sa.tuple_(sa.literal(xid, LOG.c.xid.type), sa.literal(number, sa.BigInteger))
    return sa.tuple_(LOG.c.xid, LOG.c.number) > here


async def backlog(session: AsyncSession, consumer: Consumer) -> tuple[int, int]:
    """How many events the consumer has yet to read (up to 1,000), and how many of its events are parked."""
    cursor = (
        await session.execute(sa.select(CURSORS.c.xid, CURSORS.c.number).where(CURSORS.c.consumer == consumer.name))
    ).one_or_none()
    names = [kind.name for kind in consumer.handlers]
    past = _past(cursor.xid, cursor.number) if cursor else sa.true()
    waiting = sa.select(sa.literal(1)).select_from(LOG).where(past, LOG.c.name.in_(names)).limit(1000).subquery()
    parked = sa.select(sa.func.count()).where(DEAD_LETTERS.c.consumer == consumer.name).scalar_subquery()
    found = (
        await session.execute(sa.select(sa.select(sa.func.count()).select_from(waiting).scalar_subquery(), parked))
    ).one()
    return found[0], found[1]


async def hold(session: AsyncSession, consumer: str) -> None:
    """Keep a consumer from reading on until this transaction ends; waits for a batch that is under way."""
    await session.execute(insert(CURSORS).values(consumer=consumer).on_conflict_do_nothing())
    await session.execute(sa.select(CURSORS.c.consumer).where(CURSORS.c.consumer == consumer).with_for_update())


async def unread(session: AsyncSession, consumer: str, kinds: Iterable[type[Event]]) -> set[str]:
    """The aggregates of the events of these kinds that a consumer has not carried out: yet to read, or parked."""
    names = [kind.name for kind in kinds]
    cursor = (
        await session.execute(sa.select(CURSORS.c.xid, CURSORS.c.number).where(CURSORS.c.consumer == consumer))
    ).one_or_none()
    past = _past(cursor.xid, cursor.number) if cursor else sa.true()
    waiting = sa.select(LOG.c.aggregate).where(past, LOG.c.name.in_(names))
    mine = (DEAD_LETTERS.c.consumer == consumer, DEAD_LETTERS.c.name.in_(names))
    parked = sa.select(DEAD_LETTERS.c.aggregate).where(*mine)
    return set((await session.execute(sa.union(waiting, parked))).scalars())


async def read_up_to(session: AsyncSession, consumer: str) -> datetime | None:
    """The instant up to which a consumer has carried out what it hears; None before its first time."""
    cursor = (
        await session.execute(
            sa.select(CURSORS.c.xid, CURSORS.c.number, CURSORS.c.moved_at).where(CURSORS.c.consumer == consumer)
        )
    ).one_or_none()
    if cursor is None:
        return None
    # While it catches up, the cursor moves on but does not reach the present.
    past = _past(cursor.xid, cursor.number)
    next_one = sa.select(LOG.c.recorded_at).where(past).order_by(LOG.c.xid, LOG.c.number).limit(1)
    waiting_since = await session.scalar(next_one)
    moved_at: datetime = cursor.moved_at
    return moved_at if waiting_since is None else min(moved_at, waiting_since)
