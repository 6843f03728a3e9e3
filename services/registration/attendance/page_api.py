"""The page on which organisers check people in, on a phone and without a network. It is for people, and self-hosted."""

from __future__ import annotations

import pathlib
from typing import Annotated, Final
from uuid import UUID

from fastapi import Header, Path, Query
from starlette.responses import HTMLResponse, Response

from services.kernel.routes import pages as make_pages
from services.kernel.routes import router as make_router
from services.registration.attendance.pages import check_in_page
from services.registration.mail.languages import chosen

visited = make_pages(tag="attendance")
router = make_router(tag="attendance", prefix="")

_HERE: Final = pathlib.Path(__file__)
_SCRIPTS: Final = {
    name: _HERE.with_name(f"{name.replace('-', '_')}.js").read_bytes()
    for name in ("check-in", "check-in-people", "check-in-server", "check-in-store", "check-in-worker")
}


@visited.get("/activities/{activity_id}/check-in", response_class=HTMLResponse)
async def show_check_in(
    _activity_id: Annotated[UUID, Path(alias="activity_id")],
    lang: Annotated[str | None, Query()] = None,
    accepted: Annotated[str, Header(alias="Accept-Language")] = "",
) -> HTMLResponse:
    """The page, whether or not there is such an activity: what it shows it asks for, with its user's token."""
    return check_in_page(chosen(lang, accepted))


@router.get("/check-in.js", include_in_schema=False)
async def check_in_script() -> Response:
    """What the page does."""
    return _script("check-in")


@router.get("/check-in-people.js", include_in_schema=False)
async def check_in_people_script() -> Response:
    """The list of people on the page."""
    return _script("check-in-people")


@router.get("/check-in-server.js", include_in_schema=False)
async def check_in_server_script() -> Response:
    """How the page asks the server."""
    return _script("check-in-server")


@router.get("/check-in-store.js", include_in_schema=False)
async def check_in_store_script() -> Response:
    """What the page keeps on the device, and how it is sent."""
    return _script("check-in-store")


@router.get("/check-in-worker.js", include_in_schema=False)
async def check_in_worker_script() -> Response:
    """What opens the page without a network."""
    return _script("check-in-worker")


def _script(name: str) -> Response:
    headers = {
        # Asked for each time that there is a network; its answer is "not modified" nearly always.
        "Cache-Control": "no-cache",
        # What the worker may do is said here: to ask for the page and its scripts.
        "Content-Security-Policy": (
            "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    }
    return Response(_SCRIPTS[name], media_type="text/javascript", headers=headers)
