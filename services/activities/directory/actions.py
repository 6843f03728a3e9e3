"""What is done with the directory: its entries, and tokens for the coordinators of its sections and countries."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.activities.directory import store
from services.activities.directory.section_rows import SectionRow
from services.activities.directory.tables import Section
from services.kernel import auth, events
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


async def record_section(session: AsyncSession, row: SectionRow) -> bool:
    """Enter a section into the directory, or bring its entry up to date; answers whether anything changed."""
    known = await store.section(session, row.code)
    entry = known or Section(code=row.code)
    for name in ("name", "country", "university", "website", "latitude", "longitude", "state", "same_as", "time_zone"):
        _set(entry, name, getattr(row, name))
    _set(entry, "cities", list(row.cities))
    if known is not None and not session.is_modified(entry):
        return False
    session.add(entry)
    entry.updated_at = await store.now(session)
    await events.record(
        session,
        contracts.SectionRecorded(
            code=row.code, title=row.name, country=row.country, state=row.state, time_zone=row.time_zone
        ),
    )
    return True


def _set(entry: Section, name: str, value: object) -> None:
    # Assigning an equal list would count as a change.
    if getattr(entry, name) != value:
        setattr(entry, name, value)
