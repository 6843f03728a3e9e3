"""Answers that a process remembers whole: thrown away all at once when what they were made of changes."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

MOST_BYTES: Final = 16 * 1024 * 1024
LARGEST_BYTES: Final = 1024 * 1024
_OF_AN_ENTRY: Final = 8192
"""What one takes beside its body, roughly: its headers, its key, and both dictionaries' share."""


@dataclass(frozen=True)
class Remembered:
    """Which answers of a service are remembered, and how it is known that they still hold.

    They must hang on nothing but the address, Accept, Accept-Language, whether there is an Origin, and the database.
    `version` says the same twice only if nothing that they are made of has changed in between; `channel` is where
    Postgres calls out most such changes at once. Answers to a query with one of `passing` hang on the time too;
    who accepts one of `other_media` gets an answer that hangs on more, and is not remembered.
    """

    paths: tuple[str, ...]
    channel: str
    version: Callable[[AsyncConnection], Awaitable[Any]]
    passing: frozenset[str] = frozenset()
    other_media: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Reply:
    """One reply as it was sent; what every reply has of its own is put into its places in `headers`."""

    status: int
    headers: list[tuple[bytes, bytes]]
    trace_at: int
    standing_at: int | None
    body: bytes
    line: str
    """The part of its access line that is always the same."""
    pieces: list[bytes]
    """Its headers as they are written, without what every reply has of its own."""


@dataclass(slots=True)
class Entry:
    """What is known for one key: the whole reply, and the one for whoever has it already."""

    etag: bytes
    tenths: int
    """What making it was counted as."""
    until: float
    full: Reply | None = None
    unchanged: Reply | None = None

    def size(self) -> int:
        """How many bytes it takes, about."""
        return _OF_AN_ENTRY + (len(self.full.body) if self.full is not None else 0)


class Answers:
    """The answers of one service in one process. Nothing is remembered unless somebody vouches that it still holds."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.generation = 0
        """Rises with each change; what was asked for in an earlier one is not remembered."""
        self.bytes = 0
        self._most_bytes = most_bytes
        self._good_until = 0.0
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._flights: dict[Hashable, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def are_good(self, now: float) -> bool:
        """Whether somebody vouches for them now."""
        return now < self._good_until

    def vouch(self, until: float) -> None:
        """Say that whatever changes is heard of before an instant of the monotonic clock."""
        self._good_until = until

    def forget(self) -> None:
        """Something changed. Who asks from now on asks anew, and does not wait for what was asked before."""
        self.generation += 1
        self.bytes = 0
        self._entries.clear()
        self._flights.clear()

    def distrust(self) -> None:
        """Nobody says any longer what changes."""
        self._good_until = 0.0
        self.forget()

    def find(self, key: Hashable, now: float) -> Entry | None:
        """What is known, if it holds now."""
        entry = self._entries.get(key)
        if entry is None or now >= self._good_until or now >= entry.until:
            return None
        self._entries.move_to_end(key)
        return entry

    def keep(self, key: Hashable, generation: int, made: Entry) -> None:
        """Remember what was asked for in a generation, unless something changed since: it may be of before that."""
        if generation != self.generation or made.size() > LARGEST_BYTES or not self.are_good(time.monotonic()):
            return
        before = self._entries.pop(key, None)
        if before is not None:
            self.bytes -= before.size()
            if before.etag == made.etag:
                made.full = made.full or before.full
                made.unchanged = made.unchanged or before.unchanged
        self._entries[key] = made
        self.bytes += made.size()
        while self.bytes > self._most_bytes:
            _, oldest = self._entries.popitem(last=False)
            self.bytes -= oldest.size()

    def flight(self, key: Hashable) -> asyncio.Future[None] | None:
        """What somebody asks for already; done when it is known, or will not be."""
        return self._flights.get(key)

    def take_off(self, key: Hashable) -> asyncio.Future[None]:
        """Say that this is being asked for."""
        flight: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flights[key] = flight
        return flight

    def land(self, key: Hashable, flight: asyncio.Future[None]) -> None:
        """Let those go on who wait for it."""
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.done():
            flight.set_result(None)
