"""What the catalogue does when it hears of others, and when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue import following, parts
from services.contracts import AvailabilityChanged
from services.kernel.runtime import Runtime


async def availability_changed(session: AsyncSession, event: AvailabilityChanged, runtime: Runtime) -> None:
    """Show whether an activity has places."""
    await following.hear_of_availability(session, runtime.settings, event)


async def follow_partners(session: AsyncSession, runtime: Runtime) -> int:
    """Let activities show what has become of their partners."""
    return await following.follow_a_partner(session, runtime.settings)


async def follow_sections(session: AsyncSession, runtime: Runtime) -> int:
    """Let activities show what has become of their sections."""
    return await following.follow_a_section(session, runtime.settings)


async def follow_terms(session: AsyncSession, runtime: Runtime) -> int:
    """Say of activities that they changed where a term that they carry was renamed."""
    return await following.follow_a_term(session, runtime.settings)


async def turn_sign_ups(session: AsyncSession, runtime: Runtime) -> int:
    """Render activities whose sign-up opened or closed."""
    return await following.turn_due(session, runtime.settings)


async def call_off_parts(session: AsyncSession, runtime: Runtime) -> int:
    """Call off the local parts of joint days that were called off, where they were too many for one transaction."""
    return await parts.call_off_left_parts(session, runtime.settings)


async def follow_platforms(session: AsyncSession, runtime: Runtime) -> int:
    """Put activities into the platform that their country was in, after its memberships changed."""
    return await following.follow_platforms(session, runtime.settings)


async def regroup(session: AsyncSession, runtime: Runtime) -> int:
    """Move activities whose edition changed its days."""
    return await following.regroup_due(session, runtime.settings)
