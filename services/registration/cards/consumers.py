"""What is done about ESNcards when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.runtime import Runtime
from services.registration.cards import actions


async def check_due(_: AsyncSession, runtime: Runtime) -> int:
    """Check the cards that are due."""
    return await actions.check_due(runtime)
