"""What goes wrong during a chain: from outside, with a signal, a lock or a command, without a hook in the services."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Self
from uuid import uuid4

import asyncpg
import redis.asyncio as redis
from sqlalchemy.ext.asyncio import AsyncSession

from deploy import valkey
from services import contracts
from services.kernel import db, events
from services.kernel.settings import Settings
from tests.flows.chain import STEPS, Calm
from tests.harness.databases import eventually, rows
from tests.harness.mail_server import MailServer
from tests.harness.processes import Processes


class Flushed(Calm):
    """Redis forgets everything, again and again, all the way through."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self.times = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._flush())
        return self

    async def _flush(self) -> None:
        while True:
            await self._client.flushall()
            self.times += 1
            await asyncio.sleep(0.01)

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._client.aclose()


class RedisAway(Calm):
    """Redis is killed before a step and is back, empty and on its port, ten seconds later, while the chain goes on."""

    SECONDS = 10.0

    def __init__(self, server: valkey.Server, *, before: str, back_before: str) -> None:
        self._server = server
        self._before, self._back_before = before, back_before
        self._back: asyncio.Task[None] | None = None

    async def before(self, step: str) -> None:
        if step == self._before and self._back is None:
            self._server.kill()
            self._back = asyncio.create_task(self._come_back())
        if step == self._back_before and self._back is not None:
            await self._back

    async def _come_back(self) -> None:
        await asyncio.sleep(self.SECONDS)
        self._server.start()

    async def __aexit__(self, *_: object) -> None:
        assert self._back is not None
        await self._back


HEARERS: Mapping[str, Sequence[str]] = {
    "publish": ["registration", "impact"],
    "sign up": ["registration", "activities"],
    "confirm": ["registration"],
    "cancel": ["registration", "activities"],
    "check in": ["impact"],
    "complete": ["registration", "impact"],
    "verify": ["impact"],
}
"""The workers that a step gives something to do."""


class WorkersKilled(Calm):
    """The workers that a step gives something to do are killed as soon as it is acknowledged, and started again.

    After the steps that concern none of them, every worker that is up is killed.
    """

    def __init__(self, processes: Processes) -> None:
        self._workers = processes.workers
        self._left = list(STEPS)
        self.killed: set[tuple[str, str]] = set()

    async def before(self, step: str) -> None:
        if step in self._left:
            for service in HEARERS.get(step, ()):
                await self._workers[service].ready()

    async def after(self, step: str) -> None:
        if step not in self._left:
            return
        self._left.remove(step)
        up = [service for service in HEARERS.get(step, self._workers) if self._workers[service].is_ready]
        for service in up:
            self._workers[service].kill()
        for service in up:
            self._workers[service].launch()
            self.killed.add((step, service))

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers.values():
            await worker.ready()
        assert {(step, service) for step, services in HEARERS.items() for service in services} <= self.killed


class KilledInTransaction(Calm):
    """A worker is killed while its transaction waits for a table that somebody else holds, which is then let go.

    Mail is the one effect outside of Postgres: there the worker is killed while the mail server has the message and has
    not answered yet.
    """

    TABLES: Mapping[str, Sequence[tuple[str, str]]] = {
        "publish": [("registration", "registration.places"), ("impact", "impact.activities")],
        "cancel": [("activities", "activities.activities")],
        "check in": [("impact", "impact.attendances")],
        "complete": [("registration", "registration.places"), ("impact", "impact.activities")],
        "verify": [("impact", "impact.totals")],
    }

    def __init__(self, processes: Processes, mails: MailServer) -> None:
        self._processes, self._mails = processes, mails
        self._left = {*self.TABLES, "sign up"}
        self.killed = 0

    async def before(self, step: str) -> None:
        if step not in self._left:
            return
        for service in HEARERS[step]:
            await self._processes.workers[service].ready()
        if step == "sign up":
            self._mails.is_held = True
            return
        self._connection = await asyncpg.connect(self._processes.database_url)
        self._transaction = self._connection.transaction()
        await self._transaction.start()
        for _, table in self.TABLES[step]:
            await self._connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")

    async def after(self, step: str) -> None:
        if step not in self._left:
            return
        self._left.remove(step)
        if step == "sign up":
            await eventually(self._mail_is_under_way)
            await self._kill("registration")
            self._mails.is_held = False
            return
        for service, _ in self.TABLES[step]:
            await eventually(partial(self._is_stuck, service))
            await self._kill(service)
        await self._transaction.rollback()
        await self._connection.close()

    async def _kill(self, service: str) -> None:
        self._processes.workers[service].kill()
        self._processes.workers[service].launch()
        self.killed += 1

    async def _mail_is_under_way(self) -> None:
        assert self._mails.waiting

    async def _is_stuck(self, service: str) -> None:
        """A consumer's transaction, which holds its cursor, waits for our lock."""
        found = await rows(
            self._processes.database_url,
            """SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND $2 = ANY(pg_blocking_pids(pid))
               AND EXISTS (SELECT FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid
                           AND relation = 'events.cursors'::regclass)""",
            f"socialerasmus {service}",
            self._connection.get_server_pid(),
        )
        assert found

    async def __aexit__(self, *_: object) -> None:
        self._mails.is_held = False
        for worker in self._processes.workers.values():
            await worker.ready()
        assert not self._left


class LateCommit(Calm):
    """Beside some steps, another transaction takes an event's number first and commits after everybody has polled."""

    BESIDE = ("publish", "check in", "complete", "verify")

    def __init__(self, processes: Processes, settings: Settings, queue_url: str) -> None:
        self._processes = processes
        self._engine = db.create_engine(settings, role="activities", pool_size=1)
        self._queue = redis.Redis.from_url(queue_url)
        self._left = list(self.BESIDE)
        self.activity_id = uuid4()
        self.revision = 0

    async def before(self, step: str) -> None:
        if step not in self._left:
            return
        self._late = AsyncSession(self._engine)
        self.revision += 1
        kind = contracts.ActivityRevised if self.revision > 1 else contracts.ActivityPublished
        self._id = await events.record(self._late, kind(activity=self._activity()))

    async def after(self, step: str) -> None:
        if step not in self._left:
            return
        self._left.remove(step)
        await eventually(self._everybody_has_polled)
        await self._late.commit()
        await self._late.close()
        url = self._processes.database_url
        (number,) = (await rows(url, "SELECT number FROM events.log WHERE id = $1", self._id))[0]
        (last,) = (await rows(url, "SELECT max(number) FROM events.log"))[0]
        assert number < last, "it took no number before the others, so this shows nothing"

    async def _everybody_has_polled(self) -> None:
        for service in self._processes.workers:
            assert await self._queue.zcard(f"arq:{service}") == 0

    async def __aexit__(self, *_: object) -> None:
        await self._queue.aclose()
        await self._engine.dispose()
        assert not self._left

    def _activity(self) -> contracts.Activity:
        return contracts.Activity(
            activity_id=self.activity_id, revision=self.revision, state=contracts.ActivityState.PUBLISHED,
            title="Late", language="en", kind="volunteering", programme="socialerasmus", edition=None,
            areas=("environment",), causes=("environmental-sustainability",), sdgs=(),
            organisers=(contracts.Organiser(code="PL-WARS-UKS", name="ESN UKSW", lead=True),), country="PL",
            starts_at=None, ends_at=None, starts_on=None, time_zone="Europe/Warsaw", place=None,
            capacity=10 * self.revision, takes_sign_ups=True, sign_up_opens_at=None, sign_up_closes_at=None,
            minimum_age=None, sample=False,
        )  # fmt: skip


class Relay(Calm):
    """Moves wake-ups from where they are sent to the Redis of the worker they are meant for, and does so badly."""

    LATE_SECONDS = 1.5

    def __init__(self, urls: Mapping[str, str], how: str) -> None:
        """`urls` are those of the workers, and of the APIs under the name `api`."""
        assert how in {"lost", "doubled", "late"}
        self._clients = {name: redis.Redis.from_url(url) for name, url in urls.items()}
        self._how = how
        self._late: list[tuple[float, str, str, bytes]] = []
        self.seen = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def _run(self) -> None:
        while True:
            for sender, client in self._clients.items():
                for service in self._clients.keys() - {"api", sender}:
                    await self._take(client, service)
            while self._late and self._late[0][0] < time.monotonic():
                _, service, job, content = self._late.pop(0)
                await self._put(service, job, content)
            await asyncio.sleep(0.01)

    async def _take(self, client: redis.Redis, service: str) -> None:
        for job in await client.zrange(f"arq:{service}", 0, -1):
            name = job.decode()
            content = await client.get(f"arq:job:{name}")
            await client.zrem(f"arq:{service}", name)
            await client.delete(f"arq:job:{name}")
            self.seen += 1
            if self._how == "doubled":
                await self._put(service, name, content)
                await self._put(service, f"{name}:again", content)
            if self._how in {"late", "doubled"}:
                self._late.append((time.monotonic() + self.LATE_SECONDS, service, name, content))

    async def _put(self, service: str, job: str, content: bytes) -> None:
        await self._clients[service].set(f"arq:job:{job}", content, px=60_000)
        await self._clients[service].zadd(f"arq:{service}", {job: int(time.time() * 1000)})

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()
        assert self.seen
