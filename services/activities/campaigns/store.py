"""Every statement about editions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns.edition_rows import GATHERINGS
from services.activities.campaigns.tables import Edition


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def edition(session: AsyncSession, code: str) -> Edition | None:
    """One edition by its code."""
    return await session.get(Edition, code)


async def editions(session: AsyncSession) -> Sequence[Edition]:
    """Every edition, the newest first; those without dates last."""
    return (
        await session.scalars(sa.select(Edition).order_by(Edition.starts_on.desc().nulls_last(), Edition.code))
    ).all()


async def edition_on(session: AsyncSession, day: date) -> str | None:
    """The campaign edition that contains a day: only dates known to the day claim it, the shorter edition first."""
    statement = (
        sa.select(Edition.code)
        .where(Edition.precision == "day", Edition.series != GATHERINGS)
        .where(Edition.starts_on <= day, Edition.ends_on >= day)
        .order_by(Edition.ends_on - Edition.starts_on, Edition.starts_on.desc(), Edition.code)
        .limit(1)
    )
    return await session.scalar(statement)
