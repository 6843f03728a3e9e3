"""Routes for websites and their visitors: the element as a script, the page of an activity, and how to embed it."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Header, Query
from starlette.responses import HTMLResponse, JSONResponse, Response

from services.activities.catalogue import store
from services.activities.catalogue.rules import PUBLIC, ActivityNotFound, State
from services.activities.directory import store as directory
from services.activities.taxonomies.words import words
from services.activities.web import leaf, oembed
from services.activities.web.pages import demo
from services.activities.web.phrases import chosen
from services.activities.web.rules import OnlyJSON
from services.kernel.routes import pages as make_pages
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading, Running

router = make_router(tag="web", prefix="")
visited = make_pages(tag="web")

_PAGE_SCRIPT: Final = Path(__file__).with_name("page.js").read_bytes()
_SCRIPT: Final = Path(__file__).with_name("widget.js").read_bytes()
_COMPRESSED: Final = gzip.compress(_SCRIPT, mtime=0)
_VERSION: Final = hashlib.sha256(_SCRIPT).hexdigest()[:32]
_TAKES_GZIP: Final = re.compile(r"(^|,)\s*(gzip|\*)\s*(;\s*q=(1|0\.0*[1-9])[\d.]*)?\s*(,|$)", re.IGNORECASE)
_HEADERS: Final = {
    # A correction reaches every website within the hour; until it does, the present script is shown at once.
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}


@router.get("/widget.js", include_in_schema=False)
async def widget(
    accept_encoding: Annotated[str, Header()] = "",
    ver: Annotated[str | None, Query(description="What WordPress adds to the address of a script; ignored.")] = None,
) -> Response:
    """The element `<socialerasmus-activities>`, for a script tag on any website."""
    # Each coding is a representation of its own and needs an ETag of its own (RFC 9110, 8.8.3.3).
    if _TAKES_GZIP.search(accept_encoding):
        headers = {**_HEADERS, "ETag": f'"{_VERSION}-gzip"', "Content-Encoding": "gzip"}
        return Response(_COMPRESSED, media_type="text/javascript", headers=headers)
    return Response(_SCRIPT, media_type="text/javascript", headers={**_HEADERS, "ETag": f'"{_VERSION}"'})


@router.get("/demo", response_class=HTMLResponse, include_in_schema=False)
async def show_demo(runtime: Running) -> HTMLResponse:
    """The element at work, with the lines to paste."""
    return demo(runtime.settings.base_url)


@router.get("/page.js", include_in_schema=False)
async def page_script() -> Response:
    """What writes the live places into the page of an activity."""
    return Response(_PAGE_SCRIPT, media_type="text/javascript", headers={"Cache-Control": "public, max-age=3600"})


@visited.get("/oembed")
async def embed(
    session: Reading,
    runtime: Running,
    url: Annotated[str, Query(max_length=2000)],
    max_width: Annotated[int | None, Query(alias="maxwidth", ge=1, le=100_000)] = None,
    max_height: Annotated[int | None, Query(alias="maxheight", ge=1, le=100_000)] = None,
    form: Annotated[str, Query(alias="format", max_length=20)] = "json",
) -> Response:
    """How to embed the page of an activity (oEmbed 1.0); arguments that the standard does not know are passed over."""
    if form.lower() != "json":
        raise OnlyJSON
    base_url = runtime.settings.base_url
    found = oembed.activity_of(url, base_url)
    document = await _public(session, found[0]) if found else None
    if found is None or document is None:
        raise ActivityNotFound("This is not the address of a public activity.")
    told = oembed.answer(document, base_url, language=found[1], max_width=max_width, max_height=max_height)
    return JSONResponse(told, headers={"Cache-Control": f"public, max-age={oembed.CACHE_SECONDS}"})


@visited.get("/{activity_id}", response_class=HTMLResponse)
async def show_activity(
    session: Reading,
    runtime: Running,
    activity_id: UUID,
    lang: Annotated[str | None, Query()] = None,
    accept_language: Annotated[str, Header()] = "",
) -> HTMLResponse:
    """The page of one activity."""
    language = chosen(lang, accept_language)
    document = await _public(session, activity_id, language)
    if document is None:
        return leaf.missing(language, in_frame=False)
    known, websites = await words(session, runtime), await _websites(session, document)
    is_series = (document.get("parts") or {}).get("relation") == "occurrence"
    dates = await store.dates_of(session, activity_id, [language]) if is_series else ()
    return leaf.page(document, websites, known, runtime.settings.base_url, language, dates)


@visited.get("/{activity_id}/embed", response_class=HTMLResponse)
async def show_activity_in_a_frame(
    session: Reading,
    runtime: Running,
    activity_id: UUID,
    lang: Annotated[str | None, Query()] = None,
    accept_language: Annotated[str, Header()] = "",
) -> HTMLResponse:
    """The same for a frame of any website."""
    language = chosen(lang, accept_language)
    document = await _public(session, activity_id, language)
    if document is None:
        return leaf.missing(language, in_frame=True)
    known, websites = await words(session, runtime), await _websites(session, document)
    return leaf.frame(document, websites, known, runtime.settings.base_url, language)


async def _public(session: Reading, identity: UUID, language: str = "") -> dict[str, Any] | None:
    """The document of a public activity, in the page's language if it is written in it."""
    row = await store.activity(session, identity)
    if row is None or State(row.state) not in PUBLIC:
        return None
    return leaf.parsed(row.documents.get(language) or row.document)


async def _websites(session: Reading, document: dict[str, Any]) -> dict[str, str]:
    codes = [organiser["code"] for organiser in document["organisers"] if organiser["code"]]
    return {code: row.website for code, row in (await directory.sections(session, codes)).items() if row.website}
