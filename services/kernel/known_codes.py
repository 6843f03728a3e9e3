"""The codes of a list as this process knows them, so that a filter by one that never was is refused without a query."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.problems import FieldError
from services.kernel.runtime import Runtime

# What is unknown is looked up again, since it may be new, but not as often as somebody may ask.
MOST_LOOKED_UP_A_SECOND = 5


@dataclass(slots=True)
class _Held:
    """What one process knows, and how often it has looked in the present second."""

    codes: frozenset[str] = frozenset()
    second: int = 0
    looked_up: int = 0

    def may_look_up(self) -> bool:
        """Count one more look, unless there were enough of them."""
        second = int(monotonic())
        self.looked_up = self.looked_up + 1 if second == self.second else 1
        self.second = second
        return self.looked_up <= MOST_LOOKED_UP_A_SECOND


class KnownCodes:
    """The codes of one list, from which nothing is ever taken: whatever was known once is known for good."""

    def __init__(self, name: str, read: Callable[[AsyncSession], Awaitable[Iterable[str]]]) -> None:
        self._name = name
        self._read = read
        self._held: WeakKeyDictionary[Runtime, _Held] = WeakKeyDictionary()

    async def faults_of(self, runtime: Runtime, codes: Sequence[str], *, repeated: bool = True) -> list[FieldError]:
        """A fault for each unknown code of the query parameter that is named as the list is."""
        held = self._held.setdefault(runtime, _Held())
        if held.codes.issuperset(codes):
            return []
        if held.may_look_up():
            async with runtime.reading() as session:
                held.codes = frozenset(await self._read(session))
        return [
            FieldError(
                pointer=f"query/{self._name}" + (f"/{number}" if repeated else ""),
                detail=f"There is no {self._name} with this code.",
            )
            for number, code in enumerate(codes)
            if code not in held.codes
        ]
