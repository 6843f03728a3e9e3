"""The pages by which people verify a certificate, where its code leads. OpenAPI leaves them out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Header, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.kernel.routes import pages as make_router
from services.kernel.runtime import Reading
from services.registration.certificates import actions, pages
from services.registration.certificates.rules import CertificateNotFound, read_number
from services.registration.certificates.schemas import NameToCheck
from services.registration.form.filling import MOST_BYTES, parse
from services.registration.mail.languages import chosen

router = make_router(tag="certificates")

Accepted = Annotated[str, Header(alias="Accept-Language")]
Lang = Annotated[str | None, Query()]


@router.get("/certificates", response_class=HTMLResponse)
async def ask_for_number(
    number: Annotated[str | None, Query()] = None, lang: Lang = None, accepted: Accepted = ""
) -> Response:
    """The page for who reads a number from paper; with one it leads on."""
    language = chosen(lang, accepted)
    if number is None:
        return pages.asked(language, below="")
    known = read_number(number)
    if known is None:
        return pages.asked(language, below="", is_unknown=True)
    return RedirectResponse(f"certificates/{known}?lang={quote(language.tag)}", status_code=303)


@router.get("/certificates/{number}", response_class=HTMLResponse)
async def show_certificate(session: Reading, number: str, lang: Lang = None, accepted: Accepted = "") -> HTMLResponse:
    """Whether a certificate is valid, and what it states."""
    language = chosen(lang, accepted)
    try:
        return pages.verified(language, await actions.verify(session, number))
    except CertificateNotFound:
        return pages.asked(language, is_unknown=True)


@router.post("/certificates/{number}", response_class=HTMLResponse)
async def show_name_checked(request: Request, session: Reading, number: str, accepted: Accepted = "") -> HTMLResponse:
    """Whether a certificate was issued to the name that somebody wrote; it changes nothing."""
    body = await request.body()
    sent = parse(request.headers.get("content-type", ""), body) if len(body) <= MOST_BYTES else None
    language = chosen((sent or {}).get("lang"), accepted)
    try:
        found = await actions.verify(session, number)
        told = NameToCheck(name=(sent or {}).get("name", ""))
    except CertificateNotFound:
        return pages.asked(language, is_unknown=True)
    except ValidationError:
        return pages.verified(language, found)
    return pages.verified(language, found, checked=(told.name, await actions.is_name(session, number, told.name)))
