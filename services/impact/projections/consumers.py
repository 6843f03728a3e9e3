"""Keeps what the other services tell of sections and editions."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import EditionRecorded, SectionRecorded
from services.impact.projections import store
from services.kernel.runtime import Runtime


async def section_recorded(session: AsyncSession, event: SectionRecorded, runtime: Runtime) -> None:
    """Keep a section."""
    await store.keep_section(session, event)


async def edition_recorded(session: AsyncSession, event: EditionRecorded, runtime: Runtime) -> None:
    """Keep an edition."""
    await store.keep_edition(session, event)
