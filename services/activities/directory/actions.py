"""What is done with the directory: tokens for the coordinators of its sections and countries."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.directory import store
from services.kernel import auth
from services.kernel.auth import Role
from services.kernel.failures import Stop


async def issue_token(
    session: AsyncSession, *, role: Role, section: str | None, country: str | None, label: str, lasts: timedelta
) -> str:
    """A bearer token for a role; a local coordinator's country is that of the section. `Stop` when they don't fit."""
    if (role is Role.LOCAL_COORDINATOR) != (section is not None):
        raise Stop("A local coordinator's token needs --section, and no other role's takes one.")
    if section is not None:
        known = await store.section(session, section)
        if known is None:
            raise Stop("There is no section with this code in the directory.")
        country = known.country
    elif (role is Role.NATIONAL_COORDINATOR) != (country is not None):
        raise Stop("A national coordinator's token needs --country, and no other role's takes one.")
    return await auth.issue(session, role=role, section=section, country=country, label=label, lasts=lasts)
