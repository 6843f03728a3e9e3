"""Whether anything was written in the database: what a worker looks at, so that it need not look everywhere."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from services.kernel.logs import logger
from services.kernel.runtime import Runtime

LOOK_SECONDS = 0.5
_WRITERS = sa.text("SELECT pg_snapshot_xmin(now)::text, pg_snapshot_xmax(now)::text FROM pg_current_snapshot() AS now")

log = logger(__name__)


class Stillness:
    """Follows the numbers of the transactions that write, which Postgres gives out one after the other.

    While none was given out and none is under way, nothing that a sweep would find has changed but the time.
    """

    def __init__(self) -> None:
        self.turn = 0
        """Goes up whenever something may have been written since the look before."""
        self._changed = asyncio.Event()
        self._seen: tuple[str, str] | None = None

    async def follow(self, runtime: Runtime) -> None:
        """Look again and again until cancelled; when Postgres does not answer, something may have been written."""
        while True:
            try:
                async with runtime.glancing() as session:
                    found = (await session.execute(_WRITERS)).one()
                self.note(found[0], found[1])
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.debug("database away", error=type(error).__name__)
                self._seen = None
                self._turn_over()
            await asyncio.sleep(LOOK_SECONDS)

    def note(self, oldest_under_way: str, next_one: str) -> None:
        """Take in a snapshot: the oldest transaction that writes still, and the number the next one will have."""
        if (oldest_under_way, next_one) != self._seen or oldest_under_way != next_one:
            self._seen = (oldest_under_way, next_one)
            self._turn_over()

    async def broken_within(self, seconds: float, turn: int) -> bool:
        """Wait until something may have been written after that turn, at most so long."""
        if seconds <= 0:
            return self.turn != turn
        try:
            async with asyncio.timeout(seconds):
                while self.turn == turn:
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _turn_over(self) -> None:
        self.turn += 1
        self._changed.set()
        self._changed = asyncio.Event()
