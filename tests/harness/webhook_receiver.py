"""A receiver of webhooks on loopback that keeps what it is sent and answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from deploy import ports


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ReceiverServer:
    """What arrived, and what is answered to it."""

    url: str
    answer: bytes | Callable[[asyncio.StreamWriter], Awaitable[None]] = b"204 No Content\r\n"
    got: list[Got] = field(default_factory=list)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, on a connection of its own."""
        # The loop holds tasks weakly: one that hangs would be lost, and its connection with it.
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.got.append(Got(head[0].split(" ")[1], headers, body))
            if isinstance(self.answer, bytes):
                writer.write(b"HTTP/1.1 " + self.answer + b"content-length: 0\r\nconnection: close\r\n\r\n")
            else:
                await self.answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[ReceiverServer]:
    """A receiver for as long as the block runs."""
    made = ReceiverServer("")
    server = await asyncio.start_server(made.serve, ports.LOOPBACK, 0)
    made.url = f"http://{ports.LOOPBACK}:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield made
    finally:
        server.close()
        hanging = list(made.serving)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
