"""Routes by which ESN International brings the directory into line with ESN Accounts."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from services.activities.directory import rules, syncing
from services.activities.directory.schemas import ReportOut, SyncIn, SyncOut
from services.activities.directory.tables import DirectorySync
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.problems import Forbidden, Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Writing

router = make_router(tag="directory")

_MANAGED = documented(Unauthenticated, Forbidden)


@router.post("/directory/syncs", status_code=201, responses=_MANAGED, dependencies=[idempotency.required])
async def propose_sync(session: Writing, actor: Caller, sent: SyncIn, reply: Response) -> SyncOut:
    """Send all sections as ESN Accounts lists them; nothing changes yet, the answer is what would.

    ESN Accounts owns name, state, country and university; website, cities, position, time zone and languages are the
    section's own once it edited them. A section that is no longer listed is proposed as `withdrew`.
    """
    sync = await syncing.propose(session, actor, sent.records)
    reply.headers["Location"] = f"/activities/v1/directory/syncs/{sync.id}"
    return _shown(sync)


@router.get("/directory/syncs/{sync_id}", responses={**_MANAGED, **documented(rules.SyncNotFound)})
async def get_sync(session: Reading, actor: Caller, sync_id: UUID) -> SyncOut:
    """A list that was sent, and what it would have changed then."""
    return _shown(await syncing.find(session, actor, sync_id))


@router.post(
    "/directory/syncs/{sync_id}/apply",
    responses={**_MANAGED, **documented(rules.SyncNotFound, rules.DifferenceChanged)},
    dependencies=[idempotency.optional],
)
async def apply_sync(session: Writing, actor: Caller, sync_id: UUID) -> SyncOut:
    """Change exactly what the report says, at once; a 409 where the directory is no longer what it was."""
    return _shown(await syncing.apply(session, actor, sync_id))


def _shown(sync: DirectorySync) -> SyncOut:
    return SyncOut(
        id=sync.id,
        digest=sync.digest,
        created_at=sync.created_at,
        applied_at=sync.applied_at,
        report=ReportOut.model_validate(sync.report),
    )
