"""What coordinators do at the door: check people in. What comes of it is kept here, and told where it is new."""

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
from services.registration.attendance.rules import Note, Outcome, Reason, Standing
from services.registration.attendance.schemas import CheckInNote, CheckInResult
from services.registration.attendance.tables import Attendance
from services.registration.people import store as people
from services.registration.places import actions as places_actions
from services.registration.places import store as places_store
from services.registration.places.rules import State, read_code
from services.registration.places.tables import Places, Registration


async def check_in(
    session: AsyncSession, actor: Actor, activity_id: UUID, told: Sequence[CheckInNote]
) -> list[CheckInResult]:
    """Record who was there; telling it again, in any order and from any device, ends in the same."""
    return await take(session, actor, await places_actions.organised(session, actor, activity_id), told)


async def take(session: AsyncSession, actor: Actor, places: Places, told: Sequence[CheckInNote]) -> list[CheckInResult]:
    """Record who was there, on the word of somebody who may say so of this activity."""
    activity_id = places.activity_id
    now = await places_store.now(session)
    book = await _look_up(session, actor, places, told)
    nonces = await store.owners_of_nonces(session, activity_id, [note.nonce for note in told])
    refusals = [_refusal(note, book, places, nonces, now) for note in told]
    accepted = {
        note.nonce: (note, row)
        for note, refused in reversed(list(zip(told, refusals, strict=True)))
        if refused is None and note.nonce not in nonces and (row := book.find(note)) is not None
    }
    added = await store.add_check_ins(session, [_row(note, row, actor) for note, row in accepted.values()])
    owners = {**nonces, **await store.owners_of_nonces(session, activity_id, list(accepted))}
    day = await _day(session, places, list(book.by_id.values()), without=added)
    results, touched = [], {}
    for note, refused in zip(told, refusals, strict=True):
        row, reason, outcome = book.find(note), refused, Outcome.REFUSED
        if reason is None and row is not None and owners[note.nonce] != row.id:
            reason = Reason.NONCE_REUSED
        if reason is None and row is not None:
            outcome = day.take(row, note if note.nonce in added else None, hours=note.hours)
            if note.nonce in added:
                added.discard(note.nonce)
                touched[row.id] = row
        results.append(CheckInResult(nonce=note.nonce, outcome=outcome, reason=reason, registration_id=row and row.id))
    if touched and not places.no_shows_due:
        await store.look_for_no_shows(session, activity_id)
    for identity, row in touched.items():
        known = day.known[identity]
        if known is not None and not known.corrected:
            places_actions.arrive(row, rules.presence(day.notes[identity], day.planned)[0], now)
    await keep(session, [(row, day.known[row.id]) for row in touched.values()], day.recorded)
    return results


@dataclass(frozen=True, slots=True)
class _Book:
    """The registrations that a batch speaks of."""

    by_id: Mapping[UUID, Registration]
    by_code: Mapping[str, Registration]
    elsewhere: frozenset[UUID | str]
    """Ids and codes for what else the same organiser has to do with."""

    def find(self, note: CheckInNote) -> Registration | None:
        if note.registration_id is not None:
            return self.by_id.get(note.registration_id)
        return self.by_code.get(read_code(note.code or ""))


async def _look_up(session: AsyncSession, actor: Actor, places: Places, told: Sequence[CheckInNote]) -> _Book:
    identities = {note.registration_id for note in told if note.registration_id is not None}
    codes = {read_code(note.code) for note in told if note.code is not None}
    rows = await store.lock_registrations(session, places.activity_id, identities=identities, codes=codes)
    identities, codes = identities - {row.id for row in rows}, codes - {row.code for row in rows}
    others = (
        await store.of_others_near(session, places, identities=identities, codes=codes) if identities | codes else []
    )
    # Only who organises the other activity may know that the code is one of it.
    theirs: set[UUID | str] = set()
    for identity, code, other in others:
        if actor.reaches(sections=frozenset(other.section_codes), country=other.country):
            theirs |= {identity, code}
    return _Book({row.id: row for row in rows}, {row.code: row for row in rows}, frozenset(theirs))


def _refusal(
    note: CheckInNote, book: _Book, places: Places, nonces: Mapping[str, UUID], now: datetime
) -> Reason | None:
    row = book.find(note)
    if row is None:
        if (note.registration_id or read_code(note.code or "")) in book.elsewhere:
            return Reason.OTHER_ACTIVITY
        return Reason.UNKNOWN_CODE if note.code is not None else Reason.UNKNOWN_REGISTRATION
    if note.nonce in nonces:
        # It was accepted once; what has changed since then is no matter of its repetition.
        return None if nonces[note.nonce] == row.id else Reason.NONCE_REUSED
    return rules.refusal(
        registration=State(row.state),
        activity=contracts.ActivityState(places.state),
        starts_at=places.starts_at,
        ends_at=places.ends_at,
        at=note.at,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class _Day:
    """What is known of some people while a batch is taken, note by note."""

    notes: dict[UUID, list[Note]]
    known: dict[UUID, Standing | None]
    recorded: Mapping[UUID, Attendance]
    planned: Decimal | None

    def take(self, row: Registration, note: CheckInNote | None, *, hours: Decimal | None) -> Outcome:
        """Take a check-in that is new, if it is."""
        before, notes = self._state(row), self.notes[row.id]
        if note is not None:
            notes.append(Note(note.nonce, note.at, note.hours))
            self.known[row.id] = rules.standing(notes, self.known[row.id], self.planned)
        if rules.overrules(self.known[row.id], hours):
            return Outcome.OVERRULED
        return Outcome.ALREADY_RECORDED if self._state(row) == before else Outcome.RECORDED

    def _state(self, row: Registration) -> tuple[Standing | None, tuple[datetime, Decimal | None] | None]:
        known, notes = self.known[row.id], self.notes[row.id]
        speak = notes and not (known is not None and known.corrected)
        return known, rules.presence(notes, self.planned) if speak else None


async def _day(session: AsyncSession, places: Places, rows: Sequence[Registration], *, without: set[str]) -> _Day:
    notes: dict[UUID, list[Note]] = {row.id: [] for row in rows}
    for told in await store.check_ins_of(session, list(notes)):
        if told.nonce not in without:
            notes[told.registration_id].append(Note(told.nonce, told.at, told.hours))
    recorded = await store.attendances_of(session, list(notes))
    known = {identity: recorded[identity].standing if identity in recorded else None for identity in notes}
    return _Day(notes, known, recorded, rules.planned_hours(places.starts_at, places.ends_at))


def _row(note: CheckInNote, row: Registration, actor: Actor) -> dict[str, object]:
    return {
        "activity_id": row.activity_id,
        "nonce": note.nonce,
        "registration_id": row.id,
        "at": note.at,
        "hours": note.hours,
        "actor_id": actor.id,
    }


async def keep(
    session: AsyncSession,
    found: Sequence[tuple[Registration, Standing | None]],
    recorded: Mapping[UUID, Attendance],
) -> None:
    """Write what is known of people with locked registrations, and tell it where the other services know otherwise."""
    news = []
    for row, known in found:
        if known is None:
            continue
        attendance = recorded.get(row.id)
        if attendance is None:
            attendance = Attendance(registration_id=row.id, revision=0)
            store.add_attendance(session, attendance)
        if is_news(attendance, known):
            attendance.revision += 1
            news.append((row, attendance))
        attendance.present, attendance.hours, attendance.corrected = known.present, known.hours, known.corrected
    keys = await people.person_keys(session, {row.participant_id for row, _ in news if row.participant_id is not None})
    for row, attendance in news:
        await events.record(
            session,
            contracts.AttendanceRecorded(
                attendance_key=row.attendance_key,
                revision=attendance.revision,
                activity_id=row.activity_id,
                participant_class=contracts.ParticipantClass(row.participant_class),
                present=attendance.present,
                hours=attendance.hours,
                person_key=keys.get(row.participant_id) if row.participant_id is not None else None,
                home_country=row.home_country,
                mobility=row.mobility,
            ),
        )


def is_news(attendance: Attendance, known: Standing) -> bool:
    """Whether the other services know otherwise: as long as they were told nothing, nobody was there."""
    if attendance.revision == 0:
        return known.present
    return (attendance.present, attendance.hours) != (known.present, known.hours)
