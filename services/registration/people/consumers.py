"""What time does to what is known of people."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.runtime import Runtime
from services.registration.people import store


async def forget_expired_links(session: AsyncSession, _: Runtime) -> int:
    """Delete links that have long expired."""
    return await store.forget_expired_links(session)
