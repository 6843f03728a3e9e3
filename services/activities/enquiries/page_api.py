"""The form for organisations that want to become a partner: a page that works without a script."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Header, Query
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import HTMLResponse

from services.activities.directory import store as directory
from services.activities.enquiries import actions, rules
from services.activities.enquiries.languages import FIELDS, Language, choose
from services.activities.enquiries.pages import Form, form, thanks
from services.activities.enquiries.schemas import EnquiryIn
from services.kernel.routes import pages
from services.kernel.runtime import Reading, Writing

MOST_FIELDS = 20

router = pages(tag="partners")


@router.get("/partners/enquire", response_class=HTMLResponse)
async def show_form(
    session: Reading,
    section: Annotated[str | None, Query()] = None,
    lang: Annotated[str | None, Query()] = None,
    accept_language: Annotated[str, Header()] = "",
) -> HTMLResponse:
    """The form of a section, or of the whole network when there is no such section."""
    return form(choose(lang, accept_language), await _empty(session, section))


@router.post("/partners/enquire", response_class=HTMLResponse)
async def take_form(request: Request, session: Writing, accept_language: Annotated[str, Header()] = "") -> HTMLResponse:
    """Take the form as a browser sends it; the same form once more is the same enquiry."""
    sent = _fields(request.headers.get("content-type", ""), await request.body())
    if sent is None:
        language = choose(None, accept_language)
        empty = await _empty(session, None)
        return form(language, _with(empty, {}, notice=language.not_understood), status=400)
    language = choose(sent.get("lang"), accept_language)
    empty = await _empty(session, sent.get("section"))
    filled = {name: sent.get(name, "") for name in FIELDS}
    said = {name: value for name, value in filled.items() if value.strip()}
    given = {"section": empty.section, "language": language.tag, "consent": sent.get("consent") == "yes"}
    try:
        wanted = EnquiryIn.model_validate({**said, **given})
    except ValidationError as error:
        faults = {str(fault["loc"][0]): _explain(language, fault["type"]) for fault in error.errors()}
        return form(language, _with(empty, filled, faults=faults), status=422)
    try:
        await actions.enquire(session, request, wanted)
    except rules.NoMailbox as problem:
        return form(language, _with(empty, filled, notice=language.no_mailbox), status=problem.status)
    except rules.TooManyEnquiries as problem:
        return form(language, _with(empty, filled, notice=language.too_many), status=problem.status)
    return thanks(language, empty.to)


def _fields(content_type: str, body: bytes) -> dict[str, str] | None:
    """The fields of a form, or None when this is none; text areas send the ends of lines as CR LF."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        return None
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def _explain(language: Language, kind: str) -> str:
    return {
        "missing": language.fill_in,
        "mailbox": language.check_email,
        "consent_needed": language.agree,
    }.get(kind, language.check)


async def _empty(session: AsyncSession, code: str | None) -> Form:
    section = await directory.section(session, code) if code and "\x00" not in code else None
    if section is not None:
        return Form(to=section.name, section=section.code, country=section.country, countries=())
    known = [(entry.country.code, entry.country.name) for entry in await directory.countries(session)]
    return Form(to="ESN", section=None, country=None, countries=sorted(known, key=lambda pair: pair[1]))


def _with(
    empty: Form, values: dict[str, str], *, faults: dict[str, str] | None = None, notice: str | None = None
) -> Form:
    return Form(
        to=empty.to,
        section=empty.section,
        country=empty.country,
        countries=empty.countries,
        values=values,
        faults=faults or {},
        notice=notice,
    )
