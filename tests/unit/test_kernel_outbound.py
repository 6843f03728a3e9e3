"""HTTP leads to those whom the settings name, whatever an answer or an address in it says."""

from __future__ import annotations

import httpx
import pytest

from services.kernel import outbound
from services.kernel.issuer_wire import NotAnswered, Wire

ISSUER = "https://accounts.example/oauth/jwks"


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        (ISSUER, "https://accounts.example/userinfo?x=1"),
        (ISSUER, "https://accounts.example:443/"),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/b"),
        ("http://lists.example/", "https://lists.example/sections"),
    ],
)
async def test_whoever_is_named_is_asked(named: str, asked: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(204))
    async with outbound.client(named, seconds=1, transport=transport) as client:
        assert (await client.get(asked)).status_code == 204


@pytest.mark.parametrize(
    "asked",
    [
        "https://accounts.example.evil.example/oauth/jwks",
        "https://accounts.example@evil.example/oauth/jwks",
        "https://accounts.example:8443/oauth/jwks",
        "http://accounts.example/oauth/jwks",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "https://[::1]/",
    ],
)
async def test_nobody_else_is_not_even_by_a_redirect(asked: str) -> None:
    reached = []

    def answer(request: httpx.Request) -> httpx.Response:
        reached.append(request.url.host)
        return httpx.Response(302, headers={"Location": asked})

    transport = httpx.MockTransport(answer)
    async with outbound.client(ISSUER, seconds=1, transport=transport, follow_redirects=True) as client:
        with pytest.raises(outbound.NotListed):
            await client.get(asked)
        assert reached == []
        with pytest.raises(outbound.NotListed):
            await client.get(ISSUER)
    assert reached == ["accounts.example"]


async def test_an_issuer_that_is_asked_elsewhere_did_not_answer() -> None:
    with pytest.raises(NotAnswered):
        await Wire(ISSUER, None).get("http://127.0.0.1:1/")
