"""Routes by which organisers choose."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from services.kernel.auth import Caller
from services.kernel.problems import Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Running, Writing
from services.registration.places import rules as places_rules
from services.registration.places.api import entries
from services.registration.places.schemas import RegistrationEntry
from services.registration.waiting import actions, rules

router = make_router(tag="choosing")

_REFUSALS = documented(Unauthenticated, places_rules.OutOfReach, rules.RegistrationNotFound, rules.NotUndecided)


@router.post("/registrations/{registration_id}/approve", responses=_REFUSALS)
async def approve_registration(
    session: Writing, runtime: Running, response: Response, actor: Caller, registration_id: UUID
) -> RegistrationEntry:
    """Choose somebody who applied. A place is offered to them, now or when one is free, and they confirm it."""
    response.headers["Cache-Control"] = "private, no-store"
    return (await entries(session, [await actions.approve(session, runtime.settings, actor, registration_id)]))[0]


@router.post("/registrations/{registration_id}/decline", responses=_REFUSALS)
async def decline_registration(
    session: Writing, runtime: Running, response: Response, actor: Caller, registration_id: UUID
) -> RegistrationEntry:
    """Say that somebody who applied or waits can't have a place; they get a mail."""
    response.headers["Cache-Control"] = "private, no-store"
    return (await entries(session, [await actions.decline(session, runtime.settings, actor, registration_id)]))[0]
