"""What others feel of one client that behaves badly: `python3 deploy bench bad_clients [--quick]`.

The same readers by turns beside it and without it: one that sends 10 MB again and again, one that hardly reads on many
connections, one that sends nonsense. Neither their answers nor, by more than half, their slowest hundredth may change.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from deploy import places
from tests.benchmarks import load, misbehaving, pairs
from tests.benchmarks.load import Seen, Task, Wanted, get
from tests.benchmarks.reads import ACTIVITIES, LIST, LOAD_CORE, UPCOMING, WEEK, Results, filled, known, server
from tests.harness.databases import SECRET, Databases

CONNECTIONS = 8
HEAD_START_SECONDS = 0.2
MOST_TIMES_P99 = 1.5
MOST_MORE_MB = 30.0
REFUSED = {"400", "404", "408", "411", "413", "414", "422", "429", "431", "501", "505"}


class Beside:
    """Well-behaved readers of a port, alone or beside one who is not."""

    def __init__(self, port: int, wanted: list[Wanted]) -> None:
        self.port, self.wanted = port, wanted
        self.answered: Counter[str] = Counter()

    def alone(self, seconds: float) -> Seen:
        """Readers alone."""
        return load.run(Task(self.port, self.wanted, CONNECTIONS, seconds, LOAD_CORE))

    def beside(self, kind: str) -> Callable[[float], Seen]:
        """Readers beside such a client, which begins before them and ends after them."""

        def asked(seconds: float) -> Seen:
            more = str(seconds + 4 * HEAD_START_SECONDS)
            command = [sys.executable, "-m", "tests.benchmarks.misbehaving", str(self.port), kind, more]
            with subprocess.Popen(command, cwd=load.REPOSITORY, stdout=subprocess.PIPE, text=True) as other:
                pairs.pin(other.pid, LOAD_CORE)
                time.sleep(HEAD_START_SECONDS)
                seen = self.alone(seconds)
                told, _ = other.communicate(timeout=60)
            self.answered.update(json.loads(told))
            return seen

        return asked


async def run(results: Results, *, activities: int) -> None:
    """All of it, on a database of its own."""
    made = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await made.make_template()
    try:
        async with made.fresh() as url:
            identity, _ = await filled(url, os.environ["REDIS_URL"], activities)
            with places.thrown_away() as folder:
                environment = {
                    "DATABASE_URL": url,
                    "SOCIALERASMUS_SECRET": SECRET,
                    "SOCIALERASMUS_ENVIRONMENT": "test",
                    "SOCIALERASMUS_READS_A_MINUTE": "10000000",
                    "SOCIALERASMUS_WRITES_A_MINUTE": "10000000",
                    "SOCIALERASMUS_MAILBOX": str(folder),
                }
                arguments = ("services", "api", "activities", "--port", "PORT")
                with server(folder, "activities", *arguments, **environment) as (port, pid, _):
                    await asyncio.to_thread(_measure, results, port, pid, identity)
    finally:
        await made.drop_template()


def _measure(results: Results, port: int, pid: int, identity: str) -> None:
    wanted = []
    for address in (UPCOMING, f"{LIST}/{identity}", WEEK):
        request, status, _, body = known(port, get(address))
        wanted.append(Wanted(request, status, body))
    kinds = ("malformed",) if results.length is pairs.SHORTEST else misbehaving.KINDS
    for kind in kinds:
        readers = Beside(port, wanted)
        before = pairs.memory_mb(pid)
        made = pairs.measure(
            f"readers beside {kind}",
            readers.beside(kind),
            readers.alone,
            reference_name="the same alone",
            goal=None,
            pids=(pid, pid),
            length=results.length,
        )
        results.add(made)
        results.say(f"{kind}, p99 of that alone", made.p99_ms[0] / max(0.001, made.p99_ms[1]), "", MOST_TIMES_P99)
        results.say(f"{kind}, more memory", pairs.memory_mb(pid) - before, "MB", MOST_MORE_MB)
        print(f"  {kind} was answered {dict(readers.answered)}", flush=True)
        results.told[f"{kind}, answered"] = dict(readers.answered)
        wrong = set(readers.answered) - REFUSED - {"none", "read"}
        if wrong or not readers.answered.total():
            results.faults.append(f"{kind} was answered {dict(readers.answered)}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short pairs of each, on a small catalogue")
    parser.add_argument("--json", type=Path, help="where the results go")
    arguments = parser.parse_args()
    results = Results(pairs.QUICK if arguments.quick else pairs.FULL)
    asyncio.run(run(results, activities=ACTIVITIES["quick"]))
    if arguments.json:
        arguments.json.write_text(json.dumps(results.told, indent=1))
    if results.faults:
        sys.exit("\n".join(results.faults))


if __name__ == "__main__":
    main()
