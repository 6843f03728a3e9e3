"""Routes of attendance."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Body

from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.problems import Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Writing
from services.registration.attendance import actions
from services.registration.attendance.schemas import CheckInNotes, CheckInResults
from services.registration.places.rules import ActivityNotFound, OutOfReach

router = make_router(tag="attendance")


@router.post(
    "/activities/{activity_id}/check-ins",
    dependencies=[idempotency.optional],
    responses=documented(Unauthenticated, OutOfReach, ActivityNotFound),
)
async def check_in(
    session: Writing, actor: Caller, activity_id: UUID, told: Annotated[CheckInNotes, Body()]
) -> CheckInResults:
    """Record who was there: one check-in, or up to 500 that a device gathered while it was offline."""
    return CheckInResults(items=await actions.check_in(session, actor, activity_id, told))
