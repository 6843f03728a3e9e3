"""Keeps what impact tells of editions."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.totals import store
from services.contracts import EditionTotalsChanged
from services.kernel.runtime import Runtime


async def edition_totals_changed(session: AsyncSession, event: EditionTotalsChanged, runtime: Runtime) -> None:
    """Keep the people and hours of an edition."""
    await store.keep(session, event)
