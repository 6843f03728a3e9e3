"""Every statement about reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass, ReportStage
from services.impact.projections.rules import CheckedIn
from services.impact.projections.tables import Activity, Attendance, Edition, Section
from services.impact.reports.plausibility import NOBODY, Earlier, Situation, Twin
from services.impact.reports.rules import EDITABLE, OLDEST_REMINDER, Outcome, Source, State
from services.impact.reports.tables import Report, ReportHistoryEntry, ReportQuantity, ReportReminder

MOST_EARLIER: Final = 50
"""So many reports of a section, the latest, say what it usually reports."""

_PEOPLE = (Report.international, Report.local, Report.esn_volunteer, Report.unclassified)
_ANY_PEOPLE = sa.func.coalesce(*_PEOPLE).is_not(None)
_TOTAL = sum((sa.func.coalesce(count, 0) for count in _PEOPLE), start=sa.literal(0))


class Missing(NamedTuple):
    """An activity that is over, the state of its report if it has one, and what its section was told."""

    activity: Activity
    state: str | None
    reminded: Sequence[str]
    now: datetime


async def now(session: AsyncSession) -> datetime:
    """The database's clock: the only one by which an activity has started."""
    return (await session.execute(sa.select(sa.func.now()))).scalar_one()


async def report(session: AsyncSession, activity_id: UUID) -> Report | None:
    """The report of an activity."""
    return await session.get(Report, activity_id)


async def lock_report(session: AsyncSession, activity_id: UUID) -> Report | None:
    """The report of an activity, locked until the transaction ends."""
    return await session.get(Report, activity_id, with_for_update=True)


async def begin_report(session: AsyncSession, activity_id: UUID, source: Source) -> Report | None:
    """An empty report, locked, or None where somebody else began one."""
    values = {
        "activity_id": activity_id,
        "state": State.DRAFT,
        "revision": 0,
        "source": source,
        "outcome": Outcome.HELD,
    }
    statement = insert(Report).values(values).on_conflict_do_nothing().returning(Report.activity_id)
    if (await session.execute(statement)).first() is None:
        return None
    return await lock_report(session, activity_id)


async def quantities(session: AsyncSession, activity_id: UUID) -> Sequence[ReportQuantity]:
    """The quantities of a report in the order of their codes."""
    return (await quantities_of(session, [activity_id])).get(activity_id, [])


async def quantities_of(session: AsyncSession, activities: Sequence[UUID]) -> dict[UUID, list[ReportQuantity]]:
    """The quantities of several reports, each in the order of their codes."""
    statement = sa.select(ReportQuantity).where(ReportQuantity.activity_id == _any(activities))
    found: dict[UUID, list[ReportQuantity]] = {}
    for row in await session.scalars(statement.order_by(ReportQuantity.measure, ReportQuantity.unit)):
        found.setdefault(row.activity_id, []).append(row)
    return found


async def replace_quantities(session: AsyncSession, activity_id: UUID, wanted: Iterable[ReportQuantity]) -> None:
    """Put these quantities in the place of those that the report had."""
    for row in await quantities(session, activity_id):
        await session.delete(row)
    await session.flush()
    session.add_all(wanted)


async def history(session: AsyncSession, activity_id: UUID) -> Sequence[ReportHistoryEntry]:
    """What was done to a report, the first first."""
    statement = sa.select(ReportHistoryEntry).where(ReportHistoryEntry.activity_id == activity_id)
    return (await session.scalars(statement.order_by(ReportHistoryEntry.revision))).all()


def add_history(session: AsyncSession, entry: ReportHistoryEntry) -> None:
    """Remember who did what."""
    session.add(entry)


async def situations(session: AsyncSession, activities: Sequence[UUID]) -> dict[UUID, Situation]:
    """What is known about several activities apart from their reports, by as many statements as for one."""
    present = await _present(session, activities)
    earlier = await _earlier(session, activities)
    twins = await _twins(session, activities)
    columns = (Activity.activity_id, Activity.section, Activity.capacity, Activity.starts_at, Activity.ends_at)
    known = await session.execute(sa.select(*columns).where(Activity.activity_id == _any(activities)))
    return {
        row.activity_id: Situation(
            capacity=row.capacity,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            present=present.get(row.activity_id, NOBODY),
            earlier=[each for key, each in earlier.get(row.section, {}).items() if key != row.activity_id],
            twin=twins.get(row.activity_id),
        )
        for row in known
    }


async def _present(session: AsyncSession, activities: Sequence[UUID]) -> dict[UUID, CheckedIn]:
    def of(group: ParticipantClass) -> sa.ColumnElement[int]:
        return sa.func.count().filter(Attendance.participant_class == group.value)

    statement = (
        sa.select(Attendance.activity_id, *map(of, ParticipantClass), sa.func.sum(Attendance.hours))
        .where(Attendance.activity_id == _any(activities), Attendance.present)
        .group_by(Attendance.activity_id)
    )
    return {identity: CheckedIn(*told) for identity, *told in await session.execute(statement)}


async def _earlier(session: AsyncSession, activities: Sequence[UUID]) -> dict[str, dict[UUID, Earlier]]:
    """What the sections of these activities reported last, these included, as far as it was submitted."""
    sections = sa.select(Activity.section).where(Activity.activity_id == _any(activities)).distinct().subquery()
    latest = (
        sa.select(Report.activity_id, sa.case((_ANY_PEOPLE, _TOTAL)).label("total"), Report.hours)
        .join(Activity, Activity.activity_id == Report.activity_id)
        .where(Activity.section == sections.c.section, Report.state.in_([State.SUBMITTED, State.VERIFIED]))
        .where(Report.outcome != Outcome.CANCELLED)
        .order_by(Activity.starts_on.desc().nulls_last(), Report.activity_id.desc())
        .limit(MOST_EARLIER)
        .lateral()
    )
    rows = (await session.execute(sa.select(sections.c.section, latest).join(latest, sa.true()))).all()
    amounts = await quantities_of(session, [row.activity_id for row in rows])
    found: dict[str, dict[UUID, Earlier]] = {}
    for section, identity, total, hours in rows:
        told: dict[tuple[str, str], Decimal] = {
            (each.measure, each.unit): each.amount for each in amounts.get(identity, ())
        }
        found.setdefault(section, {})[identity] = Earlier(total, hours, told)
    return found


async def _twins(session: AsyncSession, activities: Sequence[UUID]) -> dict[UUID, Twin]:
    """Of which activities another one, of the same section and day, is reported with the same figures."""
    other, others = sa.orm.aliased(Activity), sa.orm.aliased(Report)
    compared = [name for column in (*_PEOPLE, Report.hours) if (name := column.key)]
    same = [getattr(others, name).is_not_distinct_from(getattr(Report, name)) for name in compared]
    in_series = sa.func.coalesce(other.part_of == Activity.part_of, sa.false())
    statement = (
        sa.select(Activity.activity_id, sa.func.bool_and(in_series))
        .join(Report, Report.activity_id == Activity.activity_id)
        .join(other, sa.and_(other.section == Activity.section, other.starts_on == Activity.starts_on))
        .join(others, others.activity_id == other.activity_id)
        .where(Activity.activity_id == _any(activities), other.activity_id != Activity.activity_id, *same)
        .where(others.outcome != Outcome.CANCELLED)
        .group_by(Activity.activity_id)
    )
    found = await session.execute(statement)
    return {identity: Twin.OF_ITS_SERIES if only_there else Twin.ANOTHER for identity, only_there in found}


def within_reach(*, section: str | None, country: str | None) -> list[sa.ColumnElement[bool]]:
    """The activities that a section organises, also with others, or that are in a country."""
    conditions: list[sa.ColumnElement[bool]] = []
    if section is not None:
        conditions.append(sa.literal(section) == sa.func.any(Activity.section_codes))
    if country is not None:
        conditions.append(Activity.country == country)
    return conditions


def chosen(
    *,
    section: str | None,
    country: str | None,
    edition: str | None,
    state: State | None = None,
    outcome: Outcome | None = None,
) -> list[sa.ColumnElement[bool]]:
    """What a reader asks for: each filter that is given."""
    wanted: list[tuple[Any, str | None]] = [
        (Activity.section, section),
        (Activity.country, country),
        (Activity.edition, edition),
        (Report.state, state),
        (Report.outcome, outcome),
    ]
    return [column == value for column, value in wanted if value is not None]


def told_in_time(*, is_late: bool, within: timedelta) -> sa.ColumnElement[bool]:
    """Whether a report was submitted when it was due already, or before."""
    late = Report.submitted_at > Activity.ends_at + within
    return late if is_late else sa.not_(late)


async def page_of_reports(
    session: AsyncSession,
    conditions: Sequence[sa.ColumnElement[bool]],
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[tuple[Report, Activity]]:
    """Reports with their activities, those first that nobody touched for longest."""
    statement = sa.select(Report, Activity).join(Activity, Activity.activity_id == Report.activity_id)
    statement = statement.where(*conditions).order_by(Report.updated_at, Report.activity_id).limit(limit)
    if after is not None:
        statement = statement.where(sa.tuple_(Report.updated_at, Report.activity_id) > sa.tuple_(*after))
    return [(row, activity) for row, activity in await session.execute(statement)]


async def page_of_missing(
    session: AsyncSession,
    conditions: Sequence[sa.ColumnElement[bool]],
    *,
    ended_for: timedelta,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Missing]:
    """Activities that ended so long ago without a submitted report, the last to end first."""
    reminded = (
        sa.select(sa.func.array_agg(aggregate_order_by(ReportReminder.stage, ReportReminder.told_at)))
        .where(ReportReminder.activity_id == Activity.activity_id)
        .scalar_subquery()
    )
    statement = _unreported(Activity, Report.state, reminded, sa.func.now())
    statement = statement.where(Activity.ends_at < sa.func.now() - ended_for, *conditions)
    statement = statement.order_by(Activity.ends_at.desc(), Activity.activity_id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(sa.tuple_(Activity.ends_at, Activity.activity_id) < sa.tuple_(*after))
    return [Missing(row[0], row[1], row[2] or (), row[3]) for row in await session.execute(statement)]


async def remind(session: AsyncSession, stage: ReportStage, after: timedelta, *, limit: int) -> list[sa.Row[Any]]:
    """Remember that sections are told at this stage; answers of which activities, each once for ever."""
    was_told = sa.select(sa.literal(1)).where(
        ReportReminder.activity_id == Activity.activity_id, ReportReminder.stage == stage
    )
    due = (
        _unreported(Activity.activity_id, sa.literal(stage.value))
        .where(Activity.ends_at <= sa.func.now() - after, Activity.ends_at > sa.func.now() - after - OLDEST_REMINDER)
        .where(Activity.section.is_not(None), sa.not_(Activity.sample), sa.not_(was_told.exists()))
        .order_by(Activity.ends_at)
        .limit(limit)
    )
    # A second worker that comes at the same moment waits here, and finds that it is done.
    told = insert(ReportReminder).from_select(["activity_id", "stage"], due).on_conflict_do_nothing()
    done = (await session.scalars(told.returning(ReportReminder.activity_id))).all()
    columns = (Activity.activity_id, Activity.section, Activity.ends_at, sa.func.now().label("now"))
    return list(await session.execute(sa.select(*columns).where(Activity.activity_id == _any(done))))


def _unreported(*columns: Any) -> sa.Select[Any]:
    """Activities that can have taken place, and about which nothing was submitted."""
    return (
        sa.select(*columns)
        .select_from(Activity)
        .outerjoin(Report, Report.activity_id == Activity.activity_id)
        # Spelt out, as the partial index is; what was called off has said so in the catalogue.
        .where(sa.text("NOT activities.has_parts AND activities.state <> 'cancelled'"))
        .where(sa.or_(Report.state.is_(None), Report.state.in_(EDITABLE)))
    )


async def is_section(session: AsyncSession, code: str) -> bool:
    """Whether there is a section with this code."""
    return await session.get(Section, code) is not None


async def is_edition(session: AsyncSession, code: str) -> bool:
    """Whether there is an edition with this code."""
    return await session.get(Edition, code) is not None


def _any(activities: Sequence[UUID]) -> sa.ColumnElement[Any]:
    return sa.func.any(sa.cast(list(activities), sa.ARRAY(sa.Uuid)))
