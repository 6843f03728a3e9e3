"""Every statement about places and registrations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.ids import new_id
from services.registration.places.rules import State
from services.registration.places.tables import IS_LIVE, Handle, Places, Registration, Section

# The clock at this moment, not at the transaction's beginning: a sign-up may have waited for its turn.
_NOW = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
_FRESH = {"populate_existing": True, "synchronize_session": False}


async def now(session: AsyncSession) -> datetime:
    """The database's clock: the only one by which windows open and holds end."""
    return (await session.execute(sa.select(_NOW))).scalar_one()


async def places(session: AsyncSession, activity_id: UUID) -> Places | None:
    """One activity's places, as they are now."""
    return await session.get(Places, activity_id, populate_existing=True)


async def places_now(session: AsyncSession, activity_id: UUID) -> tuple[Places, datetime] | None:
    """One activity's places, and the database's clock."""
    statement = sa.select(Places, _NOW).where(Places.activity_id == activity_id)
    row = (await session.execute(statement, execution_options={"populate_existing": True})).one_or_none()
    return None if row is None else (row[0], row[1])


async def places_of(session: AsyncSession, activity_ids: Collection[UUID]) -> Sequence[Places]:
    """Several activities' places, in the order of their ids."""
    statement = sa.select(Places).where(Places.activity_id.in_(activity_ids)).order_by(Places.activity_id)
    return (await session.scalars(statement)).all()


async def lock_places(session: AsyncSession, activity_id: UUID) -> Places | None:
    """One activity's places, locked until the transaction ends."""
    # Registrations refer to the row, so a stronger lock would wait for every sign-up under way.
    lock = {"key_share": True}
    return await session.get(Places, activity_id, with_for_update=lock, populate_existing=True)


def add_places(session: AsyncSession, row: Places) -> None:
    """Begin to know an activity."""
    session.add(row)


async def keep_section(session: AsyncSession, code: str) -> None:
    """Know a section."""
    await session.execute(insert(Section).values(code=code).on_conflict_do_nothing())


async def may_be_section(session: AsyncSession, code: str) -> bool:
    """Whether a section is known; as long as none is, the directory is empty and any code may be one."""
    known = sa.select(Section.code)
    return (
        await session.execute(sa.select(sa.or_(known.where(Section.code == code).exists(), ~known.exists())))
    ).scalar_one()


async def take_place(session: AsyncSession, activity_id: UUID) -> Places | None:
    """Take one place if the activity offers one at this moment; None, and nothing taken, if it doesn't.

    This statement alone decides who gets the last place: Postgres evaluates it anew for each of those who wait.
    """
    closes_at = sa.func.least(sa.func.coalesce(Places.closes_at, Places.starts_at), Places.ends_at)
    statement = (
        sa.update(Places)
        .where(
            Places.activity_id == activity_id,
            Places.state == "published",
            Places.takes_sign_ups,
            sa.or_(Places.opens_at.is_(None), Places.opens_at <= _NOW),
            sa.or_(closes_at.is_(None), closes_at > _NOW),
            sa.or_(Places.capacity.is_(None), Places.taken < Places.capacity),
        )
        .values(taken=Places.taken + 1)
        .returning(Places)
    )
    return await session.scalar(statement, execution_options=_FRESH)


async def free_places(session: AsyncSession, freed: Mapping[UUID, int]) -> Sequence[Places]:
    """Give back so many places of each activity; answers them as they are then."""
    found = []
    for activity_id in sorted(freed):  # In one order everywhere, so that no two wait for each other.
        statement = (
            sa.update(Places)
            .where(Places.activity_id == activity_id)
            .values(taken=Places.taken - freed[activity_id])
            .returning(Places)
        )
        found.append((await session.scalars(statement, execution_options=_FRESH)).one())
    return found


async def next_availability_revision(session: AsyncSession, activity_id: UUID) -> int:
    """Count one more turn of an activity's availability."""
    statement = (
        sa.update(Places)
        .where(Places.activity_id == activity_id)
        .values(availability_revision=Places.availability_revision + 1)
        .returning(Places.availability_revision)
    )
    return (await session.execute(statement)).scalar_one()


async def add_registration(session: AsyncSession, values: Mapping[str, Any]) -> bool:
    """Insert a registration, unless the person has a live one for the activity."""
    statement = (
        insert(Registration)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["activity_id", "participant_id"], index_where=IS_LIVE)
        .returning(Registration.id)
    )
    return await session.scalar(statement) is not None


async def lock_live_registration(
    session: AsyncSession, *, activity_id: UUID, participant_id: UUID
) -> Registration | None:
    """A person's live registration for an activity, locked."""
    statement = sa.select(Registration).where(
        Registration.activity_id == activity_id, Registration.participant_id == participant_id, IS_LIVE
    )
    return await session.scalar(statement.with_for_update(key_share=True))


async def registration(session: AsyncSession, identity: UUID, *, locked: bool) -> Registration | None:
    """A registration, locked until the transaction ends if it is to change."""
    lock = {"key_share": True} if locked else None
    return await session.get(Registration, identity, with_for_update=lock, populate_existing=True)


async def lock_live_of(session: AsyncSession, participant_id: UUID) -> Sequence[tuple[Registration, Places]]:
    """Every live registration of somebody with its activity, locked in one order."""
    statement = (
        sa.select(Registration, Places)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(
            Registration.participant_id == participant_id,
            sa.text("registrations.state IN ('unconfirmed', 'confirmed')"),
        )
        .order_by(Registration.id)
        .with_for_update(of=Registration, key_share=True)
    )
    found = await session.execute(statement, execution_options={"populate_existing": True})
    return [(registration, places) for registration, places in found]


async def add_handle(session: AsyncSession, registration_id: UUID) -> UUID:
    """A further id for a registration."""
    identity = new_id()
    await session.execute(insert(Handle).values(id=identity, registration_id=registration_id))
    return identity


async def handle(session: AsyncSession, identity: UUID) -> Handle | None:
    """The further id, if it is one."""
    return await session.get(Handle, identity)


async def expire_holds(session: AsyncSession, *, limit: int) -> Sequence[tuple[UUID, int | None, int, int]]:
    """Let holds that nobody confirmed in time end, and free their places, in one statement.

    Answers (activity, capacity, places taken now, places freed). Registrations that somebody is busy with wait for the
    next time, and places are locked in one order, so that two sweeps never wait for each other.
    """
    due = (
        sa.select(Registration.id)
        .where(sa.text("state = 'unconfirmed'"), Registration.held_until <= sa.func.now())
        .order_by(Registration.held_until)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .cte("due")
    )
    ended = (
        sa.update(Registration)
        .where(Registration.id == due.c.id)
        .values(state=State.EXPIRED.value, ended_at=sa.func.now())
        .returning(Registration.activity_id)
        .cte("ended")
    )
    freed = sa.select(ended.c.activity_id, sa.func.count().label("many")).group_by(ended.c.activity_id).cte("freed")
    locked = (
        sa.select(Places.activity_id)
        .where(Places.activity_id.in_(sa.select(freed.c.activity_id)))
        .order_by(Places.activity_id)
        .with_for_update(key_share=True)
        .cte("locked")
    )
    statement = (
        sa.update(Places)
        .where(Places.activity_id == freed.c.activity_id, Places.activity_id == locked.c.activity_id)
        .values(taken=Places.taken - freed.c.many)
        .returning(Places.activity_id, Places.capacity, Places.taken, freed.c.many)
    )
    found = await session.execute(statement, execution_options={"synchronize_session": False})
    return [(activity_id, capacity, taken, many) for activity_id, capacity, taken, many in found]


async def lock_to_call_off(session: AsyncSession, *, limit: int) -> Sequence[tuple[Registration, Places]]:
    """Live registrations of activities that were cancelled, with their activities."""
    statement = (
        sa.select(Registration, Places)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(Places.to_call_off, sa.text("registrations.state IN ('unconfirmed', 'confirmed')"))
        .order_by(Registration.id)
        .limit(limit)
        .with_for_update(of=Registration, skip_locked=True, key_share=True)
    )
    return [(registration, places) for registration, places in await session.execute(statement)]


async def finish_calling_off(session: AsyncSession) -> None:
    """Pass over cancelled activities in which nobody has a place any more."""
    left = sa.select(Registration.id).where(
        Registration.activity_id == Places.activity_id, sa.text("registrations.state IN ('unconfirmed', 'confirmed')")
    )
    await session.execute(sa.update(Places).where(Places.to_call_off, ~left.exists()).values(to_call_off=False))


async def registrations_page(
    session: AsyncSession, activity_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Registration]:
    """An activity's registrations in the order of sign-up, beginning after one; without those who were forgotten."""
    statement = sa.select(Registration).where(
        Registration.activity_id == activity_id, Registration.forgotten_at.is_(None)
    )
    if after is not None:
        statement = statement.where(Registration.id > after)
    return (await session.scalars(statement.order_by(Registration.id).limit(limit))).all()
