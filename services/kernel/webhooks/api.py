"""Routes of webhooks, the same in every service."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import ValidationError
from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.kernel import idempotency
from services.kernel.auth import Caller
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
from services.kernel.runtime import Reading, Running, Writing
from services.kernel.webhooks import actions, rules, store
from services.kernel.webhooks.schemas import (
    DeliveryOut,
    DeliveryPage,
    EndpointChanges,
    EndpointIn,
    EndpointOut,
    EndpointPage,
    KindOut,
    KindsOut,
    Rotation,
    SecretOut,
)
from services.kernel.webhooks.tables import Webhooks

_PRIVATE = {"Cache-Control": "private, no-store"}
_SEEN = documented(Unauthenticated, rules.OwnerNeeded, rules.EndpointNotFound)
_CHANGED = documented(
    Unauthenticated, rules.OwnerNeeded, rules.EndpointNotFound, PreconditionFailed, PreconditionRequired
)
_SENT = documented(
    Unauthenticated, rules.OwnerNeeded, rules.EndpointNotFound, rules.SecretNeeded, rules.EndpointDisabled
)


def router(hooks: Webhooks) -> APIRouter:
    """The routes of one service's webhooks."""
    made = make_router(tag="webhooks")
    _add_reading(made, hooks)
    _add_keeping(made, hooks)
    _add_deliveries(made, hooks)
    return made


def _add_reading(made: APIRouter, hooks: Webhooks) -> None:
    @made.get("/webhooks/kinds")
    async def list_webhook_kinds() -> KindsOut:
        """Every kind of message that this service sends, and what it says. A message says no more than its own ids."""
        return KindsOut(items=[KindOut(kind=kind, description=text) for kind, text in hooks.kinds.items()], next=None)

    @made.get("/webhooks", responses=documented(Unauthenticated, rules.OwnerNeeded))
    async def list_webhooks(
        request: Request, response: Response, session: Reading, actor: Caller, limit: Limit = 50, cursor: Cursor = None
    ) -> EndpointPage:
        """The webhooks of your section, of your country with those of its sections, or of all."""
        actions.check_owner(actor)
        page = Page(request, cursor)
        found = await store.page_of_endpoints(session, hooks, actor, after=page.after, limit=limit + 1)
        response.headers.update(_PRIVATE)
        next_url = page.next_url([str(found[limit - 1]["id"])]) if len(found) > limit else None
        return EndpointPage(items=[shown(row) for row in found[:limit]], next=next_url)

    @made.get("/webhooks/{webhook_id}", response_model=EndpointOut, responses=_SEEN)
    async def get_webhook(session: Reading, actor: Caller, webhook_id: UUID) -> Response:
        """One webhook, and whether it takes what it is sent."""
        return _reply(await actions.find(session, hooks, actor, webhook_id))


def _add_keeping(made: APIRouter, hooks: Webhooks) -> None:
    @made.post(
        "/webhooks",
        status_code=201,
        response_model=EndpointOut,
        dependencies=[idempotency.required],
        responses=documented(Unauthenticated, rules.OwnerNeeded, rules.TooManyEndpoints),
    )
    async def add_webhook(session: Writing, runtime: Running, actor: Caller, wanted: EndpointIn) -> Response:
        """Enter a webhook for your section, your country or International. Nothing is sent before it has a secret."""
        row = await actions.add(session, runtime.settings, hooks, actor, wanted)
        return _reply(row, status=201, location=f"/{runtime.role}/v1/webhooks/{row['id']}")

    @made.patch(
        "/webhooks/{webhook_id}",
        response_model=EndpointOut,
        dependencies=[idempotency.optional],
        responses=_CHANGED,
        openapi_extra=changes_of(EndpointChanges),
    )
    async def revise_webhook(
        request: Request,
        session: Writing,
        runtime: Running,
        actor: Caller,
        webhook_id: UUID,
        changes: Annotated[dict[str, Any], Body(description="Any fields; the others stay.")],
    ) -> Response:
        """Change a webhook that you have read, disable or enable it: send its ETag in If-Match."""
        row = await _locked(request, session, hooks, actor, webhook_id)
        if not changes:
            raise Invalid.at("#", "Name at least one field.")
        try:
            wanted = EndpointChanges.model_validate({**actions.description(row), **changes})
        except ValidationError as error:
            raise invalid_body(error) from None
        return _reply(await actions.revise(session, runtime.settings, hooks, row, wanted))

    @made.delete("/webhooks/{webhook_id}", status_code=204, dependencies=[idempotency.optional], responses=_CHANGED)
    async def remove_webhook(request: Request, session: Writing, actor: Caller, webhook_id: UUID) -> Response:
        """Delete a webhook that you have read, with all that is known of what it was told."""
        await _locked(request, session, hooks, actor, webhook_id)
        await store.remove(session, hooks, webhook_id)
        return Response(status_code=204)

    @made.post("/webhooks/{webhook_id}/secret", response_model=SecretOut, responses=_CHANGED)
    async def make_webhook_secret(
        request: Request, session: Writing, runtime: Running, actor: Caller, webhook_id: UUID, how: Rotation
    ) -> Response:
        """Make a secret, which is shown this once. While a former one overlaps, messages carry both signatures.

        Send the webhook's ETag in If-Match; an answer that was lost is made good by reading it and asking again.
        """
        row = await _locked(request, session, hooks, actor, webhook_id)
        secret, changed = await actions.new_secret(session, runtime, hooks, row, how.overlap_hours)
        body = SecretOut(secret=secret, former_secret_until=changed["former_until"])
        headers = {**_PRIVATE, "ETag": _tag(changed)}
        return Response(body.model_dump_json(), media_type="application/json", headers=headers)


def _add_deliveries(made: APIRouter, hooks: Webhooks) -> None:
    @made.get("/webhooks/{webhook_id}/deliveries", responses=_SEEN)
    async def list_webhook_deliveries(
        request: Request,
        response: Response,
        session: Reading,
        actor: Caller,
        webhook_id: UUID,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> DeliveryPage:
        """What it was told in the last 30 days and what became of that, latest first; never what it answered."""
        await actions.find(session, hooks, actor, webhook_id)
        page = Page(request, cursor)
        found = await store.page_of_deliveries(session, hooks, webhook_id, after=page.after, limit=limit + 1)
        response.headers.update(_PRIVATE)
        next_url = None
        if len(found) > limit:
            last = found[limit - 1]
            next_url = page.next_url([last["made_at"].isoformat(), str(last["id"])])
        return DeliveryPage(items=[delivered(row) for row in found[:limit]], next=next_url)

    @made.post(
        "/webhooks/{webhook_id}/ping",
        status_code=202,
        response_model=DeliveryOut,
        dependencies=[idempotency.optional],
        responses=_SENT,
    )
    async def ping_webhook(session: Writing, actor: Caller, webhook_id: UUID) -> Response:
        """Send it a signed message of the kind `webhook.ping`, to see that it is reached."""
        row = await actions.find(session, hooks, actor, webhook_id, locked=True)
        return _accepted(await actions.ping(session, hooks, row))

    @made.post(
        "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
        status_code=202,
        response_model=DeliveryOut,
        dependencies=[idempotency.optional],
        responses={**_SENT, **documented(rules.EndpointNotFound, rules.DeliveryNotFound)},
    )
    async def replay_webhook_delivery(session: Writing, actor: Caller, webhook_id: UUID, delivery_id: UUID) -> Response:
        """Send a message once more, under the same id, whatever became of it before."""
        row = await actions.find(session, hooks, actor, webhook_id, locked=True)
        return _accepted(await actions.replay(session, hooks, row, delivery_id))


async def _locked(request: Request, session: Writing, hooks: Webhooks, actor: Caller, identity: UUID) -> Any:
    row = await actions.find(session, hooks, actor, identity, locked=True)
    check_if_match(request, _tag(row))
    return row


def shown(row: RowMapping) -> EndpointOut:
    """An endpoint as its owner sees it."""
    return EndpointOut(**{
        **{name: row[name] for name in EndpointOut.model_fields if name in row},
        "has_secret": row["salt"] is not None,
        "former_secret_until": row["former_until"],
    })  # fmt: skip


def delivered(row: RowMapping) -> DeliveryOut:
    """What became of a message."""
    state = "due" if row["due_at"] is not None else "delivered" if row["delivered_at"] is not None else "given_up"
    return DeliveryOut(**{name: row[name] for name in DeliveryOut.model_fields if name in row}, state=state)


def _tag(row: RowMapping) -> str:
    return f'"{row["revision"]}"'


def _reply(row: RowMapping, *, status: int = 200, location: str | None = None) -> Response:
    headers = {**_PRIVATE, "ETag": _tag(row)} | ({} if location is None else {"Location": location})
    return Response(shown(row).model_dump_json(), status_code=status, media_type="application/json", headers=headers)


def _accepted(row: RowMapping) -> Response:
    return JSONResponse(delivered(row).model_dump(mode="json"), status_code=202)
