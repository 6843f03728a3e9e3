"""Every query of the totals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.rules import Figures, Quantity
from services.impact.facts.tables import QuantityTotal, Total
from services.impact.projections.tables import Section
from services.impact.statistics.rules import QUANTITIES, Asked, Group
from services.impact.statistics.tables import ToldEdition

_ACTIVE = ("active", "warned")
_TELLING_LOCK = 0x7E_1117
"""Any number that no other lock has."""


class TooMany(Exception):
    """The answer would hold more rows than were allowed."""


async def groups(session: AsyncSession, asked: Asked, *, most: int) -> list[Group]:
    """The groups in the order of their keys, what is not stated last; raises `TooMany`."""
    columns = [getattr(Total, name) for name in asked.by]
    figures = [sa.cast(sa.func.coalesce(sa.func.sum(column), 0), column.type) for column in _figures()]
    statement = sa.select(*columns, *figures).where(*_conditions(Total, asked)).group_by(*columns)
    rows = await _rows(session, statement.order_by(*_order(columns)), most)
    amounts = await _amounts(session, asked, most=most) if QUANTITIES in asked.measures else {}
    split = len(asked.by)
    return [
        Group(key=row[:split], figures=Figures._make(row[split:]), quantities=tuple(amounts.get(row[:split], ())))
        for row in map(tuple, rows)
    ]


async def _amounts(
    session: AsyncSession, asked: Asked, *, most: int
) -> dict[tuple[str | None, ...], list[tuple[Quantity, Decimal]]]:
    columns = [getattr(QuantityTotal, name) for name in asked.by]
    quantity = [QuantityTotal.measure, QuantityTotal.unit]
    statement = sa.select(*columns, *quantity, sa.func.sum(QuantityTotal.amount))
    statement = statement.where(*_conditions(QuantityTotal, asked)).group_by(*columns, *quantity)
    found: dict[tuple[str | None, ...], list[tuple[Quantity, Decimal]]] = {}
    split = len(asked.by)
    for row in map(tuple, await _rows(session, statement.order_by(*_order(quantity)), most)):
        measure, unit, amount = row[split:]
        found.setdefault(row[:split], []).append((Quantity(measure, unit), amount))
    return found


async def sources(session: AsyncSession, asked: Asked) -> dict[str, int]:
    """How many of the activities held rest on which kind of source."""
    statement = sa.select(Total.source, sa.func.sum(Total.activities)).where(*_conditions(Total, asked))
    statement = statement.group_by(Total.source).having(sa.func.sum(Total.activities) > 0).order_by(Total.source)
    return {source: int(count) for source, count in await session.execute(statement)}


async def completeness(session: AsyncSession, asked: Asked) -> tuple[int, int]:
    """How many active sections have a verified report among what is asked for, and how many sections are active."""
    reporting = sa.select(Total.section).where(*_conditions(Total, asked), Total.reports > 0)
    active = Section.state.in_(_ACTIVE)
    among = [
        column.in_(asked.codes[name])
        for name, column in (("country", Section.country), ("section", Section.code))
        if name in asked.codes
    ]
    statement = sa.select(sa.func.count().filter(Section.code.in_(reporting)), sa.func.count()).where(active, *among)
    found = (await session.execute(statement)).one()
    return found[0], found[1]


async def now(session: AsyncSession) -> datetime:
    """The database's clock."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def lock_told(session: AsyncSession) -> dict[str, ToldEdition] | None:
    """What was told of each edition; None while another worker is about to tell."""
    if not await session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_TELLING_LOCK))):
        return None
    return {row.edition: row for row in await session.scalars(sa.select(ToldEdition))}


async def _rows(session: AsyncSession, statement: sa.Select[Any], most: int) -> Sequence[sa.Row[Any]]:
    rows: Sequence[sa.Row[Any]] = (await session.execute(statement.limit(most + 1))).all()
    if len(rows) > most:
        raise TooMany
    return rows


def _figures() -> list[Any]:
    return [getattr(Total, name) for name in Figures._fields]


def _conditions(table: type[Total | QuantityTotal], asked: Asked) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [getattr(table, name).in_(codes) for name, codes in asked.codes.items()]
    if asked.since is not None:
        conditions.append(table.starts_on >= asked.since)
    if asked.until is not None:
        conditions.append(table.starts_on <= asked.until)
    return conditions


def _order(columns: Sequence[Any]) -> list[Any]:
    # The order of bytes is the same on every server, whatever its language.
    return [sa.collate(column, "C").asc().nulls_last() for column in columns]
