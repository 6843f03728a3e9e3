"""One trace id from a request through its events, jobs and mails to the log line (W3C Trace Context)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_current: ContextVar[str | None] = ContextVar("trace_id", default=None)


def new_trace_id() -> str:
    """32 lower-case hexadecimal digits."""
    return os.urandom(16).hex()


def drawn_ahead() -> Iterator[str]:
    """New trace ids without end, drawn many at a time: for one reader."""
    while True:
        many = os.urandom(16 * 256).hex()
        yield from (many[at : at + 32] for at in range(0, len(many), 32))


def from_traceparent(header: str | None) -> str | None:
    """The trace id of a valid `traceparent` header, else None."""
    found = _TRACEPARENT.fullmatch(header.strip()) if header else None
    return found[1] if found else None


def current_trace_id() -> str:
    """The trace id of what is being done now; a new one outside of any trace."""
    return _current.get() or new_trace_id()


@contextmanager
def traced(trace_id: str) -> Iterator[str]:
    """Everything logged, recorded and sent inside carries `trace_id`."""
    token = _current.set(trace_id)
    with structlog.contextvars.bound_contextvars(trace_id=trace_id):
        try:
            yield trace_id
        finally:
            _current.reset(token)
