"""What places do when the catalogue has news, and when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ActivityCancelled, ActivityHeld, ActivityPublished, ActivityRevised, SectionRecorded
from services.kernel import mail
from services.kernel.runtime import Runtime
from services.registration.places import actions, endings, hosts, letters
from services.registration.tables import OUTGOING_MAIL

ActivityEvent = ActivityPublished | ActivityRevised | ActivityHeld | ActivityCancelled


async def activity_changed(session: AsyncSession, event: ActivityEvent, runtime: Runtime) -> None:
    """Know the activity as it now is."""
    await actions.follow_activity(session, event.activity)


async def section_recorded(session: AsyncSession, event: SectionRecorded, runtime: Runtime) -> None:
    """Know the section, whatever its state: a student's host may have withdrawn since."""
    await hosts.keep(session, event)


async def expire_holds(session: AsyncSession, runtime: Runtime) -> int:
    """Free the places that nobody confirmed in time."""
    return await endings.expire_holds(session, runtime.settings)


async def end_waiting(session: AsyncSession, runtime: Runtime) -> int:
    """Write to those who waited in vain."""
    return await endings.end_waiting(session, runtime.settings)


async def call_off(session: AsyncSession, runtime: Runtime) -> int:
    """Write to those whose activity was cancelled."""
    return await endings.call_off(session, runtime.settings)


async def send_mail(session: AsyncSession, runtime: Runtime) -> int:
    """Write and send the letters that are due."""
    return await mail.send_due(runtime, OUTGOING_MAIL, letters.write)
