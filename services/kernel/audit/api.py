"""Routes of the audit, the same in every service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import StringConstraints
from sqlalchemy.engine import Row
from starlette.requests import Request
from starlette.responses import Response

from services.kernel.audit import noting, store
from services.kernel.audit.schemas import ActorOut, ChangeOut, ChangePage, EntryOut, EntryPage
from services.kernel.audit.store import Wanted
from services.kernel.audit.tables import Audit
from services.kernel.auth import Actor, Caller, Role
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import FieldError, Forbidden, Invalid, NotFound, Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running
from services.kernel.texts import Instant, Storable

FIRST_CHANGES: Final = 20
_PRIVATE: Final = "private, no-store"

Object = Annotated[
    str,
    Storable,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]*$"),
    Query(description="The address of an object below this service's, with what lies below it: `activities/0199…`."),
]
Verb = Annotated[str, Storable, StringConstraints(pattern=r"^[a-z][a-z_ -]{0,62}$")]


class AuditNeedsPeople(Forbidden):
    """The audit is read by coordinators, ESN International and operators, not by keys and machines."""

    title = "The audit needs a person"


class EntryNotFound(NotFound):
    """There is no such entry within your reach."""

    title = "Entry not found"


def router(audit: Audit) -> APIRouter:
    """The routes of one service's audit."""
    made = make_router(tag="audit")

    @made.get("/audit", responses=documented(Unauthenticated, AuditNeedsPeople))
    async def list_audit(
        request: Request,
        response: Response,
        session: Reading,
        runtime: Running,
        actor: Caller,
        object: Object | None = None,  # noqa: A002  # The name that callers use.
        actor_id: Annotated[UUID | None, Query(description="What one access did.")] = None,
        verb: Annotated[Verb | None, Query(description="What was done, as `publish_activity`.")] = None,
        since: Annotated[Instant | None, Query(description="From this instant on.")] = None,
        until: Annotated[Instant | None, Query(description="Before this instant.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> EntryPage:
        """Who did what within your reach in the last two years, the latest first.

        An act that was about the objects of several sections is shown to whoever reaches all of them.
        """
        _check_person(actor)
        if since is not None and until is not None and since >= until:
            raise Invalid(errors=[FieldError(pointer="query/until", detail="Must be after `since`.")])
        page = Page(request, cursor)
        sought = None if object is None else noting.veiled(object, runtime.settings.secret.get_secret_value())
        wanted = Wanted(sought, actor_id, verb, since, until)
        after = page.after[0] if page.after else None
        found = await store.page(session, audit, actor, wanted, after=after, limit=limit + 1)
        shown = found[:limit]
        changed = await store.first_changes(session, audit, [row.id for row in shown], each=FIRST_CHANGES + 1)
        items = [_entry(row, changed.get(row.id, ()), actor) for row in shown]
        return EntryPage(items=items, next=_next(response, page, found, limit))

    @made.get("/audit/{entry_id}/changes", responses=documented(Unauthenticated, AuditNeedsPeople, EntryNotFound))
    async def list_audit_changes(
        request: Request,
        response: Response,
        session: Reading,
        actor: Caller,
        entry_id: UUID,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ChangePage:
        """All that one act changed, in its order."""
        _check_person(actor)
        if await store.find(session, audit, actor, entry_id) is None:
            raise EntryNotFound
        page = Page(request, cursor)
        after = page.after[0] if page.after else None
        found = await store.page_of_changes(session, audit, entry_id, after=after, limit=limit + 1)
        return ChangePage(items=[_change(row) for row in found[:limit]], next=_next(response, page, found, limit))

    return made


def _check_person(actor: Actor) -> None:
    if actor.scopes is not None or actor.role is Role.MACHINE:
        raise AuditNeedsPeople


def _next(response: Response, page: Page, found: Sequence[Row[Any]], limit: int) -> str | None:
    response.headers["Cache-Control"] = _PRIVATE
    return page.next_url([found[limit - 1].number]) if len(found) > limit else None


def _entry(row: Row[Any], changes: Sequence[Row[Any]], reader: Actor) -> EntryOut:
    sees_networks = reader.role in {Role.INTERNATIONAL, Role.OPERATOR}
    return EntryOut(
        id=row.id,
        at=row.at,
        actor=ActorOut(
            id=row.actor_id,
            role=row.actor_role,
            section=row.actor_section,
            country=row.actor_country,
            by_key=row.by_key,
        ),
        client_network=row.client_network if sees_networks else None,
        verb=row.verb,
        object=row.object,
        sections=row.sections,
        country=row.country,
        status=row.status,
        details=row.details,
        trace_id=row.trace_id,
        changes=[_change(each) for each in changes[:FIRST_CHANGES]],
        has_more_changes=len(changes) > FIRST_CHANGES,
    )


def _change(row: Row[Any]) -> ChangeOut:
    return ChangeOut(kind=row.kind, key=row.key, act=row.act, before=row.before, after=row.after, named=row.named or [])
