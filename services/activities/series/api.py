"""Routes of series."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from services.activities.catalogue import rules as catalogue
from services.activities.series import actions, rules
from services.activities.series.schemas import OccurrenceList, OccurrencesIn
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.problems import Forbidden, Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Running, Writing

router = make_router(tag="catalogue")


@router.post(
    "/activities/{activity_id}/occurrences",
    status_code=201,
    response_model=OccurrenceList,
    dependencies=[idempotency.required],
    responses=documented(
        Unauthenticated, Forbidden, catalogue.ActivityNotFound, catalogue.WrongState, rules.NoSeries,
        rules.TakesSignUpsAlready,
    ),
)  # fmt: skip
async def add_occurrences(
    session: Writing, runtime: Running, actor: Caller, activity_id: UUID, wanted: OccurrencesIn
) -> Response:
    """Add dates to an activity, at most 100: each becomes an activity of its own, with its own places and check-in.

    The activity is a series from then on. It lasts from the first date to the last and takes no sign-ups itself; its
    review and its texts are those of every date. A single date can be cancelled, or moved by PATCH.
    """
    made = await actions.add_occurrences(session, runtime.settings, actor, activity_id, wanted)
    body = f'{{"items":[{",".join(part.document for part in made)}],"next":null}}'
    headers = {"Location": f"/activities/v1/activities?part_of={activity_id}"}
    return Response(body, status_code=201, media_type="application/json", headers=headers)
