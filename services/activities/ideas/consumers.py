"""What ideas do when impact has news."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.ideas import store
from services.contracts import ActivityFiguresChanged
from services.kernel.runtime import Runtime


async def activity_figures_changed(session: AsyncSession, event: ActivityFiguresChanged, runtime: Runtime) -> None:
    """Keep what an activity did in figures."""
    await store.keep_figures(session, event)
