"""Signing up.

Who gets a place is decided by Postgres in the transaction of the sign-up: the registration is inserted first (at most
one of a person is live), everything that belongs to it next, and one conditional statement takes the places, near
the end, so that the contended row is locked for as short as can be. Both or neither.

A sign-up must not tell whether a mailbox has a registration already. Whoever signs up twice is answered like a
stranger: the same body with an id made for this answer (see `Handle`), or the same refusal, since the question whether
a stranger would get a place is asked first. The truth goes to the mailbox only, at most once an hour, and the
sign-up's own details are dropped, for nobody has shown that they are the owner's. What remains: `taken` does not move
for a repeated sign-up, which shows to somebody who watches an activity that nobody else signs up for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.kernel.ids import new_id
from services.kernel.problems import FieldError
from services.kernel.settings import Settings
from services.registration.cards import store as cards
from services.registration.mail.languages import Letter
from services.registration.people import actions as links
from services.registration.people import rules as people_rules
from services.registration.people import store as people
from services.registration.people.rules import Purpose
from services.registration.places import actions, hosts, letters, questions, rules, store
from services.registration.places.rules import State
from services.registration.places.schemas import GuestIn, SignedUp, SignUp, SignUpTogether
from services.registration.places.tables import Places, Registration
from services.registration.proofs import actions as proofs
from services.registration.proofs import store as proofs_store
from services.registration.proofs.actions import Asker
from services.registration.proofs.rules import free_of, level_of_holds


async def sign_up(session: AsyncSession, settings: Settings, wanted: SignUp, asker: Asker) -> SignedUp:
    """Hold a place for somebody and their guests until they open the link that is mailed to them.

    Where organisers choose, it is kept for them to decide. Where there is no room, it waits if that is wanted.
    """
    places, now = await open_places(session, wanted.activity_id)
    faults = await faults_of(session, settings, places, wanted)
    if faults:
        raise people_rules.invalid(faults)
    # Whoever gets nothing is not asked to work for it.
    state_of(places, wanted.party(), now, waits=wanted.waiting_list)
    await admit(session, asker, wanted, [places])
    await proofs.spend(session, asker)
    kept = await keep(session, settings, wanted, places, now)
    if kept.is_new:
        await write_first(session, settings, kept, wanted)
    elif kept.is_reminded:
        await remind(session, settings, kept)
    return kept.answer


@dataclass(frozen=True, slots=True)
class Kept:
    """A registration that a sign-up came to: a new one, or the one that was there, whose owner may be reminded."""

    answer: SignedUp
    row: Registration
    places: Places
    now: datetime
    is_new: bool
    is_reminded: bool = False


async def keep(session: AsyncSession, settings: Settings, wanted: SignUp, places: Places, now: datetime) -> Kept:
    """Keep a sign-up whose details are right; nothing is mailed yet."""
    party = wanted.party()
    state = state_of(places, party, now, waits=wanted.waiting_list)
    minutes = places.hold_minutes or settings.hold_minutes
    held_until = rules.held_until(now, minutes=minutes, starts_at=places.starts_at, ends_at=places.ends_at)
    participant_id = await people.participant(session, wanted.email)
    identity = new_id()
    values = {
        "id": identity, "participant_id": participant_id, "state": state.value, "party_size": 1 + len(wanted.guests),
        "code": rules.new_code(), "attendance_key": uuid4(), "participant_class": wanted.participant_class.value,
        "held_until": held_until if state is State.UNCONFIRMED else None,
        "waiting_since": now if state is State.WAITLISTED else None,
        **wanted.model_dump(include={"activity_id", "given_name", "family_name", "language", "home_country",
                                     "host_section", "mobility", "answers"}),
    }  # fmt: skip
    if wanted.host_section is not None:
        values["host_section"] = await hosts.section_today(session, wanted.host_section)
    while not await store.add_registration(session, values):
        there = await _repeated(session, places, participant_id, now)
        if there is not None:
            answer = _signed_up(await store.add_handle(session, there.id), wanted, state, held_until)
            return Kept(answer, there, places, now, is_new=False, is_reminded=there.reminded_at == now)
    if wanted.guests:
        await store.add_guests(session, [_guest(values, guest) for guest in wanted.guests])
    if wanted.esncard_number is not None:
        await cards.keep(session, identity, wanted.esncard_number)
    consents = [(consent.purpose, consent.text_version) for consent in wanted.consents]
    await people.add_consents(
        session, participant_id=participant_id, registration_id=identity, language=wanted.language, consents=consents
    )
    row = Registration(**values)
    if state is State.UNCONFIRMED:
        state = await _take(session, wanted, row, party, now)
    elif state is State.WAITLISTED:
        await _wait(session, row)
    return Kept(_signed_up(identity, wanted, state, held_until), row, places, now, is_new=True)


async def write_first(session: AsyncSession, settings: Settings, kept: Kept, wanted: SignUp) -> None:
    """Mail the link of a new registration."""
    state = kept.answer.state
    token = await links.issue_link(
        session,
        registration_id=kept.row.id,
        purpose=Purpose.CONFIRM if state is State.UNCONFIRMED else Purpose.MANAGE,
        expires_at=actions.link_ends(kept.now, kept.places),
    )
    letter = FIRST_LETTER[state]
    await letters.send(session, settings, letter, kept.row, kept.places, token=token, recipient=wanted.email)


async def remind(session: AsyncSession, settings: Settings, kept: Kept) -> None:
    """Tell somebody that they are known already, since somebody signed up with their mailbox once more."""
    row, places, now = kept.row, kept.places, kept.now
    letter, purpose = _REMINDERS[State(row.state)]
    token = await links.issue_link(
        session, registration_id=row.id, purpose=purpose, expires_at=actions.link_ends(now, places)
    )
    position = await store.position(session, row) if row.state == State.WAITLISTED else None
    await letters.send(session, settings, letter, row, places, token=token, occasion=now, position=position)


FIRST_LETTER: Final = {
    State.UNCONFIRMED: Letter.CONFIRM,
    State.WAITLISTED: Letter.WAITLISTED,
    State.PENDING: Letter.PENDING,
}


def _signed_up(identity: UUID, wanted: SignUp, state: State, held_until: datetime) -> SignedUp:
    held = held_until if state is State.UNCONFIRMED else None
    return SignedUp(id=identity, activity_id=wanted.activity_id, state=state, held_until=held)


async def open_places(session: AsyncSession, activity_id: UUID) -> tuple[Places, datetime]:
    """The places of an activity that takes sign-ups now, and when that is; otherwise the problem that says why not."""
    found = await store.places_now(session, activity_id)
    if found is None:
        raise rules.ActivityNotFound
    places, now = found
    refusal = places.window_refusal(now)
    if refusal is not None:
        raise refusal
    return places, now


async def admit(session: AsyncSession, asker: Asker, wanted: SignUp | SignUpTogether, dates: Sequence[Places]) -> None:
    """Let somebody sign up for one activity, or several, who may have to prove work first."""
    percent = 0 if asker.is_admitted else asker.runtime.settings.proof_after_held_percent
    # No more are held than are taken, so for most it need not be counted.
    nearly = [
        each.activity_id
        for each in dates
        if percent and each.capacity is not None and each.taken >= free_of(each.capacity, percent=percent)
    ]
    held = await proofs_store.held(session, nearly) if nearly else {}
    let_in(asker, wanted, [(each, held.get(each.activity_id, 0)) for each in dates])


def let_in(asker: Asker, wanted: SignUp | SignUpTogether, dates: Sequence[tuple[Places, int]]) -> None:
    """The same, where somebody has counted how many places of each are held and not confirmed.

    Organisers answer for whom they sign up, by a program of theirs too: what they do is in the audit.
    """
    if asker.actor is not None and all(
        asker.actor.reaches(sections=frozenset(each.section_codes), country=each.country) for each, _ in dates
    ):
        return
    percent = asker.runtime.settings.proof_after_held_percent
    levels = [level_of_holds(held, each.capacity, percent=percent) for each, held in dates]
    asker.admit(wanted.email, level=max((level for level in levels if level is not None), default=None))


async def faults_of(session: AsyncSession, settings: Settings, places: Places, wanted: SignUp) -> list[FieldError]:
    """What does not fit the organisers' terms, every fault at once."""
    is_known = wanted.host_section is None or await hosts.section_today(session, wanted.host_section) is not None
    return faults_in(settings, places, wanted, host_is_known=is_known)


def faults_in(settings: Settings, places: Places, wanted: SignUp, *, host_is_known: bool) -> list[FieldError]:
    """The same, where somebody has looked whether there is the section that the student names as their host."""
    faults = questions.faults(places.questions, wanted.answers)
    declared = {each.purpose: each.text_version for each in wanted.consents}
    faults += people_rules.age_faults(declared, age=places.youngest, brings_guests=bool(wanted.guests))
    if not host_is_known:
        faults.append(FieldError(pointer="#/host_section", detail="There is no section with this code."))
    if wanted.mobility is not None and wanted.participant_class is not ParticipantClass.INTERNATIONAL:
        faults.append(FieldError(pointer="#/mobility", detail="Only international students are here for one of these."))
    if wanted.esncard_number is not None and not (places.asks_esncard and settings.esncard_check_url):
        faults.append(FieldError(pointer="#/esncard_number", detail="Nobody asks for an ESNcard here."))
    if len(wanted.guests) > places.guests_at_most:
        detail = f"At most {places.guests_at_most} guests." if places.guests_at_most else "No guests can be brought."
        faults.append(FieldError(pointer="#/guests", detail=detail))
    elif wanted.guests and not replace(places.room, taken=0, taken_by_class={}).fits(wanted.party()):
        faults.append(FieldError(pointer="#/guests", detail="There will never be room for so many of you."))
    return faults


def state_of(
    places: Places, party: Mapping[ParticipantClass, int], now: datetime, *, waits: bool, room: rules.Room | None = None
) -> State:
    """What a stranger's sign-up would come to, which is what everybody is answered; in `room`, if that is another."""
    room = room or places.room
    if room.choosing is rules.Choosing.APPROVAL:
        return State.PENDING
    if room.waiting == 0 and room.fits(party):
        return State.UNCONFIRMED
    _check_waits(places, now, waits=waits)
    return State.WAITLISTED


def _check_waits(places: Places, now: datetime, *, waits: bool) -> None:
    if not waits:
        raise rules.ActivityFull
    if not (places.keeps_waiting_list and places.offers(now)):
        raise rules.NotWaitedFor


def _guest(lead: Mapping[str, Any], guest: GuestIn) -> dict[str, Any]:
    own = {
        "id": new_id(), "participant_id": None, "lead_id": lead["id"], "party_size": 1, "code": rules.new_code(),
        "attendance_key": uuid4(), "participant_class": guest.participant_class.value, "answers": {},
        "given_name": guest.given_name, "family_name": guest.family_name, "home_country": guest.home_country,
        "mobility": None,
    }  # fmt: skip
    return {**lead, **own}


async def _take(
    session: AsyncSession, wanted: SignUp, row: Registration, party: Mapping[ParticipantClass, int], now: datetime
) -> State:
    """Take the places; whoever comes too late by a moment waits, if that is wanted."""
    taken = await store.take_place(session, wanted.activity_id, party)
    if taken is not None:
        await actions.tell_if_turned(
            session, taken, had=taken.room.after({each: -many for each, many in party.items()})
        )
        return State.UNCONFIRMED
    places, _ = await open_places(session, wanted.activity_id)
    _check_waits(places, now, waits=wanted.waiting_list)
    await store.move(
        session,
        [row.id],
        {State.UNCONFIRMED},
        State.WAITLISTED,
        values={"held_until": None, "waiting_since": now},
    )
    row.held_until, row.waiting_since = None, now
    await _wait(session, row)
    return State.WAITLISTED


async def _wait(session: AsyncSession, row: Registration) -> None:
    after = await store.change_waiting(session, row.activity_id, row.party_size)
    await actions.tell_if_turned(session, after, had=after.room.after({}, waiting=-row.party_size))


async def _repeated(session: AsyncSession, places: Places, participant_id: UUID, now: datetime) -> Registration | None:
    """The live registration of somebody who signs up again; None when it has just ended and they may try anew."""
    row = await store.lock_live_registration(session, activity_id=places.activity_id, participant_id=participant_id)
    if row is None:
        return None
    if row.state in rules.HELD and row.held_until is not None and row.held_until <= now:
        await actions.end(session, row, State.EXPIRED, now)
        return None
    if row.reminded_at is None or row.reminded_at + rules.REMINDED_EVERY <= now:
        row.reminded_at = now
    return row


_REMINDERS: Final = {
    State.UNCONFIRMED: (Letter.STILL_TO_CONFIRM, Purpose.CONFIRM),
    State.OFFERED: (Letter.OFFERED, Purpose.CONFIRM),
    State.CONFIRMED: (Letter.STILL_HAS_PLACE, Purpose.MANAGE),
    State.WAITLISTED: (Letter.WAITLISTED, Purpose.MANAGE),
    State.PENDING: (Letter.PENDING, Purpose.MANAGE),
}
