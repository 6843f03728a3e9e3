"""Routes of the market of ideas."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from services.activities.catalogue import rules as catalogue_rules
from services.activities.catalogue.rendering import entity_tag
from services.activities.catalogue.schemas import ActivityOut
from services.activities.ideas import actions, rules, store
from services.activities.ideas.filters import Sought
from services.activities.ideas.rendering import detailed, listed
from services.activities.ideas.rules import Sort, State
from services.activities.ideas.schemas import (
    Adaptation,
    EndorsementIn,
    IdeaDetailOut,
    IdeaDraft,
    IdeaPage,
    NewIdea,
)
from services.activities.ideas.tables import Idea
from services.kernel import idempotency
from services.kernel.auth import Caller, PerhapsCaller
from services.kernel.openapi import changes_of
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import (
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

router = make_router(tag="ideas")

_OWNED = documented(Unauthenticated, rules.IdeaOutOfReach, rules.IdeaNotFound)
_ENDORSED = documented(Unauthenticated, rules.EndorserNeeded, rules.IdeaNotFound, rules.Withdrawn)


@router.get("/ideas")
async def list_ideas(
    request: Request,
    response: Response,
    session: Reading,
    runtime: Running,
    wanted: Sought,
    sort: Annotated[Sort, Query(description="The newest, most adapted or most endorsed first.")] = Sort.NEWEST,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> IdeaPage:
    """Ideas that are on the market: activities that were held, ready to be held again."""
    page = Page(request, cursor)
    found = await store.page_of_ideas(session, wanted, sort, after=page.after, limit=limit + 1)
    response.headers["Cache-Control"] = "public, max-age=60"
    next_url = page.next_url(found[limit - 1][1]) if len(found) > limit else None
    figures = await store.figures(session, {row.activity_id for row, _ in found[:limit]})
    items = [listed(row, runtime.settings, figures.get(row.activity_id)) for row, _ in found[:limit]]
    return IdeaPage(items=items, next=next_url)


@router.get("/ideas/{idea_id}", response_model=IdeaDetailOut, responses=documented(rules.IdeaNotFound))
async def get_idea(session: Reading, runtime: Running, actor: PerhapsCaller, idea_id: UUID) -> Response:
    """One idea; one that was withdrawn is shown to those who may offer it again, and to nobody else."""
    row = await store.idea(session, idea_id)
    if row is None or (row.state != State.OFFERED and not actions.within_reach(actor, row)):
        raise rules.IdeaNotFound
    return await _reply(session, row, runtime, is_public=row.state == State.OFFERED)


@router.post(
    "/ideas",
    status_code=201,
    response_model=IdeaDetailOut,
    dependencies=[idempotency.required],
    responses=documented(
        Unauthenticated,
        catalogue_rules.OutOfReach,
        catalogue_rules.ActivityNotFound,
        rules.NotHeld,
        rules.OfferedAlready,
    ),
)
async def offer_idea(session: Writing, runtime: Running, actor: Caller, wanted: NewIdea) -> Response:
    """Offer an activity of yours that was held as an idea for others."""
    return await _reply(session, await actions.offer(session, actor, wanted), runtime, status=201)


@router.patch(
    "/ideas/{idea_id}",
    response_model=IdeaDetailOut,
    responses={**_OWNED, **documented(PreconditionFailed, PreconditionRequired)},
    dependencies=[idempotency.optional],
    openapi_extra=changes_of(IdeaDraft),
)
async def revise_idea(
    request: Request,
    session: Writing,
    runtime: Running,
    actor: Caller,
    idea_id: UUID,
    changes: Annotated[dict[str, Any], Body(description="Any fields of an idea; the others stay.")],
) -> Response:
    """Change fields of an idea that you have read: send its ETag in If-Match."""
    row = await actions.lock(session, idea_id)
    actions.check_reach(actor, row)
    check_if_match(request, _etag(row))
    if not changes:
        raise Invalid.at("#", "Name at least one field.")
    try:
        wanted = IdeaDraft.model_validate({**actions.description(row), **changes})
    except ValidationError as error:
        raise invalid_body(error) from None
    return await _reply(session, await actions.revise(session, actor, row, wanted), runtime)


@router.post(
    "/ideas/{idea_id}/withdraw",
    response_model=IdeaDetailOut,
    responses=_OWNED,
    dependencies=[idempotency.optional],
)
async def withdraw_idea(session: Writing, runtime: Running, actor: Caller, idea_id: UUID) -> Response:
    """Take it off the market; what was made of it stays."""
    return await _reply(session, await actions.turn(session, actor, idea_id, State.WITHDRAWN), runtime)


@router.post(
    "/ideas/{idea_id}/offer",
    response_model=IdeaDetailOut,
    responses=_OWNED,
    dependencies=[idempotency.optional],
)
async def offer_idea_again(session: Writing, runtime: Running, actor: Caller, idea_id: UUID) -> Response:
    """Put it on the market again."""
    return await _reply(session, await actions.turn(session, actor, idea_id, State.OFFERED), runtime)


@router.put(
    "/ideas/{idea_id}/endorsement",
    response_model=IdeaDetailOut,
    responses=_ENDORSED,
    dependencies=[idempotency.optional],
)
async def endorse_idea(
    session: Writing, runtime: Running, actor: Caller, idea_id: UUID, endorsement: EndorsementIn
) -> Response:
    """Recommend it in the name of your country, or of ESN International; once more replaces the note."""
    return await _reply(session, await actions.endorse(session, actor, idea_id, endorsement.note), runtime)


@router.delete(
    "/ideas/{idea_id}/endorsement",
    response_model=IdeaDetailOut,
    responses=_ENDORSED,
    dependencies=[idempotency.optional],
)
async def take_endorsement_back(session: Writing, runtime: Running, actor: Caller, idea_id: UUID) -> Response:
    """Recommend it no longer; once more is as good as once."""
    return await _reply(session, await actions.take_endorsement_back(session, actor, idea_id), runtime)


@router.post(
    "/ideas/{idea_id}/adapt",
    status_code=201,
    response_model=ActivityOut,
    dependencies=[idempotency.required],
    responses=documented(Unauthenticated, catalogue_rules.OutOfReach, rules.IdeaNotFound, rules.Withdrawn),
)
async def adapt_idea(session: Writing, runtime: Running, actor: Caller, idea_id: UUID, wanted: Adaptation) -> Response:
    """Draft an activity of your section from an idea; once it is published, it counts as an adaptation."""
    row = await actions.adapt(session, runtime.settings, actor, idea_id, wanted)
    headers = {
        "ETag": entity_tag(row),
        "Location": f"/activities/v1/activities/{row.id}",
        "Cache-Control": "private, no-store",
    }
    return Response(row.document, status_code=201, media_type="application/json", headers=headers)


def _etag(row: Idea) -> str:
    return f'"{row.revision}.{row.updated_at.timestamp():.6f}"'


async def _reply(
    session: AsyncSession, row: Idea, runtime: Runtime, *, status: int = 200, is_public: bool = False
) -> Response:
    endorsements = await store.endorsements(session, row.id)
    headers = {"ETag": _etag(row), "Cache-Control": "public, max-age=60" if is_public else "private, no-store"}
    if status == 201:
        headers["Location"] = f"/activities/v1/ideas/{row.id}"
    figures = await store.figures(session, {row.activity_id})
    body = detailed(row, runtime.settings, endorsements, figures.get(row.activity_id)).model_dump_json()
    return Response(body, status_code=status, media_type="application/json", headers=headers)
