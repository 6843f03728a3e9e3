"""The route of distinct people."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.contracts import IMPACT
from services.impact.people import store
from services.impact.people.rules import DEFINITION, Kind, Period
from services.impact.people.schemas import PeopleOut, PeoplePage
from services.impact.people.tables import PeopleScope
from services.kernel.consumers import read_up_to
from services.kernel.limits import costing
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import Invalid
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading
from services.kernel.texts import Code, CountryCode

router = make_router(tag="people")

AcademicYearCode = Annotated[str, Field(pattern=r"^[0-9]{4}/[0-9]{2}$")]
_Some = Field(max_length=200)


@router.get("/people", dependencies=[costing(3)])
async def list_people(
    request: Request,
    response: Response,
    session: Reading,
    scope: Annotated[Kind | None, Query(description="Of the network, of countries or of sections.")] = None,
    country: Annotated[list[CountryCode], Query(description="These countries."), _Some] = [],
    section: Annotated[list[Code], Query(description="These leading sections."), _Some] = [],
    edition: Annotated[list[Code], Query(description="as 2026-autumn"), _Some] = [],
    academic_year: Annotated[list[AcademicYearCode], Query(description="as 2026/27"), _Some] = [],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PeoplePage:
    """How many different people were present: by network, country or section, and academic year or edition."""
    page = Page(request, cursor)
    filters = _filters(scope, country, section, edition, academic_year)
    after = None if page.after is None else int(page.after[0])
    found = await store.listed(session, filters, after=after, limit=limit + 1)
    next_url = page.next_url([found[limit - 1].id]) if len(found) > limit else None
    return PeoplePage(
        items=[_out(row) for row in found[:limit]],
        next=next_url,
        as_of=await read_up_to(session, IMPACT),
        definition=DEFINITION,
    )


def _filters(
    scope: Kind | None, country: list[str], section: list[str], edition: list[str], academic_year: list[str]
) -> dict[str, list[str]]:
    if country and section:
        raise Invalid.at("query/section", "A number is of a country or of a section: name one of them.")
    if edition and academic_year:
        raise Invalid.at("query/edition", "A number is of an edition or of an academic year: name one of them.")
    named = Kind.COUNTRY if country else Kind.SECTION if section else None
    if scope is not None and named is not None and scope is not named:
        raise Invalid.at("query/scope", f"Contradicts the filter by {named.value}.")
    filters: dict[str, list[str]] = {}
    if (kind := named or scope) is not None:
        filters["kind"] = [kind.value]
    if places := country or section:
        filters["place"] = places
    if periods := edition or academic_year:
        filters["period_kind"] = [(Period.EDITION if edition else Period.ACADEMIC_YEAR).value]
        filters["period"] = periods
    return filters


def _out(row: PeopleScope) -> PeopleOut:
    return PeopleOut(
        scope=Kind(row.kind),
        country=row.place if row.kind == Kind.COUNTRY else None,
        section=row.place if row.kind == Kind.SECTION else None,
        period=Period(row.period_kind),
        academic_year=row.period if row.period_kind == Period.ACADEMIC_YEAR else None,
        edition=row.period if row.period_kind == Period.EDITION else None,
        people=row.people + row.guests,
        with_key=row.people,
        without_key=row.guests,
    )
