"""The route of one edition, with its totals."""

from __future__ import annotations

import hashlib

from starlette.responses import Response

from services.activities.campaigns.rules import EditionNotFound, version
from services.activities.totals import actions
from services.activities.totals.schemas import EditionStanding
from services.kernel.problems import documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading
from services.kernel.texts import Code

router = make_router(tag="campaigns")


@router.get("/editions/{code}", response_model=EditionStanding, responses=documented(EditionNotFound))
async def get_edition(session: Reading, code: Code) -> Response:
    """One edition with its totals so far, and how they compare with the edition before it."""
    row, edition = await actions.standing(session, code)
    body = edition.model_dump_json().encode()
    headers = {
        # What stands before the dash is the edition's own state, which is all that a revision of it asks for.
        "ETag": f'"{version(row.updated_at)}-{hashlib.sha256(body).hexdigest()[:16]}"',
        "Cache-Control": "public, max-age=30, stale-while-revalidate=60",
    }
    return Response(body, media_type="application/json", headers=headers)
