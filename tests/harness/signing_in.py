"""A browser in which somebody signs in at our pages with an issuer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from tests.harness.issuer import Peer
from tests.harness.network import Network

BASE_URL = "http://127.0.0.1:8000"
OWN = {"Sec-Fetch-Site": "same-origin"}
SESSION, ATTEMPT = "__Host-session", "__Host-sign-in"


@dataclass
class Browser:
    """A browser: it keeps cookies, and says which page sent it."""

    network: Network
    peer: Peer
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        sent = {"Cookie": "; ".join(f"{name}={told}" for name, told in self.cookies.items())} if self.cookies else {}
        headers = {**OWN, **sent, **more.pop("headers", {})}
        reply = await self.network.client.request(method, address, headers=headers, **more)
        self.network.client.cookies.clear()
        for line in reply.headers.get_list("set-cookie"):
            name, _, told = line.partition(";")[0].partition("=")
            assert "; Secure" in line
            assert "; HttpOnly" in line
            assert "; Path=/" in line
            assert "; SameSite=lax" in line
            assert "Domain" not in line
            if "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = told
        return reply

    async def set_out(self, **query: str) -> dict[str, str]:
        """Begin to sign in; answers what the issuer is asked."""
        reply = await self.ask("GET", f"/registration/sign-in?{urlencode(query)}")
        assert reply.status_code == 303
        address, _, asked = reply.headers["location"].partition("?")
        assert address == f"{self.peer.issuer.address}/oauth/authorize"
        return dict(parse_qsl(asked))

    async def chosen(self, asked: dict[str, str], person: str = "local") -> dict[str, str]:
        """What the issuer sends back with a browser whose user is somebody."""
        async with httpx.AsyncClient(base_url=self.peer.issuer.address) as client:
            reply = await client.post("/oauth/authorize", params=asked, data={"person": person})
        assert reply.status_code == 303, reply.text
        assert reply.headers["location"].startswith(f"{BASE_URL}/registration/sign-in/callback?")
        return dict(parse_qsl(urlsplit(reply.headers["location"]).query))

    async def come_back(self, told: dict[str, str] | list[tuple[str, str]]) -> httpx.Response:
        headers = {"Sec-Fetch-Site": "cross-site"}
        return await self.ask("GET", f"/registration/sign-in/callback?{urlencode(told)}", headers=headers)

    async def sign_in(self, person: str = "local", **query: str) -> httpx.Response:
        return await self.come_back(await self.chosen(await self.set_out(**query), person))
