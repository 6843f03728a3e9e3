"""The public pages of the figures. OpenAPI leaves them out."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Depends, Header, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.impact.pages import describing, pages
from services.impact.pages.languages import chosen
from services.impact.pages.pages import Reader
from services.impact.pages.rules import View, place
from services.kernel.limits import costing
from services.kernel.routes import pages as make_router
from services.kernel.runtime import Reading, Running

ROOT = "/impact"
DEAR: Final = [costing(5)]
"""A view asks the statistics a dozen times."""

router = make_router(tag="pages")

Chosen = Annotated[str | None, Query()]


async def _reader(
    runtime: Running, lang: Chosen = None, accepted: Annotated[str, Header(alias="Accept-Language")] = ""
) -> Reader:
    return Reader(chosen(lang, accepted), lang, runtime.settings.base_url)


Visitor = Annotated[Reader, Depends(_reader)]


@router.get(ROOT, response_class=HTMLResponse)
async def lead_to_the_slash() -> Response:
    """From the address as people say it to the one that every link is relative to."""
    return RedirectResponse(f"{ROOT}/", status_code=308)


@router.get("/", response_class=HTMLResponse, dependencies=DEAR)
async def show_everything(session: Reading, visitor: Visitor) -> HTMLResponse:
    """The figures of the whole network and of every year."""
    return await _shown(session, visitor, View())


@router.get("/show", response_class=HTMLResponse)
async def lead_to_a_view(
    visitor: Visitor, period: Chosen = None, country: Chosen = None, section: Chosen = None, cause: Chosen = None
) -> Response:
    """From what was chosen in the form to the address that it has."""
    address = place({"section": section, "country": country, "cause": cause, "period": period}).address()
    if visitor.lang:
        address += f"{'&' if '?' in address else '?'}{urlencode({'lang': visitor.lang})}"
    return RedirectResponse(f"./{address}", status_code=303)


@router.get("/definitions", response_class=HTMLResponse)
async def show_definitions(visitor: Visitor) -> HTMLResponse:
    """What every figure counts."""
    return pages.definitions(visitor)


@router.get("/editions/{code}", response_class=HTMLResponse, dependencies=DEAR)
async def show_edition(session: Reading, visitor: Visitor, code: str) -> HTMLResponse:
    """The figures of an edition, with growth."""
    return await _shown(session, visitor, View({"edition": code}))


@router.get("/years/{year}", response_class=HTMLResponse, dependencies=DEAR)
async def show_year(session: Reading, visitor: Visitor, year: str) -> HTMLResponse:
    """The figures of an academic year, with growth; 2026/27 is written 2026-27."""
    view = place({"period": year})
    return await _shown(session, visitor, view if "academic_year" in view.codes else None)


@router.get("/countries/{code}", response_class=HTMLResponse, dependencies=DEAR)
async def show_country(
    session: Reading, visitor: Visitor, code: str, cause: Chosen = None, period: Chosen = None
) -> HTMLResponse:
    """The figures of a country."""
    return await _shown(session, visitor, place({"country": code, "cause": cause, "period": period}))


@router.get("/causes/{code}", response_class=HTMLResponse, dependencies=DEAR)
async def show_cause(session: Reading, visitor: Visitor, code: str, period: Chosen = None) -> HTMLResponse:
    """The figures of a cause."""
    return await _shown(session, visitor, place({"cause": code, "period": period}))


@router.get("/sections/{code}", response_class=HTMLResponse, dependencies=DEAR)
async def show_section(
    session: Reading, visitor: Visitor, code: str, cause: Chosen = None, period: Chosen = None
) -> HTMLResponse:
    """The figures of a section, to be shown to its university and partners."""
    return await _shown(session, visitor, place({"section": code, "cause": cause, "period": period}))


async def _shown(session: Reading, visitor: Reader, view: View | None) -> HTMLResponse:
    shown = await describing.show(session, view) if view is not None else None
    if shown is None:
        return pages.missing(visitor, below=True)
    return pages.view(visitor, shown)
