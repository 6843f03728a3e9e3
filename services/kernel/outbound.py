"""HTTP to those whom the settings name, and to nobody else: not by a redirect either, nor by what an answer says.

Receivers of webhooks, whom strangers name, are connected to by `webhooks/connecting.py`, which has rules of its own.
"""

from __future__ import annotations

from typing import Any

import httpx


class NotListed(httpx.RequestError):
    """The address is not of those that this may lead to."""


def client(
    *addresses: str,
    seconds: float,
    verify: Any = True,
    transport: httpx.AsyncBaseTransport | None = None,
    follow_redirects: bool = False,
) -> httpx.AsyncClient:
    """A client for the hosts of these addresses alone; one that is asked by TLS stays asked by TLS."""
    listed = {_place(httpx.URL(address)) for address in addresses}
    # Where plain HTTP is what was named, its own host may send us on to TLS.
    listed |= {("https", host, 443) for scheme, host, _ in listed if scheme == "http"}

    async def refuse_others(request: httpx.Request) -> None:
        if _place(request.url) not in listed:
            raise NotListed("Not one of the addresses that the settings name.", request=request)

    return httpx.AsyncClient(
        timeout=seconds,
        verify=verify,
        transport=transport,
        follow_redirects=follow_redirects,
        event_hooks={"request": [refuse_others]},
    )


def _place(url: httpx.URL) -> tuple[str, str, Any]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
