"""Routes of enquiries, and of the mailboxes that they go to; the form for people is in `page_api`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.activities.directory import rules as directory
from services.activities.enquiries import actions, rules
from services.activities.enquiries.rules import KEPT_AFTER_SENDING, Level, State
from services.activities.enquiries.schemas import (
    EnquiryIn,
    EnquiryOut,
    EnquiryPage,
    EnquiryTaken,
    MailboxIn,
    MailboxOut,
)
from services.activities.enquiries.tables import FunctionMailbox
from services.kernel import idempotency
from services.kernel.auth import Actor, Caller
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import (
    Forbidden,
    PreconditionFailed,
    PreconditionRequired,
    Unauthenticated,
    documented,
)
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Writing
from services.kernel.texts import AssignedCountryCode, Code

router = make_router(tag="partners")

_SET = documented(Unauthenticated, rules.MailboxOutOfReach, PreconditionFailed, PreconditionRequired)


@router.post(
    "/partners/enquiries",
    status_code=201,
    dependencies=[idempotency.required],
    responses=documented(rules.NoMailbox, rules.TooManyEnquiries),
)
async def enquire(request: Request, session: Writing, wanted: EnquiryIn) -> EnquiryTaken:
    """Ask to become a partner: the section, else its country, else International gets it by mail and can answer.

    The address that is given gets no mail from here, since nobody knows yet whose it is.
    """
    row = await actions.enquire(session, request, wanted)
    return EnquiryTaken(id=row.id, level=Level(row.level), code=row.went_to, kept_days=KEPT_AFTER_SENDING.days)


@router.get("/partners/enquiries", responses=documented(Unauthenticated, Forbidden))
async def list_enquiries(
    request: Request,
    response: Response,
    session: Reading,
    actor: Caller,
    state: Annotated[State | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> EnquiryPage:
    """The enquiries of your section or country, the newest first, and what has become of their mails."""
    page = Page(request, cursor)
    after = UUID(page.after[0]) if page.after else None
    rows = await actions.enquiries(session, actor, state=state, after=after, limit=limit + 1)
    items = [EnquiryOut.model_validate(dict(row)) for row in rows[:limit]]
    response.headers["Cache-Control"] = "private, no-store"
    return EnquiryPage(items=items, next=page.next_url([str(items[-1].id)]) if len(rows) > limit else None)


@router.post("/partners/enquiries/{enquiry_id}/answered", responses=documented(Unauthenticated, rules.EnquiryNotFound))
async def mark_enquiry_answered(session: Writing, actor: Caller, enquiry_id: UUID) -> EnquiryOut:
    """Say that it was answered; once more is as good as once, so it takes no Idempotency-Key."""
    return EnquiryOut.model_validate(dict(await actions.mark_answered(session, actor, enquiry_id)))


@router.get(
    "/sections/{code}/mailbox",
    response_model=MailboxOut,
    responses=documented(Unauthenticated, rules.MailboxOutOfReach, directory.SectionNotFound, rules.MailboxNotFound),
)
async def get_mailbox_of_section(session: Reading, actor: Caller, code: Code) -> Response:
    """Where a section within your reach gets its enquiries."""
    country = await _country_of(session, code)
    return _found(await actions.find_mailbox(session, actor, code, country))


@router.put(
    "/sections/{code}/mailbox",
    response_model=MailboxOut,
    responses={**_SET, **documented(directory.SectionNotFound)},
    dependencies=[idempotency.optional],
)
async def set_mailbox_of_section(
    request: Request, session: Writing, actor: Caller, code: Code, wanted: MailboxIn
) -> Response:
    """Say where a section within your reach gets its enquiries; to change it, send its ETag in If-Match."""
    return await _set(request, session, actor, code, await _country_of(session, code), wanted)


@router.get(
    "/countries/{country}/mailbox",
    response_model=MailboxOut,
    responses=documented(Unauthenticated, rules.MailboxOutOfReach, rules.MailboxNotFound),
)
async def get_mailbox_of_country(session: Reading, actor: Caller, country: AssignedCountryCode) -> Response:
    """Where your country gets the enquiries of sections without a mailbox."""
    return _found(await actions.find_mailbox(session, actor, country, country))


@router.put(
    "/countries/{country}/mailbox",
    response_model=MailboxOut,
    responses=_SET,
    dependencies=[idempotency.optional],
)
async def set_mailbox_of_country(
    request: Request, session: Writing, actor: Caller, country: AssignedCountryCode, wanted: MailboxIn
) -> Response:
    """Say where your country gets its enquiries; to change it, send its ETag in If-Match."""
    return await _set(request, session, actor, country, country, wanted)


async def _country_of(session: Reading | Writing, code: str) -> str:
    country = await actions.country_of(session, code)
    if country is None:
        raise directory.SectionNotFound
    return country


async def _set(
    request: Request, session: Writing, actor: Actor, code: str, country: str, wanted: MailboxIn
) -> Response:
    def check_unchanged(row: FunctionMailbox) -> None:
        check_if_match(request, _etag(row))

    row = await actions.set_mailbox(session, actor, code, country, wanted, check_unchanged)
    return _reply(row) if row else _body(MailboxOut(code=code, address=None, updated_at=None), {})


def _found(row: FunctionMailbox | None) -> Response:
    if row is None:
        raise rules.MailboxNotFound
    return _reply(row)


def _reply(row: FunctionMailbox) -> Response:
    return _body(MailboxOut.model_validate(row), {"ETag": _etag(row)})


def _body(shown: MailboxOut, headers: dict[str, str]) -> Response:
    kept = {**headers, "Cache-Control": "private, no-store"}
    return Response(shown.model_dump_json(), media_type="application/json", headers=kept)


def _etag(row: FunctionMailbox) -> str:
    return f'"{row.revision}.{row.updated_at.timestamp():.6f}"'
