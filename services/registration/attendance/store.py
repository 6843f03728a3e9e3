"""Every statement about check-ins, who came without a place, attendance, and its history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.ids import new_id
from services.registration.attendance.rules import NO_SHOWS_AFTER_HOURS, Act
from services.registration.attendance.tables import Attendance, AttendanceHistory, CheckIn, WalkIn
from services.registration.places.tables import Places, Registration

_SEATED: Final = sa.text("registrations.state IN ('unconfirmed', 'offered', 'confirmed')")
_NEAR_DAYS: Final = 3
"""How far apart in days two activities are whose codes are mistaken for each other's."""


async def lock_registrations(
    session: AsyncSession, activity_id: UUID, *, identities: Collection[UUID], codes: Collection[str]
) -> Sequence[Registration]:
    """Registrations for an activity by id or code, locked in one order: two devices never wait for each other."""
    statement = (
        sa.select(Registration)
        .where(
            Registration.activity_id == activity_id,
            Registration.forgotten_at.is_(None),
            sa.or_(Registration.id.in_(identities), Registration.code.in_(codes)),
        )
        .order_by(Registration.id)
        .with_for_update(key_share=True)
    )
    return (await session.scalars(statement)).all()


async def of_others_near(
    session: AsyncSession, here: Places, *, identities: Collection[UUID], codes: Collection[str]
) -> Sequence[tuple[UUID, str, Places]]:
    """Ids and codes of registrations for what else the same sections organise around these days."""
    about = sa.func.coalesce(here.starts_at, here.ends_at)
    days = sa.func.make_interval(0, 0, 0, _NEAR_DAYS)
    statement = (
        sa.select(Registration.id, Registration.code, Places)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(
            Places.activity_id != here.activity_id,
            Places.section_codes.overlap(here.section_codes),
            Places.starts_at.between(about - days, about + days),
            Registration.forgotten_at.is_(None),
            sa.or_(Registration.id.in_(identities), Registration.code.in_(codes)),
        )
    )
    return [(identity, code, places) for identity, code, places in await session.execute(statement)]


async def registration(session: AsyncSession, identity: UUID, *, locked: bool) -> Registration | None:
    """A registration with a place that somebody still stands behind."""
    statement = sa.select(Registration).where(Registration.id == identity, Registration.forgotten_at.is_(None), _SEATED)
    if locked:
        statement = statement.with_for_update(key_share=True)
    return await session.scalar(statement, execution_options={"populate_existing": True})


async def check_ins_of(session: AsyncSession, registrations: Collection[UUID]) -> Sequence[CheckIn]:
    """Every check-in of some registrations."""
    return (await session.scalars(sa.select(CheckIn).where(CheckIn.registration_id.in_(registrations)))).all()


async def owners_of_nonces(session: AsyncSession, activity_id: UUID, nonces: Collection[str]) -> dict[str, UUID]:
    """Which registration each nonce that was told before stands for."""
    statement = sa.select(CheckIn.nonce, CheckIn.registration_id).where(
        CheckIn.activity_id == activity_id, CheckIn.nonce.in_(nonces)
    )
    return {row.nonce: row.registration_id for row in await session.execute(statement)}


async def add_check_ins(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Keep check-ins as they were told; answers the nonces that were new."""
    if not rows:
        return set()
    statement = insert(CheckIn).values(list(rows)).on_conflict_do_nothing().returning(CheckIn.nonce)
    return set(await session.scalars(statement))


async def look_for_no_shows(session: AsyncSession, activity_id: UUID) -> None:
    """Remember that people were checked in, so that some time after the end it is looked who was not."""
    unknown = sa.and_(Places.activity_id == activity_id, ~Places.no_shows_due)
    await session.execute(sa.update(Places).where(unknown).values(no_shows_due=True))


async def attendances_of(session: AsyncSession, registrations: Collection[UUID]) -> dict[UUID, Attendance]:
    """What is recorded of some registrations."""
    statement = sa.select(Attendance).where(Attendance.registration_id.in_(registrations))
    found = await session.scalars(statement, execution_options={"populate_existing": True})
    return {row.registration_id: row for row in found}


def add_attendance(session: AsyncSession, row: Attendance) -> None:
    """Record somebody for the first time."""
    session.add(row)


async def walk_ins_of(session: AsyncSession, activity_id: UUID, nonces: Collection[str]) -> dict[str, WalkIn]:
    """Who came without a place, by nonce."""
    statement = sa.select(WalkIn).where(WalkIn.activity_id == activity_id, WalkIn.nonce.in_(nonces))
    return {row.nonce: row for row in await session.scalars(statement)}


async def add_walk_ins(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Record who came without a place; answers the nonces that were new."""
    if not rows:
        return set()
    statement = (
        insert(WalkIn)
        .values(list(rows))
        .on_conflict_do_nothing(index_elements=["activity_id", "nonce"])
        .returning(WalkIn.nonce)
    )
    return set(await session.scalars(statement))


async def walk_in(session: AsyncSession, identity: UUID, *, locked: bool) -> WalkIn | None:
    """Somebody who came without a place."""
    return await session.get(WalkIn, identity, with_for_update=locked or None, populate_existing=True)


async def walk_ins_page(
    session: AsyncSession, activity_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[WalkIn]:
    """Who came without a place to an activity, in the order in which it was told, beginning after one."""
    statement = sa.select(WalkIn).where(WalkIn.activity_id == activity_id)
    if after is not None:
        statement = statement.where(WalkIn.id > after)
    return (await session.scalars(statement.order_by(WalkIn.id).limit(limit))).all()


async def mark_no_shows(
    session: AsyncSession, activity_id: UUID, identities: Collection[UUID] | None
) -> Sequence[UUID]:
    """Mark those with a confirmed place of whom nothing is recorded, all or some; answers whom."""
    missing = sa.and_(
        Registration.activity_id == activity_id,
        Registration.checked_in_at.is_(None),
        sa.text("registrations.state = 'confirmed'"),
        ~sa.select(Attendance.registration_id).where(Attendance.registration_id == Registration.id).exists(),
    )
    if identities is not None:
        missing = sa.and_(missing, Registration.id.in_(identities))
    locked = sa.select(Registration.id).where(missing).order_by(Registration.id).with_for_update(key_share=True)
    found = (await session.scalars(locked)).all()
    if not found:
        return []
    # Whoever was locked a moment ago may have recorded them just before.
    rows = [{"registration_id": each, "revision": 0, "hours": None, "present": False} for each in found]
    added = insert(Attendance).values(rows).on_conflict_do_nothing().returning(Attendance.registration_id)
    return (await session.scalars(added)).all()


async def lock_with_no_shows_due(session: AsyncSession, *, limit: int) -> Sequence[Places]:
    """Activities in which people were checked in and which ended long enough ago, locked."""
    over = sa.func.coalesce(Places.ends_at, Places.starts_at)
    patience = sa.func.make_interval(0, 0, 0, 0, NO_SHOWS_AFTER_HOURS)
    statement = (
        sa.select(Places)
        .where(sa.text("places.no_shows_due"), over <= sa.func.now() - patience)
        .order_by(Places.activity_id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return (await session.scalars(statement)).all()


async def add_history(session: AsyncSession, act: Act, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was decided about somebody's attendance."""
    if rows:
        values = [{"id": new_id(), "act": act.value, **row} for row in rows]
        await session.execute(insert(AttendanceHistory).values(values))


async def version(session: AsyncSession, identity: UUID) -> tuple[int, int]:
    """How many decisions and check-ins there are of a registration or of somebody without a place: it only grows."""
    decided = sa.select(sa.func.count()).where(_is_of(identity)).scalar_subquery()
    told = sa.select(sa.func.count()).where(CheckIn.registration_id == identity).scalar_subquery()
    found = (await session.execute(sa.select(decided, told))).one()
    return found[0], found[1]


async def history_page(
    session: AsyncSession, identity: UUID, *, after: UUID | None, limit: int
) -> Sequence[AttendanceHistory]:
    """What was decided about somebody's attendance, oldest first, beginning after one."""
    statement = sa.select(AttendanceHistory).where(_is_of(identity))
    if after is not None:
        statement = statement.where(AttendanceHistory.id > after)
    return (await session.scalars(statement.order_by(AttendanceHistory.id).limit(limit))).all()


def _is_of(identity: UUID) -> sa.ColumnElement[bool]:
    return sa.or_(AttendanceHistory.registration_id == identity, AttendanceHistory.walk_in_id == identity)


async def counts_by_class(session: AsyncSession, activity_id: UUID) -> Sequence[Mapping[str, Any]]:
    """Who has a place and what is recorded of them, class by class."""
    statement = (
        sa.select(
            Registration.participant_class,
            sa.func.count().label("expected"),
            sa.func.count().filter(Attendance.present).label("present"),
            sa.func.count().filter(~Attendance.present).label("no_shows"),
            *_hours(Attendance),
        )
        .outerjoin(Attendance, Attendance.registration_id == Registration.id)
        .where(Registration.activity_id == activity_id, _SEATED)
        .group_by(Registration.participant_class)
    )
    return [dict(row) for row in (await session.execute(statement)).mappings()]


async def walk_ins_by_class(session: AsyncSession, activity_id: UUID) -> Sequence[Mapping[str, Any]]:
    """Who came without a place, class by class."""
    statement = (
        sa.select(WalkIn.participant_class, sa.func.count().label("walk_ins"), *_hours(WalkIn))
        .where(WalkIn.activity_id == activity_id, WalkIn.present)
        .group_by(WalkIn.participant_class)
    )
    return [dict(row) for row in (await session.execute(statement)).mappings()]


def _hours(table: type[Attendance | WalkIn]) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    unknown = sa.and_(table.present, table.hours.is_(None))
    return (
        sa.func.coalesce(sa.func.sum(table.hours), 0).label("hours"),
        sa.func.count().filter(unknown).label("without_hours"),
    )


async def answers(session: AsyncSession, activity_id: UUID, codes: Collection[str]) -> list[tuple[str, str, int]]:
    """How often each answer to some questions was given by those who have a place."""
    each = sa.func.jsonb_each_text(Registration.answers).table_valued("key", "value").render_derived()
    statement = (
        sa.select(each.c.key, each.c.value, sa.func.count())
        .select_from(Registration)
        .join(each, sa.true())
        .where(Registration.activity_id == activity_id, _SEATED, each.c.key.in_(codes), each.c.value.is_not(None))
        .group_by(each.c.key, each.c.value)
    )
    return [(code, answer, many) for code, answer, many in await session.execute(statement)]
