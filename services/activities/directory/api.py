"""Routes of the directory: sections."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from services.activities.directory import actions, rules, store
from services.activities.directory.known import PLATFORMS
from services.activities.directory.rendering import body_of, etag_of, section_out
from services.activities.directory.schemas import SectionChanges, SectionOut, SectionPage
from services.activities.directory.store import Sought
from services.activities.directory.tables import Section
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.globe import Near, written_place
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import (
    FieldError,
    Forbidden,
    Invalid,
    PreconditionFailed,
    PreconditionRequired,
    Unauthenticated,
    documented,
)
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running, Writing
from services.kernel.texts import AssignedCountryCode, Code, Line

router = make_router(tag="directory")

_DEFAULT_RADIUS_KM = 25.0
_MOST_CODES = 50


async def sought(
    runtime: Running,
    country: Annotated[list[AssignedCountryCode], Query(max_length=_MOST_CODES)] = [],
    platform: Annotated[list[Code], Query(max_length=_MOST_CODES, description="of its country today, as NEP")] = [],
    state: Annotated[list[Literal["active", "warned", "merged", "withdrew"]], Query(max_length=4)] = [],
    q: Annotated[Line | None, Query(description="Words, or parts of them, of name, code and cities.")] = None,
    near: Annotated[str | None, Query(max_length=60, description="LAT,LNG in degrees; the nearest come first")] = None,
    radius_km: Annotated[
        float | None, Query(gt=0, le=1000, allow_inf_nan=False, description=f"Around `near`; {_DEFAULT_RADIUS_KM:g}.")
    ] = None,
) -> Sought:
    """The sections that a reader wants, or a 422 that names every parameter at fault."""
    faults = await PLATFORMS.faults_of(runtime, platform)
    place = None if near is None else written_place(near)
    if near is not None and place is None:
        faults.append(FieldError(pointer="query/near", detail="Must be LAT,LNG in degrees, as 40.68,8.2."))
    if near is None and radius_km is not None:
        faults.append(FieldError(pointer="query/radius_km", detail="A radius needs `near`."))
    if faults:
        raise Invalid(errors=faults)
    around = place and Near(*place, _DEFAULT_RADIUS_KM if radius_km is None else radius_km)
    return Sought(countries=country, platforms=platform, states=state, q=q, near=around)


@router.get("/sections")
async def list_sections(
    request: Request,
    session: Reading,
    wanted: Annotated[Sought, Depends(sought)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SectionPage:
    """Sections of the network, in the order of their codes; with `near`, the nearest first."""
    page = Page(request, cursor)
    rows = await store.page_of_sections(session, wanted, after=page.after, limit=limit + 1)
    shown = rows[:limit]
    platforms = await store.platforms_today(session, {row.country for row, _ in shown})
    items = [section_out(row, platform=platforms.get(row.country), distance_km=far) for row, far in shown]
    is_last = len(rows) <= limit
    return SectionPage(items=items, next=None if is_last else page.next_url([shown[-1][1], shown[-1][0].code]))


@router.get(
    "/sections/{code}",
    response_model=SectionOut,
    responses={
        308: {"description": "It merged: `Location` is the section that is its successor now.", "model": SectionOut},
        **documented(rules.SectionNotFound),
    },
)
async def get_section(session: Reading, code: Code) -> Response:
    """One section. One that merged leads to its successor; its own entry, and the ETag to change it, come along."""
    row = await store.section(session, code)
    if row is None:
        raise rules.SectionNotFound
    reply = await _reply(session, row)
    if successors := await store.successors(session, row):
        reply.status_code = 308
        reply.headers["Location"] = f"/activities/v1/sections/{successors[-1].code}"
        reply.headers["Cache-Control"] = "public, max-age=300"
    return reply


@router.patch(
    "/sections/{code}",
    response_model=SectionOut,
    responses=documented(Unauthenticated, Forbidden, rules.SectionNotFound, PreconditionFailed, PreconditionRequired),
    dependencies=[idempotency.optional],
)
async def edit_section(
    request: Request, session: Writing, actor: Caller, code: Code, changes: SectionChanges
) -> Response:
    """Change fields of a section that you coordinate and have read: send its ETag in If-Match.

    No list of ESN Accounts overwrites what was stated here. State and successor are for ESN International.
    """
    await store.hold_naming(session)
    row = await store.lock_section(session, code)
    if row is None:
        raise rules.SectionNotFound
    actions.check_reach(actor, row)
    check_if_match(request, (await _reply(session, row)).headers["ETag"])
    return await _reply(session, await actions.edit_section(session, actor, row, changes))


async def _reply(session: Reading, row: Section) -> Response:
    platforms = await store.platforms_today(session, {row.country})
    shown = section_out(row, platform=platforms.get(row.country))
    return Response(body_of(shown), media_type="application/json", headers={"ETag": etag_of(shown)})
