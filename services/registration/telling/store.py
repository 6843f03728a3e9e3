"""Every statement about who is to be told that an activity moved, and who is to be reminded of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.registration.people.tables import Participant
from services.registration.places.tables import Places, Registration

MOVES_AT_ONCE: Final = 20
_UNSYNCHRONISED = {"synchronize_session": False}
_IS_LIVE: Final = sa.text(
    "registrations.state IN ('unconfirmed', 'pending_approval', 'waitlisted', 'offered', 'confirmed')"
)
# The dates of a series are revised one after the other.
_MOVED_ALONG: Final = timedelta(minutes=1)
# Whoever signed up while the news arrived may have read the old time.
_JUST: Final = timedelta(minutes=1)


async def lock_moved(session: AsyncSession) -> Sequence[Places]:
    """Activities whose move has settled, locked; a date of a series waits for those that moved along with it."""
    other = aliased(Places)
    moves_along = sa.select(other.activity_id).where(
        other.part_of == Places.part_of,
        other.move_due_at > sa.func.now(),
        other.move_due_at <= Places.move_due_at + _MOVED_ALONG,
    )
    statement = (
        sa.select(Places)
        .where(Places.move_due_at <= sa.func.now(), ~moves_along.exists())
        .order_by(Places.activity_id)
        .limit(MOVES_AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()


def _to_ask() -> sa.ColumnElement[bool]:
    not_told = sa.or_(Registration.asked_again_at.is_(None), Registration.asked_again_at < Places.moved_at)
    return sa.and_(
        Registration.activity_id == Places.activity_id,
        Places.to_ask_again,
        Places.state == "published",
        sa.or_(Places.starts_at.is_(None), Places.starts_at > sa.func.now()),
        Registration.lead_id.is_(None),
        Registration.checked_in_at.is_(None),
        _IS_LIVE,
        Registration.signed_up_at < Places.moved_at + _JUST,
        not_told,
    )


async def lock_to_ask(session: AsyncSession, *, limit: int) -> Sequence[tuple[Registration, Places]]:
    """Those who have yet to be told that their activity moved, locked; those that somebody is busy with wait.

    With each come the same person's places on other dates of the series, past the limit too: they are one letter.
    """
    found = list(await _locked(session, sa.select(Registration, Places).where(_to_ask()), limit))
    people = {row.participant_id for row, places in found if places.part_of is not None}
    if len(found) == limit and people:
        known = [row.id for row, _ in found]
        series = {places.part_of for _, places in found if places.part_of is not None}
        more = sa.and_(
            _to_ask(),
            Registration.participant_id.in_(people),
            Places.part_of.in_(series),
            Registration.id.not_in(known),
        )
        found += await _locked(session, sa.select(Registration, Places).where(more), None)
    return found


async def finish_asking(session: AsyncSession) -> None:
    """Pass over moved activities of which everybody has been told."""
    left = sa.select(Registration.id).where(_to_ask()).correlate(Places)
    statement = sa.update(Places).where(Places.to_ask_again, ~left.exists()).values(to_ask_again=False)
    await session.execute(statement, execution_options=_UNSYNCHRONISED)


def _day(moment: Any) -> sa.ColumnElement[Any]:
    """The day of a moment where the activity is."""
    return sa.cast(sa.func.timezone(Places.time_zone, moment), sa.Date)


def _to_remind() -> sa.ColumnElement[bool]:
    wants_none = sa.select(Participant.id).where(
        Participant.id == Registration.participant_id, Participant.reminders_declined_at.is_not(None)
    )
    return sa.and_(
        Registration.activity_id == Places.activity_id,
        Places.remind_at <= sa.func.now(),
        Places.state == "published",
        # "Tomorrow" must be true, also when the worker was away at the time.
        _day(sa.func.now()) < _day(Places.starts_at),
        sa.text("registrations.state = 'confirmed'"),
        Registration.lead_id.is_(None),
        Registration.participant_id.is_not(None),
        Registration.checked_in_at.is_(None),
        Registration.confirmed_at < Places.remind_at,
        Registration.reminded_for.is_distinct_from(Places.starts_at),
        ~wants_none.exists(),
    )


async def lock_to_remind(session: AsyncSession, *, limit: int) -> Sequence[tuple[Registration, Places]]:
    """Those who are to be reminded now, locked; those that somebody is busy with wait."""
    return await _locked(session, sa.select(Registration, Places).where(_to_remind()), limit)


async def finish_reminding(session: AsyncSession) -> None:
    """Pass over activities of which everybody has been reminded."""
    left = sa.select(Registration.id).where(_to_remind()).correlate(Places)
    statement = sa.update(Places).where(Places.remind_at <= sa.func.now(), ~left.exists()).values(remind_at=None)
    await session.execute(statement, execution_options=_UNSYNCHRONISED)


async def _locked(
    session: AsyncSession, statement: sa.Select[Registration, Places], limit: int | None
) -> Sequence[tuple[Registration, Places]]:
    statement = (
        statement.order_by(Registration.id)
        .limit(limit)
        .with_for_update(of=Registration, skip_locked=True, key_share=True)
    )
    found = await session.execute(statement, execution_options={"populate_existing": True})
    return [(registration, places) for registration, places in found]
