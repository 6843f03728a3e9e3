"""Routes of the figures in every shape: chosen by the address's extension, or by Accept."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.impact.disclosure.api import AcademicYear
from services.impact.disclosure.rules import TABLES, TableNotFound
from services.impact.exports import cubes
from services.impact.exports.rules import (
    CSV,
    CSV_METADATA,
    JSON,
    JSON_STAT,
    PARQUET,
    RENDERED,
    SDMX_CSV,
    XLSX,
    Cube,
    NotAcceptable,
    Shape,
    chosen,
    file_name,
)
from services.impact.statistics.api import statistics_of
from services.impact.statistics.filters import Period, Question
from services.impact.statistics.periods import Compare
from services.impact.statistics.rules import Asked
from services.impact.statistics.schemas import StatisticsOut
from services.kernel.limits import charge, costing
from services.kernel.preferences import weights
from services.kernel.problems import Invalid, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running
from services.kernel.texts import Code

router = make_router(tag="statistics")

_BY_ACCEPT: Final = (JSON, CSV, JSON_STAT, SDMX_CSV, PARQUET, XLSX)
_SHAPES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {shape.media_type: {"schema": {"type": "string"}} for shape in _BY_ACCEPT if shape is not JSON}}
}
_ANY_SHAPE: Final = 5
"""What figures cost in another shape than JSON, however it is chosen."""
_NAMES: Final = "Header names are those of the JSON; a quantity has a row of its own, with its unit."


@router.get("/statistics", response_model=StatisticsOut, responses={**_SHAPES, **documented(NotAcceptable)})
async def get_statistics(
    request: Request,
    session: Reading,
    runtime: Running,
    asked: Question,
    when: Period,
    compare: Annotated[
        Compare | None,
        Query(description="With the period before it, or a year before: an edition, academic year, month, or days."),
    ] = None,
) -> Any:
    """Figures of verified reports, by any combination of dimensions. Without touches the items add up to the total.

    Accept chooses the shape, as an extension of the address does; what is compared is told in JSON alone.
    """
    shape = chosen(weights(", ".join(request.headers.getlist("accept"))), _BY_ACCEPT)
    if shape is not JSON and compare is not None:
        raise Invalid.at("query/compare", "What is compared is told in JSON alone.")
    _charge(request, asked, compare)
    charge(request, 0 if shape is JSON else _ANY_SHAPE - 1)
    told = await statistics_of(session, asked, when, compare)
    if shape is JSON:
        reply = Response(told.model_dump_json(), media_type=JSON.media_type)
    else:
        reply = await _reply(request, runtime.settings.base_url, await cubes.of_statistics(session, told), shape)
    reply.headers["Vary"] = "Accept"
    return reply


@router.get("/statistics.json")
async def get_statistics_as_json(request: Request, session: Reading, asked: Question, when: Period) -> StatisticsOut:
    """The statistics as JSON, whatever Accept says."""
    _charge(request, asked, None)
    return await statistics_of(session, asked, when, None)


def _charge(request: Request, asked: Asked, compare: Compare | None) -> None:
    charge(request, 5 * max(0, len(asked.by) - 1) + (5 if compare else 0))


def _statistics_as(shape: Shape) -> Callable[..., Any]:
    async def get_statistics_in_shape(
        request: Request, session: Reading, runtime: Running, asked: Question, when: Period
    ) -> Response:
        _charge(request, asked, None)
        cube = await cubes.of_statistics(session, await statistics_of(session, asked, when, None))
        return await _reply(request, runtime.settings.base_url, cube, shape)

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
        return await _reply(
            request, runtime.settings.base_url, await cubes.of_table(session, table, academic_year), shape
        )

    return get_table_in_shape


def _add(shape: Shape) -> None:
    name = re.sub(r"\W", "_", shape.extension)
    told = type(f"_{name}", (Response,), {"media_type": shape.media_type})
    about: dict[str, Any] = {"response_class": told, "dependencies": [costing(_ANY_SHAPE)]}
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


async def _reply(request: Request, base_url: str, cube: Cube, shape: Shape) -> Response:
    # Of tens of thousands of rows the largest shapes take a second to write.
    body = await asyncio.to_thread(_written, cube, shape, _beside(request, base_url, cube, CSV))
    name = file_name("socialerasmus", cube.name, *(each.code for each in cube.dimensions if each.code != "label"))
    headers = {"Content-Disposition": f'attachment; filename="{name}.{shape.extension}"'}
    if shape is CSV:
        described = _beside(request, base_url, cube, CSV_METADATA)
        headers["Link"] = f'<{described}>; rel="describedby"; type="{CSV_METADATA.media_type}"'
    return Response(body, media_type=shape.media_type, headers=headers)


def _beside(request: Request, base_url: str, cube: Cube, shape: Shape) -> str:
    """The address of the same figures in a shape."""
    folder = request.url.path.rpartition("/")[0]
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{base_url}{folder}/{cube.name}.{shape.extension}{query}"


def _written(cube: Cube, shape: Shape, csv_url: str) -> bytes:
    # Each is loaded when it is asked for first: some of the libraries are large.
    from services.impact.exports import comma_separated, json_stat, sdmx  # noqa: PLC0415

    if shape is CSV:
        return comma_separated.written(cube)
    if shape is CSV_METADATA:
        return json.dumps(comma_separated.metadata(cube, csv_url), ensure_ascii=False).encode()
    if shape is JSON_STAT:
        return json.dumps(json_stat.written(cube), ensure_ascii=False).encode()
    if shape is SDMX_CSV:
        return sdmx.written(cube)
    if shape is PARQUET:
        from services.impact.exports import columnar  # noqa: PLC0415

        return columnar.written(cube)
    from services.impact.exports import workbook  # noqa: PLC0415

    return workbook.written(cube)
