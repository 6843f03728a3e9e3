"""What makes facts: a report that is verified or reopened, presences, and an activity whose dimensions change."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import (
    ActivityCancelled,
    ActivityHeld,
    ActivityPublished,
    ActivityRevised,
    AttendanceRecorded,
    ReportReopened,
    ReportVerified,
)
from services.impact.facts import actions
from services.impact.projections import store as projections
from services.kernel.runtime import Runtime


async def activity_changed(
    session: AsyncSession,
    event: ActivityPublished | ActivityRevised | ActivityHeld | ActivityCancelled,
    runtime: Runtime,
) -> None:
    """Keep the activity, and move its facts to where they count now."""
    if await projections.keep_activity(session, event.activity):
        await actions.refold(session, [event.activity.activity_id])


async def report_decided(session: AsyncSession, event: ReportVerified | ReportReopened, runtime: Runtime) -> None:
    """Count a verified report, or count it no longer."""
    await actions.refold(session, [event.activity_id])


async def attendance_recorded(session: AsyncSession, event: AttendanceRecorded, runtime: Runtime) -> None:
    """Keep an attendance, and count it from now on."""
    if await projections.keep_attendance(session, event):
        await actions.refold(session, [event.activity_id])
