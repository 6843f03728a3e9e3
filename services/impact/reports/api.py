"""Routes of the reports."""

from __future__ import annotations

import hashlib
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.impact.projections import store as projections
from services.impact.reports import actions, judging, rendering, rules, store
from services.impact.reports.rules import Verb
from services.impact.reports.schemas import DraftOut, Reasons, ReportIn, ReportOut, Submission
from services.impact.reports.tables import Report
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.problems import Forbidden, PreconditionFailed, PreconditionRequired, Unauthenticated, documented
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Writing

router = make_router(tag="reports")

_READ = documented(Unauthenticated, Forbidden, rules.ActivityNotFound, rules.ReportNotFound)
_MANAGED = documented(
    Unauthenticated, Forbidden, rules.ActivityNotFound, rules.ReportNotFound, rules.WrongReportState, PreconditionFailed
)


@router.get("/activities/{activity_id}/report", response_model=ReportOut, responses=_READ)
async def get_report(session: Reading, actor: Caller, activity_id: UUID) -> Response:
    """What was reported about an activity, with who did what; for those in reach of it."""
    await actions.activity_in_reach(session, actor, activity_id)
    return await _reply(session, actions.existing(await store.report(session, activity_id)))


@router.get(
    "/activities/{activity_id}/report/draft",
    responses=documented(Unauthenticated, Forbidden, rules.ActivityNotFound, rules.HasParts),
)
async def get_report_draft(session: Reading, actor: Caller, activity_id: UUID, response: Response) -> DraftOut:
    """What a report can begin with: who was checked in, hours, partners. `report` can be sent as it is, or corrected.

    Without hours of check-ins it is the duration times the people who were present.
    """
    activity = await actions.find_activity(session, actor, activity_id)
    response.headers["Cache-Control"] = "private, no-store"
    return rendering.draft(activity, await projections.checked_in(session, activity_id))


@router.put(
    "/activities/{activity_id}/report",
    response_model=ReportOut,
    responses={
        201: {"model": ReportOut},
        **documented(
            Unauthenticated, Forbidden, rules.ActivityNotFound, rules.ReportTooEarly, rules.ActivityWasCancelled,
            rules.HasParts, rules.WrongReportState, PreconditionFailed, PreconditionRequired,
        ),
    },
    dependencies=[idempotency.optional],
)  # fmt: skip
async def write_report(
    request: Request, session: Writing, actor: Caller, activity_id: UUID, wanted: ReportIn
) -> Response:
    """Write what happened. To write it anew, send the ETag of the report that you have read in If-Match.

    `hints` of the answer say what may be wrong, each at its place in the answer.
    """
    activity = await actions.activity_in_reach(session, actor, activity_id)
    row = await store.lock_report(session, activity_id)
    _check_if_match(request, row, is_needed=row is not None)
    return await _reply(
        session, await actions.write(session, actor, activity, row, wanted), status=201 if row is None else 200
    )


@router.post(
    "/activities/{activity_id}/report/submit",
    response_model=ReportOut,
    responses={**_MANAGED, **documented(rules.WrongReportState, rules.ReportImplausible)},
    dependencies=[idempotency.optional],
)
async def submit_report(
    request: Request, session: Writing, actor: Caller, activity_id: UUID, confirmed: Submission | None = None
) -> Response:
    """Ask the national coordinator to verify it. What blocks is corrected, or acknowledged by the code of its hint.

    A refusal for that reason points into the report.
    """
    row = await _locked(request, session, actor, activity_id)
    return await _reply(session, await actions.submit(session, actor, row, confirmed.acknowledged if confirmed else ()))


@router.post(
    "/activities/{activity_id}/report/verify",
    response_model=ReportOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def verify_report(request: Request, session: Writing, actor: Caller, activity_id: UUID) -> Response:
    """Let its figures count, as the national coordinator."""
    row = await _locked(request, session, actor, activity_id)
    return await _reply(session, await actions.decide(session, actor, row, Verb.VERIFY))


@router.post(
    "/activities/{activity_id}/report/return",
    response_model=ReportOut,
    responses=_MANAGED,
    dependencies=[idempotency.optional],
)
async def return_report(
    request: Request, session: Writing, actor: Caller, activity_id: UUID, reasons: Reasons
) -> Response:
    """Give it back to its section with the reasons; the figures of a verified one no longer count."""
    row = await _locked(request, session, actor, activity_id)
    return await _reply(session, await actions.decide(session, actor, row, Verb.RETURN, reasons.reason))


async def _locked(request: Request, session: Writing, actor: Caller, activity_id: UUID) -> Report:
    await actions.activity_in_reach(session, actor, activity_id)
    row = actions.existing(await store.lock_report(session, activity_id))
    _check_if_match(request, row, is_needed=False)
    return row


def _check_if_match(request: Request, row: Report | None, *, is_needed: bool) -> None:
    if not is_needed and "if-match" not in request.headers:
        return
    if row is None:
        raise PreconditionFailed
    # The tag of what is read is `"revision.digest"`, since hints change without the report.
    sent = request.headers.get("if-match", "").strip()
    if not sent.startswith(f'"{row.revision}.'):
        check_if_match(request, f'"{row.revision}"')


async def _reply(session: Reading, row: Report, *, status: int = 200) -> Response:
    hints = (await judging.hints(session, [row]))[row.activity_id]
    body = (await rendering.shown(session, row, hints)).model_dump_json()
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    headers = {"ETag": f'"{row.revision}.{digest}"', "Cache-Control": "private, no-store"}
    if status == 201:
        headers["Location"] = f"/impact/v1/activities/{row.activity_id}/report"
    return Response(body, status_code=status, media_type="application/json", headers=headers)
