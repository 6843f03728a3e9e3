"""What time does to enquiries: they are mailed, and forgotten."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.enquiries import store
from services.activities.tables import OUTGOING_MAIL
from services.kernel import mail
from services.kernel.runtime import Runtime


async def send_mail(session: AsyncSession, runtime: Runtime) -> int:
    """Send the letters that are due."""
    return await mail.send_due(runtime, OUTGOING_MAIL)


async def forget_enquiries(session: AsyncSession, runtime: Runtime) -> int:
    """Delete what was sent long ago."""
    return await store.forget_old(session)
