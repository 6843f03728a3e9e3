"""What is done about the waiting lists when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.runtime import Runtime
from services.registration.waiting import actions


async def offer_due(session: AsyncSession, runtime: Runtime) -> int:
    """Offer free places to those who wait."""
    return await actions.offer_due(session, runtime.settings)
