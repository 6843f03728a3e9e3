"""Every statement about the kept counts of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.finding.tables import LabelCount, LabelNews

_FOLDING: Final = 7_300_614_475


def counted(facets: Sequence[str]) -> sa.Select[str, str, int]:
    """Facet, code and how many listed activities have it, of each code that any has."""
    told = sa.union_all(
        sa.select(LabelCount.facet, LabelCount.code, LabelCount.activities.label("more")).where(
            LabelCount.facet.in_(facets)
        ),
        sa.select(LabelNews.facet, LabelNews.code, LabelNews.difference).where(LabelNews.facet.in_(facets)),
    ).subquery()
    number = sa.cast(sa.func.sum(told.c.more), sa.BigInteger)
    return sa.select(told.c.facet, told.c.code, number).group_by(told.c.facet, told.c.code).having(number > 0)


async def fold(session: AsyncSession, *, limit: int) -> int:
    """Add news to the counts; answers how many. A reader sees it added or as news, and never both or neither."""
    if not await session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_FOLDING))):
        return 0
    oldest = sa.select(LabelNews.id).order_by(LabelNews.id).limit(limit)
    gone = (
        sa.delete(LabelNews)
        .where(LabelNews.id.in_(oldest))
        .returning(LabelNews.facet, LabelNews.code, LabelNews.difference)
    )
    news: dict[tuple[str, str], int] = {}
    rows = (await session.execute(gone)).all()
    for facet, code, difference in rows:
        news[facet, code] = news.get((facet, code), 0) + difference
    values: list[dict[str, Any]] = [
        {"facet": facet, "code": code, "activities": more} for (facet, code), more in news.items() if more
    ]
    if values:
        statement = insert(LabelCount).values(values)
        more = {"activities": LabelCount.activities + statement.excluded.activities}
        await session.execute(statement.on_conflict_do_update(index_elements=["facet", "code"], set_=more))
    return len(rows)
