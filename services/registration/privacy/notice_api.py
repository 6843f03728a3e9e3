"""The privacy notice as a page. It is for people, so OpenAPI leaves it out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import HTMLResponse

from services.kernel.routes import PageRoute
from services.kernel.runtime import Running
from services.registration.mail.languages import chosen
from services.registration.privacy import notice

router = APIRouter(tags=["people"], route_class=PageRoute, include_in_schema=False)


@router.get("/privacy", response_class=HTMLResponse)
async def show_privacy_notice(
    runtime: Running,
    lang: Annotated[str | None, Query()] = None,
    accepted: Annotated[str, Header(alias="Accept-Language")] = "",
) -> HTMLResponse:
    """What is known of people, in the language that is asked for or that the browser names first."""
    return HTMLResponse(notice.page(runtime.settings, chosen(lang, accepted)), headers=notice.HEADERS)
