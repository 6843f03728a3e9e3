"""Finding activities: the list in its orders, page by page, and how many each code would leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue.store import document_in
from services.activities.catalogue.tables import Activity
from services.activities.finding.conditions import (
    IS_LISTED,
    START,
    Filters,
    Sought,
    conditions_of,
    distance_from,
    prepare,
    query_of,
    straight_way,
    with_predecessors,
)
from services.activities.finding.counts import counted
from services.activities.finding.facets import facets_of

# Of a common word's texts so many are ranked: the latest.
MOST_RANKED: Final = 500
# What one activity in so many has is common.
LEAST_COMMON: Final = 10
# What an activity may be wherever it is; an edition or a language has its places.
_ANYWHERE: Final = frozenset({"area", "cause", "objective", "sdg", "kind", "programme", "mode", "audience", "free"})


class Sort(StrEnum):
    """The orders of the list."""

    STARTS_AT = "starts_at"
    DISTANCE = "distance"
    RELEVANCE = "relevance"


class Found(NamedTuple):
    """A public document, how far away it is when a place was asked for, and where the list goes on after it.

    `candidates` is how many were ranked; None where nothing is.
    """

    document: str
    distance_km: float | None
    position: list[Any]
    candidates: int | None = None


class Page(NamedTuple):
    """What is found, and how many activities each code of the wanted facets would leave."""

    items: Sequence[Found]
    facets: dict[str, list[tuple[str, int]]] | None
    is_cut_off: bool


async def find(
    session: AsyncSession,
    filters: Filters,
    sort: Sort,
    *,
    languages: Sequence[str] = (),
    facets: Sequence[str] = (),
    after: Sequence[Any] | None,
    limit: int,
) -> Page:
    """Public documents in an order, beginning after a position; unknown starts come last.

    Each is in the first of `languages` that it is written in. When no text has all the words that are sought, those
    with similar words are found instead. The first page alone counts facets.
    """
    sought = await prepare(session, filters.q)
    filters = await with_predecessors(session, filters)
    if sought is not None and after is not None and after[2]:
        sought = sought.forgiving()
    found = await _documents(session, filters, sort, sought, languages=languages, after=after, limit=limit)
    if sought is not None and not found and after is None:
        sought = sought.forgiving()
        found = await _documents(session, filters, sort, sought, languages=languages, after=None, limit=limit)
    counts = await facets_of(session, filters, facets, sought) if facets and after is None else None
    is_cut_off = any(each.candidates == MOST_RANKED for each in found)
    return Page(found, counts, is_cut_off)


async def glance(
    session: AsyncSession, filters: Filters, *, languages: Sequence[str], after: Sequence[Any] | None, limit: int
) -> Page:
    """The same without words, by start: one statement, for a session that is prepared for lists."""
    filters = await with_predecessors(session, filters)
    found = await _documents(session, filters, Sort.STARTS_AT, None, languages=languages, after=after, limit=limit)
    return Page(found, None, is_cut_off=False)


async def _documents(
    session: AsyncSession,
    filters: Filters,
    sort: Sort,
    sought: Sought | None,
    *,
    languages: Sequence[str],
    after: Sequence[Any] | None,
    limit: int,
) -> Sequence[Found]:
    conditions: list[Any] = [IS_LISTED, *conditions_of(filters, sought)]
    distance: sa.ColumnElement[Any] = distance_from(filters.near) if filters.near else sa.null()
    document = document_in(languages)
    if sort is Sort.STARTS_AT:
        statement = sa.select(document, sa.cast(START, sa.Text), Activity.id, distance, sa.null()).where(*conditions)
        statement = statement.order_by(START, Activity.id).limit(limit)
        if after is not None:
            moment = sa.cast(sa.literal(after[0], sa.Text), sa.DateTime(timezone=True))
            statement = statement.where(_beyond((START, Activity.id), (moment, after[1])))
    else:
        # Everything is measured or ranked without its document, and the few that are shown fetch theirs.
        among = sa.select(Activity.id, distance.label("distance")).where(*conditions)
        far: sa.ColumnElement[float] = sa.literal(0.0, sa.Double)
        if sort is Sort.DISTANCE and filters.near is not None:
            far, within = straight_way(filters.near)
            if await _is_spread(session, filters):
                # An index gives them in this order, so that only those are read that are shown. Where something rare
                # is wanted too, which may lie all at the far end of it, what has that is measured instead.
                among = among.where(within)
            else:
                far = distance
        among = among.add_columns(far.label("far"))
        if sort is Sort.RELEVANCE:
            assert sought is not None
            among = _candidates(among, sought, by_start=filters.until is not None)
            candidates = among.subquery("candidates")
            among = sa.select(candidates, sa.func.count().over().label("candidates"))
        else:
            among = among.add_columns(sa.cast(sa.null(), sa.BigInteger).label("candidates"))
        pool = among.subquery("pool")
        key = _relevance(sought, pool) if sort is Sort.RELEVANCE and sought is not None else pool.c.far
        order = (key.desc(), pool.c.id.desc()) if sort is Sort.RELEVANCE else (key, pool.c.id)
        shown = sa.select(key.label("key"), pool.c.id, pool.c.distance, pool.c.candidates).order_by(*order).limit(limit)
        if after is not None:
            here, there = (key, pool.c.id), (sa.literal(after[0], sa.Double), after[1])
            shown = shown.where(_beyond(here, there, descending=sort is Sort.RELEVANCE))
        page = shown.subquery("page")
        again = (page.c.key.desc(), page.c.id.desc()) if sort is Sort.RELEVANCE else (page.c.key, page.c.id)
        statement = (
            sa.select(document, page.c.key, page.c.id, page.c.distance, page.c.candidates)
            .join(page, page.c.id == Activity.id)
            .order_by(*again)
        )
    with_mistakes = sought is not None and sought.with_mistakes
    return [
        Found(written, distance_km, [position, str(identity), with_mistakes], candidates)
        for written, position, identity, distance_km, candidates in await session.execute(statement)
    ]


async def _is_spread(session: AsyncSession, filters: Filters) -> bool:
    """Whether what is wanted, beside being near, is common and tied to no place: then the nearest is not far."""
    labels = {name: codes for name, codes in filters.labels.items() if codes}
    is_open = filters.is_open or None
    if replace(filters, near=None, labels={}, is_open=is_open).narrows or not labels.keys() <= _ANYWHERE:
        return False
    if not labels:
        return True
    rows = (await session.execute(counted(sorted({"kind", *labels})))).all()
    everything = sum(number for facet, _, number in rows if facet == "kind")
    having = {
        name: sum(number for facet, code, number in rows if facet == name and code in codes)
        for name, codes in labels.items()
    }
    return all(number * LEAST_COMMON >= everything for number in having.values())


async def of_partner(session: AsyncSession, identity: UUID, *, limit: int) -> Sequence[Activity]:
    """The public activities of a partner, the latest first."""
    latest = sa.func.coalesce(Activity.ends_at, Activity.starts_at).desc().nulls_last()
    statement = sa.select(Activity).where(_with_partner(identity)).order_by(latest, Activity.id.desc()).limit(limit)
    return (await session.scalars(statement)).all()


async def contributions_of(session: AsyncSession, identity: UUID) -> Sequence[tuple[str, int]]:
    """What a partner contributed, each with to how many public activities, the most frequent first."""
    entries = sa.func.jsonb_array_elements(Activity.partners, type_=JSONB).label("entry")
    each = sa.select(Activity.id, entries).where(_with_partner(identity)).subquery()
    kind = each.c.entry["contribution"].astext
    number = sa.func.count(sa.distinct(each.c.id))
    statement = (
        sa.select(kind, number)
        .where(each.c.entry["id"].astext == str(identity), kind.is_not(None))
        .group_by(kind)
        .order_by(number.desc(), kind)
    )
    return [(code, count) for code, count in await session.execute(statement)]


async def sections_with(session: AsyncSession, identity: UUID, *, limit: int) -> Sequence[str]:
    """The sections whose public activities a partner took part in, in the order of their codes."""
    code = sa.func.unnest(Activity.section_codes, type_=sa.Text).label("code")
    each = sa.select(code).where(_with_partner(identity)).distinct().subquery()
    return (await session.scalars(sa.select(each.c.code).order_by(each.c.code).limit(limit))).all()


def _with_partner(identity: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(IS_LISTED, Activity.partners.contains([{"id": str(identity)}]))


def _beyond(here: tuple[Any, Any], there: tuple[Any, Any], *, descending: bool = False) -> sa.ColumnElement[bool]:
    position = sa.tuple_(there[0], sa.literal(UUID(there[1]), sa.Uuid))
    return sa.tuple_(*here) < position if descending else sa.tuple_(*here) > position


def _candidates(among: sa.Select[Any], sought: Sought, *, by_start: bool) -> sa.Select[Any]:
    """The ones to rank: all of them, unless a word is so common that ranking would take long; then the latest.

    Of those that begin before an instant, the index by start has the latest together.
    """
    latest = START.desc() if by_start else sa.func.coalesce(Activity.ends_at, Activity.starts_at).desc().nulls_last()
    text = Activity.plain_words if sought.with_mistakes else Activity.search
    # Without an order of all, each page could rank others.
    return among.add_columns(text).order_by(latest, Activity.id.desc()).limit(MOST_RANKED)


def _relevance(sought: Sought, pool: sa.Subquery) -> sa.ColumnElement[float]:
    if sought.with_mistakes:
        alike = sa.func.word_similarity(sa.literal(sought.words, sa.Text), pool.c.plain_words)
        return sa.cast(alike, sa.Double)
    return sa.cast(sa.func.ts_rank(pool.c.search, query_of(sought)), sa.Double)
