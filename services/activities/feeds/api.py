"""Routes of the feeds: everything by which others keep up with the catalogue."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.activities.catalogue import store as catalogue
from services.activities.catalogue.linked_data import MEDIA_TYPE as LINKED_DATA
from services.activities.catalogue.rules import ActivityNotFound
from services.activities.feeds import atom, calendars, datasets, export, geojson, rpde, rules, store, turtle
from services.activities.feeds.schemas import ChangesPage, ExportPage, FeatureCollection
from services.activities.finding.conditions import Filters, with_predecessors
from services.activities.finding.filters import Narrowed
from services.activities.taxonomies.words import words
from services.kernel import preferences
from services.kernel.auth import PerhapsKeyHolder
from services.kernel.languages import VARY, Languages
from services.kernel.limits import costing
from services.kernel.problems import Invalid, Unauthenticated, documented
from services.kernel.routes import router as make_router
from services.kernel.routes import unchanged
from services.kernel.runtime import Reading, Running

router = make_router(tag="feeds")
well_known = make_router(tag="feeds", prefix="")

_FRESH = {"Cache-Control": "public, max-age=60, stale-while-revalidate=60"}
_FRESH_IN_A_LANGUAGE = {**_FRESH, "Vary": VARY}
_RARELY_CHANGED = {"Cache-Control": "public, max-age=3600"}
# Another version of the program may write a feed otherwise.
_PROGRAM = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()
# As many digits as every number of 64 bits can have.
Number = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,18})$")]


class _Calendar(Response):
    media_type = calendars.MEDIA_TYPE


class _Atom(Response):
    media_type = atom.MEDIA_TYPE


class _Written(JSONResponse):
    """JSON that is written already."""

    def render(self, content: str) -> bytes:
        return content.encode()


class _GeoJSON(_Written):
    media_type = geojson.MEDIA_TYPE


class _Changes(_Written):
    media_type = rpde.MEDIA_TYPE


class _LinkedData(_Written):
    media_type = LINKED_DATA


class _Turtle(_Written):
    media_type = f"{turtle.MEDIA_TYPE}; charset=utf-8"


class _Linkset(_Written):
    media_type = datasets.LINKSET


@router.get("/changes", response_model=ChangesPage, response_class=_Changes)
async def list_changes(
    request: Request,
    session: Reading,
    runtime: Running,
    after_timestamp: Annotated[Number | None, Query(alias="afterTimestamp", description="From `next`.")] = None,
    after_id: Annotated[UUID | None, Query(alias="afterId", description="From `next`.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many items a page holds.")] = 500,
) -> Response:
    """Every change of a public activity since the beginning, as RPDE 1.0: follow `next`, and nothing is ever missed.

    The last page has no items and is its own `next`: ask it again for what is new. `modified` counts transactions.
    """
    if (after_timestamp is None) != (after_id is None):
        missing = "afterTimestamp" if after_timestamp is None else "afterId"
        raise Invalid.at(f"query/{missing}", "Take both from `next`, or give neither.")
    after = (after_timestamp, after_id) if after_timestamp is not None and after_id is not None else None
    changes = await store.page_of_changes(session, after=after, limit=limit)
    url = request.url
    if changes:
        url = url.include_query_params(afterTimestamp=changes[-1].xid, afterId=str(changes[-1].id))
    seconds = rules.PAGE_SECONDS if changes else rules.LAST_PAGE_SECONDS
    body = rpde.page(changes, _absolute(runtime, url.path, url.query), await words(session, runtime))
    return _Changes(body, headers={"Cache-Control": f"public, max-age={seconds}"})


@router.get("/activities.ics", response_class=_Calendar, dependencies=[costing(5)])
async def get_calendar(
    request: Request, session: Reading, runtime: Running, filters: Narrowed, languages: Languages
) -> Response:
    """A calendar to subscribe to: the 1,000 activities that begin last; those of which no day is known are left out.

    A cancelled activity stays, as such.
    """
    headers = await _headers(request, session, runtime, filters, languages)
    if (same := unchanged(request, headers)) is not None:
        return same
    documents = await store.latest_to_begin(session, filters, languages, limit=rules.MOST_IN_A_CALENDAR)
    # A large one takes a third of a second to write.
    body = await asyncio.to_thread(calendars.calendar, documents, name=_name(filters))
    return _Calendar(body, headers=headers)


@router.get("/activities.atom", response_class=_Atom, dependencies=[costing(5)])
async def get_news(
    request: Request, session: Reading, runtime: Running, filters: Narrowed, languages: Languages
) -> Response:
    """News as Atom: the 100 activities that changed last."""
    headers = await _headers(request, session, runtime, filters, languages)
    if (same := unchanged(request, headers)) is not None:
        return same
    documents = await store.latest_to_change(session, filters, languages, limit=rules.MOST_NEWS)
    url = request.url
    body = atom.feed(
        documents,
        name=_name(filters),
        url=_absolute(runtime, url.path, url.query),
        alternate_url=_absolute(runtime, url.path.removesuffix(".atom"), url.query),
    )
    return _Atom(body, headers=headers)


@router.get("/activities.geojson", response_model=FeatureCollection, response_class=_GeoJSON, dependencies=[costing(5)])
async def get_map(
    request: Request, session: Reading, runtime: Running, filters: Narrowed, languages: Languages
) -> Response:
    """A map: the 2,000 activities that begin last, of those whose position is known."""
    headers = await _headers(request, session, runtime, filters, languages)
    if (same := unchanged(request, headers)) is not None:
        return same
    positions = await store.on_the_map(session, filters, languages, limit=rules.MOST_ON_A_MAP + 1)
    is_whole = len(positions) <= rules.MOST_ON_A_MAP
    body = geojson.collection(positions[: rules.MOST_ON_A_MAP], is_whole=is_whole)
    return _GeoJSON(body, headers=headers)


@router.get("/activities/{activity_id}.ics", response_class=_Calendar, responses=documented(ActivityNotFound))
async def get_calendar_entry(session: Reading, languages: Languages, activity_id: UUID) -> Response:
    """One activity for a calendar, or each date of a series; an empty calendar where its day is not known."""
    found = await store.document(session, activity_id, languages)
    if found is None:
        raise ActivityNotFound
    document = json.loads(found)
    is_dated = document["starts_at"] is not None and document["date_precision"] in {"time", "day"}
    entries: Sequence[str] = [found] if is_dated else []
    if (document.get("parts") or {}).get("relation") == "occurrence":
        entries = await catalogue.dates_of(session, activity_id, languages)
    body = calendars.calendar(entries, name=document["title"])
    return _Calendar(body, headers={**_FRESH_IN_A_LANGUAGE, "Content-Language": document["language"]})


@router.get("/export", response_model=ExportPage, responses=documented(Unauthenticated), dependencies=[costing(3)])
async def export_activities(
    session: Reading,
    runtime: Running,
    actor: PerhapsKeyHolder,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    page: Annotated[int, Query(ge=0, le=10_000, description="From 0; go on until `data` is empty.")] = 0,
) -> Response:
    """All public activities in the record of ESN's present export. No key is needed; one that is sent must be valid.

    `participants` are null here: verified figures are at /impact/v1/statistics.
    """
    rows = await store.page_of_exported(session, page=page, limit=limit)
    known = await words(session, runtime)
    body = json.dumps({"data": [export.record(row, known) for row in rows]}, ensure_ascii=False, separators=(",", ":"))
    return Response(body, media_type="application/json", headers=_FRESH)


@router.get("/catalog", response_class=_LinkedData, responses={200: {"content": {turtle.MEDIA_TYPE: {"schema": {}}}}})
async def get_catalogue(request: Request, runtime: Running) -> Response:
    """Our data sets for data portals (DCAT-AP 3.0), as JSON-LD or, where `Accept` prefers it, as Turtle."""
    liked = preferences.weights(request.headers.get("accept", ""))
    others = max(liked.get(kind, 0.0) for kind in (LINKED_DATA, "application/json"))
    reply = _catalogue(runtime, as_turtle=liked.get(turtle.MEDIA_TYPE, 0.0) > others)
    reply.headers["Vary"] = "Accept"
    return reply


@router.get("/catalog.ttl", response_class=_Turtle)
async def get_catalogue_as_turtle(runtime: Running) -> Response:
    """The same as Turtle."""
    return _catalogue(runtime, as_turtle=True)


@router.get("/catalog.jsonld", response_class=_LinkedData)
async def get_catalogue_as_linked_data(runtime: Running) -> Response:
    """The same as JSON-LD."""
    return _catalogue(runtime, as_turtle=False)


@well_known.get(datasets.API_CATALOG, response_class=_Linkset, include_in_schema=False)
async def get_api_catalogue(runtime: Running) -> Response:
    """Where each of our APIs describes itself (RFC 9727)."""
    link = f'<{runtime.settings.base_url}{datasets.API_CATALOG}>; rel="api-catalog"'
    return _Linkset(datasets.linkset(runtime.settings), headers={**_RARELY_CHANGED, "Link": link})


async def _headers(
    request: Request, session: Reading, runtime: Running, filters: Filters, languages: Sequence[str]
) -> dict[str, str]:
    """The headers of a feed, with an ETag that says what it is made of before it is made.

    What takes sign-ups now depends on the time too: its ETag also says the second.
    """
    seen = await store.version(session)
    sections = await with_predecessors(session, filters)
    second = int(time.time()) if filters.is_open is not None else 0
    url = request.url
    made_of = (seen, url.path, url.query, *languages, sections.labels.get("section"), runtime.settings.base_url, second)
    digest = hashlib.sha256(repr((_PROGRAM, made_of)).encode()).hexdigest()
    return {**_FRESH_IN_A_LANGUAGE, "ETag": f'"{digest[:32]}"'}


def _catalogue(runtime: Running, *, as_turtle: bool) -> Response:
    told = datasets.catalogue(runtime.settings)
    if as_turtle:
        return _Turtle(turtle.written(told), headers=_RARELY_CHANGED)
    return _LinkedData(datasets.as_json(told), headers=_RARELY_CHANGED)


def _absolute(runtime: Running, path: str, query: str) -> str:
    return f"{runtime.settings.base_url}{path}?{query}" if query else f"{runtime.settings.base_url}{path}"


def _name(filters: Filters) -> str:
    named = ("section", "country", "edition", "cause", "area", "kind")
    narrowed = [code for name in named for code in filters.labels.get(name, ())]
    return f"SocialErasmus: {', '.join(narrowed)}" if narrowed else "SocialErasmus"
