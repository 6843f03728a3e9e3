"""What attendance does when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.runtime import Runtime
from services.registration.attendance import corrections


async def mark_no_shows(session: AsyncSession, runtime: Runtime) -> int:
    """Mark those who did not come."""
    return await corrections.sweep_no_shows(session)
