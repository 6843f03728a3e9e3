"""What a service needs before it is asked for anything, and after: `python3 deploy bench start [--quick]`.

Of each service the import, which is most of its start, and the memory of its API fresh and after a run of questions; of
the API and the worker what they use of a processor while nobody asks.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from deploy import places, ports
from services import registry
from tests.benchmarks import load, pairs
from tests.benchmarks.reads import Results
from tests.harness import databases as harness
from tests.harness.databases import Databases
from tests.harness.processes import Processes, running

IMPORTS = {"full": 7, "quick": 3, "shortest": 1}
QUESTIONS = {"full": 2_000, "quick": 200, "shortest": 20}
IDLE_SECONDS = {"full": 30.0, "quick": 10.0, "shortest": 0.0}
REST_SECONDS = 8.0
"""Longer than a worker stays awake after the last news."""
GOAL_IMPORT, GOAL_MEMORY, GOAL_IDLE = 1.2, 110.0, 0.5
ASKED = {
    "activities": ("/activities/v1/activities?limit=5", "/activities/v1/sections"),
    "registration": ("/registration/privacy",),
    "impact": ("/impact/v1/statistics?by=country", "/impact/"),
}
_IMPORT = """
import services.__main__, gc, sys
from services.registry import SERVICES
gc.set_threshold(50_000, 20, 20)
SERVICES[sys.argv[1]]
"""


def import_seconds(name: str, times: int) -> tuple[float, float]:
    """How long a process of a service imports, as its command does: by the clock and of a processor, the medians."""
    took, used = [], []
    for _ in range(times + 1):
        before, began = os.times(), time.perf_counter()
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        subprocess.run([sys.executable, "-c", _IMPORT, name], cwd=load.REPOSITORY, env=environment, check=True)
        took.append(time.perf_counter() - began)
        after = os.times()
        used.append(after.children_user + after.children_system - before.children_user - before.children_system)
    # The first one may have compiled.
    return sorted(took[1:])[times // 2], sorted(used[1:])[times // 2]


async def run(results: Results) -> None:
    """All of it, on a database of its own."""
    for name in registry.SERVICES:
        clock, used = await asyncio.to_thread(import_seconds, name, IMPORTS[results.length.name])
        results.say(f"import of {name}", clock, "s", GOAL_IMPORT)
        results.say(f"import of {name}, of a processor", used, "s")
    made = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await made.make_template()
    try:
        async with made.fresh() as url:
            with places.thrown_away() as folder:
                told = harness.settings(url, os.environ["REDIS_URL"])
                async with running(Processes(folder, told, url, SOCIALERASMUS_MAILBOX=str(folder))) as started:
                    await _measure(results, started)
    finally:
        await made.drop_template()


async def _measure(results: Results, started: Processes) -> None:
    apis = {name: process.pid for name, process in started.apis.items()}
    workers = {name: process.pid for name, process in started.workers.items()}
    fresh = {name: pairs.memory_mb(pid) for name, pid in apis.items()}
    for name in apis:
        answered = await asyncio.to_thread(_ask, started.ports_of[name], ASKED[name], QUESTIONS[results.length.name])
        if answered:
            results.faults.append(f"{name} answered {answered}")
    if results.length is not pairs.SHORTEST:
        await asyncio.sleep(REST_SECONDS)
        seconds = IDLE_SECONDS[results.length.name]
        for kind, pids in (("API", apis), ("worker", workers)):
            used = await asyncio.gather(*(asyncio.to_thread(pairs.idle_percent, pid, seconds) for pid in pids.values()))
            for name, percent in zip(pids, used, strict=True):
                results.say(f"idle {kind} of {name}, of a processor", percent, "%", GOAL_IDLE)
    for name, pid in apis.items():
        results.say(f"memory of the API of {name}, fresh", fresh[name], "MB")
        results.say(f"memory of the API of {name}, after", pairs.memory_mb(pid), "MB", GOAL_MEMORY)
        results.say(f"memory of the worker of {name}", pairs.memory_mb(workers[name]), "MB")


def _ask(port: int, addresses: tuple[str, ...], times: int) -> list[int]:
    """Ask so often; answers the statuses that were no 200."""
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=30)
    wrong = []
    for number in range(times):
        connection.request("GET", addresses[number % len(addresses)], headers={"Accept": "*/*"})
        reply = connection.getresponse()
        reply.read()
        if reply.status != http.client.OK:
            wrong.append(reply.status)
    connection.close()
    return wrong


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer imports and questions, and a shorter rest")
    parser.add_argument("--json", type=Path, help="where the results go")
    arguments = parser.parse_args()
    results = Results(pairs.QUICK if arguments.quick else pairs.FULL)
    asyncio.run(run(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(results.told, indent=1))
    if results.faults:
        sys.exit("\n".join(results.faults))


if __name__ == "__main__":
    main()
