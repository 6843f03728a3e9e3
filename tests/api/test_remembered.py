"""Answers from memory: byte by byte those of the routes, and never older than what was committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.activities.main import SERVICE
from services.kernel import counting, remembering, watching
from services.kernel.application import combine, create_app
from services.kernel.remembering import Memory, Remembering
from tests.harness import databases as harness
from tests.harness.catalogue import LIST, activity, enter
from tests.harness.databases import eventually
from tests.harness.network import Network, running

TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
PLAIN = {"traceparent": TRACE}


@dataclass
class Quick:
    """A process that remembers, seen from outside, and how often its routes were asked."""

    app: Remembering
    memory: Memory
    base_url: str
    asked: list[str] = field(default_factory=list)
    held: asyncio.Event | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def get(self, address: str, *, method: str = "GET", who: str = "192.0.2.2", **headers: str) -> httpx.Response:
        """One reply."""
        return await _sent(self.app, self.base_url, method, address, who, {**PLAIN, **headers})

    async def known(self, address: str, **headers: str) -> httpx.Response:
        """One reply that must come from memory."""
        before = len(self.asked)
        reply = await self.get(address, **headers)
        assert len(self.asked) == before, f"the routes were asked for {address}"
        return reply


async def _sent(
    app: Any, base_url: str, method: str, address: str, who: str, headers: dict[str, str]
) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(who, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        # What the client itself would add is left out.
        client.headers.clear()
        return await client.request(method, address, headers=headers)


@asynccontextmanager
async def _remembering(network: Network) -> AsyncIterator[Quick]:
    runtime = network.runtimes["activities"]
    made = create_app(SERVICE, runtime)
    app = combine({"activities": made})
    quick = Quick(app, made.state.memory, network.settings.base_url)
    inner = app._app

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        quick.asked.append(scope["path"])

        async def sent(message: Any) -> None:
            if quick.held is not None and message["type"] == "http.response.start":
                quick.arrived.set()
                await quick.held.wait()
            await send(message)

        await inner(scope, receive, sent)

    app._app = counted
    task = asyncio.create_task(watching.watch(quick.memory))
    try:
        await _listening(quick)
        yield quick
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _listening(quick: Quick) -> None:
    async def is_vouched_for() -> None:
        assert quick.memory.answers.are_good(asyncio.get_running_loop().time())

    await eventually(is_vouched_for, every=0.01)


@pytest.fixture(scope="module")
async def entered(shared: Network) -> list[str]:
    """Three activities that everybody may read, one of them in two languages, and a draft; their ids."""
    italian = {"it": {"title": "Pulizia", "summary": "Puliamo.", "requirements_notes": None}}
    rows = [
        activity("Cleaning", translations=italian),
        activity("Planting", section_codes=["IT-MILA-STA"]),
        activity("Reading", country="PL"),
        activity("Secret", state="draft"),
    ]
    await enter(shared, rows)
    return [str(row.id) for row in rows]


@pytest.fixture
async def limited(shared: Network, entered: list[str], tmp_path: Path) -> AsyncIterator[Network]:
    """The same database behind limits that count."""
    told = harness.settings(shared.database_url, shared.settings.redis_url, mailbox=tmp_path, reads_a_minute=500)
    async with running(told, shared.database_url) as made:
        yield made


def _bytes(reply: httpx.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    return reply.status_code, reply.headers.raw, reply.content


async def test_what_is_known_is_byte_by_byte_what_the_routes_say(
    limited: Network, entered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting.time, "time", lambda: 1_800_000_000.0)
    monkeypatch.setattr(remembering, "PASSING_SECONDS", 60.0)
    runtime, one = limited.runtimes["activities"], f"{LIST}/{entered[0]}"
    routes = combine({"activities": create_app(SERVICE, runtime)})
    follow = (await _sent(routes, limited.settings.base_url, "GET", f"{LIST}?limit=1", "192.0.2.9", {})).json()["next"]
    upcoming = f"{LIST}?from=2026-11-15T12:00:00Z"
    known = [
        (LIST, {}), (upcoming, {}), (f"{LIST}?edition=2027-spring&country=IT", {}), (one, {}),
        (f"{LIST}?from=2026-11-15T12%3A00%3A00.000Z&lang=it&limit=20&section=IT-SASS-ESN", {"Origin": "https://a.example"}),
        (f"{LIST}?limit=1", {}), (follow.removeprefix(limited.settings.base_url), {}), (f"{LIST}?q=Cleaning", {}),
        (f"{LIST}?facets=country", {}), (f"{LIST}?open=true", {}), (one, {"Accept-Language": "it, en;q=0.5"}),
        (LIST, {"Accept-Language": "it"}), (one, {"Accept": "text/html"}), (one, {"Origin": "null"}),
    ]  # fmt: skip
    others = [
        (f"{LIST}?nonsense=1", {}), (f"{LIST}?section=nobody", {}), (f"{LIST}/{entered[3]}", {}), (f"{LIST}/", {}),
        (one, {"Accept": "application/ld+json"}), (one, {"Cookie": "a=b"}), (LIST, {"Authorization": "Bearer wrong"}),
        (LIST, {"X-Api-Key": "wrong"}), (LIST, {"Host": "a/b"}), (f"{one}.ics", {}), (one.upper(), {}),
        (f"{LIST}?limit=1&cursor=wrong", {}), (f"{LIST}?country=IT{'&section=IT-SASS-ESN' * 50}", {}),
        (LIST, {"Accept-Language": f"it{', en' * 200}"}),
    ]  # fmt: skip
    told = (await _sent(routes, limited.settings.base_url, "GET", "/activities/openapi.json", "192.0.2.9", {})).json()
    reads = (f"/activities{path}" for path, ways in told["paths"].items() if "get" in ways and "{" not in path)
    public = [path for path in reads if path != LIST]
    async with _remembering(limited) as quick:
        cases = [*known, *others, *((path, {}) for path in public)]
        for number, (address, headers) in enumerate(cases):
            etag = (await quick.get(address, who="192.0.2.9", **headers)).headers.get("etag", '"none"')
            tries = [{}, {"If-None-Match": '"another"'}, {"If-None-Match": etag}, {"If-None-Match": f"W/{etag}, *"}]
            for way, more in enumerate(tries if number < len(known) + len(others) else tries[:1]):
                await quick.get(address, who="192.0.2.9", **headers, **more)
                before = len(quick.asked)
                who = f"198.51.{number}.{way}"
                seen = await quick.get(address, who=who, **headers, **more)
                assert (len(quick.asked) == before) == (number < len(known)), (address, headers, more)
                sent = {**PLAIN, **headers, **more}
                slow = await _sent(routes, limited.settings.base_url, "GET", address, f"198.18.{number}.{way}", sent)
                assert _bytes(seen) == _bytes(slow), (address, headers, more)
        head = await quick.get(LIST, method="HEAD", who="198.51.200.1")
        slow = await _sent(routes, limited.settings.base_url, "HEAD", LIST, "198.18.200.1", PLAIN)
        assert _bytes(head) == _bytes(slow)


async def test_each_reply_has_a_trace_of_its_own_and_counts(limited: Network, entered: list[str]) -> None:
    async with _remembering(limited) as quick:
        etag = (await quick.get(LIST, who="203.0.113.1")).headers["etag"]
        await quick.get(LIST, who="203.0.113.1", **{"If-None-Match": etag})
        replies = [await quick.known(LIST, traceparent="") for _ in range(3)]
        assert len({reply.headers["trace-id"] for reply in replies}) == 3
        replies += [await quick.known(LIST, **{"If-None-Match": etag}) for _ in range(5)]
        left = [int(reply.headers["ratelimit"].partition(";r=")[2].partition(";")[0]) for reply in replies]
        assert left == [499, 498, 497, 496, 496, 496, 496, 496]


async def test_a_limit_is_reached_as_by_the_routes(shared: Network, entered: list[str], tmp_path: Path) -> None:
    told = harness.settings(shared.database_url, shared.settings.redis_url, mailbox=tmp_path, reads_a_minute=3)
    async with running(told, shared.database_url) as network, _remembering(network) as quick:
        etag = (await quick.get(LIST, who="203.0.113.1")).headers["etag"]
        await quick.get(LIST, who="203.0.113.1", **{"If-None-Match": etag})
        assert [(await quick.get(LIST)).status_code for _ in range(4)] == [200, 200, 200, 429]
        wanted = {"If-None-Match": etag}
        statuses = [(await quick.get(LIST, who="203.0.113.3", **wanted)).status_code for _ in range(13)]
        routes = combine({"activities": create_app(SERVICE, network.runtimes["activities"])})
        slow = [
            (await _sent(routes, network.settings.base_url, "GET", LIST, "203.0.113.4", wanted)).status_code
            for _ in range(13)
        ]
        assert statuses == slow
        assert statuses[-1] == 429


async def _execute(network: Network, statement: str, *values: object) -> None:
    await (await network.observer()).execute(statement, *values)


@pytest.fixture
async def own(network: Network) -> tuple[Network, str]:
    """An activity of the test's own."""
    row = activity("Before")
    await enter(network, [row])
    return network, str(row.id)


async def _seen(quick: Quick, address: str, text: str, *, seconds: float) -> None:
    async def is_there() -> None:
        assert text in (await quick.get(address)).text

    await eventually(is_there, seconds=seconds, every=0.005)


async def test_a_commit_of_another_process_is_seen_at_once_and_availability_within_the_sweep(
    own: tuple[Network, str],
) -> None:
    network, identity = own
    async with _remembering(network) as quick:
        one = f"{LIST}/{identity}"
        for address in (LIST, one):
            assert "Before" in (await quick.get(address)).text
            await quick.known(address)
        change = "UPDATE activities.activities SET document = replace(document, $2, $3) WHERE id = $1"
        await _execute(network, change, identity, "Before", "After")
        for address in (LIST, one):
            await _seen(quick, address, "After", seconds=watching.SWEPT_EVERY_SECONDS / 2)
        # A draft is nothing that anybody reads, and availability is not called out: nobody waits for its commit.
        heard: list[object] = []
        observer = await network.observer()
        await observer.add_listener(SERVICE.remembered.channel, lambda *told: heard.append(told))  # type: ignore[union-attr]
        full = change.replace(" WHERE", ", availability_revision = availability_revision + 1 WHERE")
        await _execute(network, full, identity, "After", "Full")
        await observer.execute("SELECT 1")
        assert not heard
        await _seen(quick, one, "Full", seconds=watching.SWEPT_EVERY_SECONDS * 2)
        await _execute(network, "UPDATE activities.activities SET state = 'draft' WHERE id = $1", identity)
        await observer.execute("SELECT 1")
        assert heard

        async def is_gone() -> None:
            assert (await quick.get(one)).status_code == 404

        await eventually(is_gone, seconds=watching.SWEPT_EVERY_SECONDS / 2, every=0.005)


async def test_a_lost_call_is_made_up_for_by_the_sweep(own: tuple[Network, str]) -> None:
    network, identity = own
    await _execute(network, "ALTER TABLE activities.activities DISABLE TRIGGER call_out_changed")
    async with _remembering(network) as quick:
        await quick.get(LIST)
        change = "UPDATE activities.activities SET document = replace(document, 'Before', 'After') WHERE id = $1"
        await _execute(network, change, identity)
        await _seen(quick, LIST, "After", seconds=watching.SWEPT_EVERY_SECONDS * 2)


async def test_a_merger_of_sections_is_seen(own: tuple[Network, str]) -> None:
    network, _ = own
    address = f"{LIST}?section=PT-PORT-ESN"
    async with _remembering(network) as quick:
        assert "Before" not in (await quick.get(address)).text
        await quick.known(address)
        merged = "UPDATE activities.sections SET state = 'merged', merged_into = 'PT-PORT-ESN' WHERE code = $1"
        await _execute(network, merged, "IT-SASS-ESN")
        await _seen(quick, address, "Before", seconds=watching.SWEPT_EVERY_SECONDS / 2)


async def test_what_was_read_before_a_commit_is_not_remembered_after_it(own: tuple[Network, str]) -> None:
    network, identity = own
    change = "UPDATE activities.activities SET document = replace(document, 'Before', 'After') WHERE id = $1"
    async with _remembering(network) as quick:
        quick.held = asyncio.Event()
        late = asyncio.create_task(quick.get(LIST))
        await quick.arrived.wait()
        generation = quick.memory.answers.generation
        await _execute(network, change, identity)

        async def is_heard() -> None:
            assert quick.memory.answers.generation > generation

        await eventually(is_heard, every=0.005)
        quick.held.set()
        assert "Before" in (await late).text
        assert len(quick.memory.answers) == 0
        assert "After" in (await quick.get(LIST)).text


async def test_whoever_changes_something_sees_it_with_the_next_request(network: Network) -> None:
    async with _remembering(network) as quick:
        made = await network.published()
        local, one = await network.local(), f"{LIST}/{made['id']}"
        for number in range(3):
            etag = (await quick.get(one)).headers["etag"]
            transport = httpx.ASGITransport(app=quick.app)
            async with httpx.AsyncClient(transport=transport, base_url=network.settings.base_url) as client:
                change = {"contact": {"email": None, "url": f"https://a.example/{number}", "phone": None}}
                reply = await client.patch(one, json=change, headers={**local, "If-Match": etag})
                assert reply.status_code == 200, reply.text
            assert f"https://a.example/{number}" in (await quick.get(one)).text


async def test_without_its_connection_nothing_is_remembered_until_it_is_back(own: tuple[Network, str]) -> None:
    network, _ = own
    async with _remembering(network) as quick:
        await quick.get(LIST)
        await quick.known(LIST)
        await _execute(
            network,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%merged_into%' AND pid <> "
            "pg_backend_pid() AND datname = current_database()",
        )

        async def is_distrusted() -> None:
            assert not quick.memory.answers.are_good(asyncio.get_running_loop().time())

        await eventually(is_distrusted, seconds=1, every=0.005)
        before = len(quick.asked)
        assert "Before" in (await quick.get(LIST)).text
        assert len(quick.asked) == before + 1
        await _listening(quick)
        await quick.get(LIST)
        await quick.known(LIST)


async def test_many_who_ask_the_same_at_once_ask_the_routes_once(own: tuple[Network, str]) -> None:
    network, _ = own
    async with _remembering(network) as quick:
        replies = await asyncio.gather(*(quick.get(f"{LIST}?limit=7", who=f"192.0.2.{number}") for number in range(20)))
        assert {reply.status_code for reply in replies} == {200}
        assert len({reply.content for reply in replies}) == 1
        assert len(quick.asked) == 1
        # What can't be remembered is each one's own.
        wrong = await asyncio.gather(*(quick.get(f"{LIST}?limit=0", who=f"192.0.2.{number}") for number in range(5)))
        assert {reply.status_code for reply in wrong} == {422}


async def test_what_hangs_on_the_clock_is_not_remembered_for_long(
    own: tuple[Network, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, _ = own
    async with _remembering(network) as quick:
        for address, passes in ((f"{LIST}?open=true", True), (f"{LIST}?%6Fpen=true", True), (LIST, False)):
            for seconds in (60.0, 0.0):
                monkeypatch.setattr(remembering, "PASSING_SECONDS", seconds)
                quick.memory.answers.forget()
                await quick.get(address)
                before = len(quick.asked)
                await quick.get(address)
                assert (len(quick.asked) > before) == (passes and not seconds), address
