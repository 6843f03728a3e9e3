"""From the log to the other service against jobs in a queue: `python3 deploy bench events [--quick]`.

How soon after a commit its effect is there while nothing else happens, how many events a consumer passes that does
nothing about them, and what a worker uses while there are none. The reference is procrastinate, in an environment of
its own that SOCIALERASMUS_BENCH_PYTHON names; where that is not set, a job of arq for each event.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from deploy import places
from services.contracts import ActivityPublished
from services.kernel import events, logs
from services.kernel.consumers import Consumer, Together
from services.kernel.facts import Event
from services.kernel.ids import new_id
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.worker import Worker
from services.registration.main import SERVICE
from tests.benchmarks import pairs
from tests.benchmarks.load import Seen
from tests.benchmarks.queues import GAP_SECONDS, PATIENCE_SECONDS, Arq, Procrastinate
from tests.benchmarks.reads import Results
from tests.harness import databases as harness
from tests.harness.databases import SECRET, Databases
from tests.harness.impact import activity
from tests.harness.processes import Process

EVENTS = {"full": 50_000, "quick": 10_000, "shortest": 2_000}
JOBS = {"full": 2_000, "quick": 500, "shortest": 50}
EFFECTS = {"full": 100, "quick": 25, "shortest": 5}
IDLE_SECONDS = {"full": 30.0, "quick": 10.0}
REST_SECONDS = 8.0
"""Longer than a worker stays awake after the last news."""
GOAL_SOON, GOAL_MANY, GOAL_IDLE = 0.8, 50.0, 0.5
_FILL = """
INSERT INTO events.log (id, name, aggregate, trace_id, payload)
SELECT gen_random_uuid(), $1, number::text, repeat('0', 32), jsonb_build_object('number', number)
FROM generate_series(1, $2::int) AS number
"""


class Noted(Event):
    """Something that nobody does anything about."""

    name: ClassVar[str] = "benchmark.noted.v1"
    heard_by: ClassVar[tuple[str, ...]] = (SERVICE.name,)

    number: int

    def aggregate(self) -> str:
        """Each is about something else."""
        return str(self.number)


class NotedToo(Noted):
    """The same, of which many are heard at once."""

    name: ClassVar[str] = "benchmark.noted_too.v1"


async def _nothing(_session: AsyncSession, _event: object, _runtime: Runtime) -> None:
    """Do nothing about it."""


class Ours:
    """The log and a consumer of it."""

    def __init__(self, settings: Settings, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.teller, self.hearer = (Runtime(settings, role=name) for name in ("activities", SERVICE.name))
        idle = Consumer(SERVICE.name, {Noted: _nothing, NotedToo: Together(_nothing)})
        self.passing = Worker(replace(SERVICE, consumer=idle, sweeps=()), self.hearer)

    async def effect(self, count: int) -> Seen:
        """Publish activities, and wait each time until students could sign up."""
        seen = Seen()
        found = await self.connection.prepare("SELECT 1 FROM registration.places WHERE activity_id = $1")
        for _ in range(count):
            identity = new_id()
            async with self.teller.unit_of_work() as session:
                await events.record(session, ActivityPublished(activity=activity(identity)))
            committed = time.perf_counter()
            while not await found.fetchval(identity):
                if time.perf_counter() > committed + PATIENCE_SECONDS:
                    raise TimeoutError("an event had no effect")
            seen.took.append(time.perf_counter() - committed)
            await asyncio.sleep(GAP_SECONDS)
        seen.replies, seen.seconds = count, sum(seen.took)
        return seen

    async def passed(self, kind: type[Event], count: int) -> Seen:
        """Let the consumer pass so many events that are in the log."""
        await self.connection.execute(_FILL, kind.name, count, timeout=60)
        began = time.perf_counter()
        done = await self.passing.catch_up()
        seconds = time.perf_counter() - began
        return Seen(done, wrong=abs(count - done), seconds=seconds, took=[seconds])

    async def close(self) -> None:
        """Leave."""
        await self.teller.close()
        await self.hearer.close()


async def run(results: Results) -> None:
    """All of it, on a database of its own."""
    made = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await made.make_template()
    try:
        async with made.fresh() as url:
            with places.thrown_away() as folder:
                await _on(results, url, folder)
    finally:
        await made.drop_template()


async def _on(results: Results, url: str, folder: Path) -> None:
    redis_url = os.environ["REDIS_URL"]
    settings = harness.settings(url, redis_url, log_level="WARNING", mailbox=folder)
    python = os.environ.get("SOCIALERASMUS_BENCH_PYTHON")
    reference = Procrastinate(python, url, folder) if python else Arq(url, redis_url)
    connection = await asyncpg.connect(url)
    ours = Ours(settings, connection)
    try:
        async with _worker(results, settings, url, folder) as pid:
            async with reference.working() as theirs:
                await _soon(results, ours, reference)
                await _many(results, ours, reference)
                await _idle(results, f"a worker of {reference.name}", theirs)
            # Alone: one that writes that it lives would keep ours awake.
            await _idle(results, "a worker", pid, GOAL_IDLE)
    finally:
        await ours.close()
        await connection.close()


@asynccontextmanager
async def _worker(results: Results, settings: Settings, url: str, folder: Path) -> AsyncIterator[int]:
    """The worker of the service that hears: a process, except in the shortest form."""
    if results.length is pairs.SHORTEST:
        runtime = Runtime(settings, role=SERVICE.name)
        working = asyncio.create_task(Worker(SERVICE, runtime).run())
        try:
            yield 0
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await runtime.close()
        return
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "SOCIALERASMUS_SECRET": SECRET,
        "SOCIALERASMUS_ENVIRONMENT": "test",
        "SOCIALERASMUS_MAILBOX": str(folder),
    }
    process = Process(["worker", SERVICE.name], environment, folder / "worker.log")
    try:
        await process.start()
        yield process.pid
    finally:
        process.kill()


async def _soon(results: Results, ours: Ours, reference: Procrastinate | Arq) -> None:
    count = EFFECTS[results.length.name]
    made = await _by_turns(
        results,
        "commit to effect elsewhere, idle",
        lambda: ours.effect(count),
        lambda: reference.effect(count),
        reference.name,
        goal=None,
    )
    for name, (own, other), goal in (("p50", made.p50_ms, None), ("p99", made.p99_ms, GOAL_SOON)):
        results.say(f"commit to effect, {name} of {reference.name}", own / max(0.001, other), "", goal)


async def _many(results: Results, ours: Ours, reference: Procrastinate | Arq) -> None:
    count, jobs = EVENTS[results.length.name], JOBS[results.length.name]
    for kind, name, goal in (
        (Noted, "events passed, one by one", None),
        (NotedToo, "events passed, together", GOAL_MANY),
    ):
        await _by_turns(
            results,
            name,
            lambda kind=kind: ours.passed(kind, count),  # type: ignore[misc]
            lambda: reference.passed(jobs),
            reference.name,
            goal=goal,
        )


async def _idle(results: Results, name: str, pid: int, goal: float | None = None) -> None:
    if not pid:
        return
    await asyncio.sleep(REST_SECONDS)
    seconds = IDLE_SECONDS[results.length.name]
    results.say(f"idle, {name}", await asyncio.to_thread(pairs.idle_percent, pid, seconds), "%", goal)
    results.say(f"memory, {name}", pairs.memory_mb(pid), "MB")


async def _by_turns(
    results: Results,
    name: str,
    ours: Callable[[], Coroutine[None, None, Seen]],
    theirs: Callable[[], Coroutine[None, None, Seen]],
    reference: str,
    *,
    goal: float | None,
) -> pairs.Measure:
    """`pairs.measure` of what runs in this loop."""
    loop = asyncio.get_running_loop()
    made = await asyncio.to_thread(
        pairs.measure,
        name,
        lambda _: asyncio.run_coroutine_threadsafe(ours(), loop).result(),
        lambda _: asyncio.run_coroutine_threadsafe(theirs(), loop).result(),
        reference_name=reference,
        goal=goal,
        pids=(0, 0),
        length=results.length,
        spent=_spent,
    )
    results.add(made)
    return made


def _spent(_: int) -> float:
    told = os.times()
    return told.user + told.system + told.children_user + told.children_system


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short pairs of each")
    parser.add_argument("--json", type=Path, help="where the results go")
    arguments = parser.parse_args()
    logs.configure("WARNING", service="benchmark")
    results = Results(pairs.QUICK if arguments.quick else pairs.FULL)
    asyncio.run(run(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(results.told, indent=1))
    if results.faults:
        sys.exit("\n".join(results.faults))


if __name__ == "__main__":
    main()
