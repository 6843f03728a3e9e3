"""What coordinators do at the door: check people in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.kernel import events
from services.kernel.auth import Actor
from services.registration.attendance import rules, store
from services.registration.attendance.rules import Note, Outcome, Reason
from services.registration.attendance.schemas import CheckInNote, CheckInResult
from services.registration.attendance.tables import Attendance
from services.registration.places import actions as places_actions
from services.registration.places import store as places_store
from services.registration.places.rules import State, read_code
from services.registration.places.tables import Places, Registration


async def check_in(
    session: AsyncSession, actor: Actor, activity_id: UUID, told: Sequence[CheckInNote]
) -> list[CheckInResult]:
    """Record who was there; telling it again, in any order and from any device, ends in the same."""
    places = await places_actions.organised(session, actor, activity_id)
    now = await places_store.now(session)
    book = await _look_up(session, activity_id, told)
    known = await store.owners_of_nonces(session, activity_id, [note.nonce for note in told])
    refusals = [_refusal(note, book.find(note), places, known, now) for note in told]
    accepted = {
        note.nonce: (note, row)
        for note, refused in reversed(list(zip(told, refusals, strict=True)))
        if refused is None and note.nonce not in known and (row := book.find(note)) is not None
    }
    notes = await _notes_of(session, [row.id for _, row in accepted.values()])
    added = await store.add_check_ins(session, [_row(note, row, actor) for note, row in accepted.values()])
    owners = {**known, **await store.owners_of_nonces(session, activity_id, list(accepted))}
    planned = rules.planned_hours(places.starts_at, places.ends_at)
    results, touched = [], {}
    for note, refused in zip(told, refusals, strict=True):
        row, reason, outcome = book.find(note), refused, Outcome.ALREADY_RECORDED
        if reason is None and row is not None and owners[note.nonce] != row.id:
            reason = Reason.NONCE_REUSED
        if reason is not None:
            outcome = Outcome.REFUSED
        elif row is not None and note.nonce in added:
            added.discard(note.nonce)
            touched[row.id] = row
            outcome = _take(notes.setdefault(row.id, []), note, planned)
        results.append(CheckInResult(nonce=note.nonce, outcome=outcome, reason=reason, registration_id=row and row.id))
    await _record(session, touched, notes, planned, now)
    return results


@dataclass(frozen=True, slots=True)
class _Book:
    """The registrations that a batch speaks of."""

    by_id: Mapping[UUID, Registration]
    by_code: Mapping[str, Registration]

    def find(self, note: CheckInNote) -> Registration | None:
        if note.registration_id is not None:
            return self.by_id.get(note.registration_id)
        return self.by_code.get(read_code(note.code or ""))


async def _look_up(session: AsyncSession, activity_id: UUID, told: Sequence[CheckInNote]) -> _Book:
    rows = await store.lock_registrations(
        session,
        activity_id,
        identities={note.registration_id for note in told if note.registration_id is not None},
        codes={read_code(note.code) for note in told if note.code is not None},
    )
    return _Book({row.id: row for row in rows}, {row.code: row for row in rows})


def _refusal(
    note: CheckInNote, row: Registration | None, places: Places, known: Mapping[str, UUID], now: datetime
) -> Reason | None:
    if row is None:
        return Reason.UNKNOWN_CODE if note.code is not None else Reason.UNKNOWN_REGISTRATION
    if note.nonce in known:
        # It was accepted once; what has changed since then is no matter of its repetition.
        return None if known[note.nonce] == row.id else Reason.NONCE_REUSED
    return rules.refusal(
        registration=State(row.state),
        activity=contracts.ActivityState(places.state),
        starts_at=places.starts_at,
        ends_at=places.ends_at,
        at=note.at,
        now=now,
    )


async def _notes_of(session: AsyncSession, registrations: Sequence[UUID]) -> dict[UUID, list[Note]]:
    notes: dict[UUID, list[Note]] = {}
    for row in await store.check_ins_of(session, registrations):
        notes.setdefault(row.registration_id, []).append(Note(row.nonce, row.at, row.hours))
    return notes


def _row(note: CheckInNote, row: Registration, actor: Actor) -> dict[str, object]:
    return {
        "activity_id": row.activity_id,
        "nonce": note.nonce,
        "registration_id": row.id,
        "at": note.at,
        "hours": note.hours,
        "actor_id": actor.id,
    }


def _take(notes: list[Note], told: CheckInNote, planned: Decimal | None) -> Outcome:
    before = rules.presence(notes, planned) if notes else None
    notes.append(Note(told.nonce, told.at, told.hours))
    return Outcome.ALREADY_RECORDED if rules.presence(notes, planned) == before else Outcome.RECORDED


async def _record(
    session: AsyncSession,
    touched: Mapping[UUID, Registration],
    notes: Mapping[UUID, Sequence[Note]],
    planned: Decimal | None,
    now: datetime,
) -> None:
    """Write what the check-ins come to, and tell it where it is new."""
    recorded = await store.attendances_of(session, list(touched))
    for identity, row in touched.items():
        came_at, hours = rules.presence(notes[identity], planned)
        places_actions.arrive(row, came_at, now)
        attendance = recorded.get(identity)
        if attendance is None:
            attendance = Attendance(registration_id=identity, revision=0)
            store.add_attendance(session, attendance)
        elif attendance.hours == hours:
            continue
        attendance.revision, attendance.hours = attendance.revision + 1, hours
        await events.record(
            session,
            contracts.AttendanceRecorded(
                attendance_key=row.attendance_key,
                revision=attendance.revision,
                activity_id=row.activity_id,
                participant_class=contracts.ParticipantClass(row.participant_class),
                present=True,
                hours=hours,
                mobility=row.mobility,
            ),
        )
