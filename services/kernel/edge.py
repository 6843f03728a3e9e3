"""The outermost layer of a service: trace id, access log, safe headers, HEAD, body limit, an answer to any failure."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel.logs import logger
from services.kernel.problems import FieldError, InternalError, Problem, TooLarge, Unavailable
from services.kernel.replies import respond
from services.kernel.trace import from_traceparent, new_trace_id, traced

MAX_BODY_BYTES = 1024 * 1024
MOST_LET_PASS_BYTES = 16 * 1024 * 1024
PATIENCE_SECONDS = 5.0
EXPOSED = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "Trace-Id",
    "RateLimit",
    "RateLimit-Policy",
    "Deprecation",
    "Sunset",
    "Idempotency-Replayed",
)
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    # Browsers pass it over where there is no TLS (RFC 6797, 8.1), as in development.
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    # Without it a browser hides a failure's explanation from the page that asked.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": ", ".join(EXPOSED),
    # Who keeps a copy asks whether it still holds, unless the reply itself says more.
    "Cache-Control": "no-cache",
}

log = logger(__name__)


class Edge:
    """Wraps a service's application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request so that it always gets an answer with its trace id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = from_traceparent(Headers(scope=scope).get("traceparent")) or new_trace_id()
        with traced(trace_id):
            await self._serve(scope, receive, send, trace_id)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, trace_id: str) -> None:
        begun, status, finished, method = time.perf_counter(), 0, False, scope["method"]

        async def send_safely(message: Message) -> None:
            nonlocal status, finished
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                headers["Trace-Id"] = trace_id
            else:
                finished = not message.get("more_body", False)
                message = {**message, "body": b""} if method == "HEAD" else message
            await send(message)

        # RFC 9110 9.3.2: HEAD is GET without the content.
        inner = {**scope, "method": "GET"} if method == "HEAD" else scope
        inner["state"] = dict(inner.get("state") or {})
        try:
            await self._app(inner, _limited(inner, receive), send_safely)
        except Exception as failure:  # The last resort: every failure gets an answer and a log line.
            problem = problem_for(failure)
            if problem.status >= 500:
                log.exception("request failed", route=inner["state"].get("route"), exc_info=failure)
            if not status:
                await respond(Request(inner), problem)(inner, receive, send_safely)
            elif not finished:
                raise
        finally:
            log.info(
                "request",
                method=method,
                route=inner["state"].get("route"),
                status=status,
                ms=round((time.perf_counter() - begun) * 1000, 1),
            )


def problem_for(failure: BaseException) -> Problem:
    """What to answer when a failure was not foreseen by the code that met it."""
    if isinstance(failure, Problem):
        return failure
    if isinstance(failure, (PoolTimeout, OSError, TimeoutError)):
        return Unavailable()
    if isinstance(failure, DBAPIError):
        state = str(getattr(failure.orig, "sqlstate", "") or "")
        # Connection trouble, shutdown, too many connections, lock and statement timeouts, lost races, disk full.
        if (
            failure.connection_invalidated
            or isinstance(failure, (InterfaceError, OperationalError))
            or state[:2] in {"08", "40", "53", "57"}
            or state in {"25006", "55P03"}
        ):
            return Unavailable()
    if isinstance(failure, SQLAlchemyError) and isinstance(failure.__cause__, OSError):
        return Unavailable()
    return InternalError()


def _limited(scope: Scope, receive: Receive) -> Receive:
    """Refuse an oversize body before it is kept, whether or not its length was announced."""
    announced = Headers(scope=scope).get("content-length", "")
    is_announced = announced.isdecimal() and (len(announced) > 18 or int(announced) > MAX_BODY_BYTES)
    got = 0

    async def receive_limited() -> Message:
        nonlocal got
        message: dict[str, Any] = {} if is_announced else dict(await receive())
        got += len(message.get("body", b""))
        if is_announced or got > MAX_BODY_BYTES:
            await _let_pass(receive, got)
            raise TooLarge(errors=[FieldError(pointer="#", detail="The body is larger than 1 MiB.")])
        return message

    return receive_limited


async def _let_pass(receive: Receive, got: int) -> None:
    """Read on for a while without keeping anything: many clients look for an answer only when all is sent."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while got < MOST_LET_PASS_BYTES:
                message = await receive()
                got += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return
