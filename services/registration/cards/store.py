"""Every statement about ESNcards."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registration.cards.rules import Outcome
from services.registration.cards.tables import Card

_UNSYNCHRONISED = {"synchronize_session": False}


async def keep(session: AsyncSession, registration_id: UUID, number: str) -> None:
    """Keep the number of somebody's card until it is checked."""
    await session.execute(insert(Card).values(registration_id=registration_id, number=number))


async def of(session: AsyncSession, registrations: Collection[UUID]) -> dict[UUID, Card]:
    """The cards that belong to some registrations."""
    found = await session.scalars(sa.select(Card).where(Card.registration_id.in_(registrations)))
    return {card.registration_id: card for card in found}


async def claim(session: AsyncSession, lease: timedelta) -> Card | None:
    """The next card to check, which nobody else checks until the lease ends."""
    due = sa.select(Card.registration_id).where(Card.due_at <= sa.func.now()).order_by(Card.due_at).limit(1)
    first = due.with_for_update(skip_locked=True).cte("due")
    claimed = (
        sa.update(Card)
        .where(Card.registration_id == first.c.registration_id)
        .values(due_at=sa.func.now() + lease, tries=Card.tries + 1)
        .returning(Card)
    )
    return await session.scalar(claimed, execution_options=_UNSYNCHRONISED)


async def settle(session: AsyncSession, registration_id: UUID, outcome: Outcome) -> None:
    """Keep what was answered, and the number no longer."""
    told = {"outcome": outcome.value, "checked_at": sa.func.now(), "number": None, "due_at": None}
    statement = sa.update(Card).where(Card.registration_id == registration_id).values(told)
    await session.execute(statement, execution_options=_UNSYNCHRONISED)


async def postpone(session: AsyncSession, registration_id: UUID, pause: timedelta) -> None:
    """Check a card once more after a pause."""
    statement = sa.update(Card).where(Card.registration_id == registration_id).values(due_at=sa.func.now() + pause)
    await session.execute(statement, execution_options=_UNSYNCHRONISED)
