"""Every query of the totals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.grains import GRAINS, LABEL_GRAINS, covering
from services.impact.facts.rules import Figures, Quantity
from services.impact.facts.tables import (
    LabelQuantityRollUp,
    LabelQuantityTotal,
    LabelRollUp,
    LabelTotal,
    QuantityRollUp,
    QuantityTotal,
    RollUp,
    Total,
)
from services.impact.projections.tables import Activity, Section
from services.impact.statistics import touching
from services.impact.statistics.measures import CLASS, QUANTITIES, SDG
from services.impact.statistics.rules import Asked, Counting, Group, order
from services.impact.statistics.tables import ToldEdition

_Source = tuple[Any, Any, list[sa.ColumnElement[bool]]]
_ACTIVE = ("active", "warned")
READ = "groups that were read ahead"
_TELLING_LOCK = 0x7E_1117
"""Any number that no other lock has."""


class TooMany(Exception):
    """The answer would hold more rows than were allowed, or more amounts in them."""

    def __init__(self, *, amounts: bool) -> None:
        super().__init__()
        self.amounts = amounts


async def groups(session: AsyncSession, asked: Asked, *, most: int) -> list[Group]:
    """The groups in the order of their keys, what is not stated last; raises `TooMany`."""
    read: list[Group] | None = session.info.get(READ, {}).get(which(asked))
    if read is not None:
        return read
    statement = figures_of(asked)
    split = len(asked.stored_by)
    ordered = statement.order_by(*_order(list(statement.selected_columns)[:split]))
    rows = await _rows(session, ordered, most, amounts=False)
    amounts = await _amounts(session, asked, most=most) if QUANTITIES in asked.measures else {}
    found = [
        Group(
            key=key_of(asked, row[:split]),
            figures=Figures._make(row[split:]),
            quantities=tuple(amounts.get(row[:split], ())),
        )
        for row in map(tuple, rows)
    ]
    return sorted(found, key=lambda group: order(group.key)) if SDG in asked.by else found


class Which(NamedTuple):
    """What two questions share that have the same groups."""

    by: tuple[str, ...]
    codes: tuple[tuple[str, tuple[str, ...]], ...]
    since: date | None
    until: date | None
    counting: Counting
    with_quantities: bool

    def asked(self) -> Asked:
        """One of these questions."""
        measures = (QUANTITIES,) if self.with_quantities else ()
        return Asked(self.by, measures, dict(self.codes), self.since, self.until, self.counting)


def which(asked: Asked) -> Which:
    """What a question shares with all that have the same groups."""
    codes = tuple(sorted(asked.codes.items()))
    return Which(asked.by, codes, asked.since, asked.until, asked.counting, QUANTITIES in asked.measures)


def figures_of(asked: Asked) -> sa.Select[Any]:
    """The figures of each group, in any order."""
    table, _, among = _figures_of(asked)
    columns = _columns(table, asked)
    figures = [
        sa.cast(sa.func.coalesce(sa.func.sum(column), 0), column.type)
        for column in (getattr(table, name) for name in Figures._fields)
    ]
    return sa.select(*columns, *figures).where(*among).group_by(*columns)


def amounts_of(asked: Asked) -> sa.Select[Any]:
    """The amounts of each group and quantity, in any order."""
    _, table, among = _quantities_of(asked)
    key = [*_columns(table, asked), table.measure, table.unit]
    return sa.select(*key, sa.func.sum(table.amount)).where(*among).group_by(*key)


async def _amounts(
    session: AsyncSession, asked: Asked, *, most: int
) -> dict[tuple[Any, ...], list[tuple[Quantity, Decimal]]]:
    statement = amounts_of(asked)
    split = len(asked.stored_by)
    quantity = list(statement.selected_columns)[split : split + 2]
    found: dict[tuple[Any, ...], list[tuple[Quantity, Decimal]]] = {}
    for row in map(tuple, await _rows(session, statement.order_by(*_order(quantity)), most, amounts=True)):
        measure, unit, amount = row[split:]
        found.setdefault(row[:split], []).append((Quantity(measure, unit), amount))
    return found


async def count_groups(session: AsyncSession, asked: Asked, *, amounts: bool) -> int:
    """How many groups there are, or amounts in them, where there are too many to tell."""
    table, amounts_table, among = _quantities_of(asked) if amounts else _figures_of(asked)
    columns = _columns(table, asked)
    if amounts:
        columns = [*_columns(amounts_table, asked), amounts_table.measure, amounts_table.unit]
    found = sa.select(*columns).where(*among).group_by(*columns).subquery()
    return (await session.execute(sa.select(sa.func.count()).select_from(found))).scalar_one()


async def sources(session: AsyncSession, asked: Asked) -> dict[str, int]:
    """How many of the activities held rest on which kind of source; each once, also of touches."""
    table, _, among = _figures_of(asked.of_all(), "source")
    held = sa.func.sum(table.activities)
    statement = sa.select(table.source, held).where(*among)
    statement = statement.group_by(table.source).having(held > 0).order_by(table.source)
    return {str(source): int(count) for source, count in await session.execute(statement)}


async def completeness(session: AsyncSession, asked: Asked) -> tuple[int, int]:
    """How many active sections have a verified report among what is asked for, and how many sections are active."""
    table, _, among = _figures_of(asked.of_all(), "section")
    reporting = sa.select(table.section).where(*among, table.reports > 0)
    statement = sa.select(sa.func.count().filter(Section.code.in_(reporting)), sa.func.count())
    found = (await session.execute(statement.where(*active_among(asked)))).one()
    return found[0], found[1]


def reported(asked: Asked) -> sa.Select[Any]:
    """How many verified reports each section has among what is asked for."""
    table, _, among = _figures_of(asked.of_all(), "section")
    number = sa.cast(sa.func.sum(table.reports), sa.BigInteger).label("reported")
    return sa.select(table.section, number).where(*among, table.reports > 0).group_by(table.section)


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
        table, _, among = _figures_of(asked.of_all(), "country")
        then = sa.select(table.country).where(*among)
        # The last of each country by an index, whatever the number of activities.
        countries = sa.select(Section.country).distinct().subquery()
        last = (
            sa.select(Activity.platform)
            .where(Activity.country == countries.c.country, Activity.platform.is_not(None))
            .order_by(Activity.starts_on.desc().nulls_last())
            .limit(1)
            .lateral()
        )
        today = sa.select(countries.c.country).join(last, sa.true()).where(last.c.platform.in_(asked.codes["platform"]))
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


def _grain(asked: Asked, *more: str) -> str | None:
    """The smallest roll-up that can answer; days are only in the totals themselves."""
    by = [name for name in (*asked.stored_by, *more) if name != asked.scheme]
    filters = [name for name in asked.codes if name not in {CLASS, asked.scheme}]
    days = ["starts_on"] if asked.since is not None or asked.until is not None else []
    return covering(by, [*filters, *days], among=LABEL_GRAINS if asked.scheme else GRAINS)


def _figures_of(asked: Asked, *more: str) -> _Source:
    """The smallest table of figures that can answer, that of quantities beside it, and what its rows must hold.

    Only the totals of labels know of labels that are not the main one, and only facts of several of them at once.
    """
    if asked.is_of_facts:
        return touching.figures(asked), touching.amounts(asked), []
    grain = _grain(asked, *more)
    tables: tuple[Any, Any] = (Total, QuantityTotal) if grain is None else (RollUp, QuantityRollUp)
    if asked.scheme is not None:
        tables = (LabelTotal, LabelQuantityTotal) if grain is None else (LabelRollUp, LabelQuantityRollUp)
    return (*tables, conditions(tables[0], asked, grain))


def _quantities_of(asked: Asked) -> _Source:
    figures, quantities, among = _figures_of(asked)
    if asked.is_of_facts:
        return figures, quantities, among
    return figures, quantities, conditions(quantities, asked, _grain(asked))


def _columns(table: Any, asked: Asked) -> list[Any]:
    return [_column(table, asked, name) for name in asked.stored_by]


def _column(table: Any, asked: Asked, name: str) -> Any:
    return getattr(table, "label" if name == asked.scheme and not asked.is_of_facts else name)


def conditions(table: Any, asked: Asked, grain: str | None = None) -> list[sa.ColumnElement[bool]]:
    """What a row of totals, or of one of their roll-ups, must hold to be of the activities that are asked about."""
    found: list[sa.ColumnElement[bool]] = [
        _column(table, asked, name).in_(codes) for name, codes in asked.codes.items() if name != CLASS
    ]
    if asked.scheme is not None:
        found.append(table.scheme == asked.scheme)
    if grain is not None:
        found.append(table.grain == grain)
    if asked.since is not None:
        found.append(table.starts_on >= asked.since)
    if asked.until is not None:
        found.append(table.starts_on <= asked.until)
    return found


def key_of(asked: Asked, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key of a group as it is told: goals are numbers."""
    if SDG not in asked.by:
        return key
    place = asked.stored_by.index(SDG)
    return (*key[:place], int(key[place]), *key[place + 1 :])


def _order(columns: Sequence[Any]) -> list[Any]:
    # The order of bytes is the same on every server, whatever its language.
    return [sa.collate(column, "C").asc().nulls_last() for column in columns]
