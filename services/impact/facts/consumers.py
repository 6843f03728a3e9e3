"""What makes facts: reports that are verified or reopened, presences, and activities whose dimensions change."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import (
    ActivityCancelled,
    ActivityHeld,
    ActivityPublished,
    ActivityRevised,
    ReportReopened,
    ReportVerified,
)
from services.impact.facts import actions
from services.impact.projections import store as projections
from services.kernel.events import Recorded, Span
from services.kernel.runtime import Runtime


async def activities_changed(
    session: AsyncSession,
    events: Sequence[ActivityPublished | ActivityRevised | ActivityHeld | ActivityCancelled],
    runtime: Runtime,
) -> None:
    """Keep the activities, and move their facts to where they count now."""
    written = {each.activity.activity_id for each in events if await projections.keep_activity(session, each.activity)}
    await actions.refold(session, written)


async def reports_decided(
    session: AsyncSession, events: Sequence[ReportVerified | ReportReopened], runtime: Runtime
) -> None:
    """Count verified reports, and count reopened ones no longer."""
    await actions.refold(session, {each.activity_id for each in events})


async def attendances_recorded(session: AsyncSession, told: Sequence[Recorded] | Span, runtime: Runtime) -> None:
    """Keep attendances, and count them from now on."""
    await actions.keep_attendances(session, told)
