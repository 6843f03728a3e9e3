"""Every statement about those who wait for a place or a decision."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.registration.places.tables import Places, Registration


async def activities_with_offers_due(session: AsyncSession, *, limit: int) -> Sequence[UUID]:
    """Activities whose waiting list should be looked at."""
    statement = sa.select(Places.activity_id).where(Places.offers_due).order_by(Places.activity_id).limit(limit)
    return (await session.scalars(statement)).all()


async def lock_waiting(
    session: AsyncSession, activity_id: UUID, *, after: Registration | None, most: int | None, limit: int
) -> Sequence[Registration]:
    """Those who wait for places in an activity, in their order, beginning after one; groups of at most so many.

    Who is just leaving the list, or is being decided about, is passed over.
    """
    statement = (
        sa.select(Registration)
        .where(
            Registration.activity_id == activity_id,
            sa.text("state = 'waitlisted' AND lead_id IS NULL"),
        )
        .order_by(Registration.waiting_since, Registration.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if most is not None:
        statement = statement.where(Registration.party_size <= most)
    if after is not None:
        order = sa.tuple_(Registration.waiting_since, Registration.id)
        statement = statement.where(order > sa.tuple_(after.waiting_since, after.id))
    return (await session.scalars(statement)).all()


async def count_waiting(session: AsyncSession, activity_id: UUID, *, most: int | None) -> int:
    """How many groups of at most so many wait, those included that somebody is busy with."""
    statement = (
        sa.select(sa.func.count())
        .select_from(Registration)
        .where(Registration.activity_id == activity_id, sa.text("state = 'waitlisted' AND lead_id IS NULL"))
    )
    if most is not None:
        statement = statement.where(Registration.party_size <= most)
    return (await session.execute(statement)).scalar_one()


async def classes_of(session: AsyncSession, leads: Sequence[Registration]) -> Sequence[tuple[UUID, str]]:
    """The class of everybody in some groups, with the registration that leads them."""
    identities = [lead.id for lead in leads if lead.party_size > 1]
    if not identities:
        return []
    statement = sa.select(Registration.lead_id, Registration.participant_class).where(
        Registration.lead_id.in_(identities)
    )
    return [(lead_id, each) for lead_id, each in await session.execute(statement) if lead_id is not None]
