"""Every statement about facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.impact.facts.rules import Cell, Facts, Figures, Known, Label, Present, Quantity, Verified
from services.impact.facts.tables import ActivityFacts, QuantityFact
from services.impact.people.store import PLACE
from services.impact.projections.tables import Activity, Attendance
from services.impact.reports.rules import Outcome, State
from services.impact.reports.tables import Report, ReportQuantity
from services.impact.tables import METADATA

Span = tuple[UUID | None, UUID | None]
"""The activities after the first and up to the second; None is no bound."""

_OF_ACTIVITY = (
    Activity.section,
    Activity.country,
    Activity.platform,
    Activity.edition,
    Activity.starts_on,
    Activity.areas,
    Activity.causes,
    Activity.sdgs,
    Activity.objectives,
    Activity.kind,
    Activity.programme,
)
_OF_REPORT = (
    Report.source,
    Report.outcome,
    Report.international,
    Report.local,
    Report.esn_volunteer,
    Report.unclassified,
    Report.hours,
    Report.beneficiaries,
    Report.newcomers,
    Report.returning,
)


async def known(session: AsyncSession, activities: Sequence[UUID]) -> dict[UUID, Known]:
    """What is known of these activities: of those that have a verified report or at which somebody was present."""
    present = _present(activities)
    statement = (
        sa.select(
            Activity.activity_id,
            *_OF_ACTIVITY,
            *(present.c[name] for name in Present.__slots__),
            Report.activity_id.is_not(None),
            _stands_for_its_series(),
            *_OF_REPORT,
        )
        .select_from(Activity)
        .outerjoin(Report, sa.and_(Report.activity_id == Activity.activity_id, Report.state == State.VERIFIED))
        .outerjoin(present, present.c.activity_id == Activity.activity_id)
        .where(Activity.activity_id == sa.func.any(_array(activities)))
        .where(sa.or_(Report.activity_id.is_not(None), present.c.activity_id.is_not(None)))
    )
    rows = (await session.execute(statement)).all()
    quantities = await _quantities(session, ReportQuantity, [row[0] for row in rows])
    return {row[0]: _known(row, quantities.get(row[0], {})) for row in rows}


def _known(row: Sequence[Any], quantities: Mapping[Quantity, Any]) -> Known:
    values = iter(row[1:])
    activity = list(islice(values, len(_OF_ACTIVITY)))
    counts = list(islice(values, len(Present.__slots__)))
    is_verified, is_first, *report = values
    verified = Verified(is_first, quantities, *report) if is_verified else None
    return Known(verified, None if counts[0] is None else Present(*counts), *activity)


def _present(activities: Sequence[UUID]) -> sa.Subquery:
    def of(group: ParticipantClass) -> sa.ColumnElement[int]:
        return sa.func.count().filter(Attendance.participant_class == group.value).label(group.value)

    return (
        sa.select(
            Attendance.activity_id,
            *map(of, ParticipantClass),
            sa.func.coalesce(sa.func.sum(Attendance.hours), 0).label("hours"),
        )
        .where(Attendance.present, Attendance.activity_id == sa.func.any(_array(activities)))
        .group_by(Attendance.activity_id)
        .subquery()
    )


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


async def activities_after(session: AsyncSession, after: UUID | None, *, limit: int) -> tuple[list[UUID], Span]:
    """The next activities that are known, and the span that they fill."""
    statement = sa.select(Activity.activity_id).where(*_within(Activity.activity_id, (after, None)))
    identities = list((await session.scalars(statement.order_by(Activity.activity_id).limit(limit))).all())
    return identities, (after, identities[-1] if len(identities) == limit else None)


async def stored(session: AsyncSession, activities: Sequence[UUID]) -> dict[UUID, Facts]:
    """The facts of these activities as they are in the totals."""
    return await _stored(session, ActivityFacts.activity_id == sa.func.any(_array(activities)))


async def stored_within(session: AsyncSession, span: Span) -> dict[UUID, Facts]:
    """The stored facts of a span of activities."""
    return await _stored(session, *_within(ActivityFacts.activity_id, span))


async def _stored(session: AsyncSession, *conditions: sa.ColumnElement[bool]) -> dict[UUID, Facts]:
    columns = [getattr(ActivityFacts, name) for name in (*Cell._fields, *Figures._fields)]
    statement = sa.select(ActivityFacts.activity_id, ActivityFacts.labels, *columns).where(*conditions)
    rows = (await session.execute(statement)).all()
    quantities = await _quantities(session, QuantityFact, [row.activity_id for row in rows])
    split = 2 + len(Cell._fields)
    return {
        row[0]: Facts(
            Cell(*row[2:split]),
            frozenset(Label(*label.split(":", 1)) for label in row[1]),
            Figures(*row[split:]),
            quantities.get(row[0], {}),
        )
        for row in rows
    }


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


async def places(session: AsyncSession, activities: Sequence[UUID]) -> dict[UUID, int | None]:
    """Where the people of these activities are counted; None where nobody was yet."""
    return {row[0]: row[1] for row in await session.execute(_PLACES, {"activities": list(activities)})}


_PLACES = sa.text(
    f"SELECT activity_id, {PLACE} FROM impact.activity_facts AS facts WHERE activity_id = ANY(:activities)"
).bindparams(sa.bindparam("activities", type_=sa.ARRAY(sa.Uuid)))


async def replace(
    session: AsyncSession, facts: Mapping[UUID, Facts | None], places: Mapping[UUID, int] = MappingProxyType({})
) -> None:
    """Put these facts in the place of those that the activities had."""
    if facts:
        gone = ActivityFacts.activity_id == sa.func.any(_array(facts))
        await session.execute(sa.delete(ActivityFacts).where(gone))
        await _add(session, {identity: each for identity, each in facts.items() if each is not None}, places)


async def _add(session: AsyncSession, facts: Mapping[UUID, Facts], places: Mapping[UUID, int]) -> None:
    rows = [
        {
            "activity_id": key,
            "place_id": places.get(key),
            "labels": sorted(":".join(label) for label in each.labels),
            **each.cell._asdict(),
            **each.figures._asdict(),
        }
        for key, each in facts.items()
    ]
    amounts = [
        {"activity_id": key, **quantity._asdict(), "amount": amount}
        for key, each in facts.items()
        for quantity, amount in each.quantities.items()
    ]
    # Not by the classes: they would send rows with other nulls apart.
    for table, values in (("activity_facts", rows), ("quantity_facts", amounts)):
        if values:
            await session.execute(sa.insert(METADATA.tables[f"impact.{table}"]), values)


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
