"""The pages behind mailed links. Opening one changes nothing, since mail scanners open links too; its button does.

They are for people, who get a page where programs get a problem document, so OpenAPI leaves them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

from fastapi import Path
from starlette.responses import HTMLResponse, Response

from services.kernel.problems import Problem
from services.kernel.routes import pages_by_secret
from services.kernel.runtime import Reading, Running, Writing
from services.registration.mail.languages import Page
from services.registration.mail.letters import language_of
from services.registration.people.rules import LinkExpired, LinkNotFound, LinkUsed, Purpose
from services.registration.places import actions, calendars, letters, rules, store
from services.registration.places.actions import Linked
from services.registration.places.pages import render
from services.registration.places.rules import State
from services.registration.places.tables import Places, Registration

router = pages_by_secret(tag="links")

Token = Annotated[str, Path(description="The secret that was mailed.")]

_PAGE_OF: dict[type[Problem], Page] = {
    LinkNotFound: Page.LINK_NOT_FOUND,
    LinkExpired: Page.LINK_EXPIRED,
    LinkUsed: Page.ALREADY_CONFIRMED,
    rules.HoldEnded: Page.HOLD_ENDED,
    rules.RegistrationCancelled: Page.CANCELLED,
    rules.NotChosen: Page.NOT_CHOSEN,
    rules.ActivityCalledOff: Page.CALLED_OFF,
    rules.ActivityBegan: Page.TOO_LATE,
    rules.AlreadyCheckedIn: Page.TOO_LATE,
}


@router.get("/{token}", response_class=HTMLResponse)
async def open_link(session: Reading, token: Token) -> HTMLResponse:
    """The page of a mailed link, with its button."""
    try:
        linked = (await actions.follow_link(session, token, writing=False)).of_those_left()
        linked.check_live()
    except Problem as problem:
        return await _explain(session, token, problem)
    return await _live(session, linked, token)


@router.post("/{token}", response_class=HTMLResponse)
async def confirm_by_link(session: Writing, runtime: Running, token: Token) -> HTMLResponse:
    """Confirm by the button; once more is as good as once."""
    try:
        before = (await actions.follow_link(session, token)).of_those_left().row.state
        linked = await actions.confirm(session, runtime.settings, token)
    except Problem as problem:
        return await _explain(session, token, problem)
    if len(linked.still) > 1:
        return _show(Page.CONFIRMED_TOGETHER, linked, of=linked.still)
    if linked.purpose is Purpose.MANAGE and linked.is_asked_again:
        return _show(Page.STILL_COMES, linked, shows_code=True, ways=_ways(linked, token))
    return _show(Page.ALREADY_CONFIRMED if before == State.CONFIRMED else Page.CONFIRMED, linked)


@router.post("/{token}/cancel", response_class=HTMLResponse)
async def cancel_by_link(session: Writing, runtime: Running, token: Token) -> HTMLResponse:
    """Give the place back by the button, or decline, or stop waiting; once more is as good as once."""
    try:
        before = State((await actions.follow_link(session, token)).of_those_left().row.state)
        linked = await actions.cancel(session, runtime.settings, token)
    except Problem as problem:
        return await _explain(session, token, problem)
    return _show(_LEFT.get(before, Page.CANCELLED), linked)


@router.get("/{token}/calendar.ics")
async def get_calendar(session: Reading, runtime: Running, token: Token) -> Response:
    """The registration for its owner's calendar; cancelled there, too, once it has ended."""
    try:
        linked = await actions.follow_link(session, token, writing=False)
        if linked.purpose is not Purpose.MANAGE or linked.places.starts_at is None:
            raise LinkNotFound
    except (LinkNotFound, LinkExpired) as problem:
        return await _explain(session, token, problem)
    headers = {
        "Content-Disposition": 'attachment; filename="socialerasmus.ics"',
        "Cache-Control": "private, no-cache",
        "X-Robots-Tag": "noindex, nofollow",
    }
    entry = calendars.calendar(runtime.settings, linked.row, linked.places)
    return Response(entry, media_type=calendars.MEDIA_TYPE, headers=headers)


_LEFT: Final = {
    State.OFFERED: Page.OFFER_DECLINED,
    State.WAITLISTED: Page.WITHDRAWN,
    State.PENDING: Page.WITHDRAWN,
}


async def _live(session: Reading, linked: Linked, token: str) -> HTMLResponse:
    """The page of a registration that has not ended, with what can be done about it."""
    match State(linked.row.state), linked.purpose:
        case State.OFFERED, _:
            return _show(Page.OFFERED, linked, action=token, decline=f"{token}/cancel")
        case State.WAITLISTED, _:
            position = await store.position(session, linked.row)
            ways = _ways(linked, token)
            return _show(Page.WAITING, linked, action=f"{token}/cancel", position=position, ways=ways)
        case State.PENDING, _:
            return _show(Page.PENDING, linked, action=f"{token}/cancel", ways=_ways(linked, token))
        case _, Purpose.MANAGE:
            return _managed(linked, token)
        case State.UNCONFIRMED, _ if len(linked.held) > 1:
            return _show(Page.CONFIRM_TOGETHER, linked, action=token, decline=f"{token}/cancel", of=linked.held)
        case State.CONFIRMED, _ if len(linked.still) > 1:
            return _show(Page.CONFIRMED_TOGETHER, linked, of=linked.still)
        case State.CONFIRMED, _:
            return _show(Page.ALREADY_CONFIRMED, linked)
        case _:
            return _show(Page.CONFIRM, linked, action=token)


def _managed(linked: Linked, token: str) -> HTMLResponse:
    shows_code = linked.row.state == State.CONFIRMED
    picture = f"{token}/code" if shows_code else None
    try:
        linked.check_cancellable()
    except Problem:
        return _show(Page.TOO_LATE, linked, shows_code=shows_code, picture=picture, ways=_ways(linked, token))
    if linked.is_asked_again and linked.row.still_comes_at is None:
        return _show(Page.ASKED_AGAIN, linked, action=token, decline=f"{token}/cancel", ways=_ways(linked, token))
    return _show(
        Page.MANAGE,
        linked,
        action=f"{token}/cancel",
        shows_code=shows_code,
        picture=picture,
        ways=_ways(linked, token),
    )


def _ways(linked: Linked, token: str) -> list[tuple[str, str]]:
    """What else somebody can do behind a link that manages a registration, as far as they can do it now."""
    if linked.purpose is not Purpose.MANAGE:
        return []
    ways = []
    if linked.may_change:
        ways.append(("ways.answers", f"{token}/answers"))
    if linked.row.state == State.CONFIRMED and linked.places.starts_at is not None:
        ways.append(("ways.calendar", f"{token}/calendar.ics"))
    if linked.row.checked_in_at is not None:
        ways.append(("mine.title", f"{token}/me/certificates"))
    return [*ways, ("privacy.title", f"{token}/me")]


def _show(
    page: Page,
    linked: Linked,
    *,
    status: int = 200,
    action: str | None = None,
    decline: str | None = None,
    shows_code: bool = False,
    picture: str | None = None,
    position: int | None = None,
    of: Sequence[tuple[Registration, Places]] = (),
    ways: Sequence[tuple[str, str]] = (),
) -> HTMLResponse:
    facts = letters.facts(linked.row, linked.places, position=position)
    if of:
        until = min((row.held_until for row, _ in of if row.held_until is not None), default=None)
        facts = replace(facts, dates=tuple(letters.dates_of(of)), held_until=until)
    language = language_of(linked.row.language)
    return render(
        page,
        language,
        facts,
        status=status,
        action=action,
        decline=decline,
        shows_code=shows_code,
        picture=picture,
        ways=ways,
    )


async def _explain(session: Reading | Writing, token: str, problem: Problem) -> HTMLResponse:
    page = _PAGE_OF[type(problem)]
    if page in {Page.LINK_NOT_FOUND, Page.LINK_EXPIRED}:
        return render(page, language_of("en"), status=problem.status)
    # Who comes back to what they ended themselves made no mistake.
    status = (
        200 if page in {Page.CANCELLED, Page.CALLED_OFF, Page.ALREADY_CONFIRMED, Page.NOT_CHOSEN} else problem.status
    )
    return _show(page, await actions.follow_link(session, token, writing=False), status=status)
