"""Signing up for several dates of a series at once: each as by itself, in one transaction, with one mail and one link.

Places are taken in the order of the activities' ids, so that no two sign-ups wait for each other. As when signing up
for one activity, whoever has a registration already is answered like a stranger.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import REGISTRATION
from services.kernel.problems import FieldError, Invalid, Problem
from services.kernel.settings import Settings
from services.registration.mail.languages import Letter
from services.registration.people import actions as links
from services.registration.people import rules as people_rules
from services.registration.people.rules import Purpose
from services.registration.places import actions, letters, rules, signing_up, store
from services.registration.places.rules import State
from services.registration.places.schemas import NotGiven, Refusal, SignedUpTogether, SignUp, SignUpTogether
from services.registration.places.signing_up import Kept
from services.registration.places.tables import Places, Registration
from services.registration.proofs import actions as proofs
from services.registration.proofs.actions import Asker


@dataclass(frozen=True, slots=True)
class _Date:
    """One date that is wanted: where the request names it, and the sign-up for it alone."""

    pointer: str
    places: Places
    wanted: SignUp


async def dates_of(session: AsyncSession, series_id: UUID) -> Sequence[Places]:
    """The places of each date of a series that is known."""
    series = await store.places(session, series_id)
    found = await store.occurrences(session, series_id) if series is not None and series.has_parts else []
    if not found:
        raise rules.SeriesNotFound
    return found


async def sign_up(
    session: AsyncSession, settings: Settings, series_id: UUID, wanted: SignUpTogether, asker: Asker
) -> SignedUpTogether:
    """Hold a place on each of several dates until the one link is opened that is mailed for all of them."""
    dates = await _dates(session, series_id, wanted)
    await _check_details(session, settings, dates, wanted)
    await signing_up.admit(session, asker, wanted, [date.places for date in dates])
    await proofs.spend(session, asker)
    kept: dict[UUID, Kept] = {}
    refused: dict[UUID, Problem] = {}
    for date in sorted(dates, key=lambda date: date.places.activity_id):
        activity_id = date.places.activity_id
        try:
            async with nullcontext() if wanted.all_or_nothing else session.begin_nested():
                places, now = await signing_up.open_places(session, activity_id)
                kept[activity_id] = await signing_up.keep(session, settings, date.wanted, places, now)
        except Problem as problem:
            refused[activity_id] = problem
    if refused and wanted.all_or_nothing:
        faults = [(date.pointer, refused.get(date.places.activity_id)) for date in dates]
        raise rules.NotTogether(
            errors=[FieldError(pointer=pointer, detail=why.detail) for pointer, why in faults if why is not None]
        )
    await _write(
        session, settings, [kept[date.places.activity_id] for date in dates if date.places.activity_id in kept], dates
    )
    return SignedUpTogether(
        series_id=series_id,
        items=[
            kept[identity].answer
            if identity in kept
            else NotGiven(activity_id=identity, problem=_told(refused[identity]))
            for identity in (date.places.activity_id for date in dates)
        ],
    )


async def _dates(session: AsyncSession, series_id: UUID, wanted: SignUpTogether) -> list[_Date]:
    """The dates that are wanted, in the order of the request."""
    known = {places.activity_id: places for places in await dates_of(session, series_id)}
    if wanted.activity_ids is not None:
        foreign = [
            FieldError(pointer=f"#/activity_ids/{index}", detail="This is no date of the series.")
            for index, identity in enumerate(wanted.activity_ids)
            if identity not in known
        ]
        if foreign:
            raise Invalid(errors=foreign)
        named = [(f"#/activity_ids/{index}", known[identity]) for index, identity in enumerate(wanted.activity_ids)]
    else:
        now = await store.now(session)
        named = [("#/activity_ids", places) for places in known.values() if places.refusal(now) is None]
        if not named:
            raise rules.NoDateOpen
        if len(named) > rules.MOST_DATES:
            raise Invalid.at("#/activity_ids", f"More than {rules.MOST_DATES} dates are open: name those you want.")
    return [
        _Date(pointer, places, wanted.on(places.activity_id, asked={each["code"] for each in places.questions}))
        for pointer, places in named
    ]


async def _check_details(
    session: AsyncSession, settings: Settings, dates: Sequence[_Date], wanted: SignUpTogether
) -> None:
    """Refuse what does not fit the terms of one of the dates, and answers that none of them asks for."""
    asked = {each["code"] for date in dates for each in date.places.questions}
    faults = {
        f"#/answers/{code}": FieldError(pointer=f"#/answers/{code}", detail="The organisers do not ask this.")
        for code in wanted.answers
        if code not in asked
    }
    for date in dates:
        for fault in await signing_up.faults_of(session, settings, date.places, date.wanted):
            faults.setdefault(fault.pointer, fault)
    if faults:
        raise people_rules.invalid(list(faults.values()))


def _told(problem: Problem) -> Refusal:
    return Refusal(
        type=f"/{REGISTRATION}/problems/{problem.slug()}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
    )


async def _write(session: AsyncSession, settings: Settings, kept: Sequence[Kept], dates: Sequence[_Date]) -> None:
    """One mail for everything that is held; who waits or applied gets a mail for each, as it is decided for each."""
    wanted = {date.places.activity_id: date.wanted for date in dates}
    new = [each for each in kept if each.is_new]
    held = [each for each in new if each.answer.state is State.UNCONFIRMED]
    if len(held) > 1:
        await _write_of_held(session, settings, held, wanted[held[0].places.activity_id])
    for each in new if len(held) < 2 else [each for each in new if each not in held]:
        await signing_up.write_first(session, settings, each, wanted[each.places.activity_id])
    await _remind(session, settings, [each for each in kept if each.is_reminded])


async def _write_of_held(session: AsyncSession, settings: Settings, held: Sequence[Kept], wanted: SignUp) -> None:
    held = sorted(held, key=_by_date)
    await store.bind_together(session, [each.row for each in held])
    token = await _confirming(session, held)
    await letters.send(
        session,
        settings,
        Letter.CONFIRM_TOGETHER,
        held[0].row,
        held[0].places,
        token=token,
        recipient=wanted.email,
        dates=letters.dates_of(_pairs(held)),
        until=_until(held),
    )


async def _remind(session: AsyncSession, settings: Settings, reminded: Sequence[Kept]) -> None:
    """One mail for those that one link confirms, and one for those that are confirmed: not one for each date."""
    together: dict[tuple[str, UUID | None], list[Kept]] = {}
    for each in sorted(reminded, key=_by_date):
        row = each.row
        group = None if row.state == State.CONFIRMED else row.together_id or row.id
        together.setdefault((row.state, group), []).append(each)
    for (state, _), alike in together.items():
        row, places, now = alike[0].row, alike[0].places, alike[0].now
        if len(alike) == 1:
            await signing_up.remind(session, settings, alike[0])
        elif state == State.CONFIRMED:
            await actions.tell_of_places(session, settings, _pairs(alike), now)
        else:
            await letters.send(
                session,
                settings,
                Letter.CONFIRM_TOGETHER,
                row,
                places,
                token=await _confirming(session, alike),
                occasion=now,
                dates=letters.dates_of(_pairs(alike)),
                until=_until(alike),
            )


async def _confirming(session: AsyncSession, held: Sequence[Kept]) -> str:
    expires_at = max(actions.link_ends(each.now, each.places) for each in held)
    return await links.issue_link(
        session, registration_id=held[0].row.id, purpose=Purpose.CONFIRM, expires_at=expires_at
    )


def _by_date(kept: Kept) -> tuple[bool, datetime, UUID]:
    return rules.by_date(kept.places.starts_at, kept.row.id)


def _pairs(kept: Sequence[Kept]) -> list[tuple[Registration, Places]]:
    return [(each.row, each.places) for each in kept]


def _until(held: Sequence[Kept]) -> datetime:
    return min(each.row.held_until for each in held if each.row.held_until is not None)
