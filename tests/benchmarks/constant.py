"""What the others are measured against: `python -m tests.benchmarks.constant PORT FILE KIND`.

KIND `asgi` is a bare ASGI application on the product's own uvicorn that always sends the same bytes, `socket` is no
HTTP server at all but writes them as soon as anything comes in: the ceiling of the load generator.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.loops.auto import auto_loop_factory

from services.kernel.serve import listen, serve_alone


class Constant:
    """The application: one reply, whatever is asked."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.status: int = told["status"]
        self.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told["headers"]]
        self.body = told["body"].encode()

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})

    def written(self) -> bytes:
        """The reply as it goes over the wire."""
        lines = b"".join(b"%b: %b\r\n" % each for each in self.headers)
        return b"HTTP/1.1 %d OK\r\n%b\r\n%b" % (self.status, lines, self.body)


class _Writer(asyncio.Protocol):
    def __init__(self, written: bytes) -> None:
        self._written = written

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclass of asyncio's.
        self._transport: Any = transport

    def data_received(self, _data: bytes) -> None:
        self._transport.write(self._written)


async def _write_forever(constant: Constant, listener: socket.socket) -> None:
    written = constant.written()
    server = await asyncio.get_running_loop().create_server(lambda: _Writer(written), sock=listener)
    await server.serve_forever()


def main() -> None:
    """The command."""
    port, told, kind = int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), sys.argv[3]
    constant, listener = Constant(told), listen("127.0.0.1", port)
    work = serve_alone(constant, listener) if kind == "asgi" else _write_forever(constant, listener)
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(work)


if __name__ == "__main__":
    main()
