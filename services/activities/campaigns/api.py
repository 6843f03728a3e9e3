"""Routes of the campaigns: series, their editions, and the dates of countries that differ."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.activities.campaigns import actions, rules, store
from services.activities.campaigns.schemas import (
    EditionDescription,
    EditionIn,
    EditionList,
    EditionOut,
    NationalDatesIn,
    NationalDatesOut,
    SeriesList,
    SeriesOut,
)
from services.activities.campaigns.tables import Edition, NationalDates
from services.kernel import idempotency
from services.kernel.auth import Caller
from services.kernel.problems import Forbidden, PreconditionFailed, PreconditionRequired, Unauthenticated, documented
from services.kernel.routes import check_if_match
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Writing
from services.kernel.texts import AssignedCountryCode, Code, Day

router = make_router(tag="campaigns")

_DATES = documented(Unauthenticated, Forbidden, rules.EditionNotFound, PreconditionFailed, PreconditionRequired)


@router.get("/series")
async def list_series(session: Reading) -> SeriesList:
    """Every series: the Weeks, what they became, and the gatherings; the oldest first."""
    return SeriesList(items=await actions.shown_series(session), next=None)


@router.get("/series/{code}", responses=documented(rules.SeriesNotFound))
async def get_series(session: Reading, code: Code) -> SeriesOut:
    """One series."""
    for each in await actions.shown_series(session):
        if each.code == code:
            return each
    raise rules.SeriesNotFound


@router.get("/editions")
async def list_editions(
    session: Reading,
    series: Annotated[Code | None, Query(description="as social-impact-days")] = None,
    year: Annotated[int | None, Query(ge=2000, le=2100)] = None,
    season: rules.Season | None = None,
    on: Annotated[Day | None, Query(description="Those that run on this day, everywhere or in some country.")] = None,
    current: Annotated[bool | None, Query(description="Whether they run today, by the date in UTC.")] = None,
) -> EditionList:
    """Editions, the newest first."""
    found = await store.editions(session, series=series, year=year, season=season, on=on, is_current=current)
    return EditionList(items=await actions.shown(session, found), next=None)


@router.post(
    "/editions",
    status_code=201,
    response_model=EditionOut,
    dependencies=[idempotency.required],
    responses=documented(Unauthenticated, Forbidden, rules.EditionExists),
)
async def announce_edition(session: Writing, actor: Caller, wanted: EditionIn) -> Response:
    """Announce an edition, as ESN International; activities fall into it by their dates within seconds."""
    return await _reply(session, await actions.announce(session, actor, wanted), status=201)


@router.patch(
    "/editions/{code}",
    response_model=EditionOut,
    dependencies=[idempotency.optional],
    responses=documented(
        Unauthenticated, Forbidden, rules.EditionNotFound, PreconditionFailed, PreconditionRequired
    ),
)  # fmt: skip
async def revise_edition(
    request: Request, session: Writing, actor: Caller, code: Code, wanted: EditionDescription
) -> Response:
    """Change what you send of an edition, as ESN International: send its ETag in If-Match. The rest stays.

    Figures that moved since you read it are no hindrance.
    """
    row = await actions.lock(session, actor, code)
    _check_if_match(request, row)
    return await _reply(session, await actions.revise(session, row, wanted))


@router.get(
    "/editions/{code}/national-dates/{country}",
    response_model=NationalDatesOut,
    responses=documented(rules.NationalDatesNotFound),
)
async def get_national_dates(session: Reading, code: Code, country: AssignedCountryCode) -> Response:
    """The days of an edition in a country that has its own."""
    return _reply_dates(actions.existing_dates(await store.dates_in(session, code, country)))


@router.put(
    "/editions/{code}/national-dates/{country}",
    response_model=NationalDatesOut,
    dependencies=[idempotency.optional],
    responses={201: {"model": NationalDatesOut}, **_DATES},
)
async def set_national_dates(
    request: Request,
    session: Writing,
    actor: Caller,
    code: Code,
    country: AssignedCountryCode,
    wanted: NationalDatesIn,
) -> Response:
    """Give an edition other days in your country. To change those it has, send their ETag in If-Match."""
    edition, row = await actions.lock_dates_of(session, actor, code, country)
    if row is not None:
        check_if_match(request, _etag(row))
    elif "if-match" in request.headers:
        raise PreconditionFailed
    dates = await actions.set_dates(session, edition, country, row, wanted)
    return _reply_dates(dates, status=201 if row is None else 200)


@router.delete(
    "/editions/{code}/national-dates/{country}",
    status_code=204,
    response_model=None,
    dependencies=[idempotency.optional],
    responses={**_DATES, **documented(rules.EditionNotFound, rules.NationalDatesNotFound)},
)
async def remove_national_dates(
    request: Request, session: Writing, actor: Caller, code: Code, country: AssignedCountryCode
) -> Response:
    """Keep to the days of the edition again in your country; send the ETag of its own days in If-Match."""
    edition, row = await actions.lock_dates_of(session, actor, code, country)
    check_if_match(request, _etag(actions.existing_dates(row)))
    await actions.remove_dates(session, edition, row)
    return Response(status_code=204)


def _check_if_match(request: Request, row: Edition) -> None:
    header = request.headers.get("if-match")
    if header is None:
        raise PreconditionRequired
    tags = [tag.strip() for tag in header.split(",")]
    if "*" not in tags and not any(rules.is_version(tag, row.updated_at) for tag in tags):
        raise PreconditionFailed


def _etag(row: Edition | NationalDates) -> str:
    return f'"{rules.version(row.updated_at)}"'


async def _reply(session: Writing, row: Edition, *, status: int = 200) -> Response:
    await session.flush()
    (edition,) = await actions.shown(session, await store.editions(session, code=row.code))
    headers = {"ETag": _etag(row), "Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"/activities/v1/editions/{row.code}"
    return Response(edition.model_dump_json(), status_code=status, media_type="application/json", headers=headers)


def _reply_dates(row: NationalDates, *, status: int = 200) -> Response:
    headers = {"ETag": _etag(row)}
    if status == 201:
        headers["Location"] = f"/activities/v1/editions/{row.edition}/national-dates/{row.country}"
    body = NationalDatesOut.model_validate(row).model_dump_json()
    return Response(body, status_code=status, media_type="application/json", headers=headers)
