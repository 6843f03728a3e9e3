"""Every statement about sizes of sections and about those that are not ranked."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.projections.tables import Section
from services.impact.rankings.tables import SectionSize, Unranked


async def section(session: AsyncSession, code: str) -> Section | None:
    """A section, or None where nothing was heard of it."""
    return await session.get(Section, code)


async def sizes(session: AsyncSession, academic_year: str) -> dict[str, int]:
    """How many students each section hosts in an academic year, where somebody has said it."""
    columns = (SectionSize.section, SectionSize.international_students)
    rows = await session.execute(sa.select(*columns).where(SectionSize.academic_year == academic_year))
    return {row.section: row.international_students for row in rows}


async def sizes_of(session: AsyncSession, code: str) -> Sequence[SectionSize]:
    """What was said of a section, the last academic year first."""
    statement = sa.select(SectionSize).where(SectionSize.section == code)
    return (await session.scalars(statement.order_by(SectionSize.academic_year.desc()))).all()


async def size(session: AsyncSession, code: str, academic_year: str) -> SectionSize | None:
    """What was said of a section and an academic year."""
    return await session.get(SectionSize, (code, academic_year))


async def lock_size(session: AsyncSession, code: str, academic_year: str) -> SectionSize | None:
    """The same, locked until the transaction ends."""
    return await session.get(SectionSize, (code, academic_year), with_for_update=True)


async def begin_size(session: AsyncSession, code: str, academic_year: str, students: int) -> SectionSize | None:
    """Say it for the first time; None where somebody else just did."""
    values = {"section": code, "academic_year": academic_year, "international_students": students}
    statement = insert(SectionSize).values(values).on_conflict_do_nothing().returning(SectionSize)
    return (await session.scalars(statement)).one_or_none()


async def remove_size(session: AsyncSession, row: SectionSize) -> None:
    """Take back what was said."""
    await session.delete(row)
    await session.flush()


async def unranked(session: AsyncSession) -> set[str]:
    """The sections that don't stand in rankings."""
    return set(await session.scalars(sa.select(Unranked.section)))


async def choice(session: AsyncSession, code: str) -> Unranked | None:
    """That a section does not stand in rankings, or None where it does."""
    return await session.get(Unranked, code)


async def leave(session: AsyncSession, code: str) -> None:
    """Let a section stand in no ranking; once more changes nothing."""
    await session.execute(insert(Unranked).values(section=code).on_conflict_do_nothing())


async def come_back(session: AsyncSession, code: str) -> None:
    """Let a section stand in rankings again; where it does already nothing changes."""
    await session.execute(sa.delete(Unranked).where(Unranked.section == code))
