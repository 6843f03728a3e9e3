"""What is decided after the door: that somebody did not come, and that something was otherwise than it was recorded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ActivityState
from services.kernel.auth import Actor
from services.registration.attendance import actions, rules, store, walk_ins
from services.registration.attendance.rules import Act, Standing
from services.registration.attendance.schemas import Correction
from services.registration.attendance.tables import Attendance, WalkIn
from services.registration.places import actions as places_actions
from services.registration.places import store as places_store
from services.registration.places.rules import ActivityCalledOff, OutOfReach
from services.registration.places.tables import Places, Registration

ACTIVITIES_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Recorded:
    """Somebody who has a place, or who came without one, with what is recorded of them."""

    row: Registration | WalkIn
    attendance: Attendance | WalkIn | None
    places: Places
    version: tuple[int, int]

    @property
    def standing(self) -> Standing | None:
        """What is known."""
        return None if self.attendance is None else self.attendance.standing

    @property
    def etag(self) -> str:
        """What changes with every decision and every check-in."""
        revision = 0 if self.attendance is None else self.attendance.revision
        return f'"attendance-{revision}-{self.version[0]}-{self.version[1]}"'


async def recorded(session: AsyncSession, actor: Actor, identity: UUID, *, locked: bool = False) -> Recorded:
    """What is recorded of somebody at an activity that the actor organises."""
    row: Registration | WalkIn | None = await store.registration(session, identity, locked=locked)
    if row is None:
        row = await store.walk_in(session, identity, locked=locked)
    if row is None:
        raise rules.AttendanceNotFound
    places = await places_store.places(session, row.activity_id)
    assert places is not None
    if not actor.reaches(sections=frozenset(places.section_codes), country=places.country):
        raise OutOfReach
    attendance: Attendance | WalkIn | None = row if isinstance(row, WalkIn) else None
    if isinstance(row, Registration):
        attendance = (await store.attendances_of(session, [row.id])).get(row.id)
    return Recorded(row, attendance, places, await store.version(session, identity))


async def correct(session: AsyncSession, actor: Actor, found: Recorded, wanted: Correction) -> None:
    """Put right what is recorded of somebody who is locked, and keep the trace. No check-in changes it any more."""
    places, before, now = found.places, found.standing, await places_store.now(session)
    if places.state == ActivityState.CANCELLED:
        raise ActivityCalledOff
    if places.starts_at is not None and now < places.starts_at - rules.EARLIEST_BEFORE_THE_START:
        raise rules.NotBegun
    planned = rules.planned_hours(places.starts_at, places.ends_at)
    known = rules.corrected(present=wanted.present, hours=wanted.hours, planned=planned)
    row = found.row
    if isinstance(row, WalkIn):
        is_news = (row.present, row.hours) != (known.present, known.hours)
        row.present, row.hours, row.corrected = known.present, known.hours, True
        row.revision += is_news
        subject = {"walk_in_id": row.id}
        if is_news:
            await walk_ins.tell(session, row)
    else:
        if not known.present:
            row.checked_in_at = None
        elif row.checked_in_at is None:
            places_actions.arrive(row, min(places.starts_at or now, now), now)
        subject = {"registration_id": row.id}
        kept = {row.id: found.attendance} if isinstance(found.attendance, Attendance) else {}
        await actions.keep(session, [(row, known)], kept)
    who = {"actor_id": actor.id, "actor_role": actor.role.value}
    trace = {**subject, **_changes(before, known), **who, "reason": wanted.reason}
    await store.add_history(session, Act.CORRECTED, [trace])
    await session.flush()


async def mark_no_shows(
    session: AsyncSession, actor: Actor, activity_id: UUID, identities: Collection[UUID] | None
) -> list[UUID]:
    """Mark who did not come, once the activity is over; somebody of whom something is recorded stays as they are."""
    places = await places_actions.organised(session, actor, activity_id)
    if places.state == ActivityState.CANCELLED:
        raise ActivityCalledOff
    ends_at, now = places.ends_at or places.starts_at, await places_store.now(session)
    if ends_at is None or now < ends_at:
        raise rules.NotOver
    return await _mark(session, activity_id, identities, actor)


async def sweep_no_shows(session: AsyncSession) -> int:
    """Mark those who did not come where others were checked in, a day after the end; answers in how many activities."""
    over = await store.lock_with_no_shows_due(session, limit=ACTIVITIES_AT_ONCE)
    for places in over:
        if places.state != ActivityState.CANCELLED:
            await _mark(session, places.activity_id, None, None)
        places.no_shows_due = False
    return len(over)


async def _mark(
    session: AsyncSession, activity_id: UUID, identities: Collection[UUID] | None, actor: Actor | None
) -> list[UUID]:
    marked = sorted(await store.mark_no_shows(session, activity_id, identities))
    who = {"actor_id": actor and actor.id, "actor_role": actor and actor.role.value, "reason": None}
    changes = _changes(None, Standing(present=False))
    await store.add_history(
        session, Act.MARKED_NO_SHOW, [{"registration_id": each, **changes, **who} for each in marked]
    )
    return marked


def _changes(before: Standing | None, after: Standing) -> dict[str, object]:
    return {
        "present_before": before and before.present,
        "hours_before": before and before.hours,
        "present_after": after.present,
        "hours_after": after.hours,
    }
