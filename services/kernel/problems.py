"""Errors as RFC 9457 problem documents: a tree of exceptions whose docstrings are their default details.

Problem
├── BadRequest 400    MalformedBody, IdempotencyKeyMissing
├── Unauthenticated 401, Forbidden 403, NotFound 404
├── Conflict 409      (each capability's own), PreconditionFailed 412, PreconditionRequired 428
├── Invalid 422       with one entry in `errors` for each fault of the input
└── Unavailable 503   with Retry-After
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

import pydantic
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.kernel.trace import current_trace_id

MEDIA_TYPE = "application/problem+json"
LONGEST_POINTER = 200

# These messages of the validator repeat what was sent, or speak of Python.
_QUIET = {
    "uuid_parsing": "Must be a UUID.",
    "uuid_type": "Must be a UUID.",
    "extra_forbidden": "This field is not known here.",
    "finite_number": "Must be a finite number.",
    "string_type": "Must be text.",
    "missing": "This field is required.",
    "model_attributes_type": "Must be an object.",
    "dict_type": "Must be an object.",
    "list_type": "Must be a list.",
    "timezone_aware": "Must carry its offset from UTC, as in 2026-11-14T10:00:00+01:00.",
}


class FieldError(pydantic.BaseModel):
    """One fault of the input: where (a JSON pointer into the body, or `query/…`, `path/…`, `header/…`) and what."""

    pointer: str
    detail: str


class ProblemDocument(pydantic.BaseModel):
    """RFC 9457 problem details, with the trace id to quote when you ask for help."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    trace_id: str
    errors: list[FieldError] = []


class Problem(Exception):
    """The request could not be carried out."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self, detail: str | None = None, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        self.detail = detail or inspect.cleandoc(type(self).__doc__ or "").partition("\n\n")[0].replace("\n", " ")
        self.errors = list(errors)
        self.headers = dict(headers or {})
        super().__init__(self.detail)

    @classmethod
    def slug(cls) -> str:
        """The last segment of the problem's type: the class's name in kebab-case."""
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__).lstrip("-")


class BadRequest(Problem):
    """The request is not well-formed."""

    status = 400
    title = "Bad request"


class MalformedBody(BadRequest):
    """The body is not valid JSON in UTF-8."""

    title = "Malformed body"


class IdempotencyKeyMissing(BadRequest):
    """This request needs an Idempotency-Key header, so that repeating it is safe."""

    title = "Idempotency-Key missing"


class Unauthenticated(Problem):
    """A valid bearer token is needed."""

    status = 401
    title = "Not authenticated"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="socialerasmus"'})


class Forbidden(Problem):
    """Your role does not allow this."""

    status = 403
    title = "Not allowed"


class NotFound(Problem):
    """There is nothing at this address."""

    status = 404
    title = "Not found"


class Conflict(Problem):
    """The present state does not allow this."""

    status = 409
    title = "Conflict"


class RequestInFlight(Conflict):
    """A request with this Idempotency-Key is still being carried out."""

    title = "Request in flight"


class PreconditionFailed(Problem):
    """It was changed since you read it: read it again, then repeat your change."""

    status = 412
    title = "Changed meanwhile"


class PreconditionRequired(Problem):
    """Send the ETag of what you change in If-Match, so that no other change is lost."""

    status = 428
    title = "If-Match missing"


class Invalid(Problem):
    """The input is not valid; `errors` names each fault."""

    status = 422
    title = "Invalid input"

    @classmethod
    def at(cls, pointer: str, detail: str) -> Invalid:
        """One fault at one place: `Invalid.at("#/ends_at", "Must not lie before the start.")`."""
        return cls(errors=[FieldError(pointer=pointer, detail=detail)])


class IdempotencyKeyReused(Problem):
    """This Idempotency-Key was used for another request."""

    status = 422
    title = "Idempotency-Key reused"


class Unavailable(Problem):
    """The service cannot answer just now; nothing was changed unless a repeated request says so."""

    status = 503
    title = "Temporarily unavailable"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


def pointer(location: Iterable[int | str]) -> str:
    """The place of a fault: `("body", "place", "city")` is `#/place/city`, `("query", "limit")` is `query/limit`."""
    kind, *path = [str(part).replace("~", "~0").replace("/", "~1") for part in location] or ["body"]
    # A wrong body as a whole is reported with the character where reading stopped; that is no part of a pointer.
    where = "/".join(path)
    found = (f"#/{where}" if path else "#") if kind == "body" else f"{kind}/{where}"
    return found.encode("utf-8", "replace").decode()[:LONGEST_POINTER]


def invalid(error: RequestValidationError | pydantic.ValidationError) -> Problem:
    """The problem for input that the schema refuses; never repeats what was sent."""
    faults = [dict(fault) for fault in error.errors()]
    if any(fault["type"] == "json_invalid" for fault in faults):
        return MalformedBody(errors=[FieldError(pointer="#", detail="This is not JSON.")])
    return Invalid(
        errors=[
            FieldError(pointer=pointer(fault["loc"]), detail=_QUIET.get(fault["type"], str(fault["msg"])))
            for fault in faults
        ]
    )


def respond(request: Request, problem: Problem, *, status: int | None = None, title: str | None = None) -> Response:
    """The problem as a reply."""
    code = status or problem.status
    service = request.scope.get("root_path", "").rstrip("/")
    body = {
        "type": f"{service}/problems/{problem.slug()}" if status is None else "about:blank",
        "title": title or problem.title,
        "status": code,
        "detail": problem.detail,
        "instance": request.scope.get("path", "").encode("utf-8", "replace").decode(),
        "trace_id": current_trace_id(),
    }
    if problem.errors:
        body["errors"] = [fault.model_dump() for fault in problem.errors]
    headers = {"Cache-Control": "no-store", **problem.headers}
    return JSONResponse(body, status_code=code, media_type=MEDIA_TYPE, headers=headers)


def from_http_exception(request: Request, error: HTTPException) -> Response:
    """The framework's own 404, 405, 413, 415… as problems."""
    for kind in (NotFound, Unauthenticated, Forbidden, BadRequest):
        if kind.status == error.status_code:
            return respond(request, kind())
    title = HTTPStatus(error.status_code).phrase
    return respond(request, Problem(f"{title}.", headers=error.headers), status=error.status_code, title=title)


def documented(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that may answer these problems."""
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        known = answers.get(kind.status)
        text = f"{known['description']} Or: {kind().detail}" if known else kind().detail
        answers[kind.status] = {
            "description": text,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
    return answers


def every(kind: type[Problem] = Problem) -> list[type[Problem]]:
    """Every kind of problem that is known to this process."""
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in every(child))]
