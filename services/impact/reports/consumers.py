"""What time does to reports: sections are told of those that are missing."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.reports import actions
from services.kernel.runtime import Runtime


async def remind(session: AsyncSession, runtime: Runtime) -> int:
    """Tell of activities whose report is missing; answers how many there were."""
    return await actions.remind(session, runtime.settings.report_within_days)
