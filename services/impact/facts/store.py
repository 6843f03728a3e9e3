"""Every statement about facts and totals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.rules import Cell, Delta, Facts, Figures, Quantity, Verified
from services.impact.facts.tables import KEY, ActivityFacts, QuantityFact, QuantityTotal, Total
from services.impact.projections.tables import Activity
from services.impact.reports.rules import Outcome, State
from services.impact.reports.tables import Report, ReportQuantity
from services.impact.tables import Table

Span = tuple[UUID | None, UUID | None]
"""The activities after the first and up to the second; None is no bound."""


async def verified(session: AsyncSession, activities: Sequence[UUID]) -> list[Verified]:
    """The verified reports of these activities, of those that have one."""
    return await _verified(session, activities)


async def verified_after(session: AsyncSession, after: UUID | None, *, limit: int) -> tuple[list[Verified], Span]:
    """The verified reports of the next activities that have a report, and the span of activities they are of."""
    statement = sa.select(Report.activity_id).where(*_within(Report.activity_id, (after, None)))
    identities = (await session.scalars(statement.order_by(Report.activity_id).limit(limit))).all()
    upto = identities[-1] if len(identities) == limit else None
    return await _verified(session, identities), (after, upto)


async def _verified(session: AsyncSession, activities: Sequence[UUID]) -> list[Verified]:
    attendances = sum(
        (
            sa.func.coalesce(count, 0)
            for count in (Report.checked_in_international, Report.checked_in_local, Report.checked_in_esn_volunteer)
        ),
        start=sa.literal(0),
    )
    columns: list[Any] = [
        Report.activity_id,
        Activity.section,
        Activity.country,
        Activity.edition,
        Activity.starts_on,
        Activity.areas,
        Activity.causes,
        Activity.kind,
        Activity.programme,
        Report.source,
        Report.outcome,
        Report.international,
        Report.local,
        Report.esn_volunteer,
        Report.unclassified,
        attendances.label("attendances"),
        Report.hours,
        _stands_for_its_series().label("stands_for_its_series"),
    ]
    statement = (
        sa.select(*columns)
        .select_from(Report)
        .join(Activity, Activity.activity_id == Report.activity_id)
        .where(Report.state == State.VERIFIED, Report.activity_id == sa.func.any(_array(activities)))
    )
    rows = (await session.execute(statement)).all()
    quantities = await _quantities(session, ReportQuantity, [row.activity_id for row in rows])
    return [Verified(**row._asdict(), quantities=quantities.get(row.activity_id, {})) for row in rows]


def _stands_for_its_series() -> sa.ColumnElement[bool]:
    """Whether a verified report is the first of its series: of those that were held, or else of all."""
    other, others_report = sa.orm.aliased(Activity), sa.orm.aliased(Report)
    earlier = (
        sa.select(sa.literal(1))
        .select_from(other)
        .join(others_report, others_report.activity_id == other.activity_id)
        .where(
            other.relation == sa.literal_column("'occurrence'"),
            other.part_of == Activity.part_of,
            others_report.state == State.VERIFIED,
            sa.tuple_(others_report.outcome == Outcome.CANCELLED, other.activity_id)
            < sa.tuple_(Report.outcome == Outcome.CANCELLED, Report.activity_id),
        )
    )
    is_occurrence = sa.func.coalesce(Activity.relation == "occurrence", sa.false())
    return sa.not_(sa.and_(is_occurrence, earlier.correlate(Activity, Report).exists()))


async def stored(session: AsyncSession, activities: Sequence[UUID]) -> dict[UUID, Facts]:
    """The facts of these activities as they are in the totals."""
    return await _stored(session, ActivityFacts.activity_id == sa.func.any(_array(activities)))


async def stored_within(session: AsyncSession, span: Span) -> dict[UUID, Facts]:
    """The stored facts of a span of activities."""
    return await _stored(session, *_within(ActivityFacts.activity_id, span))


async def _stored(session: AsyncSession, *conditions: sa.ColumnElement[bool]) -> dict[UUID, Facts]:
    columns = [getattr(ActivityFacts, name) for name in (*Cell._fields, *Figures._fields)]
    rows = (await session.execute(sa.select(ActivityFacts.activity_id, *columns).where(*conditions))).all()
    quantities = await _quantities(session, QuantityFact, [row.activity_id for row in rows])
    split = 1 + len(Cell._fields)
    return {row[0]: Facts(Cell(*row[1:split]), Figures(*row[split:]), quantities.get(row[0], {})) for row in rows}


async def _quantities(
    session: AsyncSession, table: type[ReportQuantity | QuantityFact], activities: Sequence[UUID]
) -> dict[UUID, dict[Quantity, Any]]:
    found: dict[UUID, dict[Quantity, Any]] = {}
    if activities:
        statement = sa.select(table.activity_id, table.measure, table.unit, table.amount)
        these = table.activity_id == sa.func.any(_array(activities))
        for identity, measure, unit, amount in await session.execute(statement.where(these)):
            found.setdefault(identity, {})[Quantity(measure, unit)] = amount
    return found


async def replace(session: AsyncSession, facts: Mapping[UUID, Facts | None]) -> None:
    """Put these facts in the place of those that the activities had."""
    if facts:
        gone = ActivityFacts.activity_id == sa.func.any(_array(facts))
        await session.execute(sa.delete(ActivityFacts).where(gone))
        await _add(session, {identity: each for identity, each in facts.items() if each is not None})


async def _add(session: AsyncSession, facts: Mapping[UUID, Facts]) -> None:
    rows = [{"activity_id": key, **each.cell._asdict(), **each.figures._asdict()} for key, each in facts.items()]
    amounts = [
        {"activity_id": key, **quantity._asdict(), "amount": amount}
        for key, each in facts.items()
        for quantity, amount in each.quantities.items()
    ]
    for table, values in ((ActivityFacts, rows), (QuantityFact, amounts)):
        if values:
            await session.execute(sa.insert(table), values)


async def add_to_totals(session: AsyncSession, delta: Delta) -> None:
    """Add a difference to the totals, and remove the cells in which nothing is left."""
    figures = [{**cell._asdict(), **each._asdict()} for cell, each in delta.figures.items()]
    amounts = [
        {**cell._asdict(), **quantity._asdict(), "amount": amount}
        for (cell, quantity), amount in delta.quantities.items()
    ]
    await _add_up(session, Total, figures, key=KEY, summed=Figures._fields)
    await _add_up(session, QuantityTotal, amounts, key=(*KEY, "measure", "unit"), summed=("amount",))


async def _add_up(
    session: AsyncSession,
    table: type[Total | QuantityTotal],
    rows: Iterable[Mapping[str, Any]],
    *,
    key: Sequence[str],
    summed: Sequence[str],
) -> None:
    for row in rows:
        statement = insert(table).values(row)
        added = {name: getattr(table, name) + statement.excluded[name] for name in summed}
        is_empty = sa.and_(*(getattr(table, name) == 0 for name in summed))
        upsert = statement.on_conflict_do_update(index_elements=key, set_=added).returning(table.id, is_empty)
        identity, nothing_left = (await session.execute(upsert)).one()
        if nothing_left:
            await session.execute(sa.delete(table).where(table.id == identity))


async def sum_up(session: AsyncSession) -> tuple[int, int]:
    """Make the totals anew from the facts; answers the number of cells, and of those of quantities."""
    counts = []
    for table, columns, recount in _recounts():
        await session.execute(sa.delete(table))
        await session.execute(sa.insert(table).from_select(columns, recount))
        counts.append((await session.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())
    return counts[0], counts[1]


async def wrong_cells(session: AsyncSession) -> int:
    """How many cells of the totals are not the sum of the stored facts."""
    wrong = 0
    for table, columns, recount in _recounts():
        kept = sa.select(*(getattr(table, name) for name in columns))
        key = [name for name in columns if name not in {*Figures._fields, "amount"}]
        sides = [sa.except_(kept, recount).subquery(), sa.except_(recount, kept).subquery()]
        cells = sa.union(*(sa.select(*(side.c[name] for name in key)) for side in sides)).subquery()
        wrong += (await session.execute(sa.select(sa.func.count()).select_from(cells))).scalar_one()
    return wrong


def _recounts() -> list[tuple[type[Table], list[str], sa.Select[Any]]]:
    """For each table of totals: its columns, and their sums over the facts."""
    cell = [getattr(ActivityFacts, name) for name in Cell._fields]
    quantity = [QuantityFact.measure, QuantityFact.unit]
    figures = [sa.func.sum(getattr(ActivityFacts, name)).label(name) for name in Figures._fields]
    amount = sa.func.sum(QuantityFact.amount).label("amount")
    joined = sa.join(QuantityFact, ActivityFacts, QuantityFact.activity_id == ActivityFacts.activity_id)
    return [
        (
            Total,
            [*Cell._fields, *Figures._fields],
            # An occurrence at which nobody was counted adds nothing, and a cell of nothing has no row.
            sa.select(*cell, *figures)
            .group_by(*cell)
            .having(sa.or_(*(sa.func.sum(getattr(ActivityFacts, name)) != 0 for name in Figures._fields))),
        ),
        (
            QuantityTotal,
            [*Cell._fields, *Quantity._fields, "amount"],
            sa.select(*cell, *quantity, amount).select_from(joined).group_by(*cell, *quantity),
        ),
    ]


def _array(activities: Iterable[UUID]) -> sa.ColumnElement[Any]:
    return sa.cast(list(activities), sa.ARRAY(sa.Uuid))


def _within(column: sa.orm.InstrumentedAttribute[UUID], span: Span) -> list[sa.ColumnElement[bool]]:
    after, upto = span
    conditions: list[sa.ColumnElement[bool]] = []
    if after is not None:
        conditions.append(column > after)
    if upto is not None:
        conditions.append(column <= upto)
    return conditions
