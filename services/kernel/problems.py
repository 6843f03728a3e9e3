"""Errors as RFC 9457 problem documents: a tree of exceptions whose docstrings are their default details.

Problem
├── BadRequest 400    MalformedBody, IdempotencyKeyMissing
├── Unauthenticated 401, Forbidden 403, NotFound 404
├── Conflict 409      (each capability's own), PreconditionFailed 412, PreconditionRequired 428
├── TooLarge 413, UnsupportedMediaType 415
├── Invalid 422       with one entry in `errors` for each fault of the input
├── InternalError 500
└── Unavailable 503   with Retry-After
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar

import pydantic
from pydantic import ConfigDict, Field

MEDIA_TYPE = "application/problem+json"
LONGEST_POINTER = 200
MOST_FAULTS = 100
"""How many faults of one request are told: a body may have a hundred thousand, and nobody reads them all."""

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
    "union_tag_invalid": "Must be of one of the kinds that are known here.",
    "union_tag_not_found": "Must say of which kind it is.",
    "timezone_aware": "Must carry its offset from UTC, as in 2026-11-14T10:00:00+01:00.",
}


class FieldError(pydantic.BaseModel):
    """One fault of the input: where (a JSON pointer into the body, or `query/…`, `path/…`, `header/…`) and what."""

    pointer: str
    detail: str


class ChallengeParameters(pydantic.BaseModel):
    """What is to be found: a counter, of which a key is derived that begins with `keyPrefix`."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True, serialize_by_alias=True)

    algorithm: str
    cost: int
    data: dict[str, str]
    expires_at: int = Field(alias="expiresAt", description="In seconds since 1970.")
    key_length: int = Field(alias="keyLength")
    key_prefix: str = Field(alias="keyPrefix")
    nonce: str
    salt: str


class Challenge(pydantic.BaseModel):
    """A challenge of ALTCHA (PoW v2)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    parameters: ChallengeParameters
    signature: str


class ProblemDocument(pydantic.BaseModel):
    """RFC 9457 problem details, with the trace id to quote when you ask for help."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    trace_id: str
    errors: list[FieldError] = []
    challenge: Challenge | None = Field(default=None, description="Of `proof-required` alone: solve it and ask again.")


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

    def members(self) -> Mapping[str, Any]:
        """What a kind of problem tells beside what all do."""
        return {}

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


class TooLarge(Problem):
    """The body is larger than 1 MiB."""

    status = 413
    title = "Body too large"


class UnsupportedMediaType(Problem):
    """Send the body as application/json in UTF-8, and say so in Content-Type."""

    status = 415
    title = "Unsupported media type"


class TooManyRequests(Problem):
    """More was asked in a minute than this caller may ask; Retry-After says in how many seconds there is room."""

    status = 429
    title = "Too many requests"

    def __init__(self, seconds: int = 60, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": str(seconds)})
        self.seconds = seconds


class InternalError(Problem):
    """Something failed on our side. Nothing of the cause is told here; quote the trace id when you ask."""


class Unavailable(Problem):
    """The service cannot answer just now; nothing was changed unless a repeated request says so."""

    status = 503
    title = "Temporarily unavailable"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


def pointer(location: Iterable[int | str]) -> str:
    """The place of a fault: `("body", "place", "city")` is `#/place/city`, `("query", "limit")` is `query/limit`."""
    kind, *path = [str(part).replace("~", "~0").replace("/", "~1") for part in location] or ["body"]
    if path[-1:] == ["[key]"]:
        path.pop()
    # A wrong body as a whole is reported with the character where reading stopped; that is no part of a pointer.
    where = "/".join(path)
    found = (f"#/{where}" if path else "#") if kind == "body" else f"{kind}/{where}"
    return found.encode("utf-8", "replace").decode()[:LONGEST_POINTER]


def invalid(faults: Iterable[Mapping[str, Any]]) -> Problem:
    """The problem for input that a schema refuses, from the validator's list of faults; never repeats what was sent."""
    return Invalid(
        errors=[
            FieldError(pointer=pointer(fault["loc"]), detail=_QUIET.get(fault["type"], str(fault["msg"])))
            for fault in islice(faults, MOST_FAULTS)
        ]
    )


def invalid_body(error: pydantic.ValidationError) -> Problem:
    """The problem for a body whose fields were validated as a whole by hand, as those of a PATCH are."""
    return invalid([{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()])


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
