"""What becomes of passes when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.runtime import Runtime
from services.registration.door import store


async def forget_old(session: AsyncSession, runtime: Runtime) -> int:
    """Delete passes that ended a month ago."""
    return await store.forget_old(session)
