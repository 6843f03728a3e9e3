"""Every statement about countries' policies."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.label.rules import DEFAULT_POLICY, Policy
from services.activities.label.tables import LabelPolicy


async def policies(session: AsyncSession, *, after: str | None, limit: int) -> Sequence[LabelPolicy]:
    """The countries that have said something, in the order of their codes."""
    statement = sa.select(LabelPolicy).order_by(LabelPolicy.country).limit(limit)
    if after is not None:
        statement = statement.where(LabelPolicy.country > after)
    return (await session.scalars(statement)).all()


async def policy(session: AsyncSession, country: str, *, locked: bool = False) -> LabelPolicy | None:
    """What a country has said, locked on demand until the transaction ends."""
    return await session.get(LabelPolicy, country, with_for_update=locked or None)


async def is_required(session: AsyncSession, country: str | None) -> bool:
    """Whether nothing of this country is published without the label."""
    said = await policy(session, country) if country is not None else None
    return (Policy(said.policy) if said else DEFAULT_POLICY) is Policy.REQUIRED


async def enter_policy(session: AsyncSession, country: str, wanted: Policy, decided_by: UUID) -> bool:
    """Enter what a country says for the first time; answers whether nobody was quicker."""
    statement = (
        insert(LabelPolicy)
        .values(country=country, policy=wanted.value, revision=1, decided_by=decided_by)
        .on_conflict_do_nothing()
        .returning(LabelPolicy.country)
    )
    return await session.scalar(statement) is not None


async def change_policy(session: AsyncSession, row: LabelPolicy, wanted: Policy, decided_by: UUID) -> None:
    """Change what a country says; `since` moves when it says something else."""
    changed = {"revision": row.revision + 1, "policy": wanted.value, "decided_by": decided_by}
    since = {} if row.policy == wanted else {"since": sa.func.now()}
    await session.execute(sa.update(LabelPolicy).where(LabelPolicy.country == row.country).values(**changed, **since))
    await session.refresh(row)
