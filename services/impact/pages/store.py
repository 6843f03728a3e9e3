"""Every query of the pages that the statistics don't have."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.projections.tables import Section


async def countries(session: AsyncSession) -> set[str]:
    """The countries that have a section."""
    return set(await session.scalars(sa.select(Section.country).distinct()))
