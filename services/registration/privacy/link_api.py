"""The page of the person behind a link, for people; what it does is what the routes of `/me` do for programs.

Opening it changes nothing, since mail scanners open links too; its buttons do.
"""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Path
from starlette.responses import HTMLResponse, Response

from services.kernel.limits import costing
from services.kernel.routes import pages_by_secret
from services.kernel.runtime import Reading, Running, Writing
from services.kernel.texts import one_line
from services.registration.mail.languages import Language, Page, language_of
from services.registration.people.rules import PARTICIPATION
from services.registration.people.tables import Participant
from services.registration.places.pages import render as render_place
from services.registration.privacy import actions, rules, store
from services.registration.privacy.pages import render
from services.registration.privacy.schemas import ExportOut

router = pages_by_secret(tag="links")

Token = Annotated[str, Path(description="The secret that was mailed.")]


@router.get("/{token}/me", response_class=HTMLResponse)
async def open_me(session: Reading, token: Token) -> HTMLResponse:
    """What is known of the person behind a link."""
    try:
        return await _page(session, await actions.person(session, token))
    except rules.LinkNeeded:
        return _not_found()


@router.get("/{token}/me/export", dependencies=[costing(5)])
async def download_me(session: Reading, runtime: Running, token: Token) -> Response:
    """Everything that is kept of the person behind a link, as a file."""
    try:
        told: ExportOut = await actions.export(session, runtime.settings, await actions.person(session, token))
    except rules.LinkNeeded:
        return _not_found()
    headers = {"Content-Disposition": rules.AS_FILE, "Cache-Control": "private, no-store"}
    return Response(told.model_dump_json(indent=2), media_type="application/json", headers=headers)


@router.post("/{token}/me/withdraw", response_class=HTMLResponse)
async def withdraw_by_link(session: Writing, token: Token) -> HTMLResponse:
    """Withdraw consent by the button; once more is as good as once."""
    try:
        who = await actions.person(session, token, locked=True)
    except rules.LinkNeeded:
        return _not_found()
    await actions.withdraw_consent(session, who, PARTICIPATION)
    return render(await _language(session, who), said="me.withdrawn")


@router.post("/{token}/me/erase", response_class=HTMLResponse)
async def erase_by_link(session: Writing, token: Token) -> HTMLResponse:
    """Erase the person by the button."""
    try:
        who = await actions.person(session, token, locked=True)
    except rules.LinkNeeded:
        return _not_found()
    language = await _language(session, who)
    await actions.forget_person(session, who)
    return render(language, said="me.erased")


async def _page(session: Reading, who: Participant) -> HTMLResponse:
    language = await _language(session, who)
    listed = [
        (one_line(places.title), language.when(places.starts_at, places.ends_at, ZoneInfo(places.time_zone)))
        for _, places, _ in await store.registrations_of(session, who.id)
    ]
    return render(language, email=who.email, registrations=listed)


async def _language(session: Reading | Writing, who: Participant) -> Language:
    rows = await store.registrations_of(session, who.id)
    return language_of(rows[0][0].language if rows else "en")


def _not_found() -> HTMLResponse:
    return render_place(Page.LINK_NOT_FOUND, language_of("en"), status=404)
