"""Routes of countries, their organisations and their regional platforms."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.activities.directory import actions, rules, store
from services.activities.directory.rendering import body_of, country_out, etag_of, memberships_out, organisation_out
from services.activities.directory.schemas import (
    CountryList,
    CountryOut,
    MembershipList,
    MembershipsIn,
    OrganisationChangeOut,
    OrganisationEntryOut,
    OrganisationHistoryPage,
    OrganisationIn,
    PlatformHistoryOut,
    PlatformList,
    PlatformOut,
)
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.openapi import ALWAYS_THERE
from services.kernel.paging import Cursor, Limit, Page
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
    "/countries/{code}/organisation",
    response_model=OrganisationEntryOut,
    responses=documented(rules.CountryNotFound),
)
async def get_organisation(session: Reading, code: Code) -> Response:
    """The national organisation of a country, with the ETag to change it."""
    country = await store.country(session, code)
    if country is None:
        raise rules.CountryNotFound
    return _reply(organisation_out(country))


@router.put(
    "/countries/{code}/organisation",
    response_model=OrganisationEntryOut,
    responses=documented(Unauthenticated, Forbidden, rules.CountryNotFound, PreconditionFailed, PreconditionRequired),
    dependencies=[idempotency.optional],
    openapi_extra=ALWAYS_THERE,
)
async def put_organisation(
    request: Request, session: Writing, actor: Caller, code: Code, wanted: OrganisationIn
) -> Response:
    """Say what the national organisation is called and where it is found, as its national coordinator."""
    country = await store.lock_country(session, code)
    if country is None:
        raise rules.CountryNotFound
    actions.check_organisation_reach(actor, country.code)
    check_if_match(request, etag_of(organisation_out(country)))
    await actions.edit_organisation(session, actor, country, wanted)
    return _reply(organisation_out(country))


@router.get(
    "/countries/{code}/organisation/history",
    responses=documented(Unauthenticated, Forbidden, rules.CountryNotFound),
)
async def list_organisation_history(
    request: Request, session: Reading, actor: Caller, code: Code, limit: Limit = 50, cursor: Cursor = None
) -> OrganisationHistoryPage:
    """What was changed of a national organisation's entry and when, from the beginning, for those who may change it."""
    page = Page(request, cursor)
    if await store.country(session, code) is None:
        raise rules.CountryNotFound
    actions.check_organisation_reach(actor, code)
    found = await store.organisation_history(session, code, after=page.after, limit=limit + 1)
    items = [
        OrganisationChangeOut.model_validate({
            "revision": each.revision, "at": each.at, "by": each.actor_role, "before": each.before, "after": each.after,
        })
        for each in found[:limit]
    ]  # fmt: skip
    next_url = page.next_url([found[limit - 1].revision]) if len(found) > limit else None
    return OrganisationHistoryPage(items=items, next=next_url)


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


def _reply(shown: MembershipList | OrganisationEntryOut) -> Response:
    return Response(body_of(shown), media_type="application/json", headers={"ETag": etag_of(shown)})
