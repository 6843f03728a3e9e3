"""What events are measured against: a job for each of them, of procrastinate or, where that is not there, of arq."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from arq.connections import ArqRedis
from arq.worker import Worker as ArqWorker
from arq.worker import func

from deploy import processes as children
from services.kernel.wakeups import connect, deserialize, serialize
from tests.benchmarks.load import REPOSITORY, Seen

PATIENCE_SECONDS = 10.0
GAP_SECONDS = 0.02
"""Between an effect and the next commit: time enough to rest again."""


class Procrastinate:
    """Jobs of procrastinate, whose worker is a process."""

    name = "procrastinate"

    def __init__(self, python: str, url: str, folder: Path) -> None:
        self.python, self.url, self.folder = python, url, folder

    def command(self, *arguments: str) -> list[str | Path]:
        """One of the things that its script does."""
        return [self.python, REPOSITORY / "tests/benchmarks/jobs.py", self.url, *arguments]

    def _asked(self, *arguments: str) -> Seen:
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise RuntimeError(f"procrastinate ended with {done.returncode}: {done.stderr[-2000:]}")
        return Seen(**json.loads(done.stdout))

    async def effect(self, count: int) -> Seen:
        """Defer jobs that write a row, and wait for each."""
        return await asyncio.to_thread(self._asked, "latency", str(count))

    async def passed(self, count: int) -> Seen:
        """Let a worker do so many jobs that are there."""
        return await asyncio.to_thread(self._asked, "throughput", str(count))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[int]:
        """Its worker, with its number."""
        await asyncio.to_thread(self._asked, "schema")
        log = self.folder / "procrastinate.log"
        process = children.spawn(self.command("worker"), cwd=REPOSITORY, environment=dict(os.environ), log=log)
        try:
            yield process.pid
        finally:
            children.kill(process)


class Arq:
    """A job of arq for each event, by a worker that looks for jobs a hundred times a second."""

    name = "a job of arq each"

    def __init__(self, url: str, redis_url: str) -> None:
        self.database = asyncpg.create_pool(url, min_size=2, max_size=2)
        self.queue: ArqRedis = connect(redis_url)

    def _worker(self, queue: str, *, burst: bool) -> ArqWorker:
        async def effect(_: dict[Any, Any], number: int) -> None:
            await self.database.execute("INSERT INTO public.effects VALUES ($1)", number)

        async def nothing(_: dict[Any, Any], number: int) -> None:
            """Do nothing."""

        jobs = [func(effect, name="effect", keep_result=0), func(nothing, name="nothing", keep_result=0)]
        return ArqWorker(
            jobs, queue_name=queue, redis_pool=self.queue, burst=burst, poll_delay=0.01, max_jobs=10,
            handle_signals=False, log_results=False,
            job_serializer=serialize, job_deserializer=deserialize,
        )  # fmt: skip

    async def effect(self, count: int) -> Seen:
        """Enqueue jobs that write a row, and wait for each."""
        seen = Seen()
        for _ in range(count):
            number = time.time_ns()
            await self.queue.enqueue_job("effect", number, _queue_name="effects")
            began = time.perf_counter()
            while not await self.database.fetchval("SELECT 1 FROM public.effects WHERE number = $1", number):
                if time.perf_counter() > began + PATIENCE_SECONDS:
                    raise TimeoutError("a job had no effect")
            seen.took.append(time.perf_counter() - began)
            await asyncio.sleep(GAP_SECONDS)
        seen.replies, seen.seconds = count, sum(seen.took)
        return seen

    async def passed(self, count: int) -> Seen:
        """Let a worker do so many jobs that are there."""
        for number in range(count):
            await self.queue.enqueue_job("nothing", number, _queue_name="nothing")
        worker = self._worker("nothing", burst=True)
        began = time.perf_counter()
        await worker.async_run()
        seconds = time.perf_counter() - began
        return Seen(worker.jobs_complete, wrong=worker.jobs_failed, seconds=seconds, took=[seconds])

    @asynccontextmanager
    async def working(self) -> AsyncIterator[int]:
        """Its worker, in this process."""
        await self.database
        await self.database.execute("CREATE TABLE public.effects (number bigint PRIMARY KEY)")
        worker = asyncio.create_task(self._worker("effects", burst=False).async_run())
        try:
            yield 0
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
            await self.queue.aclose()
            await self.database.close()
