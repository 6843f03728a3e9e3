"""What our server may offer beside ASGI: to send a reply that is written already, as it would have written it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from starlette.types import Scope

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


class Writer(Protocol):
    """Who is found in a scope by that name."""

    def send_written(self, scope: Scope, status: int, head: bytes, body: bytes) -> bool:
        """Send the whole reply to a request that was read; False where it must be sent as usual, and nothing was."""
