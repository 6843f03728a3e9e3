"""Routes of growth and of rankings in every shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from services.impact.exports import cubes
from services.impact.exports.replying import SHAPES, chosen_by, identifier, reply, told
from services.impact.exports.rules import JSON, RENDERED, Shape
from services.impact.rankings.api import Ranked, ranking_of
from services.impact.rankings.rules import By
from services.impact.rankings.schemas import RankingOut
from services.impact.statistics.api import growth_of
from services.impact.statistics.filters import Counted, Measures, Period, What, Where, asked_of, measured
from services.impact.statistics.rules import Asked, Counting
from services.impact.statistics.schemas import GrowthOut
from services.impact.statistics.standing import Over
from services.kernel.limits import costing
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import Invalid
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running

router = make_router(tag="series and rankings")


async def _series(
    where: Where,
    what: What,
    over: Annotated[Over, Query(description="Whose series it is.")] = Over.EDITION,
    measures: Measures = [],
    counting: Counted = Counting.MAIN,
) -> Asked:
    wanted, named = measured(measures)
    return asked_of((over.value,), wanted, {**where, **what}, counting=counting, named=named)


Series = Annotated[Asked, Depends(_series)]
"""A series that is asked for."""


@router.get("/growth", response_model=GrowthOut, responses=SHAPES, dependencies=[costing(5)])
async def get_growth(request: Request, session: Reading, runtime: Running, asked: Series) -> Response:
    """A series of editions or academic years, from the first with figures to the last that has begun, with growth.

    A period in which nothing was reported is in it, with zeros. Accept chooses the shape, as an extension does.
    """
    shape = chosen_by(request)
    answer = await growth_of(session, asked)
    if shape is JSON:
        return _chosen(Response(answer.model_dump_json(), media_type=JSON.media_type))
    return _chosen(await reply(request, runtime, await cubes.of_growth(session, answer), shape))


@router.get("/rankings", response_model=RankingOut, responses=SHAPES, dependencies=[costing(5)])
async def get_ranking(
    request: Request,
    session: Reading,
    runtime: Running,
    where: Where,
    when: Period,
    by: Ranked = By.ACTIVITIES,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Sections in the order of a measure, of the last edition unless another period is named.

    Sections that don't want to stand in rankings are left out before places are given. Accept chooses the shape, as
    an extension does; JSON alone has pages, the others hold all places.
    """
    shape = chosen_by(request)
    if shape is not JSON:
        for name in ("limit", "cursor"):
            if name in request.query_params:
                raise Invalid.at(f"query/{name}", "JSON alone has pages; the other shapes hold all places.")
        return _chosen(
            await reply(request, runtime, cubes.of_ranking(await ranking_of(session, by, where, when)), shape)
        )
    page = Page(request, cursor)
    whole = await ranking_of(session, by, where, when)
    rest = [each for each in whole.items if page.after is None or (each.place, each.section) > (*page.after,)]
    last = rest[limit - 1] if len(rest) > limit else None
    next_url = page.next_url([last.place, last.section]) if last else None
    shown = whole.model_copy(update={"items": rest[:limit], "next": next_url})
    return _chosen(Response(shown.model_dump_json(), media_type=JSON.media_type))


def _chosen(answered: Response) -> Response:
    answered.headers["Vary"] = "Accept"
    return answered


def _growth_as(shape: Shape) -> Callable[..., Any]:
    async def get_growth_in_shape(request: Request, session: Reading, runtime: Running, asked: Series) -> Response:
        cube = await cubes.of_growth(session, await growth_of(session, asked))
        return await reply(request, runtime, cube, shape)

    return get_growth_in_shape


def _ranking_as(shape: Shape) -> Callable[..., Any]:
    async def get_ranking_in_shape(
        request: Request, session: Reading, runtime: Running, where: Where, when: Period, by: Ranked = By.ACTIVITIES
    ) -> Response:
        return await reply(request, runtime, cubes.of_ranking(await ranking_of(session, by, where, when)), shape)

    return get_ranking_in_shape


def _add(shape: Shape) -> None:
    about: dict[str, Any] = {"response_class": told(shape), "dependencies": [costing(5)], "methods": ["GET"]}
    router.add_api_route(
        f"/growth.{shape.extension}",
        _growth_as(shape),
        name=f"get_growth_as_{identifier(shape)}",
        description=f"A series of periods as {shape.title}; each figure beside that of the period before, its growth "
        "and its growth in parts: `…_previous`, `…_growth`, `…_growth_ratio`.",
        **about,
    )
    router.add_api_route(
        f"/rankings.{shape.extension}",
        _ranking_as(shape),
        name=f"get_ranking_as_{identifier(shape)}",
        description=f"A whole ranking as {shape.title}.",
        **about,
    )


for _shape in RENDERED:
    _add(_shape)
