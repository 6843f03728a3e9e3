"""What people are told when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.runtime import Runtime
from services.registration.telling import actions


async def tell_of_moves(session: AsyncSession, runtime: Runtime) -> int:
    """Write to those whose activity moved."""
    return await actions.tell_of_moves(session, runtime.settings)


async def remind(session: AsyncSession, runtime: Runtime) -> int:
    """Write to those who come tomorrow."""
    return await actions.remind(session, runtime.settings)
