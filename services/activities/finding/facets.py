"""Facets: how many activities each code would leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.finding.conditions import (
    CODES,
    IS_LISTED,
    Filters,
    Sought,
    are_codes_enough,
    conditions_of,
)
from services.activities.finding.counts import counted

MOST_CODES_OF_A_FACET: Final = 300
FACETS: Final = tuple(CODES)

Counts = dict[str, list[tuple[str, int]]]


async def facets_of(
    session: AsyncSession,
    filters: Filters,
    names: Sequence[str],
    sought: Sought | None,
    read: Callable[[bool], Awaitable[None]],
) -> Counts:
    """How many activities each code of a facet would leave, the facet's own filter aside: the most frequent first.

    Where nothing else is asked for, that is what is kept of all activities. `read` says how rows are read from now on.
    """
    everything = {name for name in names if not replace(filters, labels=_without(filters, name)).narrows}
    answer: Counts = {name: [] for name in names}
    if everything:
        for name, code, count in await session.execute(counted(sorted(everything))):
            answer[name].append((code, count))
    for name in everything:
        answer[name] = _most_frequent(dict(answer[name]))
    narrowed = [name for name in names if name not in everything]
    chosen = [name for name in narrowed if filters.labels.get(name)]
    if narrowed:
        await read(not are_codes_enough(filters))
    if others := [name for name in narrowed if name not in chosen]:
        answer |= await _counted_among(session, filters, others, sought)
    for name in chosen:
        aside = replace(filters, labels=_without(filters, name))
        answer |= await _counted_among(session, aside, [name], sought)
    return answer


async def _counted_among(
    session: AsyncSession, filters: Filters, names: Sequence[str], sought: Sought | None
) -> Counts:
    """Some facets of what all these filters leave, in one pass; where it suffices, over the index of codes alone."""
    conditions = conditions_of(filters, sought, by_codes=are_codes_enough(filters))
    columns = [CODES[name] for name in names]
    which = sa.func.grouping(*columns)
    sets = sa.func.grouping_sets(*(sa.tuple_(column) for column in columns))
    statement = sa.select(which, sa.func.count(), *columns).where(IS_LISTED, *conditions).group_by(sets)
    answer: dict[str, Counter[str]] = {name: Counter() for name in names}
    # Of the columns all but one are told as left out, by a bit each, the first one by the highest.
    position_of = {(1 << len(names)) - 1 - (1 << (len(names) - 1 - at)): at for at in range(len(names))}
    for left_out, count, *values in await session.execute(statement):
        at = position_of[left_out]
        told = values[at]
        for code in told if isinstance(told, list) else [told]:
            if code is not None:
                answer[names[at]][code] += count
    return {name: _most_frequent(counts) for name, counts in answer.items()}


def _most_frequent(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MOST_CODES_OF_A_FACET]


def _without(filters: Filters, facet: str) -> dict[str, tuple[str, ...]]:
    return {name: codes for name, codes in filters.labels.items() if name != facet}
