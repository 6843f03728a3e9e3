"""Reads of the catalogue against the least that a server can do: `python3 deploy bench reads [--quick]`.

`python -m tests.benchmarks.reads`, with DATABASE_URL and REDIS_URL, does the same on servers that there are.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from deploy import places, ports
from deploy import processes as children
from tests.benchmarks import load, pairs
from tests.benchmarks.catalogue_at_scale import fill
from tests.benchmarks.load import Seen, Task, Wanted, get
from tests.benchmarks.pairs import Length
from tests.harness import databases as harness
from tests.harness.databases import SECRET, Databases

LIST = "/activities/v1/activities"
UPCOMING = f"{LIST}?from=2026-11-15T12:00:00Z&limit=20"
WEEK = f"{LIST}?edition=2026-autumn&country=IT&limit=20"
WIDGET = f"{LIST}?from=2026-11-15T12%3A00%3A00.000Z&lang=it&limit=20&section={{section}}"
ACTIVITIES = {"full": 100_000, "quick": 2_000, "shortest": 300}
EDITS = {"full": 200, "quick": 15, "shortest": 3}
GOAL_FRESH_MS = 5.0
SERVER_CORE, LOAD_CORE = 0, 1


class Results:
    """What was measured, and whether every answer was right."""

    def __init__(self, length: Length) -> None:
        self.length = length
        self.told: dict[str, Any] = {"length": length.name, "measures": {}, "limits": {}}
        self.faults: list[str] = []

    def add(self, made: pairs.Measure) -> None:
        """Keep a measure and print it."""
        print(made.line(), flush=True)
        self.told["measures"][made.name] = made.told()
        if made.wrong or not made.replies:
            self.faults.append(f"{made.name}: {made.wrong} wrong answers, {made.replies} right ones")

    def say(self, name: str, value: float, unit: str, goal: float | None = None) -> None:
        """Keep a figure that has no reference and print it."""
        verdict = "" if goal is None else f"  goal {goal:g} {'ok' if value <= goal else 'MISSED'}"
        print(f"  {name:<36} {value:8.2f} {unit}{verdict}", flush=True)
        self.told[name] = value
        if goal is not None:
            self.told["limits"][name] = {"value": value, "unit": unit, "goal": goal}


@contextmanager
def server(folder: Path, name: str, *arguments: str, **environment: str) -> Iterator[tuple[int, int, Path]]:
    """A process on the servers' core, with its port for `PORT` among the arguments: port, number and log."""
    port, log = ports.free(), folder / f"{name}.log"
    command = [sys.executable, "-m", *(str(port) if part == "PORT" else part for part in arguments)]
    told = {**os.environ, "PYTHONPATH": str(load.REPOSITORY), **environment}
    process = children.spawn(command, cwd=load.REPOSITORY, environment=told, log=log)
    pairs.pin(process.pid, SERVER_CORE)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=5)
                connection.connect()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} did not start: {children.last_line(log)}") from None
                time.sleep(0.05)
        connection.close()
        yield port, process.pid, log
    finally:
        children.kill(process)


def asked(port: int, request: str) -> tuple[int, list[tuple[str, str]], str]:
    """One reply, as it is."""
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=30)
    try:
        path = request.split()[1]
        headers = dict(line.split(": ", 1) for line in request.split("\r\n")[1:] if line)
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        body = reply.read().decode()
        return reply.status, [(name, value) for name, value in reply.getheaders() if name != "date"], body
    finally:
        connection.close()


def known(port: int, request: str) -> tuple[str, int, list[tuple[str, str]], str]:
    """A request that is answered from memory from now on, with its reply, asked until two are the same."""
    first = asked(port, request)
    status, headers, body = asked(port, request)
    assert (status, _alike(headers), body) == (first[0], _alike(first[1]), first[2]), "memory tells something else"
    assert status in {200, 304}, (request, status, body[:500])
    return request, status, headers, body


def _alike(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    own = {"trace-id", "ratelimit"}
    return [(name, "") if name in own else (name, value) for name, value in headers]


class Reads:
    """The product's process and what it is measured against."""

    def __init__(self, results: Results, folder: Path, port: int, pid: int) -> None:
        self.results, self.folder, self.port, self.pid = results, folder, port, pid

    def asking(self, port: int, wanted: list[Wanted], connections: int = 32) -> Callable[[float], Seen]:
        """Load on a port, for so many seconds."""
        return lambda seconds: load.run(Task(port, wanted, connections, seconds, LOAD_CORE))

    def against_constant(self, name: str, request: str, goal: float, *, to: str | None = None) -> None:
        """A known read against a bare application that sends the bytes of `to`, which is the same unless given."""
        request, status, _, body = known(self.port, request)
        _, told, headers, bytes_of = known(self.port, to or request)
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps({"status": told, "headers": headers, "body": bytes_of}))
        with server(self.folder, f"constant {name}", "tests.benchmarks.constant", "PORT", str(file), "asgi") as beside:
            port, pid, _ = beside
            self.results.add(
                pairs.measure(
                    name,
                    self.asking(self.port, [Wanted(request, status, body)]),
                    self.asking(port, [Wanted(to or request, told, bytes_of)]),
                    reference_name=f"constant {told}, {len(bytes_of)} B",
                    goal=goal,
                    pids=(self.pid, pid),
                    length=self.results.length,
                )
            )

    def ceiling(self) -> None:
        """What the load generator can do where the server does next to nothing."""
        _, told, headers, body = known(self.port, get(UPCOMING))
        file = self.folder / "ceiling.json"
        file.write_text(json.dumps({"status": told, "headers": headers, "body": body}))
        with server(self.folder, "ceiling", "tests.benchmarks.constant", "PORT", str(file), "socket") as (port, _, _):
            seen = self.asking(port, [Wanted(get(UPCOMING), told, body)])(self.results.length.seconds)
        self.results.say("ceiling of the generator, 200", seen.rate, "/s")

    def cold(self, activities: int, database_url: str) -> None:
        """Lists that nobody asked for before, against asyncpg and a fast serialiser in the usual framework."""
        started = time.time_ns() // 1_000_000 % 10**8
        count = int(2000 * self.results.length.seconds)

        def ours(seconds: float) -> Seen:
            nonlocal started
            started += count
            wanted = [Wanted(get(_nobody_asked(started + number)), 200) for number in range(count)]
            return load.run(Task(self.port, wanted, 32, seconds, LOAD_CORE))

        def theirs(seconds: float) -> Seen:
            wanted = [Wanted(get(_nobody_asked(started + number)), 200) for number in range(count)]
            return load.run(Task(port, wanted, 32, seconds, LOAD_CORE))

        arguments = ("uvicorn", "tests.benchmarks.usual:app", "--port", "PORT", "--no-access-log")
        with server(self.folder, "usual", *arguments, BENCHMARK_DATABASE_URL=database_url) as (port, pid, _):
            self.results.add(
                pairs.measure(
                    f"cold list of {activities}",
                    ours,
                    theirs,
                    reference_name="asyncpg + msgspec, FastAPI",
                    goal=2.0,
                    pids=(self.pid, pid),
                    length=self.results.length,
                )
            )

    async def fresh(self, database_url: str, identity: str, path: str) -> None:
        """From a commit elsewhere until it is seen, by somebody who asks again and again."""
        connection = await asyncpg.connect(database_url)
        client = http.client.HTTPConnection(ports.LOOPBACK, self.port, timeout=30)
        edits = EDITS[self.results.length.name]
        old, new = [], []
        statement = (
            "UPDATE activities.activities SET revision = revision + 1, document = "
            """regexp_replace(document, '"title":"[^"]*"', '"title":"' || $2 || '"') WHERE id = $1"""
        )
        try:
            for number in range(edits):
                mark = f"edit {number:06}"
                await connection.execute(statement, identity, mark)
                committed = time.perf_counter()
                last_old, is_seen = 0.0, False
                while not is_seen and time.perf_counter() < committed + 5:
                    asked_at = time.perf_counter()
                    client.request("GET", path)
                    is_seen = mark.encode() in client.getresponse().read()
                    if not is_seen:
                        last_old = asked_at - committed
                if not is_seen:
                    self.results.faults.append(f"edit {number} was not seen within 5 s")
                old.append(last_old * 1000)
                new.append((time.perf_counter() - committed) * 1000)
                await asyncio.sleep(0.005)
        finally:
            client.close()
            await connection.close()
        at = int(edits * 0.99)
        self.results.say("asked latest after a commit, and old", max(old), "ms")
        self.results.say("old after a commit, p99", sorted(old)[at], "ms", GOAL_FRESH_MS)
        self.results.say("new in hand after a commit, p50", sorted(new)[edits // 2], "ms")
        self.results.say("new in hand after a commit, p99", sorted(new)[at], "ms", GOAL_FRESH_MS)
        self.results.say("old at the first look", sum(each > 0 for each in old) / edits * 100, "%")

    def access_lines(self, log: Path) -> None:
        """Every reply has its line, from memory or not."""
        lines = [json.loads(line) for line in log.read_text().splitlines() if '"event": "request"' in line]
        odd = {tuple(sorted(line)) for line in lines}
        if len(odd) != 1:
            self.results.faults.append(f"access lines differ: {odd}")
        self.results.told["access_lines"] = len(lines)


def _nobody_asked(number: int) -> str:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_790_000_000 + number % 2_000_000))
    country = ("IT", "ES", "PL", "DE", "PT")[number % 5]
    return f"{LIST}?from={moment}.{number % 1000:03}Z&country={country}"


async def filled(database_url: str, redis_url: str, activities: int) -> tuple[str, str]:
    """Put so many activities there; answers one that is upcoming and its section."""
    settings = harness.settings(database_url, redis_url)
    await fill(database_url, settings, activities)
    connection = await asyncpg.connect(database_url)
    try:
        row = await connection.fetchrow(
            """SELECT id, section_codes[1] AS section FROM activities.activities
               WHERE state = 'published' AND starts_at >= '2026-11-15T12:00Z' ORDER BY starts_at, id LIMIT 1"""
        )
        return str(row["id"]), row["section"]
    finally:
        await connection.close()


async def run(results: Results, *, activities: int) -> None:
    """All of it, on a database of its own."""
    made = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await made.make_template()
    try:
        async with made.fresh() as url:
            begun = time.monotonic()
            identity, section = await filled(url, os.environ["REDIS_URL"], activities)
            print(f"  {activities} activities in {time.monotonic() - begun:.1f} s", flush=True)
            with places.thrown_away() as folder:
                environment = {
                    "DATABASE_URL": url,
                    "SOCIALERASMUS_SECRET": SECRET,
                    "SOCIALERASMUS_ENVIRONMENT": "test",
                    "SOCIALERASMUS_READS_A_MINUTE": "10000000",
                    "SOCIALERASMUS_MAILBOX": str(folder),
                }
                arguments = ("services", "api", "activities", "--port", "PORT")
                with server(folder, "activities", *arguments, **environment) as (port, pid, log):
                    await _measure(Reads(results, folder, port, pid), url, identity, section, activities, log)
    finally:
        await made.drop_template()


async def _measure(reads: Reads, url: str, identity: str, section: str, activities: int, log: Path) -> None:
    results = reads.results
    one, widgets = get(f"{LIST}/{identity}"), get(WIDGET.format(section=section), Origin="https://a.example")
    # It listens to Postgres a moment after it serves.
    await asyncio.sleep(1.0)
    results.say("memory of the API, fresh", pairs.memory_mb(reads.pid), "MB")
    reads.against_constant("upcoming, 200", get(UPCOMING), 0.8)
    await reads.fresh(url, identity, UPCOMING)
    if results.length is not pairs.SHORTEST:
        results.say("idle, of a processor", pairs.idle_percent(reads.pid, 5 * results.length.seconds), "%")
        reads.ceiling()
        etag = dict(known(reads.port, get(UPCOMING))[2])["etag"]
        reads.against_constant("upcoming, 304", get(UPCOMING, If_None_Match=etag), 1.2, to=get(UPCOMING))
        reads.against_constant("one activity", one, 0.8)
        reads.against_constant("a Week in a country", get(WEEK), 0.8)
        reads.against_constant("the widget's", widgets, 0.8)
        reads.cold(activities, url)
        results.say("import of the API", _import_seconds(), "s", 1.2)
    results.say("memory of the API, after the run", pairs.memory_mb(reads.pid), "MB", 110.0)
    await asyncio.sleep(0.2)
    reads.access_lines(log)


def _import_seconds() -> float:
    took = []
    program = "import services.commands.running, services.activities.main"
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=load.REPOSITORY,
            check=True,
        )
        took.append(time.perf_counter() - begun)
    return sorted(took)[1]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short pairs of each, on a small catalogue")
    parser.add_argument("--activities", type=int)
    parser.add_argument("--json", type=Path, help="where the results go")
    arguments = parser.parse_args()
    results = Results(pairs.QUICK if arguments.quick else pairs.FULL)
    count = arguments.activities or ACTIVITIES[results.length.name]
    asyncio.run(run(results, activities=count))
    if arguments.json:
        arguments.json.write_text(json.dumps(results.told, indent=1))
    if results.faults:
        sys.exit("\n".join(results.faults))


if __name__ == "__main__":
    main()
