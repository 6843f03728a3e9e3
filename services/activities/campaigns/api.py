"""Routes of the campaigns: the editions of SocialErasmus Week and its successors."""

from __future__ import annotations

from services.activities.campaigns import store
from services.activities.campaigns.schemas import EditionList, EditionOut
from services.kernel.problems import NotFound, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading
from services.kernel.texts import Code

router = make_router(tag="campaigns")


class EditionNotFound(NotFound):
    """There is no edition with this code."""


@router.get("/editions")
async def list_editions(session: Reading) -> EditionList:
    """Every edition, the newest first."""
    return EditionList(items=[EditionOut.model_validate(row) for row in await store.editions(session)], next=None)


@router.get("/editions/{code}", responses=documented(EditionNotFound))
async def get_edition(session: Reading, code: Code) -> EditionOut:
    """One edition."""
    row = await store.edition(session, code)
    if row is None:
        raise EditionNotFound
    return EditionOut.model_validate(row)
