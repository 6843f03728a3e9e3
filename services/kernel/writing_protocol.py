"""uvicorn's protocol, which sends replies that are written already, too; only where there is httptools."""

from __future__ import annotations

from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from services.kernel.wire import WRITTEN


class WritingProtocol(HttpToolsProtocol):
    """uvicorn's protocol. It looks at each header of each reply; what was looked at once needs it no more."""

    _known: tuple[object, bytes] = (None, b"")
    """The server's own headers, which change once a second with the date, and as they are written."""

    def on_message_begin(self) -> None:
        """Offer the extension to whoever answers this request."""
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {WRITTEN: self}

    def send_written(self, scope: Scope, status: int, head: bytes, body: bytes) -> bool:
        """Send the whole reply to a request that was read; False where it must be sent as usual, and nothing was."""
        cycle: Any = self.cycle
        if (
            cycle.scope is not scope
            or cycle.response_started
            or cycle.disconnected
            or not cycle.keep_alive
            or self.flow.write_paused
        ):
            return False
        if self._known[0] is not cycle.default_headers:
            lines = b"".join(b"%b: %b\r\n" % each for each in cycle.default_headers)
            self._known = (cycle.default_headers, lines)
        cycle.response_started = cycle.response_complete = True
        self.transport.writelines((STATUS_LINE[status], self._known[1], head, body))
        cycle.message_event.set()
        cycle.on_response()
        return True
