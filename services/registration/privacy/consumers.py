"""What time does to what is known of people."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.runtime import Runtime
from services.registration.privacy import actions


async def forget_old(session: AsyncSession, runtime: Runtime) -> int:
    """Forget who registered for what is long over."""
    return await actions.forget_old(session, runtime.settings)
