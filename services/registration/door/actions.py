"""Lending an activity's door to a helper, and who keeps it: by a pass, or as one of its organisers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import digests, reach
from services.kernel.auth import Actor, Role, hashed
from services.kernel.ids import new_id
from services.kernel.problems import Unauthenticated
from services.registration.door import rules, store
from services.registration.door.tables import CheckInPass
from services.registration.places import actions as places_actions
from services.registration.places import store as places_store
from services.registration.places.tables import Places


@dataclass(frozen=True, slots=True)
class Door:
    """An activity's door, and who keeps it."""

    keeper: Actor
    places: Places


async def lend(
    session: AsyncSession, actor: Actor, activity_id: UUID, *, on: date | None, label: str | None
) -> tuple[CheckInPass, str]:
    """Make a pass and answer its secret with it; that can't be read again."""
    places = await places_actions.organised(session, actor, activity_id)
    span = rules.span(
        on,
        zone=ZoneInfo(places.time_zone),
        starts_at=places.starts_at,
        ends_at=places.ends_at,
        now=await places_store.now(session),
    )
    if await store.count_live(session, activity_id) >= rules.MOST_AT_A_TIME:
        raise rules.TooManyPasses
    secret = rules.PREFIX + digests.mark() + secrets.token_urlsafe(32)
    made = await store.add(
        session,
        id=new_id(),
        activity_id=activity_id,
        secret_hash=hashed(secret),
        label=label,
        made_by=actor.id,
        begins_at=span.begins_at,
        expires_at=span.ends_at,
    )
    return made, secret


async def revoke(session: AsyncSession, actor: Actor, activity_id: UUID, identity: UUID) -> None:
    """Take a pass back, at once."""
    await places_actions.organised(session, actor, activity_id)
    if not await store.revoke(session, activity_id, identity):
        raise rules.PassNotFound


async def opened_by_pass(session: AsyncSession, activity_id: UUID, secret: str) -> Door:
    """The door of an activity for whoever holds a pass for it: somebody who reaches nothing else."""
    found = await store.live_pass(session, activity_id, hashed(secret))
    if found is None:
        raise Unauthenticated("This pass is not for this door, not for now, or was taken back.")
    places = await places_store.places(session, activity_id)
    assert places is not None, "a pass is of an activity that is known"
    # No further than those who lent it; a national organisation has no code.
    sections = places.section_codes
    await reach.take(session, reach.of_section(sections[0]) if sections else reach.of_country(places.country or ""))
    return Door(Actor(found.id, Role.MACHINE, None, None), places)


async def opened(session: AsyncSession, actor: Actor, activity_id: UUID) -> Door:
    """The door of an activity for its organisers."""
    return Door(actor, await places_actions.organised(session, actor, activity_id))
