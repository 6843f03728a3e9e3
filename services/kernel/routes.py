"""The route class of every service: strict about queries and JSON, repeatable by key, cacheable by ETag."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Coroutine, Mapping
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from services.kernel import addresses
from services.kernel.access import KEY_PREFIXES, SESSION_COOKIE, Kind
from services.kernel.audit import noting
from services.kernel.audit.noting import Act
from services.kernel.auth import IDENTIFIES
from services.kernel.idempotency import Replayed
from services.kernel.openapi import with_cost, with_if_match
from services.kernel.problems import (
    FieldError,
    Invalid,
    MalformedBody,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    UnsupportedMediaType,
)
from services.kernel.problems import invalid as problem_of
from services.kernel.replies import SECRETS_BELOW
from services.kernel.runtime import of

DEEPEST_JSON = 64
MOST_NAMES = 1_000
"""How many names an object may have: each that is not known is a fault, and a body has room for a hundred thousand."""
MOST_QUERY_FAULTS = 10
"""How many faults of a query are told: looking for what each may have meant takes longer than many an answer."""
# The policies too: a browser puts the headers of a 304 in the place of those that it has.
_KEPT = (
    "etag", "cache-control", "vary", "link", "content-language", "content-security-policy", "referrer-policy",
)  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _DuplicateKey(ValueError):
    pass


class _TooManyNames(ValueError):
    pass


def _malformed(detail: str) -> MalformedBody:
    return MalformedBody(errors=[FieldError(pointer="#", detail=detail)])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_NAMES:
        raise _TooManyNames
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateKey
    return found


class _StrictRequest(Request):
    """A request whose JSON names each key once and is not nested out of all measure."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


def read_json(body: bytes) -> Any:
    """What a body says; raises what is wrong with it."""
    try:
        read = _DECODER.decode(body.decode())
    except _DuplicateKey:
        raise _malformed("An object names a key twice.") from None
    except _TooManyNames:
        raise _malformed(f"An object has more than {MOST_NAMES:,} names.") from None
    except RecursionError:
        raise _malformed("Nested too deeply.") from None
    except UnicodeDecodeError:
        raise _malformed("This is not UTF-8.") from None
    except ValueError:
        # Also a number of more digits than Python is willing to read.
        raise _malformed("This is not JSON.") from None
    if read is None:
        # The framework would take it for a body that is not there.
        raise Invalid.at("#", "Must be an object.")
    if body.count(b"[") + body.count(b"{") > DEEPEST_JSON:
        _check_depth(read)
    return read


def _no_number(_: str) -> Any:
    # Python reads NaN and Infinity, which JSON does not know (RFC 8259, 6).
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number)


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST_JSON + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return
    raise _malformed("Nested too deeply.")


def _is_json(content_type: str) -> bool:
    message = EmailMessage()
    message["Content-Type"] = content_type
    charset = message.get_param("charset", "utf-8")
    kind = message.get_content_type()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return is_json and isinstance(charset, str) and charset.lower() in {"utf-8", "utf8"}


def _query_parameters(dependant: Dependant) -> dict[str, bool]:
    """Every query parameter a route knows, its dependencies' too, and whether it may be repeated."""
    known = {
        parameter.alias: "list" in str(parameter.field_info.annotation).lower() for parameter in dependant.query_params
    }
    for deeper in dependant.dependencies:
        known |= _query_parameters(deeper)
    return known


_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def _asks_who_calls(dependant: Dependant) -> bool:
    return any(each.call is IDENTIFIES or _asks_who_calls(each) for each in dependant.dependencies)


def _may_be_an_actor(request: Request) -> bool:
    """Whether a token or session comes along of somebody who can act; the holder of a publishable key is a stranger."""
    if SESSION_COOKIE in request.cookies:
        return True
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    sent = token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
    return bool(sent) and not sent.startswith(KEY_PREFIXES[Kind.PUBLISHABLE])


class StrictRoute(APIRoute):
    """A route that refuses what it does not know instead of ignoring it."""

    takes_any_query = False

    def __init__(self, path: str, endpoint: Callable[..., Any], **told: Any) -> None:
        statuses = {str(status) for status in told.get("responses") or ()}
        extra = with_if_match(told.get("openapi_extra"), methods=told.get("methods") or (), statuses=statuses)
        extra = with_cost(extra, told.get("dependencies") or ())
        super().__init__(path, endpoint, **{**told, "openapi_extra": extra})

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the address is of this route; without an id where one belongs, it is another's or nobody's."""
        match, child = super().matches(scope)
        identities = [field.alias for field in self.dependant.path_params if field.field_info.annotation is UUID]
        # Python's UUID also reads capitals, braces and urn:uuid:, which would be further addresses of the same thing.
        if match is not Match.NONE and not all(_UUID.fullmatch(child["path_params"][name]) for name in identities):
            return Match.NONE, {}
        return match, child

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler with the habits of api.md around it; it runs inside the request's unit of work."""
        answer = super().get_route_handler()
        known = _query_parameters(self.dependant)
        is_audited = bool(_WRITING & (self.methods or set())) and _asks_who_calls(self.dependant)

        async def handle(request: Request) -> Response:
            request.state.route = self.path
            if not self.takes_any_query:
                _check_query(request, known)
            if is_audited and _may_be_an_actor(request):
                request.state.act = Act()
            strict = _StrictRequest(request.scope, request.receive)
            try:
                if self.body_field and not _is_json(request.headers.get("content-type", "")) and await strict.body():
                    raise UnsupportedMediaType
                response = await answer(strict)
            except Replayed as replay:
                return replay.response
            except RequestValidationError as error:
                raise problem_of(error.errors()) from None
            except HTTPException as error:
                # The framework turns every failure to read a body into its own 400.
                if isinstance(error.__cause__, Problem):
                    raise error.__cause__ from None
                raise
            if (following := getattr(request.state, "next_url", None)) is not None:
                response.headers.append("Link", f'<{following}>; rel="next"')
            claim = getattr(request.state, "claim", None)
            if claim is not None and response.status_code < 400:
                await claim.keep(request.state.session, of(request), response)
            await self._write_down(request, response)
            if getattr(request.state, "is_signed_in", False):
                response.headers["Cache-Control"] = "private, no-store"
            if request.method == "GET" and response.status_code == 200:
                return _conditional(request, response)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return handle

    async def _write_down(self, request: Request, response: Response) -> None:
        """Enter who did this in the audit, in the transaction that did it: no verb can forget it."""
        act: Act | None = getattr(request.state, "act", None)
        if act is None or act.actor is None:
            return
        runtime, location = of(request), response.headers.get("location")
        about = noting.about(self.path, request.path_params, method=request.method, location=location)
        await noting.write(
            request.state.session,
            act,
            schema=str(runtime.role),
            verb=self.name,
            about=noting.veiled(about, runtime.settings.secret.get_secret_value()),
            status=response.status_code,
            network=addresses.network_of(addresses.client(request.scope, runtime.settings.trusted_proxies)),
        )


class PageRoute(StrictRoute):
    """A page for people: parameters that a mail client or a website hung on its address are passed over."""

    takes_any_query = True


def _check_query(request: Request, known: dict[str, bool]) -> None:
    faults: list[FieldError] = []
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if len(faults) == MOST_QUERY_FAULTS:
            break
        if name not in known:
            near = difflib.get_close_matches(name[:60].lower(), known, n=1)
            hint = f" Perhaps {near[0]}?" if near else ""
            faults.append(FieldError(pointer=f"query/{name[:60]}", detail=f"This parameter is not known here.{hint}"))
        elif name in seen and not known[name]:
            faults.append(FieldError(pointer=f"query/{name}", detail="This parameter may be given only once."))
        elif "\x00" in value:
            faults.append(FieldError(pointer=f"query/{name}", detail="Text must not contain the NUL character."))
        seen.add(name)
    if faults:
        raise Invalid(errors=faults)


def _conditional(request: Request, response: Response) -> Response:
    """Give a reply its strong ETag, and answer 304 when the client has it (RFC 9110, 13.1.2)."""
    response.headers.setdefault("Cache-Control", "no-cache")
    if "etag" not in response.headers:
        if not hasattr(response, "body"):
            return response
        response.headers["ETag"] = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    wanted = request.headers.get("if-none-match")
    if wanted is None or not is_among(wanted, response.headers["etag"], weak=True):
        return response
    kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
    return Response(status_code=304, headers=kept)


def is_among(header: str, etag: str, *, weak: bool) -> bool:
    """Whether an ETag is one of those that an If-Match or If-None-Match lists."""
    if header.strip() == "*":
        return True
    candidates = [candidate.strip() for candidate in header.split(",")]
    if weak:
        candidates = [candidate.removeprefix("W/") for candidate in candidates]
        etag = etag.removeprefix("W/")
    return etag in candidates


def unchanged(request: Request, headers: Mapping[str, str]) -> Response | None:
    """A 304, where the client has the answer that would have these headers, its ETag among them, already."""
    wanted = request.headers.get("if-none-match")
    if wanted is None or not is_among(wanted, headers["ETag"], weak=True):
        return None
    return Response(status_code=304, headers={name: value for name, value in headers.items() if name.lower() in _KEPT})


def check_if_match(request: Request, *etags: str) -> None:
    """Refuse a change of something that its caller has not seen in its present state, in any language (428, 412)."""
    header = request.headers.get("if-match")
    if header is None:
        raise PreconditionRequired
    if not any(is_among(header, etag, weak=False) for etag in etags):
        raise PreconditionFailed


def router(*, tag: str, prefix: str = "/v1") -> APIRouter:
    """A router for one capability's routes."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=StrictRoute)


def pages(*, tag: str) -> APIRouter:
    """A router for pages that people send each other, whose addresses others hang parameters of their own on."""
    return APIRouter(tags=[tag], route_class=PageRoute, include_in_schema=False)


def pages_by_secret(*, tag: str) -> APIRouter:
    """A router for the pages of people who hold a secret, which is a part of the address."""
    return APIRouter(prefix=f"/v1/{SECRETS_BELOW}", tags=[tag], route_class=PageRoute, include_in_schema=False)
