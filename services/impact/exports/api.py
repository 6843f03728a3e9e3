"""Routes of the figures in every shape: chosen by the address's extension, or by Accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.impact.disclosure.api import AcademicYear
from services.impact.disclosure.rules import TABLES, TableNotFound
from services.impact.exports import cubes
from services.impact.exports.replying import SHAPES, chosen_by, identifier, reply, told
from services.impact.exports.rules import JSON, RENDERED, Shape
from services.impact.statistics.api import statistics_of
from services.impact.statistics.filters import Period, Question
from services.impact.statistics.periods import Compare
from services.impact.statistics.rules import Asked
from services.impact.statistics.schemas import StatisticsOut
from services.kernel.limits import charge, costing
from services.kernel.problems import documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running
from services.kernel.texts import Code

router = make_router(tag="statistics")

_ANY_SHAPE: Final = 5
"""What figures cost in another shape than JSON, however it is chosen."""
_NAMES: Final = (
    "Header names are those of the JSON; a quantity has a row of its own, with its unit. What is compared has the "
    "columns `…_previous`, `…_growth` and `…_growth_ratio` beside it."
)

Compared = Annotated[
    Compare | None,
    Query(description="With the period before it, or a year before: an edition, academic year, month, or days."),
]


@router.get("/statistics", response_model=StatisticsOut, responses=SHAPES)
async def get_statistics(
    request: Request,
    session: Reading,
    runtime: Running,
    asked: Question,
    when: Period,
    compare: Compared = None,
) -> Any:
    """Figures of verified reports, by any combination of dimensions. Without touches the items add up to the total.

    Accept chooses the shape, as an extension of the address does.
    """
    shape = chosen_by(request)
    _charge(request, asked, compare)
    charge(request, 0 if shape is JSON else _ANY_SHAPE - 1)
    answer = await statistics_of(session, asked, when, compare)
    if shape is JSON:
        answered = Response(answer.model_dump_json(), media_type=JSON.media_type)
    else:
        answered = await reply(request, runtime, await cubes.of_statistics(session, answer), shape)
    answered.headers["Vary"] = "Accept"
    return answered


@router.get("/statistics.json")
async def get_statistics_as_json(
    request: Request, session: Reading, asked: Question, when: Period, compare: Compared = None
) -> StatisticsOut:
    """The statistics as JSON, whatever Accept says."""
    _charge(request, asked, compare)
    return await statistics_of(session, asked, when, compare)


def _charge(request: Request, asked: Asked, compare: Compare | None) -> None:
    charge(request, 5 * max(0, len(asked.by) - 1) + (5 if compare else 0) + (10 if asked.is_of_facts else 0))


def _statistics_as(shape: Shape) -> Callable[..., Any]:
    async def get_statistics_in_shape(
        request: Request, session: Reading, runtime: Running, asked: Question, when: Period, compare: Compared = None
    ) -> Response:
        _charge(request, asked, compare)
        cube = await cubes.of_statistics(session, await statistics_of(session, asked, when, compare))
        return await reply(request, runtime, cube, shape)

    return get_statistics_in_shape


def _table_as(shape: Shape) -> Callable[..., Any]:
    async def get_table_in_shape(
        request: Request,
        session: Reading,
        runtime: Running,
        code: Code,
        academic_year: Annotated[list[AcademicYear], Query(description="as 2026/27"), Field(max_length=50)] = [],
    ) -> Response:
        if (table := TABLES.get(code)) is None:
            raise TableNotFound
        return await reply(request, runtime, await cubes.of_table(session, table, academic_year), shape)

    return get_table_in_shape


def _add(shape: Shape) -> None:
    name = identifier(shape)
    about: dict[str, Any] = {"response_class": told(shape), "dependencies": [costing(_ANY_SHAPE)]}
    router.add_api_route(
        f"/statistics.{shape.extension}",
        _statistics_as(shape),
        name=f"get_statistics_as_{name}",
        methods=["GET"],
        description=f"The statistics as {shape.title}. {_NAMES}",
        **about,
    )
    router.add_api_route(
        f"/tables/{{code}}.{shape.extension}",
        _table_as(shape),
        name=f"get_table_as_{name}",
        methods=["GET"],
        responses=documented(TableNotFound),
        description=f"A whole table of people as {shape.title}. The label `_T` is everybody in the row.",
        **about,
    )


for _shape in RENDERED:
    _add(_shape)
