"""Routes of partners; one of them with its activities is read in `finding`."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.activities.directory.known import SECTIONS
from services.activities.partners import actions, rules, store
from services.activities.partners.rendering import shown
from services.activities.partners.schemas import (
    Into,
    Level,
    NewPartner,
    PartnerDraft,
    PartnerKind,
    PartnerOut,
    PartnerPage,
)
from services.activities.partners.tables import Partner
from services.activities.taxonomies import words
from services.kernel import idempotency
from services.kernel.auth import Actor, Caller, PerhapsCaller
from services.kernel.openapi import changes_of
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import (
    Forbidden,
    Invalid,
    PreconditionFailed,
    PreconditionRequired,
    Unauthenticated,
    documented,
    invalid_body,
)
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running, Runtime, Writing
from services.kernel.texts import AssignedCountryCode, Code, Line

router = make_router(tag="partners")

MOVED: dict[int | str, dict[str, Any]] = {308: {"description": "It was merged into the partner named in Location."}}


@router.get("/partners")
async def list_partners(
    request: Request,
    response: Response,
    session: Reading,
    runtime: Running,
    actor: PerhapsCaller,
    country: Annotated[AssignedCountryCode | None, Query(description="Where it has its seat.")] = None,
    section: Annotated[Code | None, Query(description="Which section entered it.")] = None,
    kind: Annotated[PartnerKind | None, Query()] = None,
    level: Annotated[Level | None, Query()] = None,
    cause: Annotated[Code | None, Query()] = None,
    q: Annotated[Line | None, Query(description="Words of its name and city, or similar ones.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PartnerPage:
    """Partners of activities, in the order of their names."""
    page = Page(request, cursor)
    faults = [
        *await SECTIONS.faults_of(runtime, [section] if section else [], repeated=False),
        *await words.faults_of(runtime, {"causes": [cause] if cause else []}, repeated=False),
    ]
    if faults:
        raise Invalid(errors=faults)
    sought = store.Sought(country=country, section=section, kind=kind, level=level, cause=cause, q=q)
    found = await store.page_of_partners(session, sought, after=page.after, limit=limit + 1)
    response.headers["Cache-Control"] = "public, max-age=60" if actor is None else "private, no-store"
    next_url = None
    if len(found) > limit:
        last, name = found[limit - 1]
        next_url = page.next_url([name, str(last.id)])
    return PartnerPage(items=[shown(row, runtime.settings, actor) for row, _ in found[:limit]], next=next_url)


@router.post(
    "/partners",
    status_code=201,
    response_model=PartnerOut,
    dependencies=[idempotency.required],
    responses=documented(Unauthenticated, Forbidden, rules.SimilarPartner),
)
async def enter_partner(session: Writing, runtime: Running, actor: Caller, wanted: NewPartner) -> Response:
    """Enter a partner for your section or country; one with a similar name in its country is a 409."""
    return _reply(await actions.enter(session, actor, wanted), runtime, actor, status=201)


@router.patch(
    "/partners/{partner_id}",
    response_model=PartnerOut,
    responses={
        **MOVED,
        **documented(
            Unauthenticated, rules.PartnerOutOfReach, rules.PartnerNotFound, PreconditionFailed, PreconditionRequired
        ),
    },
    dependencies=[idempotency.optional],
    openapi_extra=changes_of(PartnerDraft),
)
async def revise_partner(
    request: Request,
    session: Writing,
    runtime: Running,
    actor: Caller,
    partner_id: UUID,
    changes: Annotated[dict[str, Any], Body(description="Any fields of a partner; the others stay.")],
) -> Response:
    """Change fields of a partner that you have read: send its ETag in If-Match. Its activities follow a new name."""
    row = await actions.lock(session, partner_id)
    if row.merged_into is not None:
        return moved(row.merged_into)
    actions.check_reach(actor, row)
    _check_unchanged(request, row)
    if not changes:
        raise Invalid.at("#", "Name at least one field.")
    try:
        wanted = PartnerDraft.model_validate({**actions.description(row), **changes})
    except ValidationError as error:
        raise invalid_body(error) from None
    return _reply(await actions.revise(session, actor, row, wanted), runtime, actor)


@router.post(
    "/partners/{partner_id}/merge",
    response_model=PartnerOut,
    responses=documented(Unauthenticated, rules.MergingNeedsACountry, rules.PartnerNotFound, rules.PartnerMerged),
    dependencies=[idempotency.optional],
)
async def merge_partner(session: Writing, runtime: Running, actor: Caller, partner_id: UUID, which: Into) -> Response:
    """Say, as a national coordinator, that it is another partner: its activities follow and its address leads there."""
    return _reply(await actions.merge(session, actor, partner_id, which.into), runtime, actor)


def moved(identity: UUID) -> Response:
    """Where a merged partner is read now."""
    return Response(status_code=308, headers={"Location": actions.address(identity), "Cache-Control": "no-cache"})


def _check_unchanged(request: Request, row: Partner) -> None:
    # The tag of its page is `"revision.digest"`: what it shows of activities may change without the partner.
    sent = request.headers.get("if-match", "").strip()
    if not sent.startswith(f'"{row.revision}.'):
        check_if_match(request, f'"{row.revision}"')


def _reply(row: Partner, runtime: Runtime, actor: Actor, *, status: int = 200) -> Response:
    headers = {"ETag": f'"{row.revision}"', "Cache-Control": "private, no-store"}
    if status == 201:
        headers["Location"] = actions.address(row.id)
    body = shown(row, runtime.settings, actor).model_dump_json()
    return Response(body, status_code=status, media_type="application/json", headers=headers)
