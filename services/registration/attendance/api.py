"""Routes of attendance, for organisers: the list of the day, check-in, who came without a place, corrections."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Body
from starlette.requests import Request
from starlette.responses import Response

from services.contracts import ParticipantClass
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.openapi import ALWAYS_THERE
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import PreconditionFailed, PreconditionRequired, Unauthenticated, documented
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Writing
from services.registration.attendance import actions, corrections, rendering, store, walk_ins
from services.registration.attendance.rules import AttendanceNotFound, NotBegun, NotOver, presence_of
from services.registration.attendance.schemas import (
    AttendanceOut,
    CheckInNotes,
    CheckInResults,
    Correction,
    DayOut,
    DayPage,
    HistoryEntry,
    HistoryPage,
    NoShows,
    NoShowsOut,
    WalkInEntry,
    WalkInNotes,
    WalkInPage,
    WalkInResults,
)
from services.registration.attendance.tables import WalkIn
from services.registration.places import actions as places_actions
from services.registration.places import api as places_api
from services.registration.places import store as places_store
from services.registration.places.rules import ActivityCalledOff, ActivityNotFound, OutOfReach

router = make_router(tag="attendance")

_OURS = (Unauthenticated, OutOfReach, ActivityNotFound)
_THEIRS = (Unauthenticated, OutOfReach, AttendanceNotFound)
_PRIVATE = "private, no-store"


@router.get("/activities/{activity_id}/registrations", responses=documented(*_OURS))
async def list_registrations(
    request: Request,
    session: Reading,
    response: Response,
    actor: Caller,
    activity_id: UUID,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DayPage:
    """Who signed up, in that order, and what is recorded of the day, for the activity's organisers."""
    page = Page(request, cursor)
    await places_actions.organised(session, actor, activity_id)
    after = UUID(page.after[0]) if page.after else None
    rows = await places_store.registrations_page(session, activity_id, after=after, limit=limit + 1)
    next_url = page.next_url([str(rows[limit - 1].id)]) if len(rows) > limit else None
    response.headers["Cache-Control"] = _PRIVATE
    if next_url is not None:
        response.headers["Link"] = f'<{next_url}>; rel="next"'
    shown = rows[:limit]
    entries = await places_api.entries(session, shown)
    return DayPage(items=await rendering.listed(session, shown, entries), next=next_url)


@router.get("/activities/{activity_id}/attendance", responses=documented(*_OURS))
async def get_attendance(session: Reading, response: Response, actor: Caller, activity_id: UUID) -> DayOut:
    """Who was expected and who was there, by class, with hours and with the sums of answers, for its organisers."""
    places = await places_actions.organised(session, actor, activity_id)
    response.headers["Cache-Control"] = _PRIVATE
    return await rendering.day(session, places)


@router.post("/activities/{activity_id}/check-ins", dependencies=[idempotency.optional], responses=documented(*_OURS))
async def check_in(
    session: Writing, actor: Caller, activity_id: UUID, told: Annotated[CheckInNotes, Body()]
) -> CheckInResults:
    """Record who was there: one check-in, or up to 500 that a device gathered while it was offline."""
    return CheckInResults(items=await actions.check_in(session, actor, activity_id, told))


@router.get("/activities/{activity_id}/walk-ins", responses=documented(*_OURS))
async def list_walk_ins(
    request: Request,
    session: Reading,
    response: Response,
    actor: Caller,
    activity_id: UUID,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> WalkInPage:
    """Who came without a place, in the order in which it was told, for the activity's organisers."""
    page = Page(request, cursor)
    await places_actions.organised(session, actor, activity_id)
    after = UUID(page.after[0]) if page.after else None
    rows = await store.walk_ins_page(session, activity_id, after=after, limit=limit + 1)
    next_url = page.next_url([str(rows[limit - 1].id)]) if len(rows) > limit else None
    response.headers["Cache-Control"] = _PRIVATE
    if next_url is not None:
        response.headers["Link"] = f'<{next_url}>; rel="next"'
    return WalkInPage(items=[WalkInEntry.model_validate(row) for row in rows[:limit]], next=next_url)


@router.post("/activities/{activity_id}/walk-ins", dependencies=[idempotency.optional], responses=documented(*_OURS))
async def record_walk_ins(
    session: Writing, actor: Caller, activity_id: UUID, told: Annotated[WalkInNotes, Body()]
) -> WalkInResults:
    """Record who is there without a place, past the capacity too: one, or up to 500 that a device counted offline."""
    places, items = await walk_ins.come_in(session, actor, activity_id, told)
    day = await rendering.day(session, places)
    there = day.present + day.walk_ins
    return WalkInResults(items=items, present=there, capacity=places.capacity, over_capacity=day.over_capacity)


@router.post(
    "/activities/{activity_id}/no-shows",
    dependencies=[idempotency.optional],
    responses=documented(*_OURS, NotOver, ActivityCalledOff),
)
async def mark_no_shows(session: Writing, actor: Caller, activity_id: UUID, wanted: NoShows) -> NoShowsOut:
    """Mark who did not come, after the end. A check-in that is told later takes it back; nobody is told of it."""
    return NoShowsOut(marked=await corrections.mark_no_shows(session, actor, activity_id, wanted.registration_ids))


@router.get("/attendances/{attendance_id}", responses=documented(*_THEIRS))
async def get_attendance_of_one(
    session: Reading, response: Response, actor: Caller, attendance_id: UUID
) -> AttendanceOut:
    """What is recorded of somebody: by the id of their registration, or of a walk-in."""
    found = await corrections.recorded(session, actor, attendance_id)
    return _out(found, response)


@router.put(
    "/attendances/{attendance_id}",
    dependencies=[idempotency.optional],
    responses=documented(*_THEIRS, NotBegun, ActivityCalledOff, PreconditionFailed, PreconditionRequired),
    openapi_extra=ALWAYS_THERE,
)
async def correct_attendance(
    request: Request,
    session: Writing,
    response: Response,
    actor: Caller,
    attendance_id: UUID,
    wanted: Correction,
) -> AttendanceOut:
    """Correct whether somebody was there, or for how long: it stands above every check-in, and leaves a trace."""
    found = await corrections.recorded(session, actor, attendance_id, locked=True)
    check_if_match(request, found.etag)
    await corrections.correct(session, actor, found, wanted)
    return _out(await corrections.recorded(session, actor, attendance_id), response)


@router.get("/attendances/{attendance_id}/history", responses=documented(*_THEIRS))
async def list_decisions(
    request: Request,
    session: Reading,
    response: Response,
    actor: Caller,
    attendance_id: UUID,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> HistoryPage:
    """What was decided about somebody's attendance beside checking them in: by whom, from what to what, and why."""
    page = Page(request, cursor)
    await corrections.recorded(session, actor, attendance_id)
    after = UUID(page.after[0]) if page.after else None
    rows = await store.history_page(session, attendance_id, after=after, limit=limit + 1)
    next_url = page.next_url([str(rows[limit - 1].id)]) if len(rows) > limit else None
    response.headers["Cache-Control"] = _PRIVATE
    if next_url is not None:
        response.headers["Link"] = f'<{next_url}>; rel="next"'
    return HistoryPage(items=[HistoryEntry.model_validate(row) for row in rows[:limit]], next=next_url)


def _out(found: corrections.Recorded, response: Response) -> AttendanceOut:
    response.headers["ETag"], response.headers["Cache-Control"] = found.etag, _PRIVATE
    known = found.standing
    return AttendanceOut(
        id=found.row.id,
        activity_id=found.row.activity_id,
        walk_in=isinstance(found.row, WalkIn),
        participant_class=ParticipantClass(found.row.participant_class),
        presence=presence_of(known),
        hours=known and known.hours,
        corrected=known is not None and known.corrected,
    )
