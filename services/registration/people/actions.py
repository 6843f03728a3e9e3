"""What is done about people: link secrets are issued and read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import reach
from services.kernel.auth import hashed
from services.registration.people import rules, store
from services.registration.people.rules import Purpose
from services.registration.people.tables import Link


async def issue_link(session: AsyncSession, *, registration_id: UUID, purpose: Purpose, expires_at: datetime) -> str:
    """Make a secret that leads to a registration; it can't be read again."""
    token = rules.new_token()
    await store.add_link(
        session, token_hash=hashed(token), registration_id=registration_id, purpose=purpose, expires_at=expires_at
    )
    return token


async def read_link(session: AsyncSession, token: str) -> Link:
    """The link with this secret, or a 404; whether it has expired is for the caller to judge."""
    await reach.show(session, "link", hashed(token).hex())
    found = await store.link(session, hashed(token))
    if found is None:
        raise rules.LinkNotFound
    return found
