"""The development issuer at a port of its own, as the peer of the real protocol."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deploy import ports
from services.kernel.serve import listen
from services.operations.development_issuer import DevelopmentIssuer


@dataclass
class Peer:
    """An issuer that can be away, and that counts what it is asked."""

    issuer: DevelopmentIssuer
    asked: Counter[str] = field(default_factory=Counter)
    is_away: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self.asked[scope["path"].rpartition("/")[2]] += 1
        app = Response(status_code=503) if self.is_away else self._app
        await app(scope, receive, send)

    def __post_init__(self) -> None:
        self._app = self.issuer.app()


@asynccontextmanager
async def issuing() -> AsyncIterator[Peer]:
    """The issuer for as long as the block runs."""
    port = ports.free()
    peer = Peer(DevelopmentIssuer(f"http://{ports.LOOPBACK}:{port}"))
    told = uvicorn.Config(peer, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(told)
    listener = listen(ports.LOOPBACK, port)
    serving = asyncio.create_task(server._serve([listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn sets a flag and no event.
        await asyncio.sleep(0.005)
    try:
        yield peer
    finally:
        server.should_exit = True
        await serving
        listener.close()
