"""Every statement about partners."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.partners.rules import LEAST_SIMILARITY, MOST_SIMILAR
from services.activities.partners.tables import Partner


@dataclass(frozen=True, slots=True)
class Sought:
    """Which partners a reader wants; None means any."""

    country: str | None = None
    section: str | None = None
    kind: str | None = None
    level: str | None = None
    cause: str | None = None
    q: str | None = None


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def partner(session: AsyncSession, identity: UUID) -> Partner | None:
    """One partner, merged or not."""
    return await session.get(Partner, identity)


async def lock_partner(session: AsyncSession, identity: UUID) -> Partner | None:
    """One partner, locked until the transaction ends."""
    return await session.get(Partner, identity, with_for_update=True, populate_existing=True)


async def held(session: AsyncSession, identities: Collection[UUID]) -> dict[UUID, Partner]:
    """Partners by any id that they ever had, each the one that it turned out to be.

    None of them can be renamed or merged until the transaction ends, so that its activities are not forgotten then.
    """
    found = await _held(session, identities)
    later = {row.merged_into for row in found.values() if row.merged_into is not None}
    successors = await _held(session, later) if later else {}
    return {key: successors[row.merged_into] if row.merged_into else row for key, row in found.items()}


async def _held(session: AsyncSession, identities: Collection[UUID]) -> dict[UUID, Partner]:
    statement = sa.select(Partner).where(Partner.id.in_(identities)).order_by(Partner.id).with_for_update(read=True)
    rows = await session.scalars(statement.execution_options(populate_existing=True))
    return {row.id: row for row in rows}


async def hold_if_free(session: AsyncSession, identity: UUID) -> Partner | None:
    """A partner that nobody can rename or merge until the transaction ends; None while somebody does."""
    statement = sa.select(Partner).where(Partner.id == identity).with_for_update(read=True, skip_locked=True)
    return await session.scalar(statement.execution_options(populate_existing=True))


async def page_of_partners(
    session: AsyncSession, sought: Sought, *, after: Sequence[str] | None, limit: int
) -> Sequence[tuple[Partner, str]]:
    """Partners in the order of their names with the name that they are sorted by, beginning after one."""
    statement = sa.select(Partner, Partner.plain_name).where(Partner.merged_into.is_(None))
    for column, wanted in (
        (Partner.country, sought.country),
        (Partner.section, sought.section),
        (Partner.kind, sought.kind),
        (Partner.level, sought.level),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if sought.cause is not None:
        statement = statement.where(Partner.causes.contains([sought.cause]))
    if sought.q is not None:
        words = sa.func.activities.plain_text(sa.literal(sought.q, sa.Text))
        threshold = sa.func.set_config("pg_trgm.word_similarity_threshold", str(LEAST_SIMILARITY), sa.true())
        await session.execute(sa.select(threshold))
        statement = statement.where(words != "", Partner.plain_words.bool_op("%>")(words))
    if after is not None:
        position = sa.tuple_(sa.literal(after[0], sa.Text), sa.literal(UUID(after[1]), sa.Uuid))
        statement = statement.where(sa.tuple_(Partner.plain_name, Partner.id) > position)
    found = await session.execute(statement.order_by(Partner.plain_name, Partner.id).limit(limit))
    return [(row, name) for row, name in found]


async def hold_names(session: AsyncSession, country: str | None) -> None:
    """Let nobody else enter a partner of this country until the transaction ends."""
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"partners:{country}"))))


async def similar(session: AsyncSession, *, name: str, country: str | None) -> Sequence[UUID]:
    """The partners of a country with a similar name, the most similar first."""
    plain = sa.func.activities.plain_text(sa.literal(name, sa.Text))
    alike = sa.func.similarity(Partner.plain_name, plain)
    statement = (
        sa.select(Partner.id)
        .where(Partner.merged_into.is_(None), Partner.country.is_not_distinct_from(country))
        .where(sa.or_(alike >= LEAST_SIMILARITY, Partner.plain_name == plain))
        .order_by(alike.desc(), Partner.id)
        .limit(MOST_SIMILAR)
    )
    return (await session.scalars(statement)).all()


def add(session: AsyncSession, row: Partner) -> None:
    """Enter a partner."""
    session.add(row)


async def lead_on(session: AsyncSession, *, old: UUID, new: UUID) -> None:
    """What was merged into a partner that is merged itself leads to the last one at once."""
    statement = sa.update(Partner).where(Partner.merged_into == old).values(merged_into=new)
    await session.execute(statement.execution_options(synchronize_session=False))


async def take_one_to_follow(session: AsyncSession) -> Partner | None:
    """A partner whose activities do not show its present name or successor yet, locked."""
    statement = sa.select(Partner).where(sa.not_(Partner.is_followed)).order_by(Partner.id).limit(1)
    return await session.scalar(statement.with_for_update(skip_locked=True).execution_options(populate_existing=True))
