"""What our server offers beside ASGI: to send a reply that is written already, as it would have written it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from starlette.types import Scope
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

WRITTEN: Final = "socialerasmus.written"
"""The name of this extension in a scope."""


def pieces_of(headers: Sequence[tuple[bytes, bytes]], left_out: Collection[int | None]) -> list[bytes]:
    """The lines of headers in pieces, between which the values at some places are left out."""
    pieces, piece = [], b""
    for at, (name, value) in enumerate(headers):
        if at in left_out:
            pieces.append(b"%b%b: " % (piece, name))
            piece = b"\r\n"
        else:
            piece += b"%b: %b\r\n" % (name, value)
    return [*pieces, piece + b"\r\n"]


class WritingProtocol(HttpToolsProtocol):
    """uvicorn's protocol. It looks at each header of each reply; what was looked at once needs it no more."""

    _known: tuple[object, bytes] = (None, b"")
    """The server's own headers, which change once a second with the date, and as they are written."""

    def on_message_begin(self) -> None:
        """Offer the extension to whoever answers this request."""
        super().on_message_begin()
        self.scope["extensions"] = {WRITTEN: self}

    def send_written(self, scope: Scope, status: int, head: bytes, body: bytes) -> bool:
        """Send the whole reply to a GET; False where it must be sent in the usual way, and nothing was."""
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


PROTOCOL: Final = WritingProtocol if AutoHTTPProtocol is HttpToolsProtocol else AutoHTTPProtocol
