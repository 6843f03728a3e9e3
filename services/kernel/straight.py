"""The layer that takes some requests of strangers straight to what they ask for, byte by byte as the routes would.

What a framework does for a request (routing, dependencies, parameters, responses) costs more than a good deal of what
is done for it. Whatever is not as plain as can be goes the routes' way, and so does what they would refuse to read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel import addresses, idempotency
from services.kernel.access_log import AccessLines, line_of
from services.kernel.counting import Policy, Standing
from services.kernel.edge import SAFE_HEADERS, problem_for
from services.kernel.idempotency import Claim, Replayed
from services.kernel.limits import header_of, policies, policy_header_of
from services.kernel.logs import logger
from services.kernel.problems import Problem
from services.kernel.remembering import is_plain_host
from services.kernel.replies import respond
from services.kernel.routes import read_json
from services.kernel.runtime import Runtime
from services.kernel.trace import drawn_ahead, from_traceparent, traced
from services.kernel.wire import WRITTEN, Writer

LARGEST_BODY: Final = 64 * 1024
WARMED_UP_SECONDS: Final = 3.0
_KEY, _TYPE, _LENGTH, _HOST, _TRACE, _ORIGIN, _OTHERS = range(7)
_READ: Final[dict[bytes, int]] = {
    b"idempotency-key": _KEY,
    b"content-type": _TYPE,
    b"content-length": _LENGTH,
    b"host": _HOST,
    b"traceparent": _TRACE,
    b"origin": _ORIGIN,
    # Who sends one of these may be somebody, or asks for more than a plain answer.
    **dict.fromkeys(
        (b"authorization", b"x-api-key", b"cookie", b"transfer-encoding", b"expect", b"upgrade", b"x-altcha"), _OTHERS
    ),
}
_NOBODY: Final[tuple[bytes | None, ...]] = (None,) * 6
_JSON: Final = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
_SAFE: Final = [(name.lower().encode(), value.encode()) for name, value in SAFE_HEADERS.items()]
# What the layer of CORS adds before those, where the request names its origin and where it does not.
_OF_ORIGIN: Final = (b"access-control-allow-origin", b"access-control-expose-headers")
_VARY: Final = (b"vary", b"Origin")
_TO_ORIGIN: Final = [
    *(each for each in _SAFE if each[0] in _OF_ORIGIN),
    _VARY,
    *(each for each in _SAFE if each[0] not in _OF_ORIGIN),
]
_TO_OTHERS: Final = [_VARY, *_SAFE]

log = logger(__name__)


@dataclass(frozen=True)
class Straight:
    """A POST of a service that strangers send, with an Idempotency-Key of its own: its path, body and answer."""

    path: str
    body: type[BaseModel]
    answer: Callable[[Runtime, Claim, Any, str], Awaitable[Response]]
    """Told who asks by their address as well."""
    warm_up: Callable[[Runtime], Awaitable[None]]
    """Does what the first of them would wait for: a connection, and statements that are planned."""


class _Way(NamedTuple):
    service: str
    path: str
    straight: Straight
    runtime: Runtime
    policy: Policy


class GoingStraight:
    """What is plain goes straight; all else goes its way."""

    def __init__(
        self, app: ASGIApp, known: Mapping[str, tuple[Runtime, Sequence[Straight]]], lines: AccessLines
    ) -> None:
        self._app = app
        self._lines = lines
        self._trace_ids = drawn_ahead()
        self._ways = {
            path.encode(): _Way(name, path, each, runtime, policies(runtime.settings)[False, False])
            for name, (runtime, several) in known.items()
            for each in several
            if (path := f"/{name}{each.path}")
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        way = self._ways.get(scope.get("raw_path") or b"")
        told = None if way is None or scope["query_string"] else _told(scope["headers"])
        if way is None or told is None:
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        messages, body = await _body(receive)
        wanted = None if body is None else _wanted(way, told, body)
        who = addresses.client(scope, way.runtime.settings.trusted_proxies)
        standing = way.runtime.counters.take(way.policy, who) if wanted is not None and way.policy.quota else None
        if wanted is None or (standing is not None and not standing.allowed):
            # The routes say what is wrong, or that it is too much: what is refused was not counted.
            await self._app(scope, _once_more(messages, receive), send)
            return
        trace = told[_TRACE]
        trace_id = (from_traceparent(trace.decode("latin-1")) if trace else None) or next(self._trace_ids)
        with traced(trace_id):
            response, headers = await _answer(way, wanted, who, standing, has_origin=told[_ORIGIN] is not None)
        headers.append((b"trace-id", trace_id.encode()))
        if not _write(scope, response, headers):
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            await send({"type": "http.response.body", "body": response.body})
        line = line_of(way.straight.path, response.status_code, method="POST")
        self._lines.add(line, time.perf_counter() - begun, trace_id)


async def warm_up(known: Iterable[tuple[Runtime, Sequence[Straight]]]) -> None:
    """Be ready for a rush before anybody is told that this process is; without a database it is ready all the same."""
    for runtime, several in known:
        for each in several:
            try:
                async with asyncio.timeout(WARMED_UP_SECONDS):
                    await each.warm_up(runtime)
            except (SQLAlchemyError, OSError, TimeoutError) as failure:
                log.warning("not warmed up", error=type(failure).__name__)


class _Wanted(NamedTuple):
    claim: Claim
    body: BaseModel


def _told(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes | None] | None:
    """The headers that an answer hangs on; None where others are among them, one comes twice or is none of a plain."""
    told = list(_NOBODY)
    for name, value in headers:
        which = _READ.get(name)
        if which is None:
            continue
        if which == _OTHERS or told[which] is not None:
            return None
        told[which] = value
    length, host = told[_LENGTH], told[_HOST]
    if told[_KEY] is None or told[_TYPE] not in _JSON or host is None or not is_plain_host(host):
        return None
    return told if length is not None and length.isdigit() and len(length) < 6 and int(length) <= LARGEST_BODY else None


async def _body(receive: Receive) -> tuple[list[Message], bytes | None]:
    """What was received, and the body if that is all of it."""
    messages = [await receive()]
    while (last := messages[-1])["type"] == "http.request" and last.get("more_body", False):
        messages.append(await receive())
    is_whole = last["type"] == "http.request"
    return messages, b"".join(each.get("body", b"") for each in messages) if is_whole else None


def _once_more(messages: list[Message], receive: Receive) -> Receive:
    left = iter(messages)

    async def again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return again


def _wanted(way: _Way, told: list[bytes | None], body: bytes) -> _Wanted | None:
    """What is asked for; None where the routes have something to say about it."""
    key = told[_KEY]
    assert key is not None
    try:
        claim = idempotency.claim_of(way.runtime, idempotency.STRANGERS, b"POST", way.path, body, key.decode("latin-1"))
        return _Wanted(claim, way.straight.body.model_validate(read_json(body), from_attributes=True))
    except (Problem, ValidationError):
        return None


async def _answer(
    way: _Way, wanted: _Wanted, who: str, standing: Standing | None, *, has_origin: bool
) -> tuple[Response, list[tuple[bytes, bytes]]]:
    """The answer, with the headers that it gets on its way through all layers."""
    about = {"type": "http", "root_path": f"/{way.service}", "path": way.path}
    try:
        try:
            response = await way.straight.answer(way.runtime, wanted.claim, wanted.body, who)
            response.headers.setdefault("Cache-Control", "no-store")
        except Replayed as replay:
            response = replay.response
        except Problem as problem:
            response = respond(Request(about), problem)
    except Exception as failure:  # As at the edge, every failure gets an answer and a log line.
        answer = problem_for(failure)
        if answer.status >= 500:
            log.exception("request failed", route=way.straight.path, exc_info=failure)
        response = respond(Request(about), answer)
        # It is answered outside of the layers that count, and that look at origins.
        return response, _with(response.raw_headers, _SAFE)
    headers = list(response.raw_headers)
    if standing is not None:
        headers.append((b"ratelimit-policy", policy_header_of(way.policy).encode()))
        headers.append((b"ratelimit", header_of(way.policy, standing).encode()))
    return response, _with(headers, _TO_ORIGIN if has_origin else _TO_OTHERS)


def _with(headers: list[tuple[bytes, bytes]], more: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, and those of the others that are not among them yet."""
    names = {name for name, _ in headers}
    return [*headers, *(each for each in more if each[0] not in names)]


def _write(scope: Scope, response: Response, headers: list[tuple[bytes, bytes]]) -> bool:
    """Send it by our server's shorter way, where there is one."""
    extensions = scope.get("extensions")
    writer: Writer | None = extensions.get(WRITTEN) if extensions else None
    if writer is None:
        return False
    head = b"".join([b"%b: %b\r\n" % each for each in headers]) + b"\r\n"
    return writer.send_written(scope, response.status_code, head, bytes(response.body))
