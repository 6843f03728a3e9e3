"""Problems as replies: whatever fails, the client reads one shape."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.kernel.limit_page import page as limit_page
from services.kernel.problems import (
    MEDIA_TYPE,
    BadRequest,
    Forbidden,
    NotFound,
    Problem,
    TooManyRequests,
    Unauthenticated,
)
from services.kernel.trace import current_trace_id

SECRETS_BELOW: Final = "links"
"""In every service, what follows this segment of an address is a secret, which no error repeats."""


def respond(request: Request, problem: Problem, *, status: int | None = None, title: str | None = None) -> Response:
    """The problem as a reply; that a limit is reached, which any address may answer, is a page for browsers."""
    if isinstance(problem, TooManyRequests) and limit_page.is_wanted(request):
        return limit_page.page(request, problem)
    code = status or problem.status
    service = request.scope.get("root_path", "").rstrip("/")
    # Outside of every service nobody serves the page that explains a kind of problem.
    is_explained = status is None and service
    body = {
        "type": f"{service}/problems/{problem.slug()}" if is_explained else "about:blank",
        "title": title or problem.title,
        "status": code,
        "detail": problem.detail,
        "instance": _instance(request.scope.get("path", "")),
        "trace_id": current_trace_id(),
        **problem.members(),
    }
    if problem.errors:
        body["errors"] = [fault.model_dump() for fault in problem.errors]
    headers = {"Cache-Control": "no-store", **problem.headers}
    return JSONResponse(body, status_code=code, media_type=MEDIA_TYPE, headers=headers)


def _instance(path: str) -> str:
    segments = path.encode("utf-8", "replace").decode().split("/")
    known = [segment.casefold() for segment in segments]
    end = known.index(SECRETS_BELOW) + 1 if SECRETS_BELOW in known else len(segments)
    return "/".join(segments[:end])


def from_http_exception(request: Request, error: HTTPException) -> Response:
    """The framework's own 404, 405, 413, 415… as problems."""
    for kind in (NotFound, Unauthenticated, Forbidden, BadRequest):
        if kind.status == error.status_code:
            return respond(request, kind())
    title = HTTPStatus(error.status_code).phrase
    return respond(request, Problem(f"{title}.", headers=error.headers), status=error.status_code, title=title)
