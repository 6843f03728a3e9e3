"""Every query of the totals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.rules import Figures, Quantity
from services.impact.facts.tables import LabelQuantityTotal, LabelTotal, QuantityTotal, Total
from services.impact.projections.tables import Activity, Section
from services.impact.statistics.measures import CLASS, QUANTITIES, SDG
from services.impact.statistics.rules import Asked, Group, order
from services.impact.statistics.tables import ToldEdition

_AnyTotal = type[Total | LabelTotal] | type[QuantityTotal | LabelQuantityTotal]
_ACTIVE = ("active", "warned")
_TELLING_LOCK = 0x7E_1117
"""Any number that no other lock has."""


class TooMany(Exception):
    """The answer would hold more rows than were allowed, or more amounts in them."""

    def __init__(self, *, amounts: bool) -> None:
        super().__init__()
        self.amounts = amounts


async def groups(session: AsyncSession, asked: Asked, *, most: int) -> list[Group]:
    """The groups in the order of their keys, what is not stated last; raises `TooMany`."""
    table, amounts_table = _tables(asked)
    columns = _columns(table, asked)
    figures = [
        sa.cast(sa.func.coalesce(sa.func.sum(column), 0), column.type)
        for column in (getattr(table, name) for name in Figures._fields)
    ]
    statement = sa.select(*columns, *figures).where(*conditions(table, asked)).group_by(*columns)
    rows = await _rows(session, statement.order_by(*_order(columns)), most, amounts=False)
    amounts = await _amounts(session, amounts_table, asked, most=most) if QUANTITIES in asked.measures else {}
    split = len(columns)
    found = [
        Group(
            key=_key(asked, row[:split]),
            figures=Figures._make(row[split:]),
            quantities=tuple(amounts.get(row[:split], ())),
        )
        for row in map(tuple, rows)
    ]
    return sorted(found, key=lambda group: order(group.key)) if SDG in asked.by else found


async def _amounts(
    session: AsyncSession, table: type[QuantityTotal | LabelQuantityTotal], asked: Asked, *, most: int
) -> dict[tuple[Any, ...], list[tuple[Quantity, Decimal]]]:
    columns = _columns(table, asked)
    quantity = [table.measure, table.unit]
    statement = sa.select(*columns, *quantity, sa.func.sum(table.amount))
    statement = statement.where(*conditions(table, asked)).group_by(*columns, *quantity)
    found: dict[tuple[Any, ...], list[tuple[Quantity, Decimal]]] = {}
    split = len(columns)
    for row in map(tuple, await _rows(session, statement.order_by(*_order(quantity)), most, amounts=True)):
        measure, unit, amount = row[split:]
        found.setdefault(row[:split], []).append((Quantity(measure, unit), amount))
    return found


async def count_groups(session: AsyncSession, asked: Asked, *, amounts: bool) -> int:
    """How many groups there are, or amounts in them, where there are too many to tell."""
    table, amounts_table = _tables(asked)
    columns = _columns(table, asked)
    if amounts:
        table = amounts_table  # type: ignore[assignment]
        columns = [*_columns(amounts_table, asked), amounts_table.measure, amounts_table.unit]
    found = sa.select(*columns).where(*conditions(table, asked)).group_by(*columns).subquery()
    return (await session.execute(sa.select(sa.func.count()).select_from(found))).scalar_one()


async def sources(session: AsyncSession, asked: Asked) -> dict[str, int]:
    """How many of the activities held rest on which kind of source; each once, also of touches."""
    asked = asked.of_all()
    table, _ = _tables(asked)
    statement = sa.select(table.source, sa.func.sum(table.activities)).where(*conditions(table, asked))
    statement = statement.group_by(table.source).having(sa.func.sum(table.activities) > 0).order_by(table.source)
    return {source: int(count) for source, count in await session.execute(statement)}


async def completeness(session: AsyncSession, asked: Asked) -> tuple[int, int]:
    """How many active sections have a verified report among what is asked for, and how many sections are active."""
    asked = asked.of_all()
    table, _ = _tables(asked)
    reporting = sa.select(table.section).where(*conditions(table, asked), table.reports > 0)
    statement = sa.select(sa.func.count().filter(Section.code.in_(reporting)), sa.func.count())
    found = (await session.execute(statement.where(*active_among(asked)))).one()
    return found[0], found[1]


def active_among(asked: Asked) -> list[sa.ColumnElement[bool]]:
    """The sections that are active today in the countries, platforms and sections asked for.

    A platform's countries are those that were in it when an activity that is asked about began, and those that were in
    it when their last activity began.
    """
    found: list[sa.ColumnElement[bool]] = [Section.state.in_(_ACTIVE)]
    for name, column in (("country", Section.country), ("section", Section.code)):
        if name in asked.codes:
            found.append(column.in_(asked.codes[name]))
    if "platform" in asked.codes:
        table, _ = _tables(asked.of_all())
        then = sa.select(table.country).where(*conditions(table, asked.of_all()))
        last = (
            sa.select(Activity.country, Activity.platform)
            .where(Activity.platform.is_not(None))
            .ext(distinct_on(Activity.country))
            .order_by(Activity.country, Activity.starts_on.desc().nulls_last())
            .subquery()
        )
        today = sa.select(last.c.country).where(last.c.platform.in_(asked.codes["platform"]))
        found.append(sa.or_(Section.country.in_(then), Section.country.in_(today)))
    return found


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def lock_told(session: AsyncSession) -> dict[str, ToldEdition] | None:
    """What was told of each edition; None while another worker is about to tell."""
    if not await session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_TELLING_LOCK))):
        return None
    return {row.edition: row for row in await session.scalars(sa.select(ToldEdition))}


async def _rows(session: AsyncSession, statement: sa.Select[Any], most: int, *, amounts: bool) -> Sequence[sa.Row[Any]]:
    rows: Sequence[sa.Row[Any]] = (await session.execute(statement.limit(most + 1))).all()
    if len(rows) > most:
        raise TooMany(amounts=amounts)
    return rows


def _tables(asked: Asked) -> tuple[type[Total | LabelTotal], type[QuantityTotal | LabelQuantityTotal]]:
    """The totals that answer a question; only those of labels know of labels that are not the main one."""
    return (LabelTotal, LabelQuantityTotal) if asked.scheme else (Total, QuantityTotal)


def _columns(table: _AnyTotal, asked: Asked) -> list[Any]:
    return [_column(table, asked, name) for name in asked.stored_by]


def _column(table: _AnyTotal, asked: Asked, name: str) -> Any:
    return getattr(table, "label" if name == asked.scheme else name)


def conditions(table: _AnyTotal, asked: Asked) -> list[sa.ColumnElement[bool]]:
    """What a row of totals must hold to be of the activities that are asked about."""
    found: list[sa.ColumnElement[bool]] = [
        _column(table, asked, name).in_(codes) for name, codes in asked.codes.items() if name != CLASS
    ]
    if asked.scheme is not None:
        found.append(table.scheme == asked.scheme)  # type: ignore[union-attr]
    if asked.since is not None:
        found.append(table.starts_on >= asked.since)
    if asked.until is not None:
        found.append(table.starts_on <= asked.until)
    return found


def _key(asked: Asked, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key of a group as it is told: goals are numbers."""
    if SDG not in asked.by:
        return key
    place = asked.stored_by.index(SDG)
    return (*key[:place], int(key[place]), *key[place + 1 :])


def _order(columns: Sequence[Any]) -> list[Any]:
    # The order of bytes is the same on every server, whatever its language.
    return [sa.collate(column, "C").asc().nulls_last() for column in columns]
