"""How much a caller may ask in a minute: told on every answer, counted for each address and key, also without Redis."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import redis.asyncio
from babel.messages import Catalog
from babel.messages.pofile import read_po

from deploy import valkey
from services.kernel import counting
from services.kernel.counting import Counters, Policy
from services.kernel.limit_page import page as limit_page
from services.registration.mail import catalogues
from tests.harness import databases as harness
from tests.harness.databases import eventually
from tests.harness.network import Network, running
from tests.harness.openapi import OPERATIONS
from tests.harness.refusals import check_problem

SAID = {
    3: "numbers and tables of people and the export",
    5: "feeds, rankings, growth, completeness, certificates, copies of one's own data and figures in shapes other than "
    "JSON",
    10: "many activities at once",
    20: "facts and exports",
}
CHEAP = {
    "GET /activities/v1/activities/{activity_id}.ics": "one activity",
    "GET /activities/v1/activities/import/template.csv": "the same for everybody",
    "GET /impact/v1/exports/{export_id}": "how far it is",
    "GET /impact/v1/sections/{code}/rankings": "whether a section left them",
    "GET /impact/v1/statistics": "five more for each dimension after the first, and for another shape",
    "GET /impact/v1/statistics.json": "the same",
    "GET /impact/v1/tables": "which there are",
    "GET /registration/v1/activities/{activity_id}/door/people": "a page of those of one activity",
}
LIST = "/activities/v1/sections"
WRITTEN = "/activities/v1/activities"

Limited = Callable[..., AbstractAsyncContextManager[Network]]


@pytest.fixture
def limited(database_url: str, redis_url: str, tmp_path: Path) -> Limited:
    """The services with limits of the test's own."""

    @asynccontextmanager
    async def made(url: str = redis_url, **limits: Any) -> AsyncIterator[Network]:
        told = harness.settings(database_url, url, mailbox=tmp_path / "mailbox", **limits)
        async with running(told, database_url) as network:
            yield network

    return made


def _standing(reply: httpx.Response) -> tuple[str, int]:
    policy = reply.headers["ratelimit-policy"]
    name, _, left = reply.headers["ratelimit"].partition(";r=")
    assert policy.startswith(name)
    return policy, int(left.partition(";")[0])


@asynccontextmanager
async def _from(network: Network, address: str, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the same services at another address."""
    app = network.client._transport.app  # type: ignore[attr-defined]
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=network.settings.base_url, headers=headers) as client:
        yield client


async def test_each_answer_says_where_its_caller_stands(limited: Limited) -> None:
    async with limited(reads_a_minute=3, writes_a_minute=2) as network:
        left = [_standing(await network.client.get(LIST)) for _ in range(3)]
        assert left == [('"reads";q=3;w=60', 2), ('"reads";q=3;w=60', 1), ('"reads";q=3;w=60', 0)]
        reply = await network.client.get(LIST, headers={"Origin": "https://section.example"})
        document = check_problem(reply, status=429)
        assert document["type"] == "/activities/problems/too-many-requests"
        assert 1 <= int(reply.headers["retry-after"]) <= 120
        assert "RateLimit" in reply.headers["access-control-expose-headers"]
        assert _standing(reply)[1] == 0
        assert (await network.client.get(document["type"])).status_code == 429
        # What is written has a count of its own, and so has each service.
        assert _standing(await network.client.post(WRITTEN, json={})) == ('"writes";q=2;w=60', 1)
        assert _standing(await network.client.get("/impact/v1/measures"))[1] == 2


async def test_health_and_preflights_are_free_and_zero_is_no_limit(limited: Limited) -> None:
    async with limited(reads_a_minute=1, writes_a_minute=0) as network:
        for _ in range(3):
            for path in ("healthz", "readyz"):
                assert (await network.client.get(f"/activities/{path}")).status_code == 200
            told = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
            assert (await network.client.options(LIST, headers=told)).status_code == 200
            reply = await network.client.post(WRITTEN, json={})
            assert (reply.status_code, "ratelimit" in reply.headers) == (400, False) or reply.status_code == 401
        assert (await network.client.get(LIST)).status_code == 200


async def test_what_the_caller_has_already_costs_a_fifth(limited: Limited) -> None:
    async with limited(reads_a_minute=10) as network:
        etag = (await network.client.get(LIST)).headers["etag"]
        replies = [await network.client.get(LIST, headers={"If-None-Match": etag}) for _ in range(5)]
        assert {reply.status_code for reply in replies} == {304}
        assert _standing(replies[-1])[1] == 8


async def test_no_header_and_no_made_up_token_gets_around_the_limit(limited: Limited) -> None:
    async with limited(reads_a_minute=2) as network:
        for _ in range(2):
            await network.client.get(LIST)
        for name, value in (
            ("X-Forwarded-For", "198.51.100.7"),
            ("Forwarded", "for=198.51.100.7"),
            ("X-Real-IP", "198.51.100.7"),
            ("Authorization", "Bearer set_made-up"),
            ("X-Api-Key", "set_made-up"),
            ("X-RateLimit-Bypass", "1"),
        ):
            assert (await network.client.get(LIST, headers={name: value})).status_code == 429, name


async def test_a_known_token_has_its_own_and_larger_count(limited: Limited) -> None:
    async with limited(reads_a_minute=2, key_allowance=5) as network:
        local = await network.local()
        reply = await network.client.get(WRITTEN, headers=local)
        assert _standing(reply)[0] == '"reads";q=2;w=60'  # Nobody knew it yet.
        # It is looked up beside the request.
        await asyncio.gather(*network.runtimes["activities"]._beside)
        replies = [await network.client.get(WRITTEN, headers=local) for _ in range(4)]
        assert [_standing(each) for each in replies] == [('"reads";q=10;w=60', left) for left in (9, 8, 7, 6)]


async def test_addresses_are_counted_apart_and_those_of_one_ipv6_network_together(limited: Limited) -> None:
    async with limited(reads_a_minute=2) as network:
        for address, left in (
            ("192.0.2.1", 1),
            ("192.0.2.2", 1),
            ("::ffff:192.0.2.1", 0),
            ("2001:db8:0:1::1", 1),
            ("2001:db8:0:1:ffff::2", 0),
            ("2001:db8:0:2::1", 1),
        ):
            async with _from(network, address) as client:
                assert _standing(await client.get(LIST))[1] == left, address


async def test_a_proxy_is_believed_when_it_is_trusted(limited: Limited) -> None:
    async with limited(reads_a_minute=2, trusted_proxies="10.0.0.0/8, ::1") as network:
        for forwarded, left in (
            ("198.51.100.1", 1),
            ("203.0.113.9, 198.51.100.1", 0),  # What comes before is the stranger's own word.
            ("198.51.100.2, 10.1.1.1", 1),
            ("made up, 198.51.100.3", 1),
            ("198.51.100.3, nonsense", 1),  # Counted as the proxy, which should not say such a thing.
            ("", 0),
        ):
            async with _from(network, "10.0.0.1", **{"X-Forwarded-For": forwarded}) as client:
                assert _standing(await client.get(LIST))[1] == left, forwarded
        async with _from(network, "192.0.2.1", **{"X-Forwarded-For": "198.51.100.77"}) as client:
            assert _standing(await client.get(LIST))[1] == 1
        async with _from(network, "192.0.2.1", **{"X-Forwarded-For": "198.51.100.78"}) as client:
            assert _standing(await client.get(LIST))[1] == 0


async def test_dear_answers_cost_more(limited: Limited) -> None:
    async with limited(reads_a_minute=105) as network:
        cheap = _standing(await network.client.get("/impact/v1/statistics"))[1]
        dear = _standing(await network.client.get("/impact/v1/statistics?by=country,section,month"))[1]
        assert (cheap, dear) == (104, 104 - 11)
        for _ in range(10):
            reply = await network.client.get("/impact/v1/statistics?by=country,section,month")
        assert check_problem(reply, status=429)["type"] == "/impact/problems/too-many-requests"
        assert (await network.client.get("/impact/v1/statistics")).status_code == 200


async def test_what_costs_more_the_more_is_asked(limited: Limited) -> None:
    async with limited(reads_a_minute=100) as network:
        for number, (address, units, accept) in enumerate(
            [("/activities/v1/activities?facets=cause,country", 3, "*/*"), ("/activities/v1/activities.ics", 5, "*/*"),
             ("/impact/v1/statistics", 5, "text/csv"), ("/impact/v1/statistics?by=country,cause", 10, "text/csv")]
        ):  # fmt: skip
            async with _from(network, f"192.0.2.{number}", Accept=accept) as client:
                reply = await client.get(address)
                assert (reply.status_code, _standing(reply)[1]) == (200, 100 - units)
                same = await client.get(address, headers={"If-None-Match": reply.headers["etag"]})
                assert (same.status_code, _standing(same)[1]) == (304, 100 - units - 1)  # A fifth, rounded down.


_COSTS: dict[str, int] = {str(each): each.description["x-cost"] for each in OPERATIONS if "x-cost" in each.description}


async def test_a_route_costs_what_it_says_and_the_readme_what_is_dear(limited: Limited) -> None:
    async with limited(reads_a_minute=50, writes_a_minute=50) as network:
        found = {}
        for number, each in enumerate(operation for operation in OPERATIONS if "x-cost" in operation.description):
            # An address of its own, so that nothing was counted before; what is asked need not be there.
            async with _from(network, f"192.0.2.{number}") as client:
                reply = await client.request(each.method, each.address())
            found[str(each)] = 50 - _standing(reply)[1]
    assert found == _COSTS
    assert {3, 5, 10, 20} == set(_COSTS.values())
    dear = re.compile("facts|people|tables|statistics[.]|exports|pdf|rankings|growth|completeness|ics|geojson|import")
    cheap = {
        str(each)
        for each in OPERATIONS
        if dear.search(each.path) and "x-cost" not in each.description and each.method == "get"
    }
    assert cheap == set(CHEAP), "what is dear has its price, or stands here with its reason"
    readme = " ".join((Path(__file__).parents[2] / "README.md").read_text().split())
    for units, what in SAID.items():
        assert f"{what} {units}" in readme, what


async def test_a_browser_reads_that_a_limit_is_reached_as_a_page_in_its_language(limited: Limited) -> None:
    identity = UUID(int=1)
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language": "pl-PL"}
    pages = [
        f"/registration/activities/{identity}/check-in", "/registration/sign-in", "/registration/v1/links/Zq7Marker",
        "/registration/certificates/Zq7Marker", f"/registration/activities/{identity}", "/impact/",
        f"/activities/{identity}",
    ]  # fmt: skip
    async with limited(reads_a_minute=5, writes_a_minute=1) as network:
        # The page of the figures is dear: what refuses it is its route, and not the layer before.
        await network.client.get("/impact/v1/measures")
        dear = await network.client.get("/impact/", headers=browser)
        for service in ("registration", "activities", "impact"):
            for _ in range(5):
                await network.client.get(f"/{service}/v1/none")
        replies = [dear, *[await network.client.get(page, headers=browser) for page in pages]]
        for reply in replies:
            assert reply.status_code == 429
            assert reply.headers["content-type"] == "text/html; charset=utf-8"
            assert 1 <= int(reply.headers["retry-after"]) <= 120
            assert (reply.headers["cache-control"], reply.headers["content-language"]) == ("no-store", "pl")
            assert reply.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
            for text in ('<html lang="pl"', "Za dużo naraz", f"za {reply.headers['retry-after']} sek"):
                assert text in reply.text
            assert "Zq7Marker" not in reply.text
            assert "ratelimit" in reply.headers
        asked = await network.client.get(f"{pages[0]}?lang=de", headers=browser)
        assert "Noch einmal versuchen" in asked.text
        # What was sent in vain is said to be.
        address = f"/registration/activities/{identity}"
        for status in (404, 429):
            sent = await network.client.post(address, data={"lang": "en"}, headers=browser)
            assert sent.status_code == status
        assert "nie zostało przyjęte" in sent.text
        # A program reads a problem, whatever else it takes.
        for accept in ("*/*", "application/json", "application/json, text/html;q=0.5"):
            check_problem(await network.client.get(pages[0], headers={"Accept": accept}), status=429)


def test_every_language_of_the_mails_has_the_page_of_limits() -> None:
    english = {message.context: message.id for message in _texts("en") if message.id}
    assert set(limit_page.TEXTS.tags()) == set(catalogues.tags())
    for tag in limit_page.TEXTS.tags():
        own = {message.context: message for message in _texts(tag) if message.id}
        assert {name: message.id for name, message in own.items()} == english
        for message in own.values():
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            assert tag == "en" or all(forms), message.context
            assert tag == "en" or all("{seconds}" in form for form in forms) == ("{seconds}" in str(message.id))


def _texts(tag: str) -> Catalog:
    with (limit_page.TEXTS.folder / f"{tag}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


async def test_requests_go_on_and_are_limited_while_redis_is_away(limited: Limited) -> None:
    with valkey.running() as server:
        async with limited(server.url, reads_a_minute=50) as network:
            assert (await network.client.get(LIST)).status_code == 200
            server.stop()
            begun, slowest = time.perf_counter(), 0.0
            for _ in range(49):
                asked = time.perf_counter()
                assert (await network.client.get(LIST)).status_code == 200
                slowest = max(slowest, time.perf_counter() - asked)
            assert (await network.client.get(LIST)).status_code == 429
            assert time.perf_counter() - begun < 10
            assert slowest < 0.5  # Redis would take its second; the rest is this machine's.


@pytest.fixture
async def counts(redis_url: str) -> AsyncIterator[Callable[[], Counters]]:
    """Counters of several processes at one Redis."""
    made: list[Counters] = []
    client = redis.asyncio.Redis.from_url(redis_url)
    scope = f"test-{time.time_ns()}"

    def another() -> Counters:
        made.append(Counters(client, scope=scope, secret=harness.SECRET))
        return made[-1]

    yield another
    for each in made:
        await each.close()
    await client.aclose()


async def test_processes_add_up_what_they_counted(counts: Callable[[], Counters]) -> None:
    one, other, policy = counts(), counts(), Policy("reads", 10)
    for counters in (one, other):
        for _ in range(4):
            assert counters.take(policy, "a").allowed
    await one.merge()
    await other.merge()
    assert other.take(policy, "a").left == 1
    assert one.take(policy, "a").left == 5  # It hears of the others with its own next telling.
    await one.merge()
    assert one.take(policy, "a").left == 0
    assert not one.take(policy, "a").allowed


async def test_what_was_counted_is_told_by_itself(
    counts: Callable[[], Counters], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MERGED_EVERY_SECONDS", 0.01)
    one, other, policy = counts(), counts(), Policy("reads", 10)
    one.take(policy, "a", 60)

    async def heard() -> None:
        other.take(policy, "a", 1)
        other.take(policy, "a", -1)
        assert other.take(policy, "a", 0).left == 4

    await eventually(heard)


async def test_no_address_stands_in_redis(counts: Callable[[], Counters], redis_url: str) -> None:
    counters = counts()
    counters.take(Policy("reads", 10), "192.0.2.55")
    await counters.merge()
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        found = [key async for key in client.scan_iter("limits:*")]
        assert found
        assert all(b"192.0.2" not in key for key in found)
        own = [key for key in found if key.decode().startswith(f"limits:{counters._scope}:")]
        assert own
        assert all([0 < await client.ttl(key) <= 130 for key in own])


async def test_the_window_slides(counts: Callable[[], Counters], monkeypatch: pytest.MonkeyPatch) -> None:
    counters, policy, now = counts(), Policy("reads", 10), 6_000_000_000.0
    monkeypatch.setattr(counting.time, "time", lambda: now)
    assert all(counters.take(policy, "a").allowed for _ in range(10))
    refused = counters.take(policy, "a")
    assert (refused.allowed, refused.seconds) == (False, 66)
    now += 60
    assert not counters.take(policy, "a").allowed  # The minute before still counts in full.
    now += 6
    assert counters.take(policy, "a").allowed
    assert not counters.take(policy, "a").allowed
    now += 120
    assert counters.take(policy, "a").left == 9


async def test_memory_is_bounded(counts: Callable[[], Counters], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_BUCKETS", 20)
    counters = counts()
    for number in range(100):
        counters.take(Policy("reads", 10), str(number))
    assert len(counters._buckets) <= 20


async def test_a_burst_at_once_is_counted_exactly(limited: Limited) -> None:
    async with limited(reads_a_minute=20) as network:
        replies = await asyncio.gather(*(network.client.get("/impact/v1/measures") for _ in range(30)))
        assert sorted(reply.status_code for reply in replies) == [200] * 20 + [429] * 10
