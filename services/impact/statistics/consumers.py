"""What the statistics do when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.statistics import actions
from services.kernel.runtime import Runtime


async def tell_editions(session: AsyncSession, runtime: Runtime) -> int:
    """Tell the others what editions add up to. All of it is one batch: there is never more at once."""
    await actions.tell_editions(session)
    return 0
