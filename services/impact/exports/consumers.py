"""What becomes due with time: exports to make, and exports that were kept for long enough."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.exports import actions, store
from services.kernel.runtime import Runtime


async def make_next(session: AsyncSession, runtime: Runtime) -> int:
    """Make an export, if one waits; not in the sweep's transaction, since that may take minutes."""
    return await actions.make_next(runtime)


async def expire(session: AsyncSession, runtime: Runtime) -> int:
    """Throw away what was kept for long enough."""
    return len(await store.expire(session))
