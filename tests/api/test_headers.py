"""What every page and route tells a browser: what it may load, who may frame it; and that nobody gets a cookie."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.kernel.replies import SECRETS_BELOW
from services.registry import SERVICES
from tests.harness import databases as harness
from tests.harness import sign_ups
from tests.harness.databases import Databases
from tests.harness.network import Network, running
from tests.harness.openapi import OPERATIONS, Operation

BESIDE = [
    "healthz", "readyz", "docs", "docs/start.js", "docs/assets/swagger-ui.css", "docs/assets/swagger-ui-bundle.js",
    "openapi.json", "problems/not-found", ".well-known/security.txt", "nothing",
]  # fmt: skip
# All else is shown in no frame: what is made to be embedded, whether or not there is such an activity.
FRAMED = {"/activities/{activity_id}/embed"}
CONTACT = "https://example.org/weaknesses"


@pytest.fixture(scope="module")
async def shared(
    databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """One network with one public activity, for all tests of this file."""
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, mailbox=tmp_path_factory.mktemp("mailbox"), security_contact=CONTACT)
        async with running(told, url) as network:
            yield network


@pytest.fixture(scope="module")
async def known(shared: Network) -> dict[str, str]:
    """An activity that exists, and the secret of somebody who signed up for it."""
    activity = await shared.published()
    students = sign_ups.Students(shared, activity["id"])
    await students.sign_up("Ada")
    return {"activity_id": activity["id"], "secret": await students.secret("Ada")}


def _check(reply: httpx.Response, *, may_be_framed: bool) -> None:
    what = str(reply.request.url)
    headers = reply.headers
    assert reply.status_code < 500, what
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy, what
    assert "base-uri 'none'" in policy, what
    assert ("frame-ancestors *" if may_be_framed else "frame-ancestors 'none'") in policy, what
    assert "unsafe-eval" not in headers["content-security-policy"]
    scripts = next((each for each in policy if each.startswith("script-src")), "")
    assert not re.search(r"unsafe|https?:|\*", scripts), what
    assert any(each.startswith("form-action") for each in policy), what
    assert headers["x-content-type-options"] == "nosniff"
    # A form tells itself where it was shown, which is how one of another website is known.
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["cache-control"], what
    assert "set-cookie" not in headers, what
    assert "server" not in headers, what
    assert "x-powered-by" not in headers, what
    if reply.content:
        kind = headers["content-type"]
        assert re.search(r"charset=utf-8(;|$)|^application/|^image/|^font/", kind), (what, kind)


@pytest.mark.parametrize("service", sorted(SERVICES))
async def test_every_page_says_what_it_may_load_and_who_may_frame_it(
    shared: Network, known: dict[str, str], service: str
) -> None:
    framed = set()
    for router in SERVICES[service].routers:
        for route in router.routes:
            path, methods = getattr(route, "path", ""), getattr(route, "methods", set())
            if getattr(route, "include_in_schema", True) or not methods & {"GET", "HEAD"}:
                continue
            address = f"/{service}{path}" if not path.startswith("/.well-known") else path
            for name in re.findall(r"\{([a-z_]+)", path):
                address = re.sub(rf"\{{{name}[^}}]*\}}", known.get(name, "x"), address)
            reply = await shared.client.get(address)
            may_be_framed = path in {each.removeprefix(f"/{service}") for each in FRAMED}
            _check(reply, may_be_framed=may_be_framed)
            framed |= {f"/{service}{path}"} if may_be_framed else set()
    assert framed == {each for each in FRAMED if each.startswith(f"/{service}/")}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_every_route_of_the_api_says_so_too(shared: Network, known: dict[str, str], operation: Operation) -> None:
    _check(await shared.client.request(operation.method.upper(), operation.address(**known)), may_be_framed=False)


@pytest.mark.parametrize("service", sorted(SERVICES))
async def test_what_stands_beside_says_so_too(shared: Network, service: str) -> None:
    for rest in BESIDE:
        _check(await shared.client.get(f"/{service}/{rest}"), may_be_framed=False)
    _check(await shared.client.get("/nothing"), may_be_framed=False)


async def test_no_address_takes_a_secret_but_single_links(shared: Network) -> None:
    secrets = re.compile(r"token|secret|password|api_?key|session|authorization", re.IGNORECASE)
    for operation in OPERATIONS:
        for parameter in operation.description.get("parameters", ()):
            if parameter["in"] in {"query", "cookie"}:
                assert not secrets.search(parameter["name"]), operation
                assert parameter["in"] != "cookie"
            elif parameter["in"] == "path" and secrets.search(parameter["name"]):
                assert f"/{SECRETS_BELOW}/{{{parameter['name']}}}" in operation.path
    reply = await shared.client.get("/activities/v1/keys?access_token=x")
    assert reply.status_code in {401, 422}


@pytest.mark.parametrize("service", ["", *(f"/{name}" for name in SERVICES)])
async def test_whoever_finds_a_weakness_reads_whom_to_tell(shared: Network, service: str) -> None:
    reply = await shared.client.get(f"{service}/.well-known/security.txt")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    fields = dict(line.split(": ", 1) for line in reply.text.splitlines())
    assert fields["Contact"] == CONTACT
    assert fields["Canonical"] == "http://socialerasmus.test/.well-known/security.txt"
    ahead = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    # RFC 9116, 2.5.5: less than a year ahead.
    assert timedelta(days=150) < ahead < timedelta(days=365)


async def test_where_nobody_could_be_told_there_is_no_such_file(network: Network) -> None:
    assert (await network.client.get("/impact/.well-known/security.txt")).status_code == 404
