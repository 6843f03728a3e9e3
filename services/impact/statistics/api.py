"""Routes of the statistics."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.contracts import IMPACT
from services.impact.statistics import answering, network, rules, standing, store
from services.impact.statistics.filters import Period, When, Where, asked_of
from services.impact.statistics.measures import DIMENSIONS, MEASURES
from services.impact.statistics.periods import Compare
from services.impact.statistics.rules import Asked, Counting
from services.impact.statistics.schemas import (
    Completeness,
    CompletenessOut,
    GrowthOut,
    MeasureList,
    MeasureOut,
    NamedMeasureOut,
    StatisticsOut,
)
from services.impact.statistics.standing import Inactivity
from services.kernel.consumers import read_up_to
from services.kernel.limits import costing
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading

router = make_router(tag="statistics")

_TOUCHES = " An activity counts at each label that it has; in the total it counts once."


async def statistics_of(session: Reading, asked: Asked, when: When, compare: Compare | None) -> StatisticsOut:
    """The answer to a question, as it is told in every shape."""
    told = await answering.answer(session, asked, compare)
    return StatisticsOut(
        by=list(asked.by),
        items=told.items,
        total=told.total,
        compared=told.compared,
        **await _about(session, asked, period=when.told),
    )


async def growth_of(session: Reading, asked: Asked) -> GrowthOut:
    """A series of periods, as it is told in every shape."""
    items = await standing.growth(session, asked)
    return GrowthOut(over=asked.by[0], items=items, next=None, **await _about(session, asked, period=None))


@router.get("/completeness", dependencies=[costing(5)])
async def get_completeness(
    request: Request,
    response: Response,
    session: Reading,
    where: Where,
    when: Period,
    reported: Annotated[bool | None, Query(description="Only those that have, or have not.")] = None,
    inactive: Annotated[Inactivity | None, Query(description="Only those that were not active in it.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CompletenessOut:
    """Which active sections have a verified report in a period, and which were not active this year and semester."""
    page = Page(request, cursor)
    asked = asked_of((), (), {**where, **when.codes}, since=when.since, until=when.until)
    found = await standing.completeness(session, asked, reported=reported, inactive=inactive)
    items, position = standing.page(found.items, page.after, limit)
    next_url = page.next_url(position) if position else None
    return CompletenessOut(
        filters=asked.filters(),
        period=when.told,
        as_of=await read_up_to(session, IMPACT),
        completeness=found.completeness,
        not_active=found.not_active,
        items=items,
        next=next_url,
    )


@router.get("/measures")
async def list_measures(session: Reading) -> MeasureList:
    """What each measure counts, what it is made of and how it can be split."""
    firsts = await network.first_days(session, sorted({name for each in MEASURES.values() for name in each.columns}))
    items = [
        NamedMeasureOut(
            code=code,
            splits=[name for name in DIMENSIONS if name in measure.splits],
            since=min((first for name in measure.columns if (first := firsts[name])), default=None),
            **_measure(code, Counting.MAIN).model_dump(),
        )
        for code, measure in MEASURES.items()
    ]
    return MeasureList(items=items, next=None)


async def _about(session: Reading, asked: Asked, *, period: dict[str, Any] | None) -> dict[str, Any]:
    counting = Counting.TOUCHES if asked.scheme else Counting.MAIN
    reporting, active = await store.completeness(session, asked)
    return {
        "filters": asked.filters(),
        "period": period,
        "counting": counting.value,
        "measures": {name: _measure(name, counting) for name in asked.measures},
        "as_of": await read_up_to(session, IMPACT),
        "completeness": Completeness(sections_reporting=reporting, sections_active=active),
        "sources": await store.sources(session, asked),
        "reasons": rules.nulls(asked),
    }


def _measure(name: str, counting: Counting) -> MeasureOut:
    measure = MEASURES[name]
    return MeasureOut(
        title=measure.title,
        unit=measure.unit,
        definition=measure.definition + (_TOUCHES if counting is Counting.TOUCHES else ""),
        counting=counting.value,
        numerator=measure.numerator,
        denominator=measure.denominator,
    )
