"""What people do to their registrations by their links, and what belongs to every change of a registration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.contracts import ParticipantClass
from services.kernel import events
from services.kernel.auth import Actor, hashed
from services.kernel.problems import Problem
from services.kernel.settings import Settings
from services.registration.mail.languages import Letter
from services.registration.people import actions as links
from services.registration.people import rules as people_rules
from services.registration.people import store as people
from services.registration.people.rules import Purpose
from services.registration.places import letters, rules, store, timing
from services.registration.places.rules import State
from services.registration.places.tables import Places, Registration
from services.registration.places.timing import Whereabouts


@dataclass(frozen=True, slots=True)
class Linked:
    """What a mailed secret leads to at a moment."""

    row: Registration
    places: Places
    purpose: Purpose
    now: datetime
    together: Sequence[tuple[Registration, Places]] = ()
    """Every registration that the secret confirms, where it is for several dates."""

    @property
    def still(self) -> list[tuple[Registration, Places]]:
        """Those of several dates that are held or confirmed, in the order of the dates."""
        return [
            (row, places)
            for row, places in sorted(self.together, key=lambda each: rules.by_date(each[1].starts_at, each[0].id))
            if (row.state == State.CONFIRMED or self._is_held(row))
            and places.state != contracts.ActivityState.CANCELLED
        ]

    @property
    def held(self) -> list[tuple[Registration, Places]]:
        """Those of several dates that wait for their confirmation."""
        return [(row, places) for row, places in self.still if row.state == State.UNCONFIRMED]

    def of_those_left(self) -> Linked:
        """The same for the first of several dates that is still held, else for one that is confirmed."""
        row, places = next(iter(self.held or self.still), (self.row, self.places))
        return replace(self, row=row, places=places)

    @property
    def is_asked_again(self) -> bool:
        """Whether somebody with a confirmed place was asked, since the activity moved, if they still come."""
        return self.row.state == State.CONFIRMED and self.row.asked_again_at is not None

    def _is_held(self, row: Registration) -> bool:
        return row.state == State.UNCONFIRMED and row.held_until is not None and row.held_until > self.now

    def check_live(self) -> None:
        """Refuse to go on with a registration that has ended."""
        if self.places.state == contracts.ActivityState.CANCELLED:
            raise rules.ActivityCalledOff
        if self.row.state == State.CANCELLED:
            raise rules.RegistrationCancelled
        if self.row.state == State.DECLINED:
            raise rules.NotChosen
        held_until = self.row.held_until
        if self.row.state == State.EXPIRED or (
            self.row.state in rules.HELD and held_until is not None and held_until <= self.now
        ):
            raise rules.HoldEnded

    @property
    def may_change(self) -> bool:
        """Whether what somebody told can still be of use to the organisers if it changes."""
        has_begun = self.places.starts_at is not None and self.places.starts_at <= self.now
        is_on = self.places.state == contracts.ActivityState.PUBLISHED
        return self.row.state in rules.LIVE and is_on and not has_begun and self.row.checked_in_at is None

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
    if link.purpose == Purpose.REMINDERS:
        raise people_rules.LinkNotFound
    together: Sequence[tuple[Registration, Places]] = ()
    if link.purpose == Purpose.CONFIRM:
        together = await store.together(session, link.registration_id, locked=writing)
        row = next((each for each, _ in together if each.id == link.registration_id), None)
    else:
        row = await store.registration(session, link.registration_id, locked=writing)
    if row is None:  # Forgotten at this moment.
        raise people_rules.LinkNotFound
    if handle is not None and handle != row.id:
        other = await store.handle(session, handle)
        named = handle if other is None else other.registration_id
        row = next((each for each in [row, *(each for each, _ in together)] if each.id == named), None)
        if row is None:
            raise people_rules.LinkNotFound
    found = await store.places_now(session, row.activity_id)
    assert found is not None
    places, now = found
    if link.expires_at <= now:
        raise people_rules.LinkExpired
    return Linked(row, places, Purpose(link.purpose), now, together if len(together) > 1 else ())


async def confirm(session: AsyncSession, settings: Settings, token: str, *, handle: UUID | None = None) -> Linked:
    """Confirm a held or offered place by a mailed secret; once confirmed, the same secret only shows that it is.

    Who was asked again, since the activity moved, says by it that they come all the same.
    """
    linked = await follow_link(session, token, handle=handle)
    if handle is None:
        linked = linked.of_those_left()
    row, places, now = linked.row, linked.places, linked.now
    # An offer is taken by whatever link led to the waiting list, too.
    if linked.purpose is not Purpose.CONFIRM and row.state != State.OFFERED and not linked.is_asked_again:
        raise people_rules.LinkNotFound
    linked.check_live()
    if linked.is_asked_again and linked.purpose is Purpose.MANAGE:
        row.still_comes_at = row.still_comes_at or now
        return linked
    if row.state in rules.HELD:
        held = linked.held or [(row, places)]
        await store.move(
            session, [each.id for each, _ in held], {State(row.state)}, State.CONFIRMED, values={"confirmed_at": now}
        )
        for each, _ in held:
            each.state, each.confirmed_at = State.CONFIRMED.value, now
            each.still_comes_at = each.asked_again_at and now
        await people.use_link(session, hashed(token))
        if row.participant_id is not None:
            await people.prove(session, row.participant_id)
        if len(held) > 1:
            await tell_of_places(session, settings, held, now)
        else:
            manage = await links.issue_link(
                session, registration_id=row.id, purpose=Purpose.MANAGE, expires_at=link_ends(now, places)
            )
            await letters.send(session, settings, Letter.HAS_PLACE, row, places, token=manage)
    return linked


async def tell_of_places(
    session: AsyncSession, settings: Settings, confirmed: Sequence[tuple[Registration, Places]], now: datetime
) -> None:
    """Write once about several dates, each with its check-in code and a link of its own to give the place back."""
    dates = []
    for row, places in confirmed:
        token = await links.issue_link(
            session, registration_id=row.id, purpose=Purpose.MANAGE, expires_at=link_ends(now, places)
        )
        told = letters.facts(row, places, link=letters.address(settings, token))
        dates.append(replace(told, scanned=letters.scanned(settings, row)))
    row, places = confirmed[0]
    await letters.send(session, settings, Letter.HAVE_PLACES, row, places, dates=dates, occasion=now)


async def cancel(session: AsyncSession, settings: Settings, token: str, *, handle: UUID | None = None) -> Linked:
    """Give a place back, or one's place in the waiting list, by a mailed secret, also by one for confirming."""
    linked = await follow_link(session, token, handle=handle)
    if handle is None:
        linked = linked.of_those_left()
    if linked.row.state == State.CANCELLED:
        return linked
    linked.check_cancellable()
    await people.use_link(session, hashed(token))
    had_place = linked.row.state in rules.SEATED
    # What one link holds together, its page gives back together; by its id each date ends alone.
    given_back = linked.held if handle is None and len(linked.held) > 1 else [(linked.row, linked.places)]
    for row, _ in sorted(given_back, key=lambda each: each[0].activity_id):
        await end(session, row, State.CANCELLED, linked.now)
    letter = Letter.CANCELLED if had_place else Letter.WITHDRAWN
    dates = letters.dates_of(given_back) if len(given_back) > 1 else ()
    await letters.send(session, settings, letter, linked.row, linked.places, dates=dates)
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
        await end(session, row, State.CANCELLED, now)


def arrive(row: Registration, came_at: datetime, now: datetime) -> None:
    """Somebody with a locked live registration is there, which confirms a place that was only held."""
    row.checked_in_at = came_at
    if row.state in rules.HELD:
        row.state, row.confirmed_at = State.CONFIRMED.value, now


async def follow_activity(session: AsyncSession, heard: contracts.Activity) -> None:
    """Know an activity as it now is; what is older than what is known already is passed over."""
    row = await store.lock_places(session, heard.activity_id)
    now = await store.now(session)
    was, zone = (None, None) if row is None else (row.whereabouts, row.time_zone)
    if row is None:
        row = _unknown_before(heard.activity_id)
        had = rules.Room(capacity=None, taken=0)  # What the catalogue takes for granted until it hears otherwise.
        store.add_places(session, row)
    elif row.revision >= heard.revision:
        return
    else:
        had = row.room
        if heard.state is contracts.ActivityState.CANCELLED and row.state != heard.state:
            row.to_call_off = True
    row.section_codes = [organiser.code for organiser in heard.organisers if organiser.code is not None]
    row.organiser_names = [organiser.name for organiser in heard.organisers]
    row.state, row.location = heard.state.value, heard.place
    row.opens_at, row.closes_at = heard.sign_up_opens_at, heard.sign_up_closes_at
    for name in ("revision", "title", "language", "country", "starts_at", "ends_at", "time_zone", "minimum_age",
                 "takes_sign_ups", "capacity", "part_of", "relation", "has_parts"):  # fmt: skip
        setattr(row, name, getattr(heard, name))
    row.offers_due = row.waiting > 0
    if was is not None and was.moved_to(row.whereabouts):
        _note_move(row, was, now)
    if was is None or (was.starts_at, zone) != (row.starts_at, row.time_zone):
        reminded_at = timing.reminded_at(row.starts_at, ZoneInfo(row.time_zone))
        row.remind_at = reminded_at if reminded_at is not None and reminded_at > now else None
    await tell_if_turned(session, row, had=had)


def _note_move(row: Places, was: Whereabouts, now: datetime) -> None:
    """Let those who signed up be told, from where they knew it to be, once the activity has come to rest."""
    if row.move_due_at is None:
        row.moved_from_starts_at, row.moved_from_ends_at, row.moved_from_location = (
            was.starts_at, was.ends_at, was.location,
        )  # fmt: skip
        row.move_due_at = timing.told_at(now, row.starts_at)
    row.move_noted_at = now


def _unknown_before(activity_id: UUID) -> Places:
    counts = dict.fromkeys(("taken", "taken_international", "taken_local", "taken_esn_volunteer", "waiting"), 0)
    return Places(
        activity_id=activity_id, revision=-1, availability_revision=0, to_call_off=False,
        choosing=rules.Choosing.FIRST_COME.value, **counts,
    )  # fmt: skip


async def organised(session: AsyncSession, actor: Actor, activity_id: UUID) -> Places:
    """The places of an activity that the actor is an organiser of, or oversees."""
    places = await store.places(session, activity_id)
    if places is None:
        raise rules.ActivityNotFound
    if not actor.reaches(sections=frozenset(places.section_codes), country=places.country):
        raise rules.OutOfReach
    return places


async def end(session: AsyncSession, row: Registration, state: State, now: datetime) -> None:
    """Let a locked registration end, with its guests, and free what they had."""
    before = State(row.state)
    moved = await store.move(session, [row.id], {before}, state, values={"ended_at": now})
    row.state, row.ended_at = state.value, now
    await leave(session, before, moved)


async def leave(session: AsyncSession, before: State, moved: Mapping[UUID, Mapping[ParticipantClass, int]]) -> None:
    """Count those out who have left `before`: their places are free, or fewer people wait."""
    for activity_id, party in moved.items():  # In one order everywhere, so that no two wait for each other.
        if before in rules.SEATED:
            places = await store.free_places(session, activity_id, party)
            await tell_if_turned(session, places, had=places.room.after(party))
        elif before is State.WAITLISTED:
            places = await store.change_waiting(session, activity_id, -sum(party.values()))
            await tell_if_turned(session, places, had=places.room.after({}, waiting=sum(party.values())))


async def tell_if_turned(session: AsyncSession, places: Places, *, had: rules.Room) -> None:
    """Tell the catalogue when the last place is taken or one is free again."""
    if had.has_places != places.has_places:
        revision = await store.next_availability_revision(session, places.activity_id)
        event = contracts.AvailabilityChanged(
            activity_id=places.activity_id, revision=revision, has_places=places.has_places
        )
        await events.record(session, event)


def link_ends(now: datetime, places: Places) -> datetime:
    """Until when a link works that is mailed now."""
    return people_rules.managed_until(now, places.ends_at or places.starts_at)
