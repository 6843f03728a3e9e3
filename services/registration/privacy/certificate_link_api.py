"""The page of one's own hours and certificates behind a link. Opening it changes nothing; its button does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.kernel.limits import costing
from services.kernel.problems import Invalid
from services.kernel.routes import pages_by_secret
from services.kernel.runtime import Reading, Running, Writing
from services.kernel.texts import one_line
from services.registration.certificates import actions as certificates
from services.registration.certificates import pages, store
from services.registration.certificates.rules import (
    CertificateNotFound,
    NothingToCertify,
    NotPrintable,
    TooMuchToCertify,
)
from services.registration.certificates.schemas import CertificateWanted
from services.registration.form.filling import MOST_BYTES, parse
from services.registration.mail.languages import Page, language_of
from services.registration.people.tables import Participant
from services.registration.places.pages import render as render_place
from services.registration.privacy import actions, rules
from services.registration.privacy.store import registrations_of

router = pages_by_secret(tag="links")

Token = Annotated[str, Path(description="The secret that was mailed.")]

_YEAR: Final = re.compile(r"(?P<first>[0-9]{4})/[0-9]{2}")
_REFUSED: Final = {
    NothingToCertify: "mine.nothing",
    Invalid: "mine.nothing",
    TooMuchToCertify: "mine.too_much",
    NotPrintable: "mine.not_printable",
}


@router.get("/{token}/me/certificates", response_class=HTMLResponse)
async def show_my_certificates(
    session: Reading, token: Token, made: Annotated[str | None, Query()] = None
) -> HTMLResponse:
    """One's hours, one's certificates, and the button for another one."""
    try:
        who = await actions.person(session, token)
    except rules.LinkNeeded:
        return _not_found()
    return await _page(session, who, said="mine.made" if made else None)


@router.post("/{token}/me/certificates", response_class=HTMLResponse)
async def get_certified_by_link(request: Request, session: Writing, runtime: Running, token: Token) -> Response:
    """Get a certificate by the button; once more is the same certificate."""
    body = await request.body()
    sent = parse(request.headers.get("content-type", ""), body) if len(body) <= MOST_BYTES else None
    try:
        who = await actions.person(session, token, locked=True)
    except rules.LinkNeeded:
        return _not_found()
    try:
        await certificates.issue(session, runtime.settings, who.id, _wanted(sent or {}))
    except ValidationError:
        return await _page(session, who, said="mine.nothing", status=422)
    except (Invalid, NothingToCertify, TooMuchToCertify) as problem:
        return await _page(session, who, said=_REFUSED[type(problem)], status=problem.status)
    return RedirectResponse("certificates?made=yes", status_code=303)


@router.get("/{token}/me/certificates/{number}.pdf", dependencies=[costing(5)])
async def download_my_certificate(session: Reading, token: Token, number: str) -> Response:
    """A certificate of one's own as PDF."""
    try:
        who = await actions.person(session, token)
        return pages.file(*await certificates.printed(session, who.id, number))
    except (rules.LinkNeeded, CertificateNotFound):
        return _not_found()
    except NotPrintable as problem:
        return await _page(session, who, said=_REFUSED[NotPrintable], status=problem.status)


def _wanted(sent: Mapping[str, str]) -> CertificateWanted:
    of, language = sent.get("of", ""), sent.get("language") or None
    year = _YEAR.fullmatch(of)
    if year is not None:
        first = int(year["first"])
        period = {"since": f"{first:04}-08-01", "until": f"{first + 1:04}-07-31"}
        return CertificateWanted.model_validate({**period, "language": language})
    return CertificateWanted.model_validate({"activity_ids": [of] if of else None, "language": language})


async def _page(session: Reading | Writing, who: Participant, *, said: str | None, status: int = 200) -> HTMLResponse:
    rows = await registrations_of(session, who.id)
    language = language_of(rows[0][0].language if rows else "en")
    attended = [
        (each.places.activity_id, one_line(each.places.title), certificates.day_of(each))
        for each in reversed(await store.attended(session, who.id))
        if not each.is_barred
    ]
    hours, mine = await certificates.hours(session, who.id), await certificates.mine(session, who.id)
    return pages.mine(language, hours, mine, attended, said=said, status=status)


def _not_found() -> HTMLResponse:
    return render_place(Page.LINK_NOT_FOUND, language_of("en"), status=404)
