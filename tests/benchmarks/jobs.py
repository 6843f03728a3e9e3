"""What events are measured against, in an environment of its own: jobs of procrastinate, in the same database.

`python jobs.py URL schema|worker|latency COUNT|throughput COUNT` needs procrastinate and nothing of the product.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import procrastinate
import psycopg

SCHEMA = "jobs"
GAP_SECONDS = 0.02
PATIENCE_SECONDS = 10.0


def _app(url: str) -> procrastinate.App:
    where = f"-c search_path={SCHEMA},public"
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, kwargs={"options": where}))

    @app.task(name="nothing")
    async def nothing(number: int) -> None:
        """Do nothing."""

    @app.task(name="effect", pass_context=True)
    async def effect(context: procrastinate.JobContext, number: int) -> None:
        """Write one row."""
        connector: Any = context.app.connector
        await connector.execute_query_async("INSERT INTO effects VALUES (%(number)s)", number=number)

    return app


async def _schema(app: procrastinate.App, url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(f"CREATE SCHEMA {SCHEMA}")
        await connection.execute(f"CREATE TABLE {SCHEMA}.effects (number bigint PRIMARY KEY)")
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


async def _latency(app: procrastinate.App, url: str, count: int) -> dict[str, Any]:
    took = []
    async with app.open_async(), await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(count):
            number = time.time_ns()
            await app.tasks["effect"].defer_async(number=number)
            committed = time.perf_counter()
            while True:
                found = await connection.execute(f"SELECT FROM {SCHEMA}.effects WHERE number = %s", (number,))
                if found.rowcount:
                    break
                if time.perf_counter() > committed + PATIENCE_SECONDS:
                    raise TimeoutError("a job had no effect")
            took.append(time.perf_counter() - committed)
            await asyncio.sleep(GAP_SECONDS)
    return {"replies": count, "seconds": sum(took), "took": took}


async def _throughput(app: procrastinate.App, count: int) -> dict[str, Any]:
    async with app.open_async():
        await app.tasks["nothing"].batch_defer_async(*({"number": number} for number in range(count)))
        began = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=10, install_signal_handlers=False)
        seconds = time.perf_counter() - began
        left = await app.job_manager.list_jobs_async(task="nothing", status="todo")
    return {"replies": count, "wrong": len(list(left)), "seconds": seconds, "took": [seconds]}


async def _work(url: str, what: str, count: int) -> dict[str, Any]:
    app = _app(url)
    if what == "schema":
        await _schema(app, url)
    elif what == "worker":
        async with app.open_async():
            await app.run_worker_async()
    else:
        return await (_latency(app, url, count) if what == "latency" else _throughput(app, count))
    return {}


def main() -> None:
    """The command."""
    url, what, *count = sys.argv[1:]
    print(json.dumps(asyncio.run(_work(url, what, int(count[0]) if count else 0))))


if __name__ == "__main__":
    main()
