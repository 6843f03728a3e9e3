"""Routes of an activity's life; a verb is refused too, if If-Match is sent with it and names another state."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body
from starlette.requests import Request
from starlette.responses import Response

from services.activities.catalogue import actions, describing, linked_data, parts, rules, store
from services.activities.catalogue.drafts import ActivityDraft, Approval, Reasons
from services.activities.catalogue.rendering import entity_tag
from services.activities.catalogue.rules import PUBLIC, State, Verb
from services.activities.catalogue.schemas import ActivityOut, ActorOut, HistoryEntryOut, HistoryPage
from services.activities.catalogue.tables import Activity, HistoryEntry
from services.activities.taxonomies.words import words
from services.kernel import idempotency
from services.kernel.auth import Caller, PerhapsCaller
from services.kernel.languages import VARY, Languages, chosen
from services.kernel.openapi import ALWAYS_THERE, changes_of
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
from services.kernel.runtime import Reading, Running, Writing

router = make_router(tag="catalogue")

_READ_BY_COORDINATORS = documented(Unauthenticated, Forbidden, rules.ActivityNotFound)
_MANAGED = documented(Unauthenticated, Forbidden, rules.ActivityNotFound, rules.WrongState, PreconditionFailed)


@router.get(
    "/activities/{activity_id}",
    response_model=ActivityOut,
    responses={200: {"content": {linked_data.MEDIA_TYPE: {}}}, **documented(rules.ActivityNotFound)},
)
async def get_activity(
    request: Request,
    session: Reading,
    runtime: Running,
    actor: PerhapsCaller,
    wanted: Languages,
    activity_id: UUID,
) -> Response:
    """One activity; `Accept: application/ld+json` gives a schema.org Event.

    Its texts are in the language that the reader likes best of those that there are, and `Content-Language` says
    which. The ETag of any of them is one to send in If-Match; what a change changes are the original's texts.
    A draft is shown to those who may change it, and to nobody else.
    """
    row = await store.activity(session, activity_id)
    if row is None or (State(row.state) not in PUBLIC and not await _within_reach(session, actor, row)):
        raise rules.ActivityNotFound
    language = chosen(wanted, row.documents, original=row.language)
    reply = _reply(row, language=language)
    if linked_data.is_preferred(request.headers.get("accept", "")):
        # Its ETag comes from its own content: that of the document is the one to send in If-Match.
        written = row.documents[language] if language else row.document
        dates = await store.dates_of(session, row.id, wanted) if row.is_series else ()
        event = linked_data.page(json.loads(written), await words(session, runtime), dates)
        kept = {name: reply.headers[name] for name in ("Cache-Control", "Content-Language")}
        reply = Response(event, media_type=linked_data.MEDIA_TYPE, headers=kept)
    reply.headers["Vary"] = f"Accept, {VARY}"
    return reply


@router.get("/activities/{activity_id}/history", responses=_READ_BY_COORDINATORS)
async def list_history(
    request: Request, session: Reading, actor: Caller, activity_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> HistoryPage:
    """Who did what to an activity and when, from the beginning: for those who may change it. It only ever grows."""
    page = Page(request, cursor)
    row = await store.activity(session, activity_id)
    if row is None:
        raise rules.ActivityNotFound
    await actions.check_reach(session, actor, row)
    found = await store.history(session, activity_id, after=page.after, limit=limit + 1)
    next_url = page.next_url([found[limit - 1].revision]) if len(found) > limit else None
    return HistoryPage(items=[_entry(each) for each in found[:limit]], next=next_url)


@router.post(
    "/activities",
    status_code=201,
    response_model=ActivityOut,
    dependencies=[idempotency.required],
    responses=documented(Unauthenticated, Forbidden),
)
async def draft_activity(session: Writing, runtime: Running, actor: Caller, wanted: ActivityDraft) -> Response:
    """Draft an activity of your section."""
    return _reply(await parts.draft(session, runtime.settings, actor, wanted), status=201)


@router.patch(
    "/activities/{activity_id}",
    response_model=ActivityOut,
    responses={**_MANAGED, **documented(PreconditionRequired)},
    dependencies=[idempotency.optional],
    openapi_extra=changes_of(ActivityDraft),
)
async def revise_activity(
    request: Request,
    session: Writing,
    runtime: Running,
    actor: Caller,
    activity_id: UUID,
    changes: Annotated[dict[str, Any], Body(description="Any fields of a draft; the others stay.")],
) -> Response:
    """Change fields of an activity that you have read: send its ETag in If-Match.

    What is as it was is no change. Of what is held or cancelled, title, summary, translations, image and contact can
    be corrected.
    """
    row = await actions.lock(session, activity_id)
    await actions.check_reach(session, actor, row)
    _check_seen(request, row)
    if row.state in rules.OVER and changes.keys() <= rules.CORRECTABLE:
        corrected = describing.corrected(row, changes)
        return _reply(await parts.correct(session, runtime.settings, actor, row, corrected))
    wanted = describing.laid_over(row, changes)
    return _reply(await parts.revise(session, runtime.settings, actor, row, wanted))


@router.post(
    "/activities/{activity_id}/submit",
    response_model=ActivityOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def submit_activity(
    request: Request, session: Writing, runtime: Running, actor: Caller, activity_id: UUID
) -> Response:
    """Ask the national coordinator for the SocialErasmus label; the checklist must be complete.

    The Link of the answer leads to automatic hints about what may be wrong with it; they stop nothing.
    """
    reply = await _act(request, session, runtime, actor, activity_id, Verb.SUBMIT)
    reply.headers["Link"] = f'</activities/v1/activities/{activity_id}/hints>; rel="related"; title="hints"'
    return reply


@router.post(
    "/activities/{activity_id}/approve",
    response_model=ActivityOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def approve_activity(
    request: Request,
    session: Writing,
    runtime: Running,
    actor: Caller,
    activity_id: UUID,
    approval: Approval = Approval(),
) -> Response:
    """Give the label, as the national coordinator; of what is published already only the label's state changes."""
    return await _act(request, session, runtime, actor, activity_id, Verb.APPROVE, approval.note)


@router.post(
    "/activities/{activity_id}/return",
    response_model=ActivityOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def return_activity(
    request: Request, session: Writing, runtime: Running, actor: Caller, activity_id: UUID, reasons: Reasons
) -> Response:
    """Give it back to its section with the reasons; what is published already stays so, without the label."""
    return await _act(request, session, runtime, actor, activity_id, Verb.RETURN, reasons.reason)


@router.post(
    "/activities/{activity_id}/publish",
    response_model=ActivityOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def publish_activity(
    request: Request, session: Writing, runtime: Running, actor: Caller, activity_id: UUID
) -> Response:
    """Show an activity to everybody and let students sign up.

    It must be approved, unless its country only records the label.
    """
    return await _act(request, session, runtime, actor, activity_id, Verb.PUBLISH)


@router.post(
    "/activities/{activity_id}/cancel",
    response_model=ActivityOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def cancel_activity(
    request: Request, session: Writing, runtime: Running, actor: Caller, activity_id: UUID, reasons: Reasons
) -> Response:
    """Call off what is published, a joint day with its local parts; everybody who has a place is told."""
    return await _act(request, session, runtime, actor, activity_id, Verb.CANCEL, reasons.reason)


@router.put(
    "/activities/{activity_id}/reason",
    response_model=ActivityOut,
    responses={**_MANAGED, **documented(PreconditionRequired)},
    dependencies=[idempotency.optional],
    openapi_extra=ALWAYS_THERE,
)
async def correct_reason(
    request: Request, session: Writing, runtime: Running, actor: Caller, activity_id: UUID, reasons: Reasons
) -> Response:
    """Put right why an activity was cancelled, imported ones too: send its ETag in If-Match."""
    row = await actions.lock(session, activity_id)
    await actions.check_reach(session, actor, row)
    _check_seen(request, row)
    return _reply(await actions.correct_reason(session, runtime.settings, actor, row, reasons.reason))


@router.post(
    "/activities/{activity_id}/withdraw",
    response_model=ActivityOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def withdraw_activity(
    request: Request, session: Writing, runtime: Running, actor: Caller, activity_id: UUID
) -> Response:
    """Take back that you asked for the label: the activity is a draft again; what is published already stays so."""
    return await _act(request, session, runtime, actor, activity_id, Verb.WITHDRAW)


@router.post(
    "/activities/{activity_id}/discard",
    response_model=ActivityOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def discard_activity(
    request: Request, session: Writing, runtime: Running, actor: Caller, activity_id: UUID
) -> Response:
    """Give up what was never public, a series with all its dates, a joint day with its local parts.

    Nobody else ever hears of it.

    Those who could change it can still read it and its history.
    """
    return await _act(request, session, runtime, actor, activity_id, Verb.DISCARD)


@router.post(
    "/activities/{activity_id}/complete",
    response_model=ActivityOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def complete_activity(
    request: Request, session: Writing, runtime: Running, actor: Caller, activity_id: UUID
) -> Response:
    """Say that it took place."""
    return await _act(request, session, runtime, actor, activity_id, Verb.COMPLETE)


@router.post(
    "/activities/{activity_id}/duplicate",
    status_code=201,
    response_model=ActivityOut,
    responses=_MANAGED,
    dependencies=[idempotency.required],
)
async def duplicate_activity(session: Writing, runtime: Running, actor: Caller, activity_id: UUID) -> Response:
    """Draft a new activity with the content of this one."""
    original = await actions.lock(session, activity_id)
    return _reply(await actions.duplicate(session, runtime.settings, actor, original), status=201)


def _entry(row: HistoryEntry) -> HistoryEntryOut:
    by = ActorOut(id=row.actor_id, role=row.actor_role, section=row.actor_section, country=row.actor_country)
    return HistoryEntryOut(
        revision=row.revision, verb=row.verb, at=row.at, by=by, reason=row.reason, changes=row.changes
    )


async def _act(
    request: Request,
    session: Writing,
    runtime: Running,
    actor: Caller,
    identity: UUID,
    verb: Verb,
    reason: str | None = None,
) -> Response:
    row = await actions.lock(session, identity)
    await actions.check_reach(session, actor, row)
    if "if-match" in request.headers:
        _check_seen(request, row)
    return _reply(await parts.act(session, runtime.settings, actor, row, verb, reason))


def _check_seen(request: Request, row: Activity) -> None:
    check_if_match(request, entity_tag(row), *(entity_tag(row, language=language) for language in row.documents))


async def _within_reach(session: Reading, actor: PerhapsCaller, row: Activity) -> bool:
    return actor is not None and await actions.is_within_reach(session, actor, row)


def _reply(row: Activity, *, status: int = 200, language: str | None = None) -> Response:
    tag = next((tag for tag in row.translations if tag.lower() == language), row.language)
    headers = {"ETag": entity_tag(row, language=language), "Content-Language": tag}
    if status == 201:
        headers["Location"] = f"/activities/v1/activities/{row.id}"
    if State(row.state) in PUBLIC and status == 200:
        headers["Cache-Control"] = "public, max-age=30, stale-while-revalidate=60"
    else:
        headers["Cache-Control"] = "private, no-store"
    body = row.documents[language] if language else row.document
    return Response(body, status_code=status, media_type="application/json", headers=headers)
