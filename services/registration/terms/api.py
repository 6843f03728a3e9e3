"""Routes of the terms: everybody reads them, organisers set them."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.openapi import ALWAYS_THERE
from services.kernel.problems import PreconditionFailed, PreconditionRequired, Unauthenticated, documented
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running, Writing
from services.kernel.settings import Settings
from services.registration.places import rules
from services.registration.places.tables import Places
from services.registration.terms import actions
from services.registration.terms.schemas import Terms, TermsOut

router = make_router(tag="terms")


@router.get("/activities/{activity_id}/terms", responses=documented(rules.ActivityNotFound))
async def get_terms(session: Reading, runtime: Running, response: Response, activity_id: UUID) -> TermsOut:
    """On what terms places are given, and what those who sign up are asked."""
    places = await actions.shown(session, activity_id)
    response.headers["ETag"] = _etag(places)
    response.headers["Cache-Control"] = "public, max-age=30"
    return _out(places, runtime.settings)


@router.put(
    "/activities/{activity_id}/terms",
    responses=documented(
        Unauthenticated, rules.OutOfReach, rules.ActivityNotFound, PreconditionFailed, PreconditionRequired
    ),
    dependencies=[idempotency.optional],
    openapi_extra=ALWAYS_THERE,
)
async def set_terms(
    request: Request,
    session: Writing,
    runtime: Running,
    response: Response,
    actor: Caller,
    activity_id: UUID,
    wanted: Terms,
) -> TermsOut:
    """Set the terms as a whole: send the ETag of those that you have read in If-Match. Nobody loses a place by them."""
    places = await actions.lock(session, actor, activity_id)
    check_if_match(request, _etag(places))
    await actions.set_terms(session, places, wanted)
    response.headers["ETag"] = _etag(places)
    return _out(places, runtime.settings)


def _etag(places: Places) -> str:
    return f'"terms-{places.terms_revision}"'


def _out(places: Places, settings: Settings) -> TermsOut:
    return TermsOut(
        activity_id=places.activity_id,
        choosing=rules.Choosing(places.choosing),
        quotas=dict(places.room.quotas),
        guests_at_most=places.guests_at_most,
        from_age=places.youngest,
        waiting_list=places.keeps_waiting_list,
        hold_minutes=places.hold_minutes or settings.hold_minutes,
        offer_hours=places.offer_hours,
        offers_end_hours=places.offers_end_hours,
        confirm_until=places.confirm_until,
        asks_esncard=places.asks_esncard and settings.esncard_check_url is not None,
        questions=places.questions,
    )
