"""Every statement about schemes, terms and the crosswalk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.taxonomies.rules import Label, is_in_use
from services.activities.taxonomies.tables import Mapping, MappingChange, Scheme, Term, TermChange, TermRound

_ENDS = ("source_scheme", "source_code", "target_scheme", "target_code")


class Stated(NamedTuple):
    """A mapping of the crosswalk as it stands, or as it stood at an instant."""

    source: Label
    target: Label
    relation: str
    note: str | None
    ours: bool
    revision: int
    updated_at: datetime


class Usable(NamedTuple):
    """A term and whether new activities may carry it."""

    label: Label
    in_use: bool
    replaced_by: str | None


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def today(session: AsyncSession) -> date:
    """The day by the database's clock, in UTC."""
    return (await session.execute(sa.select(sa.func.current_date()))).scalar_one()


async def schemes(session: AsyncSession) -> Sequence[Scheme]:
    """Every scheme, the one in force before those that it replaced."""
    return (await session.scalars(sa.select(Scheme).order_by(Scheme.position))).all()


async def scheme(session: AsyncSession, code: str) -> Scheme | None:
    """One scheme."""
    return await session.get(Scheme, code)


async def lock_scheme(session: AsyncSession, code: str) -> Scheme | None:
    """One scheme, locked until the transaction ends: its terms change one after the other."""
    return await session.get(Scheme, code, with_for_update=True)


async def terms(session: AsyncSession, schemes: Collection[str] | None = None) -> Sequence[Term]:
    """The terms of these schemes, else of all, each scheme in its order."""
    statement = sa.select(Term).order_by(Term.scheme, Term.position, Term.code)
    if schemes is not None:
        statement = statement.where(Term.scheme.in_(schemes))
    return (await session.scalars(statement)).all()


async def term(session: AsyncSession, label: Label) -> Term | None:
    """One term."""
    return await session.get(Term, tuple(label))


async def lock_term(session: AsyncSession, label: Label) -> Term | None:
    """One term, locked until the transaction ends."""
    return await session.get(Term, tuple(label), with_for_update=True)


async def last_position(session: AsyncSession, scheme: str) -> int:
    """The highest position in a scheme."""
    return await session.scalar(sa.select(sa.func.max(Term.position)).where(Term.scheme == scheme)) or 0


async def usable(session: AsyncSession, schemes: Collection[str]) -> list[Usable]:
    """Every code of these schemes and whether it may be used today, in one statement."""
    statement = (
        sa.select(Term.scheme, Term.code, Term.begins_on, Term.retired_on, Term.replaced_by, sa.func.current_date())
        .where(Term.scheme.in_(schemes))
        .order_by(Term.scheme, Term.position, Term.code)
    )
    return [
        Usable(Label(name, code), is_in_use(begins_on, retired_on, day), replaced_by)
        for name, code, begins_on, retired_on, replaced_by, day in await session.execute(statement)
    ]


async def names(session: AsyncSession) -> dict[Label, dict[str, str]]:
    """The names of every term."""
    statement = sa.select(Term.scheme, Term.code, Term.names).order_by(Term.scheme, Term.position, Term.code)
    return {Label(name, code): known for name, code, known in await session.execute(statement)}


async def term_changes(session: AsyncSession, scheme: str) -> Sequence[TermChange]:
    """What was changed in a scheme, the latest first."""
    statement = sa.select(TermChange).where(TermChange.scheme == scheme).order_by(TermChange.version.desc())
    return (await session.scalars(statement)).all()


async def crosswalk(
    session: AsyncSession,
    *,
    sources: Collection[Label] | None = None,
    source: Label | None = None,
    target: Label | None = None,
    at: datetime | None = None,
) -> list[Stated]:
    """Mappings between terms, as they stand or as they stood at an instant; a label without code means its scheme."""
    kind: Any = Mapping if at is None else MappingChange
    ends = [getattr(kind, name) for name in _ENDS]
    conditions = [
        column == value
        for label, columns in ((source, ends[:2]), (target, ends[2:]))
        for column, value in zip(columns, label or (), strict=False)
        if value
    ]
    if sources is not None:
        conditions.append(sa.tuple_(*ends[:2]).in_([tuple(each) for each in sources]))
    if at is None:
        columns = (Mapping.relation, Mapping.note, Mapping.ours, Mapping.revision, Mapping.updated_at)
        statement = sa.select(*ends, *columns).where(*conditions).order_by(*ends)
        return [_stated(row) for row in await session.execute(statement)]
    latest = (
        sa.select(*ends, MappingChange.after, MappingChange.revision, MappingChange.at)
        .where(*conditions, MappingChange.at <= at)
        .order_by(*ends, MappingChange.revision.desc())
        .ext(distinct_on(*ends))
    )
    return [
        _stated((*row[:4], row.after["relation"], row.after["note"], row.after["ours"], row.revision, row.at))
        for row in await session.execute(latest)
        if row.after is not None
    ]


def _stated(row: Any) -> Stated:
    return Stated(Label(row[0], row[1]), Label(row[2], row[3]), *row[4:])


async def mapping(session: AsyncSession, source: Label, target: Label) -> Mapping | None:
    """One mapping."""
    return await session.get(Mapping, (*source, *target))


async def mapping_changes(session: AsyncSession, source: Label, target: Label) -> Sequence[MappingChange]:
    """What was changed in one mapping, the latest first."""
    ends = [getattr(MappingChange, name) == value for name, value in zip(_ENDS, (*source, *target), strict=True)]
    statement = sa.select(MappingChange).where(*ends).order_by(MappingChange.revision.desc())
    return (await session.scalars(statement)).all()


def begin_round(session: AsyncSession, label: Label) -> None:
    """Ask for the activities that carry a renamed term to be named among the changes."""
    session.add(TermRound(scheme=label.scheme, code=label.code))


async def next_round(session: AsyncSession, *, older_than: float) -> TermRound | None:
    """The oldest round that nobody works on, locked, once the term was renamed so many seconds ago."""
    due = TermRound.renamed_at < sa.func.now() - timedelta(seconds=older_than)
    statement = sa.select(TermRound).where(due).order_by(TermRound.number).limit(1)
    return await session.scalar(statement.with_for_update(skip_locked=True))


async def end_round(session: AsyncSession, done: TermRound) -> None:
    """Forget a round that is done."""
    await session.delete(done)


def add(session: AsyncSession, change: TermChange | MappingChange) -> None:
    """Remember who changed what."""
    session.add(change)


async def delete_mapping(session: AsyncSession, row: Mapping) -> None:
    """Take a mapping away; its history stays."""
    await session.delete(row)
    await session.flush()
