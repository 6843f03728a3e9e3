"""The codes of a list as this process knows them, so that a filter by one that never was is refused without a query."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.problems import FieldError
from services.kernel.runtime import Runtime

# What is unknown is looked up again, but not as often as somebody may ask.
REMEMBERED_SECONDS_OF_THE_UNKNOWN = 1.0


class KnownCodes:
    """The codes of one list, from which nothing is ever taken: whatever was known once is known for good."""

    def __init__(self, name: str, read: Callable[[AsyncSession], Awaitable[Iterable[str]]]) -> None:
        self._name = name
        self._read = read
        self._held: WeakKeyDictionary[Runtime, tuple[float, frozenset[str]]] = WeakKeyDictionary()

    async def faults_of(self, runtime: Runtime, codes: Sequence[str], *, repeated: bool = True) -> list[FieldError]:
        """A fault for each unknown code of the query parameter that is named as the list is."""
        read_at, known = self._held.get(runtime, (float("-inf"), frozenset()))
        if known.issuperset(codes):
            return []
        if time.monotonic() - read_at > REMEMBERED_SECONDS_OF_THE_UNKNOWN:
            async with runtime.reading() as session:
                known = frozenset(await self._read(session))
            self._held[runtime] = time.monotonic(), known
        return [
            FieldError(
                pointer=f"query/{self._name}" + (f"/{number}" if repeated else ""),
                detail=f"There is no {self._name} with this code.",
            )
            for number, code in enumerate(codes)
            if code not in known
        ]
