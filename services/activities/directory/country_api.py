"""Routes of countries and their regional platforms."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.activities.directory import actions, rules, store
from services.activities.directory.rendering import body_of, country_out, etag_of, memberships_out
from services.activities.directory.schemas import (
    CountryList,
    CountryOut,
    MembershipList,
    MembershipsIn,
    PlatformHistoryOut,
    PlatformList,
    PlatformOut,
)
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.openapi import ALWAYS_THERE
from services.kernel.problems import Forbidden, PreconditionFailed, PreconditionRequired, Unauthenticated, documented
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Writing
from services.kernel.texts import Code, Day

router = make_router(tag="directory")


@router.get("/countries")
async def list_countries(session: Reading) -> CountryList:
    """The countries that have a section or a national organisation, with the number of active sections."""
    return CountryList(items=[country_out(entry) for entry in await store.countries(session)], next=None)


@router.get("/countries/{code}", responses=documented(rules.CountryNotFound))
async def get_country(session: Reading, code: Code) -> CountryOut:
    """One country of the network."""
    for entry in await store.countries(session, code):
        return country_out(entry)
    raise rules.CountryNotFound


@router.get(
    "/countries/{code}/platform-memberships",
    response_model=MembershipList,
    responses=documented(rules.CountryNotFound),
)
async def get_memberships(session: Reading, code: Code) -> Response:
    """The regional platforms that a country was and is in, as far as it is known."""
    if await store.country(session, code) is None:
        raise rules.CountryNotFound
    return _reply(await _memberships(session, code))


@router.put(
    "/countries/{code}/platform-memberships",
    response_model=MembershipList,
    responses=documented(Unauthenticated, Forbidden, rules.CountryNotFound, PreconditionFailed, PreconditionRequired),
    dependencies=[idempotency.optional],
    openapi_extra=ALWAYS_THERE,
)
async def put_memberships(
    request: Request, session: Writing, actor: Caller, code: Code, wanted: MembershipsIn
) -> Response:
    """Say when a country was in which platform, as ESN International: all of it. Its activities follow by and by."""
    actions.check_network(actor)
    country = await store.lock_country(session, code)
    if country is None:
        raise rules.CountryNotFound
    check_if_match(request, etag_of(await _memberships(session, code)))
    await actions.set_memberships(session, actor, country, wanted)
    return _reply(await _memberships(session, code))


@router.get("/platforms")
async def list_platforms(
    session: Reading, on: Annotated[Day | None, Query(description="The day of the members; today.")] = None
) -> PlatformList:
    """Every regional platform with its members on a day."""
    day = on or await store.today(session)
    names = await store.country_names(session)
    members = memberships_out(await store.memberships(session, on=day), names)
    items = [
        PlatformOut(code=row.code, name=row.name, members=[each for each in members if each.platform == row.code])
        for row in await store.platforms(session)
    ]
    return PlatformList(on=day, items=items, next=None)


@router.get("/platforms/{code}", responses=documented(rules.PlatformNotFound))
async def get_platform(session: Reading, code: Code) -> PlatformHistoryOut:
    """One regional platform with everybody who was in it, as far as it is known."""
    row = await store.platform(session, code)
    if row is None:
        raise rules.PlatformNotFound
    names = await store.country_names(session)
    members = await store.memberships(session, platform=code, on=await store.today(session))
    history = await store.memberships(session, platform=code)
    return PlatformHistoryOut(
        code=row.code,
        name=row.name,
        members=memberships_out(members, names),
        history=memberships_out(history, names),
    )


async def _memberships(session: Reading, country: str) -> MembershipList:
    rows = await store.memberships(session, country=country)
    return MembershipList(items=memberships_out(rows, await store.country_names(session)), next=None)


def _reply(shown: MembershipList) -> Response:
    return Response(body_of(shown), media_type="application/json", headers={"ETag": etag_of(shown)})
