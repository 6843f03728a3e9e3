"""Replies with a cube in the shape that was chosen, by the extension of the address or by Accept."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from services.impact.exports.rules import (
    CSV,
    CSV_METADATA,
    JSON,
    JSON_STAT,
    PARQUET,
    SDMX_CSV,
    XLSX,
    Cube,
    NotAcceptable,
    Shape,
    chosen,
    file_name,
)
from services.kernel.preferences import weights
from services.kernel.problems import documented
from services.kernel.runtime import Runtime

_BY_ACCEPT: Final = (JSON, CSV, JSON_STAT, SDMX_CSV, PARQUET, XLSX)
SHAPES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {shape.media_type: {"schema": {"type": "string"}} for shape in _BY_ACCEPT if shape is not JSON}},
    **documented(NotAcceptable),
}
"""What a route says of itself whose shape Accept chooses."""


def chosen_by(request: Request) -> Shape:
    """The shape that Accept asks for."""
    return chosen(weights(", ".join(request.headers.getlist("accept"))), _BY_ACCEPT)


def identifier(shape: Shape) -> str:
    """The shape in the name of a route."""
    return shape.extension.replace(".", "_").replace("-", "_")


def told(shape: Shape) -> type[Response]:
    """A kind of response that says its media type in the description."""
    return type(f"_{identifier(shape)}", (Response,), {"media_type": shape.media_type})


async def reply(request: Request, runtime: Runtime, cube: Cube, shape: Shape) -> Response:
    """The figures in a shape; the CSV leads to what its columns are."""
    # Of tens of thousands of rows the largest shapes take a second to write.
    body = await asyncio.to_thread(_written, cube, shape, _beside(request, runtime.settings.base_url, cube, CSV))
    name = file_name("socialerasmus", cube.name, *(each.code for each in cube.dimensions if each.code != "label"))
    headers = {"Content-Disposition": f'attachment; filename="{name}.{shape.extension}"'}
    if shape is CSV:
        described = _beside(request, runtime.settings.base_url, cube, CSV_METADATA)
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
