"""The route by which programs change what somebody told when they signed up."""

from __future__ import annotations

from uuid import UUID

from services.kernel.problems import documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Writing
from services.registration.form import actions
from services.registration.people import rules as people_rules
from services.registration.places import actions as places_actions
from services.registration.places import rules
from services.registration.places.api import out
from services.registration.places.schemas import DetailsByLink, RegistrationOut

router = make_router(tag="places")


@router.put(
    "/registrations/{registration_id}/details",
    responses=documented(
        people_rules.LinkNotFound,
        people_rules.LinkExpired,
        rules.HoldEnded,
        rules.RegistrationCancelled,
        rules.ActivityCalledOff,
        rules.ActivityBegan,
    ),
)
async def change_details(session: Writing, registration_id: UUID, wanted: DetailsByLink) -> RegistrationOut:
    """Change what was told at sign-up, as a whole, by the secret of a managing link; once more is as good as once."""
    linked = await places_actions.follow_link(session, wanted.token, handle=registration_id)
    await actions.change_by_link(session, linked, wanted)
    return await out(session, linked.row)
