"""The page on which somebody changes what they told when they signed up; programs take `PUT …/details`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.kernel.problems import Invalid, Problem
from services.kernel.routes import pages_by_secret
from services.kernel.runtime import Reading, Writing
from services.registration.form import actions, filling
from services.registration.form.fields import Filled
from services.registration.form.pages import answers
from services.registration.mail.languages import language_of
from services.registration.people.rules import Purpose
from services.registration.places import actions as places_actions
from services.registration.places import hosts as sections
from services.registration.places import store
from services.registration.places.actions import Linked

router = pages_by_secret(tag="links")

Token = Annotated[str, Path(description="The secret that was mailed.")]


@router.get("/{token}/answers", response_class=Response)
async def show_answers(session: Reading, token: Token) -> Response:
    """What somebody told, to be changed."""
    linked = await _changeable(session, token, writing=False)
    if linked is None:
        return _back(token)
    language = language_of(linked.row.language)
    hosts = await sections.listed(session)
    guests = await store.guests_of(session, linked.row)
    filled = filling.as_filled(linked.row, linked.places, language.tag, guests)
    return answers(language, linked.places, filled, hosts=hosts, token=token, guests=len(guests))


@router.post("/{token}/answers", response_class=Response)
async def change_answers(request: Request, session: Writing, token: Token) -> Response:
    """Keep what somebody changed; the same once more is as good as once."""
    linked = await _changeable(session, token, writing=True)
    body = await request.body()
    sent = filling.parse(request.headers.get("content-type", ""), body) if len(body) <= filling.MOST_BYTES else None
    if linked is None or sent is None:
        return _back(token)
    row, places = linked.row, linked.places
    hosts = await sections.listed(session)
    guests = len(await store.guests_of(session, row))
    wanted, filled = filling.read_changes(places, sent, guests=guests)
    if wanted is not None:
        try:
            await actions.change(session, row, places, wanted)
        except Invalid as problem:
            filled = Filled(filled.values, filling.explained(places, problem.errors))
    language = language_of(row.language)
    is_kept = wanted is not None and not filled.faults
    status = 200 if is_kept else 422
    return answers(language, places, filled, hosts=hosts, token=token, guests=guests, saved=is_kept, status=status)


async def _changeable(session: AsyncSession, token: str, *, writing: bool) -> Linked | None:
    try:
        linked = await places_actions.follow_link(session, token, writing=writing)
    except Problem:
        return None
    return linked if linked.purpose is Purpose.MANAGE and linked.may_change else None


def _back(token: str) -> Response:
    """To the page of the link, which says what can be done behind it and what can't."""
    return RedirectResponse(f"../{token}", status_code=303, headers={"Cache-Control": "no-store"})
