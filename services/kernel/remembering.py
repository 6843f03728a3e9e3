"""The layer around everything that answers well-known reads from memory, byte by byte as the routes would."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel import addresses
from services.kernel.access_log import AccessLines, line_of
from services.kernel.answers import Answers, Entry, Remembered, Reply
from services.kernel.counting import ONE, Policy
from services.kernel.languages import accepted
from services.kernel.limits import KNOWN_ALREADY, Charge, header_of, policies
from services.kernel.routes import is_among
from services.kernel.runtime import Runtime
from services.kernel.trace import drawn_ahead, from_traceparent
from services.kernel.wire import WRITTEN, Writer, pieces_of

PATIENCE_SECONDS = 2.0
PASSING_SECONDS = 1.0
LONGEST_QUERY = 1000
LONGEST_HEADER = 500
_ID: Final = 36
_ACCEPT, _LANGUAGES, _KNOWN, _ORIGIN, _TRACE, _HOST, _OTHERS = range(7)
_READ: Final[dict[bytes, int]] = {
    b"accept": _ACCEPT,
    b"accept-language": _LANGUAGES,
    b"if-none-match": _KNOWN,
    b"origin": _ORIGIN,
    b"traceparent": _TRACE,
    b"host": _HOST,
    # Who sends one of these may get another answer than a stranger, or asks for more than a plain read.
    **dict.fromkeys(
        (b"authorization", b"x-api-key", b"cookie", b"content-length", b"transfer-encoding", b"expect", b"upgrade"),
        _OTHERS,
    ),
}
_NOBODY: Final[tuple[bytes | None, ...]] = (None,) * 6
_PLAIN_HOST: Final = re.compile(rb"[A-Za-z0-9.\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")


@dataclass(slots=True)
class Memory:
    """One service's answers, and what replies from them are counted by."""

    remembered: Remembered
    answers: Answers
    runtime: Runtime
    policy: Policy

    @staticmethod
    def of(remembered: Remembered, runtime: Runtime) -> Memory:
        """An empty one."""
        return Memory(remembered, Answers(), runtime, policies(runtime.settings)[True, False])


class Remembering:
    """What is known goes out from here; all else goes its way, and what comes back may be remembered."""

    def __init__(self, app: ASGIApp, memories: Mapping[str, Memory], lines: AccessLines) -> None:
        self.memories = memories
        self._app = app
        self._lines = lines
        self._trace_ids = drawn_ahead()
        self._whole: dict[bytes, Memory] = {}
        self._below: dict[bytes, Memory] = {}
        self._services = {f"/{name}/": memory for name, memory in memories.items()}
        for name, memory in memories.items():
            for path in memory.remembered.paths:
                start, _, rest = f"/{name}{path}".partition("{")
                (self._below if rest else self._whole)[start.encode()] = memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, self._forgetting(scope, send))
            return
        begun = time.monotonic()
        path = scope.get("raw_path") or b""
        memory = self._whole.get(path) or self._below.get(path[:-_ID])
        told = None if memory is None else _told(scope["headers"])
        # What is long is some program's and not a page's, and would fill the memory with keys.
        is_long = len(scope["query_string"]) > LONGEST_QUERY
        if memory is None or told is None or is_long or _wants_other(memory.remembered, told[_ACCEPT]):
            await self._app(scope, receive, send)
            return
        key = (path, scope["query_string"], _tags(told[_LANGUAGES]), told[_ACCEPT], told[_ORIGIN] is None)
        entry = memory.answers.find(key, begun)
        reply = _reply(entry, told[_KNOWN])
        if reply is None and (flight := memory.answers.flight(key)) is not None:
            await asyncio.wait([flight], timeout=PATIENCE_SECONDS)
            entry = memory.answers.find(key, time.monotonic())
            reply = _reply(entry, told[_KNOWN])
        if entry is None or reply is None:
            if not memory.answers.are_good(begun):
                await self._app(scope, receive, send)
                return
            await self._ask(memory, key, scope, receive, send)
            return
        standing = self._standing(memory, scope, entry, reply)
        if standing is None:
            # It is too much: the routes say so, and a refusal is not counted.
            await self._app(scope, receive, send)
            return
        trace = told[_TRACE]
        trace_id = (from_traceparent(trace.decode("latin-1")) if trace else None) or next(self._trace_ids)
        if not _write(scope, reply, standing, trace_id.encode()):
            headers = _headers(reply, standing, trace_id.encode())
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": reply.body})
        self._lines.add(reply.line, time.monotonic() - begun, trace_id)

    def close(self) -> None:
        """Write the access lines that are held."""
        self._lines.flush()

    def _forgetting(self, scope: Scope, send: Send) -> Send:
        """After a change by somebody who may make some, forget before they hear of it: they may look at once."""
        if scope["type"] != "http" or scope["method"] in {"HEAD", "OPTIONS"}:
            return send
        memory = next((each for start, each in self._services.items() if scope["path"].startswith(start)), None)
        if memory is None or not any(name in {b"authorization", b"x-api-key"} for name, _ in scope["headers"]):
            return send

        async def send_and_forget(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                memory.answers.forget()
            await send(message)

        return send_and_forget

    @staticmethod
    def _standing(memory: Memory, scope: Scope, entry: Entry, reply: Reply) -> bytes | None:
        """Where the caller stands once this is counted, empty if nobody counts; None if it is too much for them."""
        if reply.standing_at is None:
            return b""
        counters, policy = memory.runtime.counters, memory.policy
        who = addresses.client(scope, memory.runtime.settings.trusted_proxies)
        tenths = KNOWN_ALREADY if reply.status == 304 else entry.tenths
        standing = counters.take(policy, who, tenths)
        if not standing.allowed:
            return None
        if tenths < entry.tenths and standing.left * ONE < entry.tenths:
            # The routes take the whole first and give back afterwards, for which there may not be enough.
            counters.take(policy, who, -tenths)
            return None
        return header_of(policy, standing).encode()

    async def _ask(self, memory: Memory, key: Hashable, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the routes answer, and remember what they say; others who want the same wait for it."""
        answers, generation = memory.answers, memory.answers.generation
        begun = time.monotonic()
        flight = answers.take_off(key)
        start: Message = {}

        async def send_and_keep(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif start and not message.get("more_body", False):
                made = _entry(memory.remembered, scope, start, message.get("body", b""), begun)
                start = {}
                if made is not None:
                    answers.keep(key, generation, made)
                # Before it goes out, which takes as long as its reader likes.
                answers.land(key, flight)
            else:
                start = {}
            await send(message)

        try:
            await self._app(scope, receive, send_and_keep)
        finally:
            answers.land(key, flight)


def _told(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes | None] | None:
    """The headers that an answer hangs on; None where others are among them, one comes twice or the host is odd."""
    told = list(_NOBODY)
    for name, value in headers:
        which = _READ.get(name)
        if which is None:
            continue
        if which == _OTHERS or told[which] is not None or len(value) > LONGEST_HEADER:
            return None
        told[which] = value
    host = told[_HOST]
    return told if host is not None and is_plain_host(host) else None


def _wants_other(remembered: Remembered, accept: bytes | None) -> bool:
    return accept is not None and any(each in accept.lower() for each in remembered.other_media)


@lru_cache(maxsize=1000)
def is_plain_host(host: bytes) -> bool:
    """Whether a Host header names a host, and a port at most."""
    return _PLAIN_HOST.fullmatch(host) is not None


@lru_cache(maxsize=1000)
def _tags(header: bytes | None) -> tuple[str, ...]:
    return accepted(header.decode("latin-1")) if header else ()


def _reply(entry: Entry | None, known: bytes | None) -> Reply | None:
    """The reply to whoever knows so much already."""
    if entry is None:
        return None
    if known is None:
        return entry.full
    if known == entry.etag or is_among(known.decode("latin-1"), entry.etag.decode("latin-1"), weak=True):
        return entry.unchanged
    return entry.full


def _headers(reply: Reply, standing: bytes, trace_id: bytes) -> list[tuple[bytes, bytes]]:
    headers = reply.headers.copy()
    headers[reply.trace_at] = (b"trace-id", trace_id)
    if reply.standing_at is not None:
        headers[reply.standing_at] = (b"ratelimit", standing)
    return headers


def _write(scope: Scope, reply: Reply, standing: bytes, trace_id: bytes) -> bool:
    """Send it by our server's shorter way, where there is one."""
    extensions = scope.get("extensions")
    writer: Writer | None = extensions.get(WRITTEN) if extensions else None
    if writer is None:
        return False
    if reply.standing_at is None:
        before, after = reply.pieces
        head = b"%b%b%b" % (before, trace_id, after)
    else:
        before, between, after = reply.pieces
        head = b"%b%b%b%b%b" % (before, standing, between, trace_id, after)
    return writer.send_written(scope, reply.status, head, reply.body)


def _entry(remembered: Remembered, scope: Scope, start: Message, body: bytes, begun: float) -> Entry | None:
    """What to remember of a reply; None unless it is public, and complete as it stands."""
    found: dict[bytes, int] = {}
    headers = [(name.lower(), value) for name, value in start["headers"]]
    for at, (name, _) in enumerate(headers):
        if name in found:
            return None
        found[name] = at
    status, state = start["status"], scope.get("state") or {}
    names = {name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)}
    charge: Charge | None = state.get("charge")
    is_whole = status == 200 and headers[found.get(b"content-type", 0)][1] == b"application/json"
    if not (is_whole or status == 304) or not {b"etag", b"cache-control", b"trace-id"} <= found.keys():
        return None
    if not headers[found[b"cache-control"]][1].startswith(b"public") or "route" not in state:
        return None
    if (charge is None) != (b"ratelimit" not in found):
        return None
    trace_at, standing_at = found[b"trace-id"], found.get(b"ratelimit")
    if standing_at is not None and standing_at > trace_at:
        return None
    pieces = pieces_of(headers, {trace_at, standing_at})
    made = Reply(status, headers, trace_at, standing_at, body, line_of(state["route"], status), pieces)
    return Entry(
        etag=headers[found[b"etag"]][1],
        tenths=charge.asked if charge is not None else ONE,
        until=begun + PASSING_SECONDS if names & remembered.passing else float("inf"),
        full=made if is_whole else None,
        unchanged=None if is_whole else made,
    )
