"""Setting the terms on which an activity's places are given."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.kernel.auth import Actor
from services.registration.places import actions as places_actions
from services.registration.places import rules
from services.registration.places import store as places_store
from services.registration.places.tables import Places
from services.registration.terms.schemas import Terms


async def lock(session: AsyncSession, actor: Actor, activity_id: UUID) -> Places:
    """The places of an activity that the actor organises, locked: no place is given meanwhile."""
    await places_actions.organised(session, actor, activity_id)
    places = await places_store.lock_places(session, activity_id)
    assert places is not None
    return places


async def set_terms(session: AsyncSession, places: Places, wanted: Terms) -> None:
    """Put other terms on locked places. Nobody loses a place by them; who waits may fit in now."""
    had = places.room
    # Places that were given before there was a quota count in it, too.
    counted = await places_store.count_seated(session, places.activity_id)
    for each in ParticipantClass:
        setattr(places, f"taken_{each}", counted[each])
        setattr(places, f"quota_{each}", wanted.quotas.get(each))
    places.choosing, places.keeps_waiting_list = wanted.choosing.value, wanted.waiting_list
    places.guests_at_most, places.hold_minutes = wanted.guests_at_most, wanted.hold_minutes
    places.offer_hours, places.offers_end_hours = wanted.offer_hours, wanted.offers_end_hours
    places.confirm_until, places.asks_esncard = wanted.confirm_until, wanted.asks_esncard
    places.questions = [question.model_dump(mode="json") for question in wanted.questions]
    places.terms_revision += 1
    places.offers_due = places.waiting > 0
    await session.flush()
    await places_actions.tell_if_turned(session, places, had=had)


async def shown(session: AsyncSession, activity_id: UUID) -> Places:
    """The places of an activity, or a 404."""
    places = await places_store.places(session, activity_id)
    if places is None:
        raise rules.ActivityNotFound
    return places
