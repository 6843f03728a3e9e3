"""Access lines of answers that are known already: the same lines as the edge's, written many at a time."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from functools import lru_cache

import structlog

from services.kernel import logs

HELD_SECONDS = 0.05
MOST_HELD = 500


class AccessLines:
    """Holds lines for a moment, since writing one costs more than the answer that it is about."""

    def __init__(self) -> None:
        self._handler = logs.handler_of_ours()
        self._held: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        around = {name: value for name, value in structlog.contextvars.get_contextvars().items() if name != "trace_id"}
        told = "".join(f"{json.dumps(name)}: {json.dumps(value)}, " for name, value in around.items())
        self._around = f', "event": "request", {told}"trace_id": "'
        self._whole, self._second = 0, ""

    def add(self, line: str, seconds: float, trace_id: str) -> None:
        """Write a line that `line_of` began, soon."""
        if self._handler is None:
            return
        now = time.time()
        whole = int(now)
        if whole != self._whole:
            self._whole, self._second = whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        self._held.append(
            f'{line}{seconds * 1000:.1f}{self._around}{trace_id}", "level": "info", '
            f'"timestamp": "{self._second}.{int((now - whole) * 1_000_000):06}Z"}}'
        )
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HELD_SECONDS, self.flush)
        elif len(self._held) >= MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._held and self._handler is not None:
            record = logging.LogRecord("access", logging.INFO, __file__, 0, "\n".join(self._held), None, None)
            self._held.clear()
            logs.mark_written(record)
            self._handler.handle(record)


@lru_cache(maxsize=1000)
def line_of(route: str, status: int, *, method: str = "GET") -> str:
    """How each line about a request of a route with such an answer begins."""
    return f'{{"method": "{method}", "route": {json.dumps(route)}, "status": {status}, "ms": '
