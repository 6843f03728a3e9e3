"""What is done when another service says that something is missing."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.reminders import actions
from services.contracts import ReportMissing
from services.kernel.runtime import Runtime


async def report_missing(session: AsyncSession, event: ReportMissing, runtime: Runtime) -> None:
    """Remind the section that organises the activity."""
    await actions.remind(session, runtime.settings, event)
