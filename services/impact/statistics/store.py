"""Every query of the totals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.grains import covering
from services.impact.facts.rules import Figures, Quantity
from services.impact.facts.tables import QuantityRollUp, QuantityTotal, RollUp, Total
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
    table, conditions = _figures_of(asked)
    columns = [getattr(table, name) for name in asked.by]
    counted = [getattr(table, name) for name in Figures._fields]
    figures = [sa.cast(sa.func.coalesce(sa.func.sum(column), 0), column.type) for column in counted]
    statement = sa.select(*columns, *figures).where(*conditions).group_by(*columns)
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
    grain = _grain(asked)
    table = QuantityTotal if grain is None else QuantityRollUp
    columns = [getattr(table, name) for name in asked.by]
    quantity = [table.measure, table.unit]
    statement = sa.select(*columns, *quantity, sa.func.sum(table.amount))
    statement = statement.where(*_conditions(table, asked, grain)).group_by(*columns, *quantity)
    found: dict[tuple[str | None, ...], list[tuple[Quantity, Decimal]]] = {}
    split = len(asked.by)
    for row in map(tuple, await _rows(session, statement.order_by(*_order(quantity)), most)):
        measure, unit, amount = row[split:]
        found.setdefault(row[:split], []).append((Quantity(measure, unit), amount))
    return found


async def sources(session: AsyncSession, asked: Asked) -> dict[str, int]:
    """How many of the activities held rest on which kind of source."""
    table, conditions = _figures_of(asked, "source")
    held = sa.func.sum(table.activities)
    statement = sa.select(table.source, held).where(*conditions)
    statement = statement.group_by(table.source).having(held > 0).order_by(table.source)
    return {str(source): int(count) for source, count in await session.execute(statement)}


async def completeness(session: AsyncSession, asked: Asked) -> tuple[int, int]:
    """How many active sections have a verified report among what is asked for, and how many sections are active."""
    table, conditions = _figures_of(asked, "section")
    reporting = sa.select(table.section).where(*conditions, table.reports > 0)
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


def _grain(asked: Asked, *more: str) -> str | None:
    """The smallest roll-up that can answer; days are only in the totals themselves."""
    days = ("starts_on",) if asked.since is not None or asked.until is not None else ()
    return covering((*asked.by, *more), (*asked.codes, *days))


def _figures_of(asked: Asked, *more: str) -> tuple[type[Total | RollUp], list[sa.ColumnElement[bool]]]:
    grain = _grain(asked, *more)
    table: type[Total | RollUp] = Total if grain is None else RollUp
    return table, _conditions(table, asked, grain)


def _conditions(table: Any, asked: Asked, grain: str | None) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [getattr(table, name).in_(codes) for name, codes in asked.codes.items()]
    if grain is not None:
        conditions.append(table.grain == grain)
    if asked.since is not None:
        conditions.append(table.starts_on >= asked.since)
    if asked.until is not None:
        conditions.append(table.starts_on <= asked.until)
    return conditions


def _order(columns: Sequence[Any]) -> list[Any]:
    # The order of bytes is the same on every server, whatever its language.
    return [sa.collate(column, "C").asc().nulls_last() for column in columns]
