"""Every statement about ideas."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.finding.conditions import Sought, prepare, query_of, resembling
from services.activities.ideas.rules import Sort
from services.activities.ideas.tables import ActivityFigures, Endorsement, Idea
from services.contracts import ActivityFiguresChanged

_KEY_OF = {Sort.ADAPTED: Idea.adapted_sections, Sort.ENDORSED: Idea.endorsements}
# Spelt out in the statement, since a partial index is not used for a parameter.
_IS_OFFERED = sa.text("state = 'offered'")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ideas a reader wants; None means any."""

    cause: str | None = None
    area: str | None = None
    kind: str | None = None
    is_free: bool | None = None
    cost_max: Decimal | None = None
    currency: str | None = None
    group_size: int | None = None
    season: str | None = None
    setting: str | None = None
    country: str | None = None
    language: str | None = None
    q: str | None = None


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def idea(session: AsyncSession, identity: UUID) -> Idea | None:
    """One idea, offered or withdrawn."""
    return await session.get(Idea, identity)


async def lock_idea(session: AsyncSession, identity: UUID) -> Idea | None:
    """One idea, locked until the transaction ends."""
    return await session.get(Idea, identity, with_for_update=True, populate_existing=True)


async def of_activity(session: AsyncSession, activity_id: UUID) -> Idea | None:
    """The idea that was made of an activity."""
    return await session.scalar(sa.select(Idea).where(Idea.activity_id == activity_id))


def add(session: AsyncSession, row: Idea) -> None:
    """Put an idea on the market."""
    session.add(row)


async def page_of_ideas(
    session: AsyncSession, wanted: Wanted, sort: Sort, *, after: Sequence[Any] | None, limit: int
) -> list[tuple[Idea, list[Any]]]:
    """Ideas with their places in an order, beginning after one.

    When none has all the words that are sought, those with similar words in their titles are found instead.
    """
    sought = await prepare(session, wanted.q)
    if sought is not None and after is not None and after[2]:
        sought = sought.forgiving()
    found = await _page(session, wanted, sort, sought, after=after, limit=limit)
    if sought is not None and not found and after is None:
        sought = sought.forgiving()
        found = await _page(session, wanted, sort, sought, after=None, limit=limit)
    with_mistakes = sought is not None and sought.with_mistakes
    return [(row, [key, str(row.id), with_mistakes]) for row, key in found]


async def _page(
    session: AsyncSession,
    wanted: Wanted,
    sort: Sort,
    sought: Sought | None,
    *,
    after: Sequence[Any] | None,
    limit: int,
) -> Sequence[tuple[Idea, int]]:
    key: sa.ColumnElement[Any] = _KEY_OF[sort] if sort in _KEY_OF else sa.literal(0, sa.Integer)  # type: ignore[assignment]
    order = (Idea.id.desc(),) if sort is Sort.NEWEST else (key.desc(), Idea.id.desc())
    statement = sa.select(Idea, key.label("key")).where(_IS_OFFERED, *_conditions(wanted)).order_by(*order)
    if sought is not None and sought.with_mistakes:
        statement = statement.where(resembling(sought, Idea.plain_words))
    elif sought is not None:
        statement = statement.where(Idea.search.bool_op("@@")(query_of(sought)))
    if after is not None:
        identity = sa.literal(UUID(after[1]), sa.Uuid)
        if sort is Sort.NEWEST:
            statement = statement.where(Idea.id < identity)
        else:
            statement = statement.where(sa.tuple_(key, Idea.id) < sa.tuple_(sa.literal(after[0], sa.Integer), identity))
    return [(row, place) for row, place in await session.execute(statement.limit(limit))]


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    for column, code in ((Idea.causes, wanted.cause), (Idea.areas, wanted.area)):
        if code is not None:
            conditions.append(column.contains([code]))
    for listed, code in ((Idea.seasons, wanted.season), (Idea.settings, wanted.setting)):
        if code is not None:
            # An idea that names none works in any.
            conditions.append(sa.or_(listed.contains([code]), sa.func.cardinality(listed) == 0))
    if wanted.kind is not None:
        conditions.append(Idea.kind == wanted.kind)
    if wanted.country is not None:
        conditions.append(Idea.country == wanted.country)
    if wanted.language is not None:
        main = sa.func.split_part(Idea.language, "-", 1) if "-" not in wanted.language else Idea.language
        conditions.append(main == wanted.language)
    if wanted.is_free is not None:
        conditions.append((Idea.cost_amount == 0) if wanted.is_free else (Idea.cost_amount > 0))
    if wanted.cost_max is not None:
        affordable = sa.and_(Idea.cost_amount <= wanted.cost_max, Idea.cost_currency == wanted.currency)
        conditions.append(sa.or_(Idea.cost_amount == 0, affordable))
    if wanted.group_size is not None:
        conditions += [
            sa.func.coalesce(Idea.group_min, 0) <= wanted.group_size,
            sa.func.coalesce(Idea.group_max, wanted.group_size) >= wanted.group_size,
        ]
    return conditions


async def endorsements(session: AsyncSession, identity: UUID) -> Sequence[Endorsement]:
    """Who recommends an idea, the first first."""
    statement = sa.select(Endorsement).where(Endorsement.idea_id == identity)
    return (await session.scalars(statement.order_by(Endorsement.endorsed_at, Endorsement.endorser))).all()


async def endorse(session: AsyncSession, identity: UUID, endorser: str, note: str | None) -> None:
    """Recommend an idea, or say so in other words."""
    row = {"idea_id": identity, "endorser": endorser, "note": note}
    statement = insert(Endorsement).values(row)
    await session.execute(statement.on_conflict_do_update(index_elements=["idea_id", "endorser"], set_={"note": note}))


async def take_back(session: AsyncSession, identity: UUID, endorser: str) -> None:
    """Recommend it no longer."""
    gone = sa.delete(Endorsement).where(Endorsement.idea_id == identity, Endorsement.endorser == endorser)
    await session.execute(gone)


async def count_endorsements(session: AsyncSession, identity: UUID) -> int:
    """How many recommend an idea whose row is locked."""
    counted = sa.select(sa.func.count()).select_from(Endorsement).where(Endorsement.idea_id == identity)
    return (await session.execute(counted)).scalar_one()


async def figures(session: AsyncSession, activities: Collection[UUID]) -> dict[UUID, ActivityFigures]:
    """What these activities did, of those with a verified report."""
    these = sa.and_(ActivityFigures.activity_id.in_(activities), ActivityFigures.is_verified)
    return {row.activity_id: row for row in await session.scalars(sa.select(ActivityFigures).where(these))}


async def keep_figures(session: AsyncSession, told: ActivityFiguresChanged) -> None:
    """Write what impact tells of an activity, unless as new a revision is known; the ideas made of it changed then."""
    values = {**told.model_dump(exclude={"quantities"}), "quantities": told.model_dump(mode="json")["quantities"]}
    statement = insert(ActivityFigures).values(values)
    newer = statement.on_conflict_do_update(
        index_elements=["activity_id"],
        set_={name: statement.excluded[name] for name in values if name != "activity_id"},
        where=ActivityFigures.revision < statement.excluded.revision,
    )
    if (await session.execute(newer.returning(ActivityFigures.activity_id))).first() is not None:
        await session.execute(
            sa.update(Idea).where(Idea.activity_id == told.activity_id).values(updated_at=sa.func.now())
        )
