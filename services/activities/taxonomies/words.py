"""The names of terms as this process knows them: half a minute old at most, and without a query for codes of old."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.taxonomies import rules, store
from services.activities.taxonomies.rules import FIRST_WORDS, Label, Words
from services.kernel.problems import FieldError
from services.kernel.runtime import Runtime

REMEMBERED_SECONDS = 30.0
# What is unknown is looked up again, but not as often as somebody may ask.
REMEMBERED_SECONDS_OF_THE_UNKNOWN = 1.0

_held: WeakKeyDictionary[Runtime, tuple[float, Words]] = WeakKeyDictionary()


async def words(session: AsyncSession, runtime: Runtime) -> Words:
    """The names of every term."""
    return _remembered(runtime, REMEMBERED_SECONDS) or await _read(session, runtime)


def _remembered(runtime: Runtime, seconds: float) -> Words | None:
    read_at, known = _held.get(runtime, (float("-inf"), None))
    return known if time.monotonic() - read_at <= seconds else None


async def _read(session: AsyncSession, runtime: Runtime) -> Words:
    known = Words(await store.names(session))
    _held[runtime] = time.monotonic(), known
    return known


async def faults_of(runtime: Runtime, named: Mapping[str, Sequence[str]], *, repeated: bool = True) -> list[FieldError]:
    """A fault for each code that its scheme never had; `named` gives codes by scheme, as query parameters do.

    Terms are never deleted, so whatever was known once is known for good and costs nothing.
    """
    labels = [(Label(scheme, code), number) for scheme, codes in named.items() for number, code in enumerate(codes)]
    _, known = _held.get(runtime, (0.0, FIRST_WORDS))
    if all(known.knows(label) or FIRST_WORDS.knows(label) for label, _ in labels):
        return []
    fresh = _remembered(runtime, REMEMBERED_SECONDS_OF_THE_UNKNOWN)
    if fresh is None:
        async with runtime.reading() as session:
            fresh = await _read(session, runtime)
    return [
        FieldError(
            pointer=f"query/{rules.SINGULAR[label.scheme]}" + (f"/{number}" if repeated else ""),
            detail=f"Unknown {rules.SINGULAR[label.scheme]}; one of: {', '.join(fresh.codes(label.scheme))}.",
        )
        for label, number in labels
        if not fresh.knows(label)
    ]
