"""The connection to a receiver: its name is resolved once, what it resolves to is checked, and that is connected to.

What was checked is what is connected to, so a name that changes its mind between the two gains nothing. Nothing is
redirected, no proxy of the environment is asked, and the certificate is still that of the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import httpcore

from services.kernel.webhooks.addresses import is_public

MOST_READ_BYTES = 16 * 1024

# Of their own, since a name server that does not answer must not keep those of mail and others waiting.
_RESOLVERS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")


class AddressRefused(Exception):
    """The name leads to an address that is not one of the public internet."""


class NameNotResolved(Exception):
    """Nobody knows an address of this name."""


class _Checked(httpcore.AsyncNetworkBackend):
    def __init__(self, *, loopback_allowed: bool) -> None:
        self._loopback_allowed = loopback_allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature.
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await resolve(host, port)
        # One inner address among public ones is no accident.
        if not all(is_public(each, loopback_allowed=self._loopback_allowed) for each in addresses):
            raise AddressRefused
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise AddressRefused

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, IPv4 first, for not every network of ours reaches the others."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(_RESOLVERS, _look_up, host, port)
    except (OSError, UnicodeError):
        raise NameNotResolved from None
    addresses = [str(sockaddr[0]) for family, _, _, _, sockaddr in sorted(found, key=lambda each: each[0])]
    if not addresses:
        raise NameNotResolved
    return addresses


def _look_up(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


async def post(
    url: str, content: bytes, headers: Mapping[str, str], *, seconds: float, loopback_allowed: bool
) -> tuple[int, str | None]:
    """Send once, on a connection of its own; answers the status and Retry-After, and repeats nothing of the rest."""
    backend = _Checked(loopback_allowed=loopback_allowed)
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    async with (
        asyncio.timeout(seconds),
        httpcore.AsyncConnectionPool(ssl_context=_tls(), max_connections=1, network_backend=backend) as pool,
        pool.stream(
            "POST", url, headers=list(headers.items()), content=content, extensions={"timeout": timeouts}
        ) as reply,
    ):
        got = 0
        # Who answers politely is read to a point, so that its connection ends politely too.
        async for part in reply.aiter_stream():
            got += len(part)
            if got > MOST_READ_BYTES:
                break
        told = {name.lower(): value for name, value in reply.headers}
        return reply.status, told.get(b"retry-after", b"").decode("ascii", "replace") or None
