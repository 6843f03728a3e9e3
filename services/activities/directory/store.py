"""Every statement about sections."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.util import identity_key

from services.activities.directory.tables import Section


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def section(session: AsyncSession, code: str) -> Section | None:
    """One section by its code."""
    return await session.get(Section, code)


async def sections(session: AsyncSession, codes: Collection[str]) -> dict[str, Section]:
    """The sections with these codes, by code; those that the transaction has read already are not read again."""
    held = {code: session.identity_map.get(identity_key(Section, code)) for code in codes}
    found = {code: row for code, row in held.items() if row is not None}
    if unread := [code for code in codes if code not in found]:
        rows = await session.scalars(sa.select(Section).where(Section.code.in_(unread)))
        found |= {row.code: row for row in rows}
    return found


async def page_of_sections(
    session: AsyncSession, *, country: str | None, after: str | None, limit: int
) -> Sequence[Section]:
    """Sections in the order of their codes, beginning after one."""
    statement = sa.select(Section).order_by(Section.code).limit(limit)
    if country is not None:
        statement = statement.where(Section.country == country)
    if after is not None:
        statement = statement.where(Section.code > after)
    return (await session.scalars(statement)).all()


async def countries(session: AsyncSession) -> Sequence[tuple[str, int]]:
    """Each country with the number of its active sections."""
    active = sa.func.count().filter(Section.state.in_(("active", "warned")))
    rows = await session.execute(sa.select(Section.country, active).group_by(Section.country).order_by(Section.country))
    return [(country, count) for country, count in rows]
