"""Reads rows out of the database piece by piece, so that a million of them need no more memory than a few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from services.impact.exports.schemas import Format
from services.impact.exports.store import Rows
from services.kernel.problems import Unavailable
from services.kernel.runtime import Runtime

LONGEST_SECONDS: Final = 600
MOST_AT_ONCE: Final = 3
"""Of one process; each holds a connection as long as its reader takes."""
_PIECES_AHEAD: Final = 4
_BATCH: Final = 2_500


_open: Final[WeakKeyDictionary[Runtime, int]] = WeakKeyDictionary()


class Piece(NamedTuple):
    """Some bytes, and how many rows were read for them."""

    data: bytes
    rows: int


def pieces(runtime: Runtime, found: Rows, shape: Format, about: dict[str, str]) -> AsyncIterator[Piece]:
    """The rows in a shape; whoever stops early closes it, and with it the connection."""
    return _csv(runtime, found) if shape is Format.CSV else _parquet(runtime, found, about)


def check_room(runtime: Runtime) -> None:
    """Refuse to begin while as many others read as may."""
    if _open.get(runtime, 0) >= MOST_AT_ONCE:
        raise Unavailable("Others are reading facts just now: try again, or ask for an export.")


@asynccontextmanager
async def _reading(runtime: Runtime) -> AsyncIterator[Any]:
    """The driver's own connection in one snapshot; it is closed for good where not everything was read."""
    async with runtime.engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        _open[runtime] = _open.get(runtime, 0) + 1
        try:
            async with raw.transaction(isolation="repeatable_read", readonly=True):
                await raw.execute(f"SET LOCAL statement_timeout = '{LONGEST_SECONDS}s'")
                yield raw
        except BaseException:
            # In the midst of a COPY it can't be asked anything else, nor be given back.
            raw.terminate()
            await connection.invalidate()
            raise
        finally:
            _open[runtime] -= 1


async def _csv(runtime: Runtime, found: Rows) -> AsyncIterator[Piece]:
    read: asyncio.Queue[bytes | None] = asyncio.Queue(_PIECES_AHEAD)

    async def copy() -> None:
        # Postgres waits while the queue is full.
        async with _reading(runtime) as raw:
            sql = found.sql(harmless=True)
            await raw.copy_from_query(sql, output=read.put, format="csv", header=True, timeout=LONGEST_SECONDS)
        await read.put(None)

    copying = asyncio.create_task(copy())
    try:
        header = 1
        while (data := await _next(read, copying)) is not None:
            # No value holds a line end: they are codes and numbers.
            yield Piece(bytes(data).replace(b"\n", b"\r\n"), data.count(b"\n") - header)
            header = 0
        await copying
    finally:
        copying.cancel()
        await asyncio.wait([copying])


async def _next(read: asyncio.Queue[bytes | None], copying: asyncio.Task[None]) -> bytes | None:
    waiting = asyncio.create_task(read.get())
    try:
        await asyncio.wait([waiting, copying], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done() and copying.done() and copying.exception() is not None:
            copying.result()
        return await waiting
    finally:
        waiting.cancel()


async def _parquet(runtime: Runtime, found: Rows, about: dict[str, str]) -> AsyncIterator[Piece]:
    # It is large, and needed by few.
    from services.impact.exports.columnar import Batches  # noqa: PLC0415

    batches = Batches(found.columns, about)
    async with _reading(runtime) as raw:
        cursor = await raw.cursor(found.sql(harmless=False))
        while records := await cursor.fetch(_BATCH):
            yield Piece(await asyncio.to_thread(batches.add, records), len(records))
    yield Piece(batches.end(), 0)
