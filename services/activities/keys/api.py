"""Routes of keys. Every service takes them; they are made and revoked here."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from sqlalchemy.engine import Row
from starlette.requests import Request
from starlette.responses import Response

from services.activities.keys import actions, rules, store
from services.activities.keys.schemas import KeyMade, KeyOut, KeyPage, NewKey, Rotation
from services.kernel.access import KEY_PREFIXES, Kind
from services.kernel.auth import Caller
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
from services.kernel.texts import Code

router = make_router(tag="keys")

_PRIVATE = "private, no-store"


@router.post(
    "/keys",
    status_code=201,
    response_model=KeyMade,
    responses=documented(Unauthenticated, Forbidden, rules.KeyOutOfReach),
)
async def make_key(session: Writing, actor: Caller, wanted: NewKey) -> Response:
    """Make a key for a website or a program of your section, your country or the network. It is shown this once.

    It takes no Idempotency-Key, for an answer that is kept would keep the secret: of a request that was sent twice,
    revoke the key that is never used.
    """
    row, secret = await actions.make(session, actor, wanted)
    return _made(row, secret, status=201)


@router.get("/keys", responses=documented(Unauthenticated, rules.KeysNeedPeople))
async def list_keys(
    request: Request,
    response: Response,
    session: Reading,
    actor: Caller,
    section: Annotated[Code | None, Query()] = None,
    state: Annotated[Literal["active", "expired", "revoked"] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> KeyPage:
    """The keys within your reach, the newest first, with when they were used last."""
    actions.check_person(actor)
    page = Page(request, cursor)
    after = UUID(page.after[0]) if page.after else None
    rows = await store.page(session, actor, section=section, state=state, after=after, limit=limit + 1)
    next_url = page.next_url([str(rows[limit - 1].id)]) if len(rows) > limit else None
    response.headers["Cache-Control"] = _PRIVATE
    return KeyPage(items=[KeyOut(**_told(row)) for row in rows[:limit]], next=next_url)


@router.get(
    "/keys/{key_id}",
    response_model=KeyOut,
    responses=documented(Unauthenticated, rules.KeysNeedPeople, rules.KeyNotFound),
)
async def get_key(session: Reading, actor: Caller, key_id: UUID) -> Response:
    """One key, with the ETag to rotate it."""
    return _reply(await actions.found(session, actor, key_id))


@router.post(
    "/keys/{key_id}/rotate",
    response_model=KeyMade,
    responses=documented(
        Unauthenticated,
        rules.KeysNeedPeople,
        rules.KeyNotFound,
        rules.KeyHasEnded,
        PreconditionFailed,
        PreconditionRequired,
    ),
)
async def rotate_key(request: Request, session: Writing, actor: Caller, key_id: UUID, wanted: Rotation) -> Response:
    """Put a new secret in the place of the present one, which goes on working for a while. Send the ETag."""
    row = await actions.found(session, actor, key_id, lock=True)
    # The part of the tag behind the dash moves with each use of the key.
    if not request.headers.get("if-match", "").strip().startswith(f'"{row.revision}-'):
        check_if_match(request, _etag(row))
    return _made(*await actions.rotate(session, row, hours=wanted.overlap_hours))


@router.post(
    "/keys/{key_id}/revoke",
    response_model=KeyOut,
    responses=documented(Unauthenticated, rules.KeysNeedPeople, rules.KeyNotFound),
)
async def revoke_key(session: Writing, actor: Caller, key_id: UUID) -> Response:
    """End a key everywhere, within half a minute; once more is as good as once."""
    return _reply(await actions.revoke(session, actor, key_id))


def _etag(row: Row[Any]) -> str:
    used = row.last_used_at
    return f'"{row.revision}-{row.state}{int(used.timestamp()) if used else 0}"'


def _told(row: Row[Any]) -> dict[str, Any]:
    kind = Kind(row.kind)
    told = {name: getattr(row, name) for name in KeyOut.model_fields if name != "shown_as"}
    used = row.last_used_at
    minute = used.replace(second=0, microsecond=0) if used else None
    return {**told, "kind": kind, "shown_as": f"{KEY_PREFIXES[kind]}…{row.last_four}", "last_used_at": minute}


def _reply(row: Row[Any], *, status: int = 200) -> Response:
    headers = {"ETag": _etag(row), "Cache-Control": _PRIVATE}
    body = KeyOut(**_told(row)).model_dump_json()
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _made(row: Row[Any], secret: str, *, status: int = 200) -> Response:
    headers = {"ETag": _etag(row), "Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"/activities/v1/keys/{row.id}"
    body = KeyMade(**_told(row), key=secret).model_dump_json()
    return Response(body, status_code=status, media_type="application/json", headers=headers)
