"""What becomes of registrations when time passes or the activity does not take place: holds, offers and waits end."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.settings import Settings
from services.registration.mail.languages import Letter
from services.registration.places import actions, letters, rules, store
from services.registration.places.rules import State

HOLDS_AT_ONCE = 500
LETTERS_AT_ONCE = 100


async def expire_holds(session: AsyncSession, settings: Settings, *, limit: int = HOLDS_AT_ONCE) -> int:
    """Free the places that nobody confirmed in time; answers how many registrations that concerned."""
    found = await store.lock_ended_holds(session, limit=limit)
    leads = [row.id for row, _ in found]
    now = await store.now(session)
    for row, places in found:
        if row.state == State.OFFERED:
            await letters.send(session, settings, Letter.OFFER_ENDED, row, places)
    if leads:
        moved = await store.move(session, leads, rules.HELD, State.EXPIRED, values={"ended_at": now})
        await actions.leave(session, State.UNCONFIRMED, moved)
    return len(found)


async def end_waiting(session: AsyncSession, settings: Settings) -> int:
    """Tell those who wait in vain that no place is offered any more; answers how many."""
    found = await store.lock_waiting_in_vain(session, limit=LETTERS_AT_ONCE)
    now = await store.now(session)
    for row, places in found:
        await actions.end(session, row, State.EXPIRED, now)
        await letters.send(session, settings, Letter.NOT_CHOSEN, row, places)
    return len(found)


async def call_off(session: AsyncSession, settings: Settings) -> int:
    """Let registrations of cancelled activities end, and write to each of the people; answers how many."""
    found = await store.lock_to_call_off(session, limit=LETTERS_AT_ONCE)
    now = await store.now(session)
    by_state: dict[State, list[UUID]] = {}
    for row, places in found:
        by_state.setdefault(State(row.state), []).append(row.id)
        await letters.send(session, settings, Letter.CALLED_OFF, row, places)
    for state, leads in sorted(by_state.items()):
        moved = await store.move(
            session, leads, rules.LIVE, State.CANCELLED, values={"ended_at": now}, even_who_came=True
        )
        await actions.leave(session, state, moved)
    if not found:
        await store.finish_calling_off(session)
    return len(found)
