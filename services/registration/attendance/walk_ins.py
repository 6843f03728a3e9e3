"""People who come without a place. Nobody asks who they are: a class is counted, so there is nothing to forget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.kernel import events
from services.kernel.auth import Actor
from services.kernel.ids import new_id
from services.registration.attendance import rules, store
from services.registration.attendance.rules import Outcome, Reason
from services.registration.attendance.schemas import WalkInNote, WalkInResult
from services.registration.attendance.tables import WalkIn
from services.registration.places import actions as places_actions
from services.registration.places import store as places_store
from services.registration.places.tables import Places


async def come_in(
    session: AsyncSession, actor: Actor, activity_id: UUID, told: Sequence[WalkInNote]
) -> tuple[Places, list[WalkInResult]]:
    """Record who is there without a place, past the capacity too; telling it again changes nothing."""
    places = await places_actions.organised(session, actor, activity_id)
    return places, await let_in(session, actor, places, told)


async def let_in(session: AsyncSession, actor: Actor, places: Places, told: Sequence[WalkInNote]) -> list[WalkInResult]:
    """Record who is there without a place, on the word of somebody who may say so of this activity."""
    activity_id = places.activity_id
    now = await places_store.now(session)
    planned = rules.planned_hours(places.starts_at, places.ends_at)
    before = await store.walk_ins_of(session, activity_id, [note.nonce for note in told])
    refusals = [_refusal(note, places, before, now) for note in told]
    accepted = {
        note.nonce: note
        for note, refused in reversed(list(zip(told, refusals, strict=True)))
        if refused is None and note.nonce not in before
    }
    # In one order: two devices with the same nonces would wait for each other.
    rows = [_row(accepted[nonce], activity_id, actor, planned) for nonce in sorted(accepted)]
    added = await store.add_walk_ins(session, rows)
    known = {**before, **await store.walk_ins_of(session, activity_id, list(accepted))}
    results, left = [], set(added)
    for note, refused in zip(told, refusals, strict=True):
        row, reason, outcome = known.get(note.nonce), refused, Outcome.REFUSED
        if reason is None and row is not None and row.participant_class != note.participant_class:
            reason = Reason.NONCE_REUSED
        if reason is None and row is not None:
            if note.nonce in left:
                outcome = Outcome.RECORDED
            else:
                outcome = Outcome.ALREADY_RECORDED if row.present else Outcome.OVERRULED
            left.discard(note.nonce)
        found = row.id if reason is None and row is not None else None
        results.append(WalkInResult(nonce=note.nonce, outcome=outcome, reason=reason, id=found))
    for nonce in sorted(added):
        await tell(session, known[nonce])
    return results


def _refusal(note: WalkInNote, places: Places, before: Mapping[str, WalkIn], now: datetime) -> Reason | None:
    if note.nonce in before:
        return None
    return rules.walk_in_refusal(
        activity=contracts.ActivityState(places.state),
        has_parts=places.has_parts,
        starts_at=places.starts_at,
        ends_at=places.ends_at,
        at=note.at,
        now=now,
    )


def _row(note: WalkInNote, activity_id: UUID, actor: Actor, planned: Decimal | None) -> dict[str, object]:
    return {
        "id": new_id(),
        "activity_id": activity_id,
        "nonce": note.nonce,
        "participant_class": note.participant_class.value,
        "at": note.at,
        "attendance_key": uuid4(),
        "actor_id": actor.id,
        "revision": 1,
        "hours": planned if note.hours is None else note.hours,
    }


async def tell(session: AsyncSession, row: WalkIn) -> None:
    """Tell the other services of somebody of whom nobody knows who they are."""
    await events.record(
        session,
        contracts.AttendanceRecorded(
            attendance_key=row.attendance_key,
            revision=row.revision,
            activity_id=row.activity_id,
            participant_class=contracts.ParticipantClass(row.participant_class),
            present=row.present,
            hours=row.hours,
        ),
    )
