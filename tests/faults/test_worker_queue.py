"""Running services while Redis, Postgres or they themselves are stopped, and while strangers write to the queue."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
import pytest
import redis

from deploy import postgres, valkey
from tests.harness import databases as harness
from tests.harness import processes as harness_processes
from tests.harness.databases import Databases, eventually, rows, value
from tests.harness.network import DRAFT
from tests.harness.processes import Process, Processes, numbered


@pytest.fixture(scope="module")
def queue() -> Iterator[valkey.Server]:
    """A Redis to stop and to write garbage into."""
    with valkey.running() as server:
        yield server


@pytest.fixture(scope="module")
def database() -> Iterator[postgres.Server]:
    """A Postgres to stop."""
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="module")
async def services(
    queue: valkey.Server, database: postgres.Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Processes]:
    """Three APIs and three workers; no wake-up that an API sends reaches a worker, unless a test carries it there."""
    folder = tmp_path_factory.mktemp("services")
    made = Databases(database.superuser_url, queue.url)
    await made.make_template()
    async with made.fresh() as url:
        settings = harness.settings(url, queue.url)
        started = Processes(folder, settings, url, apart=True, SOCIALERASMUS_MAILBOX=str(folder / "mailbox"))
        async with harness_processes.running(started):
            yield started


@pytest.fixture(autouse=True)
async def restarted(services: Processes) -> AsyncIterator[set[Process]]:
    """Whatever a test does to the servers, all is well at its end, and no process had to be started again for that.

    A test that ends a process itself adds it.
    """
    await services.healthy()
    before = {process: process.pid for process in services.all}
    by_the_test: set[Process] = set()
    yield by_the_test
    await services.settle()
    await services.healthy()
    assert {process for process in services.all if process.pid != before[process]} == by_the_test


async def wakes(url: str, service: str) -> None:
    """The worker takes wake-ups from its queue."""
    with redis.Redis.from_url(numbered(url, service)) as client:
        job = {"t": None, "f": "wake", "a": [1, "0" * 32], "k": {}, "et": int(time.time() * 1000)}
        client.set("arq:job:hello", json.dumps(job))
        client.zadd(f"arq:{service}", {"hello": 1})

        async def taken() -> None:
            assert client.exists("arq:job:hello") == 0
            assert client.zcard(f"arq:{service}") == 0

        await eventually(taken)


class Load:
    """Students and coordinators who go on asking; each request is a new one with a key of its own."""

    def __init__(self, services: Processes, *, clients: int) -> None:
        self._services = services
        self._clients = clients
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self.acknowledged: list[str] = []
        self.unknown: list[str] = []
        self.away = 0
        self.other: list[httpx.Response] = []

    async def __aenter__(self) -> Self:
        self.headers = await self._services.network.local()
        self._stopped = asyncio.Event()
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(self._clients)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopped.set()
        await asyncio.gather(*self._tasks)

    async def enough(self, *, more: int = 30) -> None:
        """Wait until so many more requests were answered."""
        wanted = self.statuses.total() + more

        async def answered() -> None:
            assert self.statuses.total() >= wanted

        await eventually(answered)

    async def draft(self, key: str) -> httpx.Response:
        return await self._services.client.post(
            "/activities/v1/activities", headers={**self.headers, "Idempotency-Key": f'"{key}"'}, json=DRAFT
        )

    async def _ask(self) -> None:
        while not self._stopped.is_set():
            key = str(uuid4())
            begun = time.monotonic()
            try:
                reply = await self.draft(key)
                read = await self._services.client.get("/activities/v1/activities")
            except httpx.ConnectError:
                self.away += 1
                await asyncio.sleep(0.02)
                continue
            except httpx.TransportError:
                self.unknown.append(key)
                continue
            self.slowest = max(self.slowest, (time.monotonic() - begun) / 2)
            for each in (reply, read):
                self.statuses[each.status_code] += 1
                if each.status_code not in {200, 201}:
                    self.other.append(each)
            if reply.status_code == 201:
                self.acknowledged.append(reply.json()["id"])
            elif reply.status_code == 503:
                self.unknown.append(key)

    async def nothing_is_lost(self) -> None:
        """Every acknowledged draft is there; of an unknown one there is exactly one once it was sent again."""
        known = {str(row[0]) for row in await rows(self._services.database_url, "SELECT id FROM activities.activities")}
        assert set(self.acknowledged) <= known
        for key in self.unknown:
            first, second = await self.draft(key), await self.draft(key)
            assert (first.status_code, second.status_code) == (201, 201)
            assert first.json()["id"] == second.json()["id"]


async def test_effects_arrive_by_the_sweep_without_any_wake_up(services: Processes) -> None:
    identity = await services.published()
    await services.opened(identity, seconds=5)


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
async def test_nobody_waits_for_a_redis_that_is_away_and_workers_come_back_by_themselves(
    services: Processes, queue: valkey.Server, signal_number: signal.Signals
) -> None:
    assert queue.process is not None
    until = time.monotonic() + 10
    os.kill(queue.process.pid, signal_number)
    try:
        async with Load(services, clients=2) as load:
            identity = await services.published()
            await services.opened(identity, seconds=10)

            async def ten_seconds_are_over() -> None:
                assert time.monotonic() > until

            await eventually(ten_seconds_are_over)
            degraded = await services.readiness()
    finally:
        if signal_number is signal.SIGKILL:
            queue.kill()
            queue.start()
        else:
            os.kill(queue.process.pid, signal.SIGCONT)
    assert load.statuses.keys() == {200, 201}
    assert load.slowest < 1
    for code, said in degraded.values():
        assert (code, said["status"], said["queue"], said["database"]) == (200, "degraded", "away", "ok")
    for service in services.workers:
        await wakes(queue.url, service)


class Bomb:
    """Runs a command in whoever unpickles it."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self._mark}",)


def job(**changes: Any) -> bytes:
    return json.dumps({"t": None, "f": "wake", "a": [1, "0" * 32], "k": {}, "et": 1, **changes}).encode()


async def test_nothing_in_the_queue_runs_or_ends_a_worker_unless_it_is_a_wake_up(
    services: Processes, queue: valkey.Server, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    bomb = pickle.dumps({"t": None, "f": "wake", "a": (Bomb(mark),), "k": {}, "et": 1})
    pickle.loads(pickle.dumps(Bomb(tmp_path / "control")))
    assert (tmp_path / "control").exists(), "this would not run in anybody, so it shows nothing"
    garbage: dict[str | bytes, bytes | None] = {
        "pickle": bomb,
        "unknown": job(f="os.system", a=["true"]),
        "qualified": job(f="services.kernel.worker.Worker._wake"),
        "list": b"[1, 2]",
        "text": b'"wake"',
        "not json": b"\xff\xfe{",
        "nothing": None,
        "empty": b"{}",
        "arity": job(a=[1, 2, 3, 4, 5]),
        "keywords": job(k={"_": 1, "nope": 2}),
        "no arguments": job(a=7),
        "no keywords": job(k=[1]),
        "function": job(f={"a": 1}),
        "text for a time": job(et="yesterday"),
        "huge time": job(et=10**30),
        "text for a try": job(t="again"),
        "types": job(a=[{"x": 1}, ["y"]]),
        "nested": b"[" * 100_000 + b"]" * 100_000,
        b"\xff\xfe not utf-8": job(),
    }
    with redis.Redis.from_url(numbered(queue.url, "registration")) as client:
        for name, content in garbage.items():
            key = name if isinstance(name, bytes) else name.encode()
            if content is not None:
                client.set(b"arq:job:" + key, content)
            client.zadd("arq:registration", {key: 1})

            async def the_queue_is_empty() -> None:
                assert client.zcard("arq:registration") == 0

            await eventually(the_queue_is_empty)
        client.set("arq:registration", "not a queue at all")

        async def the_text_is_gone() -> None:
            assert client.type("arq:registration") != b"string"

        await eventually(the_text_is_gone)
    await wakes(queue.url, "registration")
    assert not mark.exists()
    await services.opened(await services.published())


async def test_an_immediate_stop_of_postgres_is_a_503_and_then_all_goes_on(
    services: Processes, database: postgres.Server
) -> None:
    assert database.process is not None
    async with Load(services, clients=4) as load:
        await load.enough()
        database.process.send_signal(signal.SIGQUIT)
        database.process.wait()
        await load.enough()
        away = await services.readiness()
        database.start()
        before = load.statuses[201]

        async def drafts_are_taken_again() -> None:
            assert load.statuses[201] > before + 10

        await eventually(drafts_are_taken_again)
    for code, said in away.values():
        assert (code, said["status"]) == (503, "unavailable")
    assert load.statuses[503] > 0
    assert load.statuses.keys() == {200, 201, 503}, [reply.text for reply in load.other if reply.status_code != 503]
    assert all(reply.headers["content-type"] == "application/problem+json" for reply in load.other)
    assert all(reply.headers["retry-after"].isdigit() for reply in load.other)
    assert load.away == 0
    await load.nothing_is_lost()
    await services.opened(await services.published())


async def test_an_api_that_is_asked_to_end_finishes_what_it_began(services: Processes, restarted: set[Process]) -> None:
    api = services.apis["activities"]
    restarted.add(api)
    async with Load(services, clients=8) as load:
        await load.enough()
        api.terminate()
        code, seconds = await api.ended()
        await api.start()
        await load.enough()
    assert code == 0
    assert seconds < 30
    assert load.statuses.keys() == {200, 201}
    await load.nothing_is_lost()


async def test_a_worker_that_is_asked_to_end_under_load_loses_nothing(
    services: Processes, restarted: set[Process]
) -> None:
    worker = services.workers["registration"]
    restarted.add(worker)
    identity = await services.published()
    await services.opened(identity)
    await rows(
        services.database_url,
        """INSERT INTO events.log (id, name, aggregate, trace_id, payload)
           SELECT id, name, id::text, trace_id, jsonb_set(payload, '{activity,activity_id}', to_jsonb(id::text))
           FROM (SELECT gen_random_uuid() AS id, name, trace_id, payload
                 FROM events.log, generate_series(1, 600) WHERE aggregate = $1) AS copies""",
        identity,
    )

    async def it_has_begun() -> None:
        assert await value(services.database_url, "SELECT count(*) FROM registration.places") > 100

    await eventually(it_has_begun, every=0.005)
    worker.terminate()
    code, seconds = await worker.ended()
    left = (await services.backlog())["registration"]
    await worker.start()
    await services.settle()
    assert code == 0
    assert seconds < 30
    assert left > 0, "it had nothing left to do, so this shows nothing"
    unknown = """SELECT count(*) FROM events.log WHERE name = 'activities.activity_published.v1'
                 AND NOT EXISTS (SELECT FROM registration.places WHERE activity_id::text = aggregate)"""
    assert await value(services.database_url, unknown) == 0


async def test_a_poison_event_is_shown_and_finds_its_way_once_an_operator_says_so(services: Processes) -> None:
    identity = await services.published()
    await services.opened(identity)
    copy = str(uuid4())
    await rows(
        services.database_url,
        """INSERT INTO events.log (id, name, aggregate, trace_id, payload)
           SELECT gen_random_uuid(), name, $2, trace_id, '{"activity": {}}' FROM events.log WHERE aggregate = $1""",
        identity,
        copy,
    )

    async def it_is_parked() -> None:
        readiness = await services.readiness()
        assert [readiness[name][1]["parked_events"] for name in services.apis] == [0, 1, 1]

    await eventually(it_is_parked)
    await services.opened(await services.published())
    listed = await services.command("dead-letters", "list", "--consumer", "registration")
    assert "1 parked" in listed
    assert copy in listed
    assert "ValidationError" in listed
    assert await services.command("dead-letters", "discard") == "0 given up\n"
    # The tries run out, without waiting for them; a worker that is just trying holds its cursor.
    await rows(
        services.database_url,
        """WITH held AS (SELECT consumer FROM events.cursors FOR UPDATE)
           UPDATE events.dead_letters SET tries = 5, next_try_at = NULL WHERE (SELECT count(*) FROM held) > 0""",
    )
    assert "no try left" in await services.command("dead-letters", "list")
    await rows(
        services.database_url,
        """UPDATE events.log SET payload = (SELECT jsonb_set(payload, '{activity,activity_id}', to_jsonb($2))
           FROM events.log WHERE aggregate = $1) WHERE aggregate = $2""",
        identity,
        copy,
    )
    assert await services.command("dead-letters", "retry") == "2 to be tried again\n"
    await services.opened(copy)


async def test_a_replay_of_everything_under_running_workers_changes_nothing(services: Processes) -> None:
    await services.settle()
    statement = "SELECT row_to_json(places)::text FROM registration.places ORDER BY activity_id"
    before = await rows(services.database_url, statement)
    printed = await services.command("replay", "--since", "2026-01-01T00:00:00Z", "--consumer", "registration")
    assert printed.startswith("registration reads ")
    await services.settle()
    assert before
    assert await rows(services.database_url, statement) == before
