"""Routes of the lists of reports: for verifiers, of what is missing, and of the measures of amounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.impact.reports import actions, judging, measures, rendering, rules, store
from services.impact.reports.rules import Outcome, State
from services.impact.reports.schemas import KnownMeasureList, KnownMeasureOut, MissingPage, QueuePage
from services.kernel.auth import Caller
from services.kernel.currencies import CURRENCIES
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running
from services.kernel.texts import AssignedCountryCode, Code

router = make_router(tag="reports")

_LISTED = documented(Unauthenticated, rules.ListOutOfReach)
Section = Annotated[Code | None, Query(description="The leading section.")]
Country = Annotated[AssignedCountryCode | None, Query()]
Edition = Annotated[Code | None, Query(description="as 2026-autumn")]


@router.get("/reports", responses=_LISTED)
async def list_reports(
    request: Request,
    response: Response,
    session: Reading,
    runtime: Running,
    actor: Caller,
    state: Annotated[State | None, Query(description="`submitted` is what waits for its verification.")] = None,
    outcome: Annotated[Outcome | None, Query()] = None,
    section: Section = None,
    country: Country = None,
    edition: Edition = None,
    late: Annotated[bool | None, Query(description="Those submitted after they were due, or in time.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> QueuePage:
    """The reports within your reach with their hints, those first that nobody touched for longest."""
    within = timedelta(days=runtime.settings.report_within_days)
    conditions = await actions.reach(session, actor, section=section, edition=edition)
    conditions += store.chosen(section=section, country=country, edition=edition, state=state, outcome=outcome)
    if late is not None:
        conditions.append(store.told_in_time(is_late=late, within=within))
    page = Page(request, cursor)
    rows = await store.page_of_reports(session, conditions, after=_after(page), limit=limit + 1)
    hints = await judging.hints(session, [row for row, _ in rows[:limit]])
    response.headers["Cache-Control"] = "private, no-store"
    return QueuePage(
        items=[rendering.queued(row, activity, hints[row.activity_id], within) for row, activity in rows[:limit]],
        next=_next(page, [(row.updated_at, row.activity_id) for row, _ in rows], limit),
    )


@router.get("/reports/missing", responses=_LISTED)
async def list_missing_reports(
    request: Request,
    response: Response,
    session: Reading,
    runtime: Running,
    actor: Caller,
    days: Annotated[
        int | None, Query(ge=0, le=3650, description="Ended so many days ago and more; by default, those overdue.")
    ] = None,
    section: Section = None,
    country: Country = None,
    edition: Edition = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MissingPage:
    """Activities within your reach that are over and whose report was not submitted, the last to end first."""
    within = timedelta(days=runtime.settings.report_within_days)
    conditions = await actions.reach(session, actor, section=section, edition=edition)
    conditions += store.chosen(section=section, country=country, edition=edition)
    page = Page(request, cursor)
    rows = await store.page_of_missing(
        session,
        conditions,
        ended_for=within if days is None else timedelta(days=days),
        after=_after(page),
        limit=limit + 1,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return MissingPage(
        items=[rendering.missing(row, within) for row in rows[:limit]],
        next=_next(page, [(row.activity.ends_at, row.activity.activity_id) for row in rows], limit),
    )


@router.get("/quantities")
async def list_quantities() -> KnownMeasureList:
    """The measures in which amounts are reported, each with its units."""
    known = [
        KnownMeasureOut(code=code, title=measure.title, units=list(measure.units))
        for code, measure in measures.KNOWN.items()
    ]
    money = KnownMeasureOut(code=measures.MONEY, title="Money raised or given", units=sorted(CURRENCIES))
    return KnownMeasureList(items=[*known, money], next=None, other=f"{measures.OTHER}benches_painted")


def _after(page: Page) -> tuple[datetime, UUID] | None:
    return (datetime.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None


def _next(page: Page, positions: Sequence[tuple[Any, UUID]], limit: int) -> str | None:
    if len(positions) <= limit:
        return None
    at, identity = positions[limit - 1]
    return page.next_url([at.isoformat(), str(identity)])
