"""Habits of HTTP that sites, caches and scripts rely on: ETags, HEAD, methods, CORS, caching, trace ids."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest

from services.kernel.edge import EXPOSED
from services.kernel.problems import Problem, every
from tests.harness import databases as harness
from tests.harness.databases import Databases, value
from tests.harness.network import DRAFT, Network, running
from tests.harness.openapi import DOCUMENTS, OPERATIONS, READING, Operation
from tests.harness.refusals import check_problem

LIST = "/activities/v1/activities"
BESIDE = [
    "healthz",
    "readyz",
    "docs",
    "docs/start.js",
    "docs/assets/swagger-ui.css",
    "openapi.json",
    "problems/not-found",
]
ORIGIN = {"Origin": "https://section.example"}


@pytest.fixture(scope="module")
async def shared(
    databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """One network with one public activity, for all tests of this file."""
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, mailbox=tmp_path_factory.mktemp("mailbox"))
        async with running(told, url) as network:
            await network.published()
            yield network


@pytest.fixture(scope="module")
async def known(shared: Network) -> dict[str, str]:
    """Path parameters of things that exist."""
    activity = (await shared.client.get(LIST)).json()["items"][0]["id"]
    return {"activity_id": activity}


def _address(operation: Operation, known: dict[str, str]) -> str:
    codes = {"sections": "IT-SASS-ESN", "editions": "2027-spring", "countries": "IT", "platforms": "NEP"}
    return operation.address(**known, code=codes.get(operation.path.split("/")[2], "XX-NONE"))


@pytest.mark.parametrize("operation", READING, ids=str)
async def test_head_is_get_without_the_content(shared: Network, known: dict[str, str], operation: Operation) -> None:
    address, headers = _address(operation, known), await shared.token("international")
    got, head = await shared.client.get(address, headers=headers), await shared.client.head(address, headers=headers)
    assert head.status_code == got.status_code
    assert dict(head.headers) | {"trace-id": ""} == dict(got.headers) | {"trace-id": ""}


async def test_no_byte_of_content_follows_a_head(shared: Network) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    # The client of the other tests would drop the content by itself.
    scope = {
        "type": "http",
        "method": "HEAD",
        "path": LIST,
        "raw_path": LIST.encode(),
        "query_string": b"",
        "headers": [],
    }
    assert isinstance(shared.client._transport, httpx.ASGITransport)
    await shared.client._transport.app(
        {**scope, "root_path": "", "scheme": "http", "http_version": "1.1"}, receive, send
    )
    assert sent[0]["status"] == 200
    assert [message.get("body", b"") for message in sent[1:]] == [b""]


@pytest.mark.parametrize("operation", [each for each in READING if each.answers_json()], ids=str)
async def test_a_known_version_is_answered_with_304(
    shared: Network, known: dict[str, str], operation: Operation
) -> None:
    address, headers = _address(operation, known), await shared.token("international")
    got = await shared.client.get(address, headers=headers)
    if got.status_code != 200:
        check_problem(got, status=(401, 403, 404, 422))
        return
    etag = got.headers["etag"]
    assert re.fullmatch(r'"[!#-~]+"', etag), "an ETag must be strong"
    for condition in (etag, "*", f"W/{etag}", f'"other", {etag}', f'W/"other",{etag}'):
        again = await shared.client.get(address, headers={**headers, "If-None-Match": condition})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag), condition
        assert again.headers["cache-control"] == got.headers["cache-control"]
    other = await shared.client.get(address, headers={**headers, "If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, got.content)


async def test_a_change_changes_the_etag_of_detail_and_list(network: Network) -> None:
    activity = await network.published()
    address, local = f"{LIST}/{activity['id']}", await network.local()
    before = [(await network.client.get(each)).headers["etag"] for each in (address, LIST)]
    await network.client.patch(address, headers={**local, "If-Match": before[0]}, json={"capacity": 3})
    after = [(await network.client.get(each)).headers["etag"] for each in (address, LIST)]
    assert not set(before) & set(after)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{}", 200),
        ("*", 200),
        ('"other", {}', 200),
        ("W/{}", 412),
        ('"other"', 412),
        ("", 412),
        ("garbage", 412),
        (None, 428),
    ],
)
async def test_a_change_names_the_version_it_was_made_on(
    network: Network, condition: str | None, expected: int
) -> None:
    drafted, local = await network.drafted(), await network.local()
    address = f"{LIST}/{drafted['id']}"
    etag = (await network.client.get(address, headers=local)).headers["etag"]
    told = {} if condition is None else {"If-Match": condition.format(etag)}
    reply = await network.client.patch(address, headers={**local, **told}, json={"capacity": 3})
    assert reply.status_code == expected
    now = (await network.client.get(address, headers=local)).json()["capacity"]
    assert now == (3 if expected == 200 else DRAFT["capacity"])


@pytest.mark.parametrize("path", sorted({(operation.service, operation.path) for operation in OPERATIONS}), ids="".join)
async def test_a_method_that_an_address_does_not_have_is_a_405_that_names_those_it_has(
    shared: Network, path: tuple[str, str]
) -> None:
    here = [operation for operation in OPERATIONS if (operation.service, operation.path) == path]
    methods = {operation.method.upper() for operation in here}
    allowed = {"OPTIONS", *methods, *(["HEAD"] if "GET" in methods else [])}
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY", "get"} - allowed:
        reply = await shared.client.request(method, here[0].address()) if method != "get" else None
        if reply is None:
            continue
        assert (reply.status_code, set(reply.headers["allow"].split(", "))) == (405, allowed), method
        if method != "HEAD":
            assert check_problem(reply, status=405)["type"] == "about:blank"
    options = await shared.client.options(here[0].address())
    assert (options.status_code, set(options.headers["allow"].split(", "))) == (204, allowed)


@pytest.mark.parametrize(
    "address", ["/", "/nothing", "/activities", "/activities/", "/activities/v2/activities", "/metrics", "/.git/config"]
)
async def test_an_address_of_nothing_is_a_404(shared: Network, address: str) -> None:
    document = check_problem(await shared.client.get(address), status=404)
    assert document["type"] == "about:blank" or (await shared.client.get(document["type"])).status_code == 200


@pytest.mark.parametrize(
    "address", [*(f"/{name}/{rest}" for name in DOCUMENTS for rest in BESIDE), "/nothing", LIST, f"{LIST}?x=1"]
)
async def test_every_reply_says_how_long_it_may_be_kept(shared: Network, address: str) -> None:
    for reply in (
        await shared.client.get(address),
        await shared.client.head(address),
        await shared.client.options(address),
    ):
        assert reply.headers["cache-control"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_every_reply_is_safe_for_a_browser(shared: Network, operation: Operation) -> None:
    reply = await shared.client.request(operation.method.upper(), operation.address(), headers=ORIGIN)
    assert reply.headers["cache-control"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert re.fullmatch(r"[0-9a-f]{32}", reply.headers["trace-id"])


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", LIST, 200),
        ("GET", f"{LIST}?x=1", 422),
        ("GET", f"{LIST}/x", 404),
        ("GET", "/nothing", 404),
        ("POST", LIST, 401),
    ],
)
async def test_a_page_of_any_site_may_read_the_reply(shared: Network, method: str, address: str, status: int) -> None:
    reply = await shared.client.request(method, address, headers={**ORIGIN, **shared.key()})
    assert reply.status_code == status
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in reply.headers
    assert set(EXPOSED) <= set(reply.headers["access-control-expose-headers"].split(", "))


async def test_a_browser_may_ask_before_it_signs_somebody_up(shared: Network) -> None:
    asked = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, idempotency-key, traceparent",
    }
    reply = await shared.client.options("/registration/v1/registrations", headers=asked)
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "POST" in reply.headers["access-control-allow-methods"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_browser_may_ask_before_it_changes_something_and_never_sends_who_is_logged_in(
    shared: Network, method: str
) -> None:
    headers = "authorization, content-type, idempotency-key, if-match, x-api-key"
    asked = {**ORIGIN, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    address = "/activities/v1/activities/01890000-0000-7000-8000-000000000000"
    reply = await shared.client.options(address, headers=asked)
    assert reply.status_code == 200, reply.text
    assert reply.headers["access-control-allow-origin"] == "*"
    assert method in reply.headers["access-control-allow-methods"].split(", ")
    assert set(headers.split(", ")) <= set(reply.headers["access-control-allow-headers"].lower().split(", "))
    assert "access-control-allow-credentials" not in reply.headers
    asked["Access-Control-Request-Headers"] = "x-other"
    assert (await shared.client.options(address, headers=asked)).status_code == 400


@pytest.mark.parametrize("kind", every(), ids=lambda kind: kind.slug())
async def test_every_kind_of_problem_has_its_page(shared: Network, kind: type[Problem]) -> None:
    owner = kind.__module__.split(".")[1]
    for service in [owner] if owner in DOCUMENTS else DOCUMENTS:
        page = await shared.client.get(f"/{service}/problems/{kind.slug()}")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert html.escape(kind().detail) in page.text


async def test_a_problem_that_nobody_has_heard_of_has_no_page(shared: Network) -> None:
    check_problem(await shared.client.get("/activities/problems/zq7"), status=404)


@pytest.mark.parametrize("service", sorted(DOCUMENTS))
async def test_the_documentation_loads_nothing_from_a_foreign_host(shared: Network, service: str) -> None:
    page = await shared.client.get(f"/{service}/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 3
    for address in loaded:
        assert address.startswith(f"/{service}/docs/")
        assert (await shared.client.get(address)).status_code == 200
    start = (await shared.client.get(f"/{service}/docs/start.js")).text
    style = (await shared.client.get(f"/{service}/docs/assets/swagger-ui.css")).text
    for text in (page.text, start, *re.findall(r"@import[^;]+;|url\((?![\"']?data:)[^)]+\)", style)):
        assert not re.search(r"(?:https?:)?//[a-z]", text), text[:200]
    assert "https:" not in page.headers["content-security-policy"]


async def test_a_trace_goes_from_the_request_into_the_event(network: Network) -> None:
    drafted, local, national = await network.drafted(), await network.local(), await network.national()
    for verb, who in (("submit", local), ("approve", national)):
        await network.client.post(f"{LIST}/{drafted['id']}/{verb}", headers=who)
    traced = {**local, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    reply = await network.client.post(f"{LIST}/{drafted['id']}/publish", headers=traced)
    assert reply.headers["trace-id"] == "a" * 32
    written = await value(
        network.database_url, "SELECT trace_id FROM events.log WHERE name LIKE '%activity_published%'"
    )
    assert written == "a" * 32


@pytest.mark.parametrize(
    "header", ["", "x", f"00-{'0' * 32}-{'1' * 16}-01", f"00-{'A' * 32}-{'1' * 16}-01", "00-a-b-01"]
)
async def test_a_malformed_trace_is_replaced(shared: Network, header: str) -> None:
    first, second = [
        (await shared.client.get(LIST, headers={"traceparent": header})).headers["trace-id"] for _ in range(2)
    ]
    assert first != second
    assert re.fullmatch(r"(?!0{32})[0-9a-f]{32}", first)
