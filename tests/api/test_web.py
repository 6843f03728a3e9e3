"""The element's script and its demo page as any website fetches them."""

from __future__ import annotations

import gzip
import re

import pytest

from services.activities.web import api
from tests.harness.network import Network

SCRIPT = "/activities/widget.js"
LARGEST = 8 * 1024
"""What the element may weigh on the way, compressed."""


async def test_the_script_is_for_every_origin(shared: Network) -> None:
    reply = await shared.client.get(
        SCRIPT, headers={"Origin": "https://esn.example.org", "Accept-Encoding": "identity"}
    )
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"].startswith("public, max-age=")
    assert "set-cookie" not in reply.headers
    assert re.search(r'customElements\.define\("?\w+', reply.text)


async def test_each_coding_has_an_etag_of_its_own_that_saves_sending_it_again(shared: Network) -> None:
    etags = set()
    for coding in ("gzip, br", "identity"):
        first = await shared.client.get(SCRIPT, headers={"Accept-Encoding": coding})
        assert "Accept-Encoding" in first.headers["vary"]
        etags.add(first.headers["etag"])
        told = {"Accept-Encoding": coding, "If-None-Match": first.headers["etag"]}
        again = await shared.client.get(SCRIPT, headers=told)
        assert (again.status_code, again.content, again.headers["vary"]) == (304, b"", first.headers["vary"])
        head = await shared.client.head(SCRIPT, headers={"Accept-Encoding": coding})
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])
    assert len(etags) == 2


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip", True), ("br, GZIP;q=0.5", True), ("*", True), ("deflate,gzip;q=1.0", True),
        ("", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.000, br", False), ("x-notgzip", False),
    ],
)  # fmt: skip
async def test_only_who_reads_gzip_gets_it(shared: Network, accepted: str, is_compressed: bool) -> None:
    reply = await shared.client.get(SCRIPT, headers={"Accept-Encoding": accepted})
    assert ("content-encoding" in reply.headers) == is_compressed
    assert reply.content == api._SCRIPT, "the client decodes it"


async def test_it_is_small(shared: Network) -> None:
    reply = await shared.client.get(SCRIPT, headers={"Accept-Encoding": "gzip"})
    size = int(reply.headers["content-length"])
    print(f"widget.js: {len(api._SCRIPT)} bytes, {size} compressed")
    assert size == len(gzip.compress(api._SCRIPT)) < LARGEST


async def test_the_version_that_wordpress_adds_does_no_harm(shared: Network) -> None:
    assert (await shared.client.get(f"{SCRIPT}?ver=6.9.1")).status_code == 200
    assert (await shared.client.get(f"{SCRIPT}?section=IT-MILA-STA")).status_code == 422


async def test_the_demo_page_allows_its_own_script_and_style_only(shared: Network) -> None:
    reply = await shared.client.get("/activities/demo")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = dict(part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; "))
    assert policy.pop("style-src").startswith("'sha256-")
    assert policy == {
        "script-src": "'self'",
        "connect-src": "'self'",
        **dict.fromkeys(("default-src", "img-src", "base-uri", "form-action", "frame-ancestors"), "'none'"),
    }
    assert "&lt;script src=&quot;http://socialerasmus.test/activities/widget.js&quot; async&gt;" in reply.text
