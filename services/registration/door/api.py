"""Routes of the door: passes, for organisers; the list and checking in, for them and for whoever holds a pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Body, Depends, Security
from fastapi.security import APIKeyHeader
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from services.contracts import ParticipantClass
from services.kernel.auth import Actor, Caller, PerhapsCaller
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running, Writing
from services.registration.attendance import actions as attendance
from services.registration.attendance import rendering, walk_ins
from services.registration.attendance import store as attendance_store
from services.registration.attendance.rules import presence_of
from services.registration.attendance.schemas import CheckInNotes, CheckInResults, WalkInNotes, WalkInResults
from services.registration.door import actions, store
from services.registration.door.actions import Door
from services.registration.door.rules import PassNotFound, TooManyPasses
from services.registration.door.schemas import DoorEntry, DoorOut, DoorPage, PassIn, PassMade, PassOut, PassPage
from services.registration.door.tables import CheckInPass
from services.registration.places import actions as places_actions
from services.registration.places import codes
from services.registration.places.rules import ActivityNotFound, OutOfReach
from services.registration.places.tables import Registration

router = make_router(tag="attendance")

_OURS = (Unauthenticated, OutOfReach, ActivityNotFound)
_PRIVATE = "private, no-store"
_scheme = APIKeyHeader(
    name="X-Check-In-Pass", auto_error=False, scheme_name="pass", description="A pass for one activity's door."
)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Whoever wants to keep the door: a caller, or the holder of a pass."""

    actor: Actor | None
    secret: str | None

    async def opens(self, session: AsyncSession, activity_id: UUID) -> Door:
        """The door, if they may keep it."""
        if self.secret is not None:
            return await actions.opened_by_pass(session, activity_id, self.secret)
        if self.actor is None:
            raise Unauthenticated
        return await actions.opened(session, self.actor, activity_id)


async def _keeper(
    request: Request, actor: PerhapsCaller, _described: Annotated[str | None, Security(_scheme)]
) -> Keeper:
    # Read by hand, for the framework takes an empty header for none, and two for one.
    sent = request.headers.getlist(_scheme.model.name)
    if sent and (actor is not None or len(sent) > 1):
        raise Unauthenticated("Send one token or one pass, in one header.")
    return Keeper(actor, sent[0] if sent else None)


Keeping = Annotated[Keeper, Depends(_keeper)]


@router.post(
    "/activities/{activity_id}/check-in-passes",
    status_code=201,
    responses=documented(*_OURS, TooManyPasses),
)
async def lend_door(
    session: Writing, runtime: Running, response: Response, actor: Caller, activity_id: UUID, wanted: PassIn
) -> PassMade:
    """Lend the door to a helper for a day. The secret is shown this once.

    It takes no Idempotency-Key, for an answer that is kept would keep the secret: of a request that was sent twice,
    take back the pass that nobody has.
    """
    made, secret = await actions.lend(session, actor, activity_id, on=wanted.on, label=wanted.label)
    response.headers["Cache-Control"] = _PRIVATE
    url = codes.pass_address(runtime.settings.base_url, activity_id, secret)
    return PassMade(**_pass(made).model_dump(), secret=secret, url=url, picture=codes.drawn(url))


@router.get("/activities/{activity_id}/check-in-passes", responses=documented(*_OURS))
async def list_passes(
    request: Request,
    session: Reading,
    response: Response,
    actor: Caller,
    activity_id: UUID,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PassPage:
    """The passes of an activity, without their secrets, for its organisers."""
    page = Page(request, cursor)
    await places_actions.organised(session, actor, activity_id)
    rows = await store.page(session, activity_id, after=_after(page), limit=limit + 1)
    return PassPage(items=[_pass(row) for row in rows[:limit]], next=_next(page, rows, limit, response))


@router.delete(
    "/activities/{activity_id}/check-in-passes/{pass_id}",
    status_code=204,
    responses=documented(*_OURS, PassNotFound),
)
async def revoke_pass(session: Writing, actor: Caller, activity_id: UUID, pass_id: UUID) -> None:
    """Take a pass back: the next request with it is refused. Doing it twice is as good as once."""
    await actions.revoke(session, actor, activity_id, pass_id)


@router.get("/activities/{activity_id}/door", responses=documented(*_OURS))
async def get_door(session: Reading, response: Response, keeper: Keeping, activity_id: UUID) -> DoorOut:
    """The activity at whose door somebody stands, and how many are there."""
    door = await keeper.opens(session, activity_id)
    day = await rendering.day(session, door.places)
    response.headers["Cache-Control"] = _PRIVATE
    return DoorOut(**{name: getattr(day, name) for name in DoorOut.model_fields})


@router.get("/activities/{activity_id}/door/people", responses=documented(*_OURS))
async def list_people_at_the_door(
    request: Request,
    session: Reading,
    response: Response,
    keeper: Keeping,
    activity_id: UUID,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DoorPage:
    """Who has a place, with what is needed at the door and nothing more."""
    page = Page(request, cursor)
    await keeper.opens(session, activity_id)
    rows = await store.people_page(session, activity_id, after=_after(page), limit=limit + 1)
    recorded = await attendance_store.attendances_of(session, [row.id for row in rows[:limit]])
    items = [
        DoorEntry(
            id=row.id,
            lead_id=row.lead_id,
            code=row.code,
            given_name=row.given_name,
            family_name=row.family_name,
            participant_class=ParticipantClass(row.participant_class),
            presence=presence_of(recorded[row.id].standing if row.id in recorded else None),
        )
        for row in rows[:limit]
    ]
    return DoorPage(items=items, next=_next(page, rows, limit, response))


@router.post("/activities/{activity_id}/door/check-ins", responses=documented(*_OURS))
async def check_in_at_the_door(
    session: Writing, keeper: Keeping, activity_id: UUID, told: Annotated[CheckInNotes, Body()]
) -> CheckInResults:
    """Record who was there, as `/check-ins` does; the nonces make repeating it safe."""
    door = await keeper.opens(session, activity_id)
    return CheckInResults(items=await attendance.take(session, door.keeper, door.places, told))


@router.post("/activities/{activity_id}/door/walk-ins", responses=documented(*_OURS))
async def let_in_at_the_door(
    session: Writing, keeper: Keeping, activity_id: UUID, told: Annotated[WalkInNotes, Body()]
) -> WalkInResults:
    """Record who is there without a place, as `/walk-ins` does; the nonces make repeating it safe."""
    door = await keeper.opens(session, activity_id)
    items = await walk_ins.let_in(session, door.keeper, door.places, told)
    day = await rendering.day(session, door.places)
    there = day.present + day.walk_ins
    return WalkInResults(items=items, present=there, capacity=door.places.capacity, over_capacity=day.over_capacity)


def _pass(row: CheckInPass) -> PassOut:
    return PassOut.model_validate(row)


def _after(page: Page) -> UUID | None:
    return UUID(page.after[0]) if page.after else None


def _next(
    page: Page, rows: Sequence[CheckInPass] | Sequence[Registration], limit: int, response: Response
) -> str | None:
    response.headers["Cache-Control"] = _PRIVATE
    return page.next_url([str(rows[limit - 1].id)]) if len(rows) > limit else None
