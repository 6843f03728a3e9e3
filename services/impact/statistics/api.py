"""Routes of the statistics."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field, StringConstraints
from starlette.requests import Request

from services.contracts import IMPACT
from services.impact.statistics import rules, store
from services.impact.statistics.rules import DEFAULT_MEASURES, DIMENSIONS, MEASURES, MOST_GROUPS, Asked
from services.impact.statistics.schemas import Completeness, MeasureList, MeasureOut, NamedMeasureOut, StatisticsOut
from services.kernel.consumers import read_up_to
from services.kernel.limits import charge
from services.kernel.problems import Invalid
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading
from services.kernel.texts import Code, CountryCode, Day

router = make_router(tag="statistics")


Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
AcademicYear = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}/[0-9]{2}$")]
_Some = Field(max_length=200)


def _asked(
    by: Annotated[
        list[str], Query(description=f"Any of {', '.join(DIMENSIONS)}; repeated or separated by commas.")
    ] = [],
    measures: Annotated[list[str], Query(description=f"Any of {', '.join(MEASURES)}.")] = [],
    country: Annotated[list[CountryCode], Query(), _Some] = [],
    section: Annotated[list[Code], Query(description="The leading section."), _Some] = [],
    edition: Annotated[list[Code], Query(description="as 2026-autumn"), _Some] = [],
    area: Annotated[list[Code], Query(description="The main area."), _Some] = [],
    cause: Annotated[list[Code], Query(description="The main cause."), _Some] = [],
    kind: Annotated[list[Code], Query(), _Some] = [],
    programme: Annotated[list[Code], Query(), _Some] = [],
    month: Annotated[list[Month], Query(description="as 2026-11"), _Some] = [],
    academic_year: Annotated[list[AcademicYear], Query(description="1 August to 31 July, as 2026/27"), _Some] = [],
    since: Annotated[Day | None, Query(alias="from", description="The first day on which an activity starts.")] = None,
    until: Annotated[Day | None, Query(alias="to", description="The last day on which an activity starts.")] = None,
) -> Asked:
    if since is not None and until is not None and since > until:
        raise Invalid.at("query/to", "Must not lie before `from`.")
    codes = {
        "country": country, "section": section, "edition": edition, "area": area, "cause": cause, "kind": kind,
        "programme": programme, "month": month, "academic_year": academic_year,
    }  # fmt: skip
    return Asked(
        by=rules.names("by", by, DIMENSIONS),
        measures=rules.names("measures", measures, MEASURES) or DEFAULT_MEASURES,
        codes={name: tuple(dict.fromkeys(values)) for name, values in codes.items() if values},
        since=since,
        until=until,
    )


@router.get("/statistics")
async def get_statistics(request: Request, session: Reading, asked: Annotated[Asked, Depends(_asked)]) -> StatisticsOut:
    """Figures of verified reports, by any combination of dimensions. The items add up to the total."""
    charge(request, 5 * max(0, len(asked.by) - 1))
    try:
        groups = await store.groups(session, asked, most=MOST_GROUPS)
    except store.TooMany:
        detail = f"More than {MOST_GROUPS:,} rows: name fewer dimensions, or choose fewer activities."
        raise Invalid.at("query/by", detail) from None
    reporting, active = await store.completeness(session, asked)
    return StatisticsOut(
        by=list(asked.by),
        filters=asked.filters(),
        measures={name: MeasureOut.model_validate(MEASURES[name]) for name in asked.measures},
        as_of=await read_up_to(session, IMPACT),
        completeness=Completeness(sections_reporting=reporting, sections_active=active),
        sources=await store.sources(session, asked),
        items=[rules.row(group, asked.by, asked.measures) for group in groups],
        total=rules.row(rules.total(groups), (), asked.measures),
    )


@router.get("/measures")
async def list_measures() -> MeasureList:
    """What each measure counts."""
    items = [
        NamedMeasureOut(code=code, title=measure.title, unit=measure.unit, definition=measure.definition)
        for code, measure in MEASURES.items()
    ]
    return MeasureList(items=items, next=None)
