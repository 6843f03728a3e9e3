"""Ways to find a page of the list: each reads a bounded part of the table, and says whether it saw enough.

No plan can know how filters go together: of what is near a town, half or nothing may be in some language. So how much
is read is bounded first, and what that shows decides how to go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from services.activities.catalogue.tables import Activity
from services.activities.finding.conditions import (
    IS_LISTED,
    START,
    Filters,
    Sought,
    conditions_of,
    distance_from,
    query_of,
    straight_way,
)

# Of a common word's texts so many are ranked: the latest.
MOST_RANKED: Final = 500
# What has fewer is read whole; what has more is common, and soon met in any order.
MOST_READ_WHOLE: Final = 2_500
# Of so many times what a page holds, those that are wanted are picked out.
LEAST_COMMON: Final = 10


class Sort(StrEnum):
    """The orders of the list."""

    STARTS_AT = "starts_at"
    DISTANCE = "distance"
    RELEVANCE = "relevance"


class Way(NamedTuple):
    """A statement for a page: key, id, distance, how many were ranked, and how many were read.

    What it found is all there is where fewer than `most` were read, and, `in_order`, where the page is full. `whole` is
    how it reads, see `conditions.read_whole`.
    """

    page: sa.Select[Any]
    limit: int
    most: int | None = None
    in_order: bool = False
    is_first: bool = True
    whole: bool = False

    def knows(self, rows: Sequence[Any]) -> bool:
        """Whether nothing else belongs on the page."""
        if self.most is None or (self.in_order and len(rows) == self.limit):
            return True
        return rows[0].read < self.most if rows else self.is_first and not self.in_order


def ways(
    filters: Filters, sort: Sort, sought: Sought | None, *, after: Sequence[Any] | None, limit: int
) -> Iterator[Way]:
    """What to try, one after the other."""
    if sort is Sort.RELEVANCE and sought is not None:
        return _by_relevance(filters, sought, after=after, limit=limit)
    if sort is Sort.DISTANCE and filters.near is not None:
        return _by_distance(filters, sought, after=after, limit=limit)
    return _by_start(filters, sought, after=after, limit=limit)


def begins_whole(filters: Filters, sort: Sort) -> bool:
    """Whether the first way reads what there is as a whole."""
    is_near = filters.near is not None and replace(filters, near=None).narrows
    return sort is Sort.RELEVANCE or (sort is Sort.STARTS_AT and is_near)


def _by_start(filters: Filters, sought: Sought | None, *, after: Sequence[Any] | None, limit: int) -> Iterator[Way]:
    among = sa.select(Activity.id, _distance(filters), START.label("key")).where(*_all(filters, sought))
    if after is not None:
        moment = sa.cast(sa.literal(after[0], sa.Text), sa.DateTime(timezone=True))
        among = among.where(_beyond((START, Activity.id), (moment, after[1])))
    if begins_whole(filters, Sort.STARTS_AT):
        few = _read_whole(among, most=MOST_READ_WHOLE)
        yield Way(_page(few, few.c.read, limit=limit), limit, MOST_READ_WHOLE, whole=True)
    found = among.order_by(START, Activity.id).limit(limit).subquery("found")
    yield Way(_page(found, sa.null(), limit=limit), limit)


def _by_distance(filters: Filters, sought: Sought | None, *, after: Sequence[Any] | None, limit: int) -> Iterator[Way]:
    assert filters.near is not None
    far, within = straight_way(filters.near)
    others = replace(filters, near=None)
    near: list[Any] = [IS_LISTED, *conditions_of(Filters(near=filters.near), None)]
    if after is not None:
        near.append(_beyond((far, Activity.id), (sa.literal(after[0], sa.Double), after[1])))
    among = sa.select(Activity.id, _distance(filters), far.label("key")).where(*near)
    # An index gives them in this order.
    nearest = among.where(within).order_by(far, Activity.id)
    if not others.narrows:
        found = nearest.limit(limit).subquery("found")
        yield Way(_page(found, sa.null(), limit=limit), limit)
        return
    fits = sa.and_(*conditions_of(others, sought)).label("fits")
    walked = nearest.add_columns(fits).limit(LEAST_COMMON * limit).subquery("walked")
    counted = sa.select(walked, sa.func.count().over().label("read")).subquery("counted")
    picked = sa.select(counted).where(counted.c.fits).subquery("picked")
    yield Way(_page(picked, picked.c.read, limit=limit), limit, LEAST_COMMON * limit, in_order=True)
    # It is rare, or far away: what has it is measured.
    few = _read_whole(among.where(*conditions_of(others, sought)), most=None)
    yield Way(_page(few, few.c.read, limit=limit), limit, whole=True)


def _by_relevance(filters: Filters, sought: Sought, *, after: Sequence[Any] | None, limit: int) -> Iterator[Way]:
    # Of those that begin before an instant, the index by start has the latest together.
    latest = START if filters.until is not None else sa.func.coalesce(Activity.ends_at, Activity.starts_at)
    among = sa.select(Activity.id, _distance(filters), latest.label("latest")).where(*_all(filters, sought))
    few = _read_whole(among, most=MOST_READ_WHOLE)
    order = (few.c.latest.desc().nulls_last(), few.c.id.desc())
    candidates = sa.select(few.c.id, few.c.distance, few.c.read).order_by(*order).limit(MOST_RANKED)
    page = _ranked(candidates, sought, after=after, limit=limit)
    yield Way(page, limit, MOST_READ_WHOLE, is_first=after is None, whole=True)
    # Without an order of all, each page could rank others.
    last = latest.desc() if filters.until is not None else latest.desc().nulls_last()
    candidates = among.add_columns(_NONE.label("read")).order_by(last, Activity.id.desc()).limit(MOST_RANKED)
    yield Way(_ranked(candidates, sought, after=after, limit=limit), limit)


_NONE: Final = sa.cast(sa.null(), sa.BigInteger)


def _all(filters: Filters, sought: Sought | None) -> list[Any]:
    return [IS_LISTED, *conditions_of(filters, sought)]


def _distance(filters: Filters) -> sa.Label[Any]:
    distance: sa.ColumnElement[Any] = distance_from(filters.near) if filters.near else sa.null()
    return distance.label("distance")


def _read_whole(among: sa.Select[Any], *, most: int | None) -> sa.Subquery:
    """What there is, at most so much of it, and how much it was.

    Planned by itself, since a plan for the first few would walk through an order in the hope to meet them soon. As much
    as is asked for is read of it and no more.
    """
    found = among.cte("found").prefix_with("MATERIALIZED")
    some = sa.select(found).limit(most).subquery("some")
    return sa.select(some, sa.func.count().over().label("read")).subquery("few")


def _page(found: sa.Subquery, read: Any, *, limit: int) -> sa.Select[Any]:
    columns = (found.c.key, found.c.id, found.c.distance, _NONE.label("ranked"), sa.cast(read, sa.BigInteger))
    named = (*columns[:4], columns[4].label("read"))
    return sa.select(*named).order_by(found.c.key, found.c.id).limit(limit)


def _ranked(candidates: sa.Select[Any], sought: Sought, *, after: Sequence[Any] | None, limit: int) -> sa.Select[Any]:
    found = candidates.subquery("candidates")
    pool = sa.select(found, sa.func.count().over().label("ranked")).subquery("pool")
    if sought.with_mistakes:
        alike = sa.func.word_similarity(sa.literal(sought.words, sa.Text), Activity.plain_words)
        key = sa.cast(alike, sa.Double)
    else:
        key = sa.cast(sa.func.ts_rank(Activity.search, query_of(sought)), sa.Double)
    shown = sa.select(key.label("key"), pool.c.id, pool.c.distance, pool.c.ranked, pool.c.read).join(
        Activity, Activity.id == pool.c.id
    )
    if after is not None:
        there = (sa.literal(after[0], sa.Double), after[1])
        shown = shown.where(_beyond((key, pool.c.id), there, descending=True))
    return shown.order_by(key.desc(), pool.c.id.desc()).limit(limit)


def _beyond(here: tuple[Any, Any], there: tuple[Any, Any], *, descending: bool = False) -> sa.ColumnElement[bool]:
    position = sa.tuple_(there[0], sa.literal(UUID(there[1]), sa.Uuid))
    return sa.tuple_(*here) < position if descending else sa.tuple_(*here) > position
