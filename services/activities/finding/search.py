"""Finding activities: the list in its orders, page by page, and how many each code would leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue.store import document_in
from services.activities.catalogue.tables import Activity
from services.activities.finding.conditions import IS_LISTED, Filters, Sought, prepare, read_whole, with_predecessors
from services.activities.finding.facets import facets_of
from services.activities.finding.ways import MOST_RANKED, Sort, begins_whole, ways


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
    whole = begins_whole(filters, sort)
    sought = await prepare(session, filters.q, whole=whole)
    filters = await with_predecessors(session, filters)
    if sought is not None and after is not None and after[2]:
        sought = sought.forgiving()
    reader = _Reader(session, languages, whole=whole)
    found = await reader.documents(filters, sort, sought, after=after, limit=limit)
    if sought is not None and not found and after is None:
        sought = sought.forgiving()
        found = await reader.documents(filters, sort, sought, after=None, limit=limit)
    counts = await facets_of(session, filters, facets, sought, reader.read) if facets and after is None else None
    is_cut_off = any(each.candidates == MOST_RANKED for each in found)
    return Page(found, counts, is_cut_off)


async def glance(
    session: AsyncSession, filters: Filters, *, languages: Sequence[str], after: Sequence[Any] | None, limit: int
) -> Page:
    """The same without words, by start, where the first way knows: one statement, for a session prepared for lists."""
    filters = await with_predecessors(session, filters)
    reader = _Reader(session, languages, whole=False)
    return Page(await reader.documents(filters, Sort.STARTS_AT, None, after=after, limit=limit), None, is_cut_off=False)


class _Reader:
    """Reads pages, and remembers how the transaction was told to."""

    def __init__(self, session: AsyncSession, languages: Sequence[str], *, whole: bool) -> None:
        self._session = session
        self._document = document_in(languages)
        self._whole = whole

    async def read(self, whole: bool) -> None:
        """See `conditions.read_whole`."""
        if whole is not self._whole:
            await read_whole(self._session, whole=whole)
            self._whole = whole

    async def documents(
        self, filters: Filters, sort: Sort, sought: Sought | None, *, after: Sequence[Any] | None, limit: int
    ) -> Sequence[Found]:
        """A page of the list, by the first way that sees enough."""
        rows: Sequence[Any] = ()
        for way in ways(filters, sort, sought, after=after, limit=limit):
            await self.read(way.whole)
            # Everything is measured or ranked without its document, and the few that are shown fetch theirs.
            page = way.page.subquery("page")
            order = (page.c.key.desc(), page.c.id.desc()) if sort is Sort.RELEVANCE else (page.c.key, page.c.id)
            key = sa.cast(page.c.key, sa.Text) if sort is Sort.STARTS_AT else page.c.key
            columns = (self._document, key, page.c.id, page.c.distance, page.c.ranked, page.c.read)
            statement = sa.select(*columns).join(page, page.c.id == Activity.id).order_by(*order)
            rows = (await self._session.execute(statement)).all()
            if way.knows(rows):
                break
        with_mistakes = sought is not None and sought.with_mistakes
        return [
            Found(written, distance_km, [position, str(identity), with_mistakes], ranked)
            for written, position, identity, distance_km, ranked, _ in rows
        ]


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
