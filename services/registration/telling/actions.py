"""Asking people again when the activity moved, and reminding them of it.

Both go through an activity's registrations some at a time, each in one transaction with its letter, so that a worker
that is killed goes on where it was, and nobody is written to twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.auth import hashed
from services.kernel.settings import Settings
from services.registration.mail.languages import Letter
from services.registration.people import actions as links
from services.registration.people import rules as people_rules
from services.registration.people import store as people
from services.registration.people.rules import Purpose
from services.registration.places import actions as places_actions
from services.registration.places import letters, rules
from services.registration.places import store as places_store
from services.registration.places.rules import State
from services.registration.places.tables import Places, Registration
from services.registration.places.timing import Whereabouts
from services.registration.telling import store

LETTERS_AT_ONCE = 100


async def tell_of_moves(session: AsyncSession, settings: Settings) -> int:
    """Write to those who signed up for what has moved and come to rest; answers how many moves and letters."""
    settled = await _settle(session)
    found = await store.lock_to_ask(session, limit=LETTERS_AT_ONCE)
    now = await places_store.now(session)
    letters_due: dict[object, list[tuple[Registration, Places]]] = {}
    for row, places in found:
        row.asked_again_at, row.still_comes_at = now, None
        # A series that moves as a whole is one letter to whoever has places on several of its dates.
        together = row.state == State.CONFIRMED and places.part_of is not None
        key = (row.participant_id, places.part_of) if together else row.id
        letters_due.setdefault(key, []).append((row, places))
    for each in letters_due.values():
        await (_ask_of_one if len(each) == 1 else _ask_of_several)(session, settings, each, now)
    if not found:
        await store.finish_asking(session)
    return settled + len(found)


async def _ask_of_one(
    session: AsyncSession, settings: Settings, moved: Sequence[tuple[Registration, Places]], now: datetime
) -> None:
    [(row, places)] = moved
    token = await _link(session, row, places, now)
    letter = Letter.MOVED if row.state in rules.SEATED else Letter.MOVED_WAITING
    await letters.send(session, settings, letter, row, places, token=token, occasion=places.moved_at)


async def _ask_of_several(
    session: AsyncSession, settings: Settings, moved: Sequence[tuple[Registration, Places]], now: datetime
) -> None:
    by_date = sorted(moved, key=lambda each: rules.by_date(each[1].starts_at, each[0].id))
    dates = []
    for row, places in by_date:
        link = letters.address(settings, await _link(session, row, places, now))
        dates.append(replace(letters.facts(row, places, link=link), code=""))
    row, places = by_date[0]
    await letters.send(session, settings, Letter.MOVED_TOGETHER, row, places, dates=dates, occasion=now)


async def _link(session: AsyncSession, row: Registration, places: Places, now: datetime) -> str:
    return await links.issue_link(
        session,
        registration_id=row.id,
        purpose=Purpose.CONFIRM if row.state in rules.HELD else Purpose.MANAGE,
        expires_at=places_actions.link_ends(now, places),
    )


async def _settle(session: AsyncSession) -> int:
    """Begin to tell of each move that has settled, unless the activity is back where people know it to be."""
    due = await store.lock_moved(session)
    for places in due:
        was = Whereabouts(places.moved_from_starts_at, places.moved_from_ends_at, places.moved_from_location)
        if was.moved_to(places.whereabouts):
            places.to_ask_again, places.moved_at = True, places.move_noted_at
        places.move_due_at = places.move_noted_at = None
        places.moved_from_starts_at = places.moved_from_ends_at = places.moved_from_location = None
    await session.flush()
    return len(due)


async def remind(session: AsyncSession, settings: Settings) -> int:
    """Write to those who come tomorrow; answers how many."""
    found = await store.lock_to_remind(session, limit=LETTERS_AT_ONCE)
    for row, places in found:
        now = await places_store.now(session)
        ends = places_actions.link_ends(now, places)
        manage = await links.issue_link(session, registration_id=row.id, purpose=Purpose.MANAGE, expires_at=ends)
        stop = await links.issue_link(session, registration_id=row.id, purpose=Purpose.REMINDERS, expires_at=ends)
        await letters.send(
            session, settings, Letter.REMINDER, row, places, token=manage, stop=stop, occasion=places.starts_at
        )
        row.reminded_for = places.starts_at
    if not found:
        await store.finish_reminding(session)
    return len(found)


async def reminded(session: AsyncSession, token: str) -> tuple[Registration, Places]:
    """Whose reminders a mailed secret ends, and of which activity the reminder with it was."""
    link = await links.read_link(session, token)
    if link.purpose != Purpose.REMINDERS:
        raise people_rules.LinkNotFound
    row = await places_store.registration(session, link.registration_id, locked=False)
    if row is None or row.participant_id is None:
        raise people_rules.LinkNotFound
    if link.expires_at <= await places_store.now(session):
        raise people_rules.LinkExpired
    places = await places_store.places(session, row.activity_id)
    assert places is not None
    return row, places


async def decline_reminders(session: AsyncSession, token: str, *, declined: bool) -> tuple[Registration, Places]:
    """Send somebody no reminder of any activity any more, or send them again."""
    row, places = await reminded(session, token)
    assert row.participant_id is not None
    await people.decline_reminders(session, row.participant_id, declined=declined)
    await people.use_link(session, hashed(token))
    return row, places
