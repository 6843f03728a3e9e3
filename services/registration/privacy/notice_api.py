"""The privacy notice as a page. It is for people, so OpenAPI leaves it out."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import HTMLResponse

from services.kernel.routes import PageRoute
from services.kernel.runtime import Running
from services.registration.mail.catalogues import tags
from services.registration.mail.languages import language_of
from services.registration.privacy import notice

router = APIRouter(tags=["people"], route_class=PageRoute, include_in_schema=False)


@router.get("/privacy", response_class=HTMLResponse)
async def show_privacy_notice(
    runtime: Running,
    lang: Annotated[str | None, Query()] = None,
    accepted: Annotated[str, Header(alias="Accept-Language")] = "",
) -> HTMLResponse:
    """What is known of people, in the language that is asked for or that the browser names first."""
    wanted = [lang] if lang is not None else re.findall(r"(?:^|,)\s*([A-Za-z]{2,3})", accepted)
    known = next((tag.lower()[:2] for tag in wanted if tag.lower()[:2] in tags()), "en")
    return HTMLResponse(notice.page(runtime.settings, language_of(known)), headers=notice.HEADERS)
