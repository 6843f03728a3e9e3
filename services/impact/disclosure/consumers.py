"""What becomes due with time: the tables of an academic year that is closed."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.disclosure import actions
from services.kernel.runtime import Runtime


async def release_due(session: AsyncSession, runtime: Runtime) -> int:  # It takes its own.
    """Release one academic year, if one is due; answers 1 while there may be more."""
    return int(await actions.release_due(runtime) is not None)
