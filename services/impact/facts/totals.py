"""Every statement that writes totals and roll-ups, and those that compare them with the facts they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import add as plus
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.grains import GRAINS, LABEL_GRAINS
from services.impact.facts.rules import Cell, Delta, Figures, Label, Quantity
from services.impact.facts.tables import (
    KEY,
    ROLLED_UP,
    ActivityFacts,
    LabelQuantityRollUp,
    LabelQuantityTotal,
    LabelRollUp,
    LabelTotal,
    QuantityFact,
    QuantityRollUp,
    QuantityTotal,
    RollUp,
    Total,
)
from services.impact.tables import METADATA, Table

Row = tuple[Any, ...]
"""Values of the dimensions of an activity, then of the parts, then what is added up."""


class Kept(NamedTuple):
    """Totals that are kept: what their cells are told apart by, and what is added up in them."""

    table: type[Table]
    dimensions: tuple[str, ...]
    parts: tuple[str, ...]
    """Beside the dimensions of an activity: a label, a quantity."""
    summed: tuple[str, ...]
    grain: str | None = None
    """Which of the roll-ups that share the table."""

    @property
    def told_apart_by(self) -> tuple[str, ...]:
        """The columns that have a value in each cell."""
        return (*(() if self.grain is None else ("grain",)), *self.dimensions, *self.parts)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the unique index."""
        return (*(KEY if self.grain is None else ("grain", *ROLLED_UP)), *self.parts)

    def rolled_up(self, rows: Iterable[Row]) -> list[Row]:
        """Rows of the totals as rows of this roll-up, added up."""
        places = [Cell._fields.index(name) for name in self.dimensions]
        end = len(Cell._fields) + len(self.parts)
        pick = itemgetter(*places, *range(len(Cell._fields), end))
        found: dict[Row, Iterable[Any]] = {}
        for row in rows:
            key, figures = (self.grain, *pick(row)), row[end:]
            found[key] = tuple(map(plus, found[key], figures)) if key in found else figures
        return [(*key, *figures) for key, figures in found.items() if any(figures)]


class Set(NamedTuple):
    """One kind of totals, at the grain of every dimension, and its roll-ups."""

    totals: Kept
    roll_ups: tuple[Kept, ...]


def _set(table: type[Table], roll_up: type[Table], grains: Iterable[str], parts: Row, summed: Row) -> Set:
    finest = Kept(table, Cell._fields, parts, summed)
    return Set(finest, tuple(Kept(roll_up, GRAINS[grain], parts, summed, grain) for grain in grains))


_AMOUNT = ("amount",)
FIGURES = _set(Total, RollUp, GRAINS, (), Figures._fields)
QUANTITIES = _set(QuantityTotal, QuantityRollUp, GRAINS, Quantity._fields, _AMOUNT)
LABEL_FIGURES = _set(LabelTotal, LabelRollUp, LABEL_GRAINS, Label._fields, Figures._fields)
LABEL_QUANTITIES = _set(
    LabelQuantityTotal, LabelQuantityRollUp, LABEL_GRAINS, (*Label._fields, *Quantity._fields), _AMOUNT
)
ALL = tuple(
    kept for each in (FIGURES, QUANTITIES, LABEL_FIGURES, LABEL_QUANTITIES) for kept in (each.totals, *each.roll_ups)
)


async def add(session: AsyncSession, delta: Delta) -> None:
    """Add a difference to the totals and their roll-ups, and remove the cells in which nothing is left."""
    for kind, rows in _rows(delta):
        await add_rows(session, kind.totals, rows)
        for roll_up in kind.roll_ups:
            await add_rows(session, roll_up, roll_up.rolled_up(rows))


def _rows(delta: Delta) -> Iterator[tuple[Set, list[Row]]]:
    yield FIGURES, [(*cell, *figures) for cell, figures in delta.figures.items()]
    yield QUANTITIES, [(*cell, *of, amount) for (cell, of), amount in delta.quantities.items()]
    yield LABEL_FIGURES, [(*cell, *label, *figures) for (cell, label), figures in delta.label_figures.items()]
    yield (
        LABEL_QUANTITIES,
        [(*cell, *label, *of, amount) for (cell, label, of), amount in delta.label_quantities.items()],
    )


async def add_rows(session: AsyncSession, kept: Kept, rows: Iterable[Row]) -> None:
    """Add rows to cells by one statement, in one order so that no two writers wait for each other."""
    names = (*kept.told_apart_by, *kept.summed)
    width = len(kept.told_apart_by)
    ordered = sorted(rows, key=lambda row: [(value is None, value) for value in row[:width]])
    if not ordered:
        return
    columns = kept.table.__table__.c
    values = zip(names, zip(*ordered, strict=True), strict=True)
    arrays = [sa.cast(list(column), ARRAY(columns[name].type)) for name, column in values]
    named = [sa.column(name, columns[name].type) for name in names]
    told = sa.func.unnest(*arrays).table_valued(*named, name="told").render_derived()
    statement = insert(kept.table).from_select(names, sa.select(*(told.c[name] for name in names)))
    added = {name: columns[name] + statement.excluded[name] for name in kept.summed}
    is_empty = sa.and_(*(columns[name] == 0 for name in kept.summed)).label("is_empty")
    written = (
        statement.on_conflict_do_update(index_elements=kept.key, set_=added)
        .returning(columns.id.label("id"), is_empty)
        .cte("written")
    )
    emptied = (await session.scalars(sa.select(written.c.id).where(written.c.is_empty))).all()
    if emptied:
        await forget(session, kept.table.__tablename__, emptied)


async def forget(session: AsyncSession, table: str, cells: Iterable[int]) -> None:
    """Remove cells of a table in which nothing is left."""
    there = METADATA.tables[f"impact.{table}"]
    await session.execute(sa.delete(there).where(there.c.id == sa.func.any(sa.cast(list(cells), ARRAY(sa.BigInteger)))))


async def corrections(session: AsyncSession, kept: Kept, *, most: int) -> tuple[int, Sequence[Row]]:
    """How many cells are not the sum of the facts, in one snapshot of both, and what must be added to them.

    Of more than `most` nothing is told but how many they are.
    """
    wrong = _wrong(kept)
    number = (await session.execute(sa.select(sa.func.count()).select_from(wrong.subquery()))).scalar_one()
    rows = [tuple(row) for row in await session.execute(wrong)] if 0 < number <= most else []
    return number, rows


def _wrong(kept: Kept) -> sa.Select[Any]:
    columns = kept.table.__table__.c
    there = sa.select(
        *(columns[name] for name in kept.told_apart_by), *((-columns[name]).label(name) for name in kept.summed)
    )
    if kept.grain is not None:
        there = there.where(columns.grain == kept.grain)
    both = sa.union_all(_recount(kept), there).subquery()
    cell = [both.c[name] for name in kept.told_apart_by]
    sums = [sa.func.sum(both.c[name]).label(name) for name in kept.summed]
    return sa.select(*cell, *sums).group_by(*cell).having(sa.or_(*(total != 0 for total in sums)))


async def make_anew(session: AsyncSession, kept: Kept) -> None:
    """Put the sums of the facts in the place of whatever is there, while nobody else adds to it."""
    there = sa.delete(kept.table)
    if kept.grain is not None:
        there = there.where(kept.table.__table__.c.grain == kept.grain)
    await session.execute(there)
    recount = _recount(kept).subquery()
    names = (*kept.told_apart_by, *kept.summed)
    something = sa.or_(*(recount.c[name] != 0 for name in kept.summed))
    statement = sa.select(*(recount.c[name] for name in names)).where(something)
    await session.execute(
        sa.insert(METADATA.tables[f"impact.{kept.table.__tablename__}"]).from_select(names, statement)
    )


async def count(session: AsyncSession, kept: Kept) -> int:
    """How many cells there are."""
    return (await session.execute(sa.select(sa.func.count()).select_from(kept.table))).scalar_one()


def _recount(kept: Kept) -> sa.Select[Any]:
    columns: dict[str, sa.ColumnElement[Any]] = {name: getattr(ActivityFacts, name) for name in Cell._fields}
    columns["grain"] = sa.literal(kept.grain)
    source: Any = ActivityFacts
    if "unit" in kept.parts:
        source = sa.join(ActivityFacts, QuantityFact, QuantityFact.activity_id == ActivityFacts.activity_id)
        columns |= {name: getattr(QuantityFact, name) for name in Quantity._fields}
    if "label" in kept.parts:
        each = sa.func.unnest(ActivityFacts.labels).table_valued("each", name="labelled").render_derived()
        source = sa.join(source, each, sa.true())
        scheme = sa.func.split_part(each.c.each, ":", 1)
        columns |= {"scheme": scheme, "label": sa.func.substr(each.c.each, sa.func.length(scheme) + 2)}
    facts = QuantityFact if "unit" in kept.parts else ActivityFacts
    key = [columns[name].label(name) for name in kept.told_apart_by]
    sums = [sa.func.sum(getattr(facts, name)).label(name) for name in kept.summed]
    return sa.select(*key, *sums).select_from(source).group_by(*(sa.text(str(at + 1)) for at in range(len(key))))
