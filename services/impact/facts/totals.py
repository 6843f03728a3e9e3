"""Every statement that writes totals, and those that compare them with the facts they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.rules import Cell, Delta, Figures, Label, Quantity
from services.impact.facts.tables import (
    KEY,
    ActivityFacts,
    LabelQuantityTotal,
    LabelTotal,
    QuantityFact,
    QuantityTotal,
    Total,
)
from services.impact.tables import Table

Row = tuple[Any, ...]


class Kept(NamedTuple):
    """A table of totals: what its cells are told apart by, and what is added up in them."""

    table: type[Table]
    parts: tuple[str, ...]
    """Beside the dimensions of an activity: a label, a quantity."""
    summed: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The order of the values in a row."""
        return (*Cell._fields, *self.parts, *self.summed)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the unique index."""
        return (*KEY, *self.parts)


FIGURES = Kept(Total, (), Figures._fields)
QUANTITIES = Kept(QuantityTotal, Quantity._fields, ("amount",))
LABEL_FIGURES = Kept(LabelTotal, Label._fields, Figures._fields)
LABEL_QUANTITIES = Kept(LabelQuantityTotal, (*Label._fields, *Quantity._fields), ("amount",))
ALL = (FIGURES, QUANTITIES, LABEL_FIGURES, LABEL_QUANTITIES)


async def add(session: AsyncSession, delta: Delta) -> None:
    """Add a difference to the totals, and remove the cells in which nothing is left."""
    for kept, rows in rows_of(delta):
        await add_rows(session, kept, rows)


def rows_of(delta: Delta) -> Iterator[tuple[Kept, list[Row]]]:
    """A difference as rows of the tables."""
    yield FIGURES, [(*cell, *figures) for cell, figures in delta.figures.items()]
    yield QUANTITIES, [(*cell, *of, amount) for (cell, of), amount in delta.quantities.items()]
    yield LABEL_FIGURES, [(*cell, *label, *figures) for (cell, label), figures in delta.label_figures.items()]
    yield (
        LABEL_QUANTITIES,
        [(*cell, *label, *of, amount) for (cell, label, of), amount in delta.label_quantities.items()],
    )


async def add_rows(session: AsyncSession, kept: Kept, rows: Iterable[Row]) -> None:
    """Add rows to the cells of a table by one statement, in one order so that no two writers wait for each other."""
    width = len(kept.columns) - len(kept.summed)
    ordered = sorted(rows, key=lambda row: [(value is None, value) for value in row[:width]])
    if not ordered:
        return
    columns = kept.table.__table__.c
    values = zip(kept.columns, zip(*ordered, strict=True), strict=True)
    arrays = [sa.cast(list(column), ARRAY(columns[name].type)) for name, column in values]
    named = [sa.column(name, columns[name].type) for name in kept.columns]
    told = sa.func.unnest(*arrays).table_valued(*named, name="told").render_derived()
    statement = insert(kept.table).from_select(kept.columns, sa.select(*(told.c[name] for name in kept.columns)))
    added = {name: columns[name] + statement.excluded[name] for name in kept.summed}
    is_empty = sa.and_(*(columns[name] == 0 for name in kept.summed)).label("is_empty")
    upsert = (
        statement.on_conflict_do_update(index_elements=kept.key, set_=added)
        .returning(columns.id.label("id"), is_empty)
        .cte("written")
    )
    emptied = (await session.scalars(sa.select(upsert.c.id).where(upsert.c.is_empty))).all()
    if emptied:
        gone = columns.id == sa.func.any(sa.cast(list(emptied), ARRAY(sa.BigInteger)))
        await session.execute(sa.delete(kept.table).where(gone))


async def corrections(session: AsyncSession, kept: Kept) -> Sequence[Row]:
    """What must be added to a table to make it the sum of the facts, cell by cell, in one snapshot of both."""
    recount = _recount(kept)
    width = len(kept.columns) - len(kept.summed)
    there = sa.select(*(kept.table.__table__.c[name] for name in kept.columns[:width])).add_columns(
        *((-kept.table.__table__.c[name]).label(name) for name in kept.summed)
    )
    both = sa.union_all(recount, there).subquery()
    sums = [sa.func.sum(both.c[name]).label(name) for name in kept.summed]
    statement = (
        sa.select(*(both.c[name] for name in kept.columns[:width]), *sums)
        .group_by(*(both.c[name] for name in kept.columns[:width]))
        .having(sa.or_(*(total != 0 for total in sums)))
    )
    return [tuple(row) for row in await session.execute(statement)]


async def count(session: AsyncSession, kept: Kept) -> int:
    """How many cells a table has."""
    return (await session.execute(sa.select(sa.func.count()).select_from(kept.table))).scalar_one()


def _recount(kept: Kept) -> sa.Select[Any]:
    columns: dict[str, sa.ColumnElement[Any]] = {name: getattr(ActivityFacts, name) for name in Cell._fields}
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
    key = [columns[name].label(name) for name in (*Cell._fields, *kept.parts)]
    sums = [sa.func.sum(getattr(facts, name)).label(name) for name in kept.summed]
    return sa.select(*key, *sums).select_from(source).group_by(*(sa.text(str(at + 1)) for at in range(len(key))))
