"""What two readers could see end in two places the real server refuses, and reads nothing after it (RFC 9112, 6.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from deploy import ports
from services.kernel import serve

HEAD = b"POST /first HTTP/1.1\r\nHost: here\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: here\r\n\r\n"


class _Server:
    """The server that the services run on, with an application that notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.port = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body", False):
            pass
        self.asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(self, *sent: bytes) -> bytes:
        """What is answered to what is sent on one connection, until nothing more comes."""
        self.asked.clear()
        reader, writer = await asyncio.open_connection(ports.LOOPBACK, self.port)
        writer.write(b"".join(sent))
        writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[_Server]:
    made = _Server()
    listener = serve.listen(ports.LOOPBACK, 0)
    made.port = listener.getsockname()[1]
    running = uvicorn.Server(serve._server_config(made))
    serving = asyncio.create_task(running._serve([listener]))
    while not running.started:  # noqa: ASYNC110  # uvicorn sets a flag and no event.
        await asyncio.sleep(0.005)
    yield made
    running.should_exit = True
    await serving
    listener.close()


async def test_what_is_plain_is_taken(server: _Server) -> None:
    for sent in (b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"):
        told = await server.send(HEAD, sent, SMUGGLED)
        assert told.count(b"HTTP/1.1 204") == 2
        assert server.asked == ["/first", "/smuggled"]


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
        b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        b"Content-Length: 0, 5\r\n\r\n",
        b"Content-Length: +0\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 0x0\r\n\r\n",
        b"Content-Length: 99999999999999999999999\r\n\r\n",
        b"Content-Length : 0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n",
        b"X: y\nContent-Length: 5\n\n",
        b"X: \0\r\n\r\n",
    ],
    ids=ascii,
)
async def test_what_ends_in_two_ways_is_refused_and_nothing_after_it_is_read(server: _Server, sent: bytes) -> None:
    told = await server.send(HEAD, sent, SMUGGLED)
    assert told.startswith(b"HTTP/1.1 400 "), told
    assert told.count(b"HTTP/1.1 ") == 1
    assert "/smuggled" not in server.asked
