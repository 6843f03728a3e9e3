"""A line to the services that can really be cut, since a browser's own "offline" does not hold for every request.

Chromium emulates it for each of its targets: with a service worker, a request of the page may get through all the same.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from deploy import ports


class Line:
    """Passes on what comes in at a port of its own, until it is cut."""

    def __init__(self, base_url: str) -> None:
        self._there = urlsplit(base_url)
        self._port = ports.free()
        self.base_url = f"http://{ports.LOOPBACK}:{self._port}"
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        """Let everything through."""
        self._server = await asyncio.start_server(self._pass_on, ports.LOOPBACK, self._port)

    async def cut(self) -> None:
        """Let nothing through, and break off what is under way."""
        if self._server is not None:
            self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._there.hostname, self._there.port)
        ends = {writer, there[1]}
        self._ends |= ends
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, there[1]))
                both.create_task(_copy(there[0], writer))
        finally:
            self._ends -= ends


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while some := await reader.read(65_536):
            writer.write(some)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()
