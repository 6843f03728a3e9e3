"""The list of activities."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from services.activities.catalogue.rendering import at_distance
from services.activities.finding import filters, search
from services.activities.finding.schemas import ActivityPage
from services.kernel.languages import VARY, Languages
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading

router = make_router(tag="catalogue")


@router.get("/activities", response_model=ActivityPage)
async def list_activities(
    request: Request,
    session: Reading,
    wanted: filters.Wanted,
    languages: Languages,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Published, held and cancelled activities, by start unless told otherwise; unknown starts come last.

    Each is told in the language that the reader likes best of those that it is written in: `lang`, or Accept-Language.
    When no activity has all the words of `q`, those with similar words are found. The first page alone counts facets.
    """
    page = Page(request, cursor)
    found = await search.find(
        session,
        wanted.filters,
        wanted.sort,
        languages=languages,
        facets=wanted.facets,
        after=page.after,
        limit=limit + 1,
    )
    next_url = page.next_url(found.items[limit - 1].position) if len(found.items) > limit else None
    return _page([_listed(each) for each in found.items[:limit]], next_url, found.facets)


def _listed(found: search.Found) -> str:
    return found.document if found.distance_km is None else at_distance(found.document, found.distance_km)


def _page(documents: list[str], next_url: str | None, counts: dict[str, list[tuple[str, int]]] | None) -> Response:
    facets = None
    if counts is not None:
        facets = {name: [{"code": code, "count": count} for code, count in counted] for name, counted in counts.items()}
    rest = json.dumps({"next": next_url, "facets": facets}, separators=(",", ":")).removeprefix("{")
    body = f'{{"items":[{",".join(documents)}],{rest}'
    headers = {"Cache-Control": "public, max-age=30, stale-while-revalidate=60", "Vary": VARY}
    if next_url is not None:
        headers["Link"] = f'<{next_url}>; rel="next"'
    return Response(body, media_type="application/json", headers=headers)
