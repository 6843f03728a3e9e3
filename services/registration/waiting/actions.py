"""Offering free places to those who wait, and the organisers' choice among those who applied.

Places are offered in the order of waiting. A group is passed over as long as it does not fit whole, and so is a class
whose quota is used up: those behind it are not kept waiting for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.kernel.auth import Actor
from services.kernel.settings import Settings
from services.registration.mail.languages import Letter
from services.registration.people import actions as links
from services.registration.people.rules import Purpose
from services.registration.places import actions as places_actions
from services.registration.places import letters, rules
from services.registration.places import store as places_store
from services.registration.places.rules import State
from services.registration.places.tables import Places, Registration
from services.registration.waiting import store
from services.registration.waiting.rules import NotUndecided, RegistrationNotFound

ACTIVITIES_AT_ONCE = 20
LOOKED_AT_ONCE = 200


async def offer_due(session: AsyncSession, settings: Settings) -> int:
    """Offer the places that are free to those who wait; answers how many activities were looked at."""
    due = await store.activities_with_offers_due(session, limit=ACTIVITIES_AT_ONCE)
    for activity_id in due:
        await offer(session, settings, activity_id)
    return len(due)


async def offer(session: AsyncSession, settings: Settings, activity_id: UUID) -> None:
    """Offer an activity's free places to those who wait for them, in their order."""
    places = await places_store.lock_places(session, activity_id)
    assert places is not None
    places.offers_due = False
    now = await places_store.now(session)
    if not places.offers(now):
        return
    had = room = places.room
    until = rules.offered_until(
        now, hours=places.offer_hours, starts_at=places.starts_at, ends_at=places.ends_at, by=places.confirm_until
    )
    most = None if room.capacity is None else room.capacity - room.taken
    offered: list[Registration] = []
    last, looked_at = None, 0
    while room.fits_somebody:
        waiting = await store.lock_waiting(session, activity_id, after=last, most=most, limit=LOOKED_AT_ONCE)
        looked_at += len(waiting)
        for row, party in await _parties(session, waiting):
            if room.fits(party):
                room = room.after(party, waiting=-row.party_size)
                offered.append(row)
        if len(waiting) < LOOKED_AT_ONCE:
            # Somebody who was passed over because a request is busy with them is looked at again.
            places.offers_due = await store.count_waiting(session, activity_id, most=most) > looked_at
            break
        last = waiting[-1]
    if not offered:
        return
    leads = [row.id for row in offered]
    values = {"held_until": until, "waiting_since": None}
    await places_store.move(session, leads, {State.WAITLISTED}, State.OFFERED, values=values)
    places.taken, places.waiting = room.taken, room.waiting
    for each, many in room.taken_by_class.items():
        setattr(places, f"taken_{each}", many)
    await session.flush()
    for row in offered:
        row.state, row.held_until, row.waiting_since = State.OFFERED.value, until, None
        token = await links.issue_link(
            session,
            registration_id=row.id,
            purpose=Purpose.CONFIRM,
            expires_at=places_actions.link_ends(now, places),
        )
        await letters.send(session, settings, Letter.OFFERED, row, places, token=token, occasion=now)
    await places_actions.tell_if_turned(session, places, had=had)


async def _parties(
    session: AsyncSession, leads: Sequence[Registration]
) -> list[tuple[Registration, dict[ParticipantClass, int]]]:
    classes = {lead.id: Counter([ParticipantClass(lead.participant_class)]) for lead in leads}
    for lead_id, each in await store.classes_of(session, leads):
        classes[lead_id][ParticipantClass(each)] += 1
    return [(lead, rules.party(classes[lead.id])) for lead in leads]


async def approve(session: AsyncSession, settings: Settings, actor: Actor, registration_id: UUID) -> Registration:
    """Choose somebody who applied: they are offered a place, at once if there is room, else when there is."""
    row, places = await _undecided(session, actor, registration_id)
    if row.state == State.PENDING:
        now = await places_store.now(session)
        await places_store.move(session, [row.id], {State.PENDING}, State.WAITLISTED, values={"waiting_since": now})
        await places_store.change_waiting(session, row.activity_id, row.party_size)
        row.state, row.waiting_since = State.WAITLISTED.value, now
        await offer(session, settings, row.activity_id)
        await session.refresh(row)
        if row.state == State.WAITLISTED:
            token = await links.issue_link(
                session,
                registration_id=row.id,
                purpose=Purpose.MANAGE,
                expires_at=places_actions.link_ends(now, places),
            )
            position = await places_store.position(session, row)
            await letters.send(session, settings, Letter.WAITLISTED, row, places, token=token, position=position)
    return row


async def decline(session: AsyncSession, settings: Settings, actor: Actor, registration_id: UUID) -> Registration:
    """Tell somebody who applied, or who waits, that they can't be given a place."""
    row, places = await _undecided(session, actor, registration_id)
    if row.state == State.OFFERED:
        raise NotUndecided
    await places_actions.end(session, row, State.DECLINED, await places_store.now(session))
    await letters.send(session, settings, Letter.NOT_CHOSEN, row, places)
    return row


async def _undecided(session: AsyncSession, actor: Actor, registration_id: UUID) -> tuple[Registration, Places]:
    """A locked registration that the actor's section, or country, has yet to decide about, or has just approved."""
    row = await places_store.registration(session, registration_id, locked=True)
    if row is None:
        raise RegistrationNotFound
    places = await places_actions.organised(session, actor, row.activity_id)
    if row.lead_id is not None or row.state not in {State.PENDING, State.WAITLISTED, State.OFFERED}:
        raise NotUndecided
    return row, places
