"""Routes of the review: the queue, and what is to be said about one activity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.activities.catalogue import actions as catalogue
from services.activities.catalogue import store as activities
from services.activities.catalogue.rules import ActivityNotFound
from services.activities.catalogue.tables import Activity
from services.activities.label.rules import missing
from services.activities.review import actions, rules, store
from services.activities.review.rules import Hint
from services.activities.review.schemas import HintList, HintOut, ReviewOut, ReviewPage
from services.kernel.auth import Actor, Caller, Role
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import Forbidden, Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading
from services.kernel.texts import AssignedCountryCode

router = make_router(tag="label")

_PRIVATE = {"Cache-Control": "private, no-store"}


@router.get(
    "/activities/{activity_id}/hints",
    response_model=HintList,
    responses=documented(Unauthenticated, Forbidden, ActivityNotFound),
)
async def get_hints(session: Reading, actor: Caller, activity_id: UUID) -> Response:
    """What may be wrong with an activity of yours, found automatically: filler, contradictions, duplicates, sums."""
    row = await _within_reach(session, actor, activity_id)
    hints = (await actions.hints_about(session, actor, [row]))[row.id]
    body = HintList(items=[HintOut(**hint._asdict()) for hint in hints], next=None)
    return Response(body.model_dump_json(), media_type="application/json", headers=_PRIVATE)


@router.get(
    "/activities/{activity_id}/review",
    response_model=ReviewOut,
    responses=documented(Unauthenticated, Forbidden, ActivityNotFound),
)
async def get_review(session: Reading, actor: Caller, activity_id: UUID) -> Response:
    """What the reviewer sees of an activity of yours: its checklist, the hints, and the words of the last decision."""
    row = await _within_reach(session, actor, activity_id)
    hints = await actions.hints_about(session, actor, [row])
    return _answer(_review(row, hints[row.id]))


@router.get("/reviews", response_model=ReviewPage, responses=documented(Unauthenticated, Forbidden))
async def list_reviews(
    request: Request,
    session: Reading,
    actor: Caller,
    country: Annotated[
        AssignedCountryCode | None, Query(description="A national coordinator's own unless told otherwise.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Activities whose label was asked for and not decided about, who has waited longest first.

    Also those that have it and whose words were changed since: approving says that they keep it, returning takes it
    back.
    """
    if actor.role is Role.NATIONAL_COORDINATOR:
        country = country or actor.country
    if actor.role is not Role.INTERNATIONAL and (
        actor.role is not Role.NATIONAL_COORDINATOR or country != actor.country
    ):
        raise rules.QueueOutOfReach
    page = Page(request, cursor)
    after = (datetime.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    rows = await store.queue(session, country=country, after=after, limit=limit + 1)
    shown = rows[:limit]
    hints = await actions.hints_about(session, actor, shown) if shown else {}
    next_url = page.next_url(_position(shown)) if len(rows) > limit else None
    return _answer({"items": [_review(row, hints[row.id]) for row in shown], "next": next_url})


async def _within_reach(session: Reading, actor: Actor, identity: UUID) -> Activity:
    row = await activities.activity(session, identity)
    if row is None:
        raise ActivityNotFound
    await catalogue.check_reach(session, actor, row)
    return row


def _position(shown: Sequence[Activity]) -> list[str]:
    last = shown[-1]
    since = last.label_look_since or last.label_asked_at
    assert since is not None
    return [since.isoformat(), str(last.id)]


def _review(row: Activity, hints: Sequence[Hint]) -> dict[str, Any]:
    return {
        "activity": json.loads(row.document),
        "asked_at": _instant(row.label_asked_at),
        "look_since": _instant(row.label_look_since),
        "changed": row.label_changed or [],
        "note": row.label_note,
        "label_checklist": row.label_checklist,
        "missing": missing(row.label_checklist),
        "hints": [hint._asdict() for hint in hints],
    }


def _instant(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _answer(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), media_type="application/json", headers=_PRIVATE)
