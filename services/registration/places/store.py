"""Every statement about places and registrations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.kernel.ids import new_id
from services.registration.places.rules import State, party
from services.registration.places.tables import IS_LIVE, Handle, Places, Registration

# The clock at this moment, not at the transaction's beginning: a sign-up may have waited for its turn.
_NOW = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
_FRESH = {"populate_existing": True, "synchronize_session": False}

_IS_LIVE: Final = sa.text(
    "registrations.state IN ('unconfirmed', 'pending_approval', 'waitlisted', 'offered', 'confirmed')"
)
_BY_CLASS: Final = {
    ParticipantClass.INTERNATIONAL: (Places.quota_international, Places.taken_international),
    ParticipantClass.LOCAL: (Places.quota_local, Places.taken_local),
    ParticipantClass.ESN_VOLUNTEER: (Places.quota_esn_volunteer, Places.taken_esn_volunteer),
}


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


async def take_place(session: AsyncSession, activity_id: UUID, party: Mapping[ParticipantClass, int]) -> Places | None:
    """Take places for a whole group if the activity offers them at this moment; None, and nothing taken, if not.

    This statement alone decides who gets the last place: Postgres evaluates it anew for each of those who wait for
    their turn. Places are free for nobody new while somebody is on the waiting list.
    """
    closes_at = sa.func.least(sa.func.coalesce(Places.closes_at, Places.starts_at), Places.ends_at)
    within_quotas = [
        sa.or_(quota.is_(None), taken + party[each] <= quota)
        for each, (quota, taken) in _BY_CLASS.items()
        if party[each]
    ]
    statement = (
        sa.update(Places)
        .where(
            Places.activity_id == activity_id,
            Places.state == "published",
            Places.takes_sign_ups,
            Places.choosing == "first_come",
            Places.waiting == 0,
            sa.or_(Places.opens_at.is_(None), Places.opens_at <= _NOW),
            sa.or_(closes_at.is_(None), closes_at > _NOW),
            sa.or_(Places.capacity.is_(None), Places.taken + sum(party.values()) <= Places.capacity),
            *within_quotas,
        )
        .values(_counts(party))
        .returning(Places)
    )
    return await session.scalar(statement, execution_options=_FRESH)


async def free_places(session: AsyncSession, activity_id: UUID, party: Mapping[ParticipantClass, int]) -> Places:
    """Give back so many places of each class; answers the places as they are then. Who waits is looked at again."""
    fewer = {each: -many for each, many in party.items()}
    statement = (
        sa.update(Places)
        .where(Places.activity_id == activity_id)
        .values({**_counts(fewer), "offers_due": sa.or_(Places.offers_due, Places.waiting > 0)})
        .returning(Places)
    )
    return (await session.scalars(statement, execution_options=_FRESH)).one()


async def change_waiting(session: AsyncSession, activity_id: UUID, by: int) -> Places:
    """Count more or fewer people on the waiting list; whoever comes on to it may fit in at once."""
    values = {"waiting": Places.waiting + by, "offers_due": sa.true() if by > 0 else Places.offers_due}
    statement = sa.update(Places).where(Places.activity_id == activity_id).values(values).returning(Places)
    return (await session.scalars(statement, execution_options=_FRESH)).one()


def _counts(party: Mapping[ParticipantClass, int]) -> dict[str, Any]:
    counted: dict[str, Any] = {"taken": Places.taken + sum(party.values())}
    for each, (_, taken) in _BY_CLASS.items():
        if party[each]:
            # Places that were taken before the classes were counted are in no class.
            counted[taken.key] = sa.func.greatest(taken + party[each], 0)
    return counted


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


async def together(session: AsyncSession, identity: UUID, *, locked: bool) -> Sequence[tuple[Registration, Places]]:
    """A registration and those made together with it, each with its activity, in the order of the activities' ids."""
    group = sa.select(Registration.together_id).where(Registration.id == identity).scalar_subquery()
    statement = (
        sa.select(Registration, Places)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(sa.or_(Registration.id == identity, Registration.together_id == group))
        .order_by(Registration.activity_id)
    )
    if locked:
        statement = statement.with_for_update(of=Registration, key_share=True)
    found = await session.execute(statement, execution_options={"populate_existing": True})
    return [(registration, places) for registration, places in found]


async def bind_together(session: AsyncSession, rows: Sequence[Registration]) -> None:
    """Let some new registrations be confirmed by one link."""
    first, ids = rows[0].id, [row.id for row in rows]
    bound = sa.update(Registration).where(Registration.id.in_(ids)).values(together_id=first)
    await session.execute(bound, execution_options={"synchronize_session": False})


async def occurrences(session: AsyncSession, series_id: UUID) -> Sequence[Places]:
    """The places of each date of a series, in the order of the dates."""
    statement = (
        sa.select(Places)
        .where(Places.part_of == series_id, Places.relation == "occurrence")
        .order_by(Places.starts_at, Places.activity_id)
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()


async def lock_live_of(session: AsyncSession, participant_id: UUID) -> Sequence[tuple[Registration, Places]]:
    """Every live registration of somebody with its activity, locked in one order."""
    statement = (
        sa.select(Registration, Places)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(
            Registration.participant_id == participant_id,
            _IS_LIVE,
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


async def add_guests(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the guests of a registration."""
    await session.execute(insert(Registration).values(list(rows)))


async def move(
    session: AsyncSession,
    leads: Collection[UUID],
    before: Collection[State],
    after: State,
    *,
    values: Mapping[str, Any] | None = None,
    even_who_came: bool = False,
) -> dict[UUID, dict[ParticipantClass, int]]:
    """Bring groups from one of some states to another, all who belong to them; answers how many by activity and class.

    The registrations that lead them must be locked. Who has been checked in has come, and stays unless told otherwise.
    """
    all_of_them = sa.or_(Registration.id.in_(leads), Registration.lead_id.in_(leads))
    who = all_of_them if even_who_came else sa.and_(all_of_them, Registration.checked_in_at.is_(None))
    statement = (
        sa.update(Registration)
        .where(who, Registration.state.in_([state.value for state in before]))
        .values(state=after.value, **(values or {}))
        .returning(Registration.activity_id, Registration.participant_class)
    )
    counted: dict[UUID, Counter[ParticipantClass]] = {}
    for activity_id, each in await session.execute(statement, execution_options={"synchronize_session": False}):
        counted.setdefault(activity_id, Counter())[ParticipantClass(each)] += 1
    return {activity_id: party(counted[activity_id]) for activity_id in sorted(counted)}


async def guests_of(session: AsyncSession, lead: Registration) -> Sequence[Registration]:
    """Those who come with somebody."""
    if lead.party_size == 1:
        return []
    statement = sa.select(Registration).where(Registration.lead_id == lead.id).order_by(Registration.id)
    return (await session.scalars(statement)).all()


async def lock_ended_holds(session: AsyncSession, *, limit: int) -> Sequence[tuple[Registration, Places]]:
    """Held places that nobody confirmed in time; those that somebody is busy with wait for the next time."""
    statement = (
        sa.select(Registration, Places)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(
            sa.text("registrations.state IN ('unconfirmed', 'offered')"),
            Registration.lead_id.is_(None),
            Registration.held_until <= sa.func.now(),
        )
        .order_by(Registration.held_until)
        .limit(limit)
        .with_for_update(of=Registration, skip_locked=True, key_share=True)
    )
    return [(registration, places) for registration, places in await session.execute(statement)]


async def lock_waiting_in_vain(session: AsyncSession, *, limit: int) -> Sequence[tuple[Registration, Places]]:
    """Those who wait, or are not decided about, for an activity that offers no place any more but is not called off."""
    offers_end = sa.func.coalesce(Places.starts_at, Places.ends_at) - sa.func.make_interval(
        0, 0, 0, 0, Places.offers_end_hours
    )
    begins = sa.func.coalesce(Places.starts_at, Places.ends_at)
    in_vain = sa.or_(
        Places.state == "held",
        sa.and_(sa.text("registrations.state = 'waitlisted'"), offers_end <= sa.func.now()),
        begins <= sa.func.now(),
    )
    statement = (
        sa.select(Registration, Places)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(
            sa.text("registrations.state IN ('waitlisted', 'pending_approval')"),
            Registration.lead_id.is_(None),
            Places.state != "cancelled",
            in_vain,
        )
        .order_by(Registration.activity_id, Registration.id)
        .limit(limit)
        .with_for_update(of=Registration, skip_locked=True, key_share=True)
    )
    return [(registration, places) for registration, places in await session.execute(statement)]


async def count_seated(session: AsyncSession, activity_id: UUID) -> dict[ParticipantClass, int]:
    """How many people of each class have a place."""
    seated = sa.text("state IN ('unconfirmed', 'offered', 'confirmed')")
    statement = (
        sa.select(Registration.participant_class, sa.func.count())
        .where(Registration.activity_id == activity_id, seated)
        .group_by(Registration.participant_class)
    )
    found = {ParticipantClass(each): many for each, many in await session.execute(statement)}
    return party(Counter(found))


async def position(session: AsyncSession, row: Registration) -> int:
    """Which place somebody who waits has in the waiting list, counting from one; groups count as one."""
    # Counted by a function, since whoever waits does not see the others.
    count = sa.func.registration.place_in_line(row.activity_id, row.waiting_since, row.id, type_=sa.BigInteger)
    return (await session.execute(sa.select(count))).scalar_one()


async def lock_to_call_off(session: AsyncSession, *, limit: int) -> Sequence[tuple[Registration, Places]]:
    """Live registrations of activities that were cancelled, with their activities."""
    statement = (
        sa.select(Registration, Places)
        .join(Places, Places.activity_id == Registration.activity_id)
        .where(Places.to_call_off, Registration.lead_id.is_(None), _IS_LIVE)
        .order_by(Registration.id)
        .limit(limit)
        .with_for_update(of=Registration, skip_locked=True, key_share=True)
    )
    return [(registration, places) for registration, places in await session.execute(statement)]


async def finish_calling_off(session: AsyncSession) -> None:
    """Pass over cancelled activities in which nobody has a place any more."""
    left = sa.select(Registration.id).where(
        Registration.activity_id == Places.activity_id, Registration.lead_id.is_(None), _IS_LIVE
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
