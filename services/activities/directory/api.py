"""Routes of the directory: sections and countries."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request

from services.activities.directory import store
from services.activities.directory.schemas import (
    CountryList,
    CountryOut,
    SectionOut,
    SectionPage,
)
from services.kernel.paging import Cursor, Limit, Page
from services.kernel.problems import NotFound, documented
from services.kernel.routes import router as make_router
from services.kernel.runtime import Reading
from services.kernel.texts import Code, CountryCode

router = make_router(tag="directory")


class SectionNotFound(NotFound):
    """There is no section with this code."""


@router.get("/sections")
async def list_sections(
    request: Request,
    session: Reading,
    country: Annotated[CountryCode | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SectionPage:
    """Sections of the network, in the order of their codes."""
    page = Page(request, cursor)
    after = str(page.after[0]) if page.after else None
    rows = await store.page_of_sections(session, country=country, after=after, limit=limit + 1)
    items = [SectionOut.model_validate(row) for row in rows[:limit]]
    return SectionPage(items=items, next=page.next_url([items[-1].code]) if len(rows) > limit else None)


@router.get("/sections/{code}", responses=documented(SectionNotFound))
async def get_section(session: Reading, code: Code) -> SectionOut:
    """One section."""
    row = await store.section(session, code)
    if row is None:
        raise SectionNotFound
    return SectionOut.model_validate(row)


@router.get("/countries")
async def list_countries(session: Reading) -> CountryList:
    """The countries that have a section, with the number of active ones."""
    rows = await store.countries(session)
    return CountryList(items=[CountryOut(code=code, sections_active=count) for code, count in rows], next=None)
