"""Every statement about sections, which students name as their hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import SectionRecorded
from services.registration.places.tables import Section

# The directory lets nobody make a circle; news of two mergers may arrive in turn and look like one for a moment.
_MOST_MERGERS: Final = 20


async def keep(session: AsyncSession, told: SectionRecorded) -> None:
    """Know a section as it is called now, and the one that it merged into."""
    values = {"title": told.title, "country": told.country, "successor": told.successor}
    statement = insert(Section).values(code=told.code, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=values))


async def listed(session: AsyncSession) -> Sequence[Section]:
    """Every section that is known and has not merged into another."""
    return (await session.scalars(sa.select(Section).where(Section.successor.is_(None)).order_by(Section.code))).all()


async def section_today(session: AsyncSession, code: str) -> str | None:
    """What a section is called today: by its own code, or by that of the last one that it merged into, step by step.

    None where no such section is known; as long as none is at all, the directory is empty and any code may be one.
    """
    line = sa.select(Section.code, Section.successor, sa.literal(0).label("step")).where(Section.code == code)
    steps = line.cte("line", recursive=True)
    further = sa.select(Section.code, Section.successor, steps.c.step + 1)
    steps = steps.union_all(further.where(Section.code == steps.c.successor, steps.c.step < _MOST_MERGERS))
    name = sa.func.coalesce(steps.c.successor, steps.c.code)
    last = sa.select(name).order_by(steps.c.step.desc()).limit(1).scalar_subquery()
    unknown = sa.case((sa.select(Section.code).exists(), sa.null()), else_=sa.literal(code, sa.Text))
    found: str | None = await session.scalar(sa.select(sa.func.coalesce(last, unknown)))
    return found
