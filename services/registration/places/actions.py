"""What people do to their registrations: sign up, confirm, cancel; and what becomes of those nobody confirms.

Who gets a place is decided by Postgres in the transaction of the sign-up: the registration is inserted first (at most
one of a person is live), everything that belongs to it next, and one conditional statement takes the place last, so
that the contended row is locked for as short as can be. Both or neither.

A sign-up must not tell whether a mailbox has a registration already. Whoever signs up twice is answered like a
stranger: the same body with an id made for this answer (see `Handle`), or the same refusal, since the question whether
a stranger would get a place is asked first. The truth goes to the mailbox only, at most once an hour, and the
sign-up's own details are dropped, for nobody has shown that they are the owner's. What remains: `taken` does not move
for a repeated sign-up, which shows to somebody who watches an activity that nobody else signs up for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.kernel import events
from services.kernel.auth import Actor, hashed
from services.kernel.ids import new_id
from services.kernel.problems import Invalid, Problem
from services.kernel.settings import Settings
from services.registration.mail.languages import Letter
from services.registration.people import actions as links
from services.registration.people import rules as people_rules
from services.registration.people import store as people
from services.registration.people.rules import Purpose
from services.registration.places import letters, rules, store
from services.registration.places.rules import State
from services.registration.places.schemas import SignedUp, SignUp
from services.registration.places.tables import Places, Registration

HOLDS_AT_ONCE = 500
LETTERS_AT_ONCE = 100


async def sign_up(session: AsyncSession, settings: Settings, wanted: SignUp) -> SignedUp:
    """Hold a place for somebody until they open the link that is mailed to them."""
    places, now = await _open_places(session, wanted.activity_id)
    if places.minimum_age is not None and people_rules.OF_AGE not in {each.purpose for each in wanted.consents}:
        raise Invalid.at("#/consents", "This activity has a minimum age: consent to the purpose `of_age` is needed.")
    if wanted.host_section is not None and not await store.may_be_section(session, wanted.host_section):
        raise Invalid.at("#/host_section", "There is no section with this code.")
    held_until = rules.held_until(
        now, minutes=settings.hold_minutes, starts_at=places.starts_at, ends_at=places.ends_at
    )
    participant_id = await people.participant(session, wanted.email)
    identity = new_id()
    values = {
        "id": identity, "participant_id": participant_id, "state": State.UNCONFIRMED.value, "held_until": held_until,
        "code": rules.new_code(), "attendance_key": uuid4(), "participant_class": wanted.participant_class.value,
        **wanted.model_dump(include={"activity_id", "given_name", "family_name", "language", "home_country",
                                     "host_section", "answers"}),
    }  # fmt: skip
    while not await store.add_registration(session, values):
        handle = await _repeated(session, settings, places, participant_id, now)
        if handle is not None:
            return SignedUp(id=handle, activity_id=wanted.activity_id, state="unconfirmed", held_until=held_until)
    consents = [(consent.purpose, consent.text_version) for consent in wanted.consents]
    await people.add_consents(
        session, participant_id=participant_id, registration_id=identity, language=wanted.language, consents=consents
    )
    token = await links.issue_link(
        session, registration_id=identity, purpose=Purpose.CONFIRM, expires_at=_link_ends(now, places)
    )
    written = Registration(**values)
    await letters.send(session, settings, Letter.CONFIRM, written, places, token=token, recipient=wanted.email)
    taken = await store.take_place(session, wanted.activity_id)
    if taken is None:
        await _open_places(session, wanted.activity_id)
        raise rules.ActivityFull
    await _tell_if_turned(session, taken, had=True)
    return SignedUp(id=identity, activity_id=wanted.activity_id, state="unconfirmed", held_until=held_until)


async def _open_places(session: AsyncSession, activity_id: UUID) -> tuple[Places, datetime]:
    """The places of an activity that takes sign-ups now, and when that is; otherwise the problem that says why not."""
    found = await store.places_now(session, activity_id)
    if found is None:
        raise rules.ActivityNotFound
    places, now = found
    refusal = places.refusal(now)
    if refusal is not None:
        raise refusal
    return places, now


async def _repeated(
    session: AsyncSession, settings: Settings, places: Places, participant_id: UUID, now: datetime
) -> UUID | None:
    """Answer a sign-up by somebody who has a live registration; None when it has just ended and they may try anew."""
    row = await store.lock_live_registration(session, activity_id=places.activity_id, participant_id=participant_id)
    if row is None:
        return None
    if row.state == State.UNCONFIRMED and row.held_until <= now:
        await _end(session, row, State.EXPIRED, now)
        return None
    if row.reminded_at is None or row.reminded_at + rules.REMINDED_EVERY <= now:
        row.reminded_at = now
        confirmed = row.state == State.CONFIRMED
        token = await links.issue_link(
            session,
            registration_id=row.id,
            purpose=Purpose.MANAGE if confirmed else Purpose.CONFIRM,
            expires_at=_link_ends(now, places),
        )
        letter = Letter.STILL_HAS_PLACE if confirmed else Letter.STILL_TO_CONFIRM
        await letters.send(session, settings, letter, row, places, token=token, occasion=now)
    return await store.add_handle(session, row.id)


@dataclass(frozen=True, slots=True)
class Linked:
    """What a mailed secret leads to at a moment."""

    row: Registration
    places: Places
    purpose: Purpose
    now: datetime

    def check_live(self) -> None:
        """Refuse to go on with a registration that has ended."""
        if self.places.state == contracts.ActivityState.CANCELLED:
            raise rules.ActivityCalledOff
        if self.row.state == State.CANCELLED:
            raise rules.RegistrationCancelled
        if self.row.state == State.EXPIRED or (self.row.state == State.UNCONFIRMED and self.row.held_until <= self.now):
            raise rules.HoldEnded

    def check_cancellable(self) -> None:
        """Refuse to give back a place that was used, or could have been."""
        self.check_live()
        if self.purpose is Purpose.CONFIRM and self.row.state == State.CONFIRMED:
            raise people_rules.LinkUsed
        if self.row.checked_in_at is not None:
            raise rules.AlreadyCheckedIn
        if self.places.starts_at is not None and self.places.starts_at <= self.now:
            raise rules.ActivityBegan


async def follow_link(session: AsyncSession, token: str, *, handle: UUID | None = None, writing: bool = True) -> Linked:
    """Where a mailed secret leads, the registration locked if it is to change; a `handle` must be one of its ids."""
    link = await links.read_link(session, token)
    row = await store.registration(session, link.registration_id, locked=writing)
    if row is None:  # Forgotten at this moment.
        raise people_rules.LinkNotFound
    if handle is not None and handle != row.id:
        other = await store.handle(session, handle)
        if other is None or other.registration_id != row.id:
            raise people_rules.LinkNotFound
    found = await store.places_now(session, row.activity_id)
    assert found is not None
    places, now = found
    if link.expires_at <= now:
        raise people_rules.LinkExpired
    return Linked(row, places, Purpose(link.purpose), now)


async def confirm(session: AsyncSession, settings: Settings, token: str, *, handle: UUID | None = None) -> Linked:
    """Confirm a held place by its mailed secret; once confirmed, the same secret only shows that it is."""
    linked = await follow_link(session, token, handle=handle)
    if linked.purpose is not Purpose.CONFIRM:
        raise people_rules.LinkNotFound
    linked.check_live()
    row, places, now = linked.row, linked.places, linked.now
    if row.state == State.UNCONFIRMED:
        row.state, row.confirmed_at = State.CONFIRMED.value, now
        await people.use_link(session, hashed(token))
        if row.participant_id is not None:
            await people.prove(session, row.participant_id)
        manage = await links.issue_link(
            session, registration_id=row.id, purpose=Purpose.MANAGE, expires_at=_link_ends(now, places)
        )
        await letters.send(session, settings, Letter.HAS_PLACE, row, places, token=manage)
    return linked


async def cancel(session: AsyncSession, settings: Settings, token: str, *, handle: UUID | None = None) -> Linked:
    """Give a place back by a mailed secret: a managing one, or a confirming one in place of confirming."""
    linked = await follow_link(session, token, handle=handle)
    if linked.row.state == State.CANCELLED:
        return linked
    linked.check_cancellable()
    await people.use_link(session, hashed(token))
    await _end(session, linked.row, State.CANCELLED, linked.now)
    await letters.send(session, settings, Letter.CANCELLED, linked.row, linked.places)
    return linked


async def release(session: AsyncSession, participant_id: UUID) -> None:
    """Free every place of somebody that was not used and could still be of use to somebody else."""
    now = await store.now(session)
    for row, places in await store.lock_live_of(session, participant_id):
        linked = Linked(row, places, Purpose.MANAGE, now)
        try:
            linked.check_cancellable()
        except Problem:
            continue
        await _end(session, row, State.CANCELLED, now)


def arrive(row: Registration, came_at: datetime, now: datetime) -> None:
    """Somebody with a locked live registration is there, which confirms a place that was only held."""
    row.checked_in_at = came_at
    if row.state == State.UNCONFIRMED:
        row.state, row.confirmed_at = State.CONFIRMED.value, now


async def expire_holds(session: AsyncSession) -> int:
    """Free the places that nobody confirmed in time; answers how many activities that concerned."""
    found = await store.expire_holds(session, limit=HOLDS_AT_ONCE)
    for activity_id, capacity, taken, many in found:
        await _tell(
            session, activity_id, had=rules.has_places(capacity, taken + many), has=rules.has_places(capacity, taken)
        )
    return len(found)


async def call_off(session: AsyncSession, settings: Settings) -> int:
    """Let registrations of cancelled activities end, and write to each of the people; answers how many."""
    found = await store.lock_to_call_off(session, limit=LETTERS_AT_ONCE)
    now = await store.now(session)
    freed: dict[UUID, int] = {}
    for row, places in found:
        row.state, row.ended_at = State.CANCELLED.value, now
        freed[row.activity_id] = freed.get(row.activity_id, 0) + 1
        await letters.send(session, settings, Letter.CALLED_OFF, row, places)
    await _free(session, freed)
    if not found:
        await store.finish_calling_off(session)
    return len(found)


async def follow_activity(session: AsyncSession, heard: contracts.Activity) -> None:
    """Know an activity as it now is; what is older than what is known already is passed over."""
    row = await store.lock_places(session, heard.activity_id)
    if row is None:
        row = Places(activity_id=heard.activity_id, revision=-1, taken=0, availability_revision=0, to_call_off=False)
        had = True  # What the catalogue takes for granted until it hears otherwise.
        store.add_places(session, row)
    elif row.revision >= heard.revision:
        return
    else:
        had = row.has_places
        if heard.state is contracts.ActivityState.CANCELLED and row.state != heard.state:
            row.to_call_off = True
    row.section_codes = [organiser.code for organiser in heard.organisers if organiser.code is not None]
    row.state, row.location = heard.state.value, heard.place
    row.opens_at, row.closes_at = heard.sign_up_opens_at, heard.sign_up_closes_at
    for name in ("revision", "title", "language", "country", "starts_at", "ends_at", "time_zone", "minimum_age",
                 "takes_sign_ups", "capacity"):  # fmt: skip
        setattr(row, name, getattr(heard, name))
    await _tell_if_turned(session, row, had=had)


async def organised(session: AsyncSession, actor: Actor, activity_id: UUID) -> Places:
    """The places of an activity that the actor is an organiser of, or oversees."""
    places = await store.places(session, activity_id)
    if places is None:
        raise rules.ActivityNotFound
    if not actor.reaches(sections=frozenset(places.section_codes), country=places.country):
        raise rules.OutOfReach
    return places


async def _end(session: AsyncSession, row: Registration, state: State, now: datetime) -> None:
    row.state, row.ended_at = state.value, now
    await _free(session, {row.activity_id: 1})


async def _free(session: AsyncSession, freed: dict[UUID, int]) -> None:
    for places in await store.free_places(session, freed):
        had = rules.has_places(places.capacity, places.taken + freed[places.activity_id])
        await _tell_if_turned(session, places, had=had)


async def _tell_if_turned(session: AsyncSession, places: Places, *, had: bool) -> None:
    await _tell(session, places.activity_id, had=had, has=places.has_places)


async def _tell(session: AsyncSession, activity_id: UUID, *, had: bool, has: bool) -> None:
    if had != has:
        revision = await store.next_availability_revision(session, activity_id)
        event = contracts.AvailabilityChanged(activity_id=activity_id, revision=revision, has_places=has)
        await events.record(session, event)


def _link_ends(now: datetime, places: Places) -> datetime:
    return people_rules.managed_until(now, places.ends_at or places.starts_at)
