"""Facts from the log into every total against a bare COPY of the same rows: `python3 deploy bench folding [--quick]`.

Attendances of activities that have facts, and the first ones of activities that have none; then how soon one is visible
while 200 a second come. Afterwards a rebuild, which recounts everything, must find no difference.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import time
from functools import partial
from pathlib import Path
from uuid import UUID

from services.kernel import logs
from tests.benchmarks import facts, pairs
from tests.benchmarks.facts import PER_ACTIVITY, Scale
from tests.benchmarks.load import Seen
from tests.benchmarks.reads import Results
from tests.harness.databases import eventually
from tests.harness.impact import attendance

KNOWN = {"full": 1_000_000, "quick": 20_000, "shortest": 2_000}
TOLD = {"full": 60_000, "quick": 6_000, "shortest": 600}
SECONDS_VISIBLE = {"full": 20, "quick": 3, "shortest": 1}
RATE, BURST = 200, 10
GOAL = 0.06
"""What folding bare deltas has of a bare COPY, in the middle: 94,000 to 140,000 of 1.3 to 1.8 million."""
_SEEN = "SELECT coalesce(sum(attendances_international), 0)::bigint FROM impact.roll_ups WHERE grain = 'network'"


class Folding:
    """A network that is known, and more and more that is told of it."""

    def __init__(self, results: Results, scale: Scale, runner: asyncio.Runner) -> None:
        self.results, self.scale, self.runner = results, scale, runner
        self.count = TOLD[results.length.name]
        self._turns = map(str, itertools.count())
        self._fresh = 0

    def known(self, _: float) -> Seen:
        """Fold more attendances at activities that have facts."""
        return self._fold(1, max(1, min(self._known, self.count // PER_ACTIVITY)))

    def first(self, _: float) -> Seen:
        """Fold the first attendances of activities."""
        return self._fold(*self.runner.run(self.scale.add_activities(self.count // PER_ACTIVITY)))

    def bare(self, _: float) -> Seen:
        """COPY as many into a table of the same shape and key."""
        return self.runner.run(self._copy())

    def prepare(self, known: int) -> None:
        """Make what is known, and its totals."""
        self.runner.run(self.scale.grow(known))
        self._known = known // PER_ACTIVITY
        seconds, _ = self.runner.run(self.scale.rebuild())
        self.results.say(f"rebuild makes {known:,} facts", seconds, "s", 60.0)

    def _fold(self, first: int, last: int) -> Seen:
        told = self.runner.run(self.scale.tell(first, last, self.count // (last - first + 1), next(self._turns)))
        began = time.perf_counter()
        carried_out = self.runner.run(self.scale.impact.catch_up())
        seconds = time.perf_counter() - began
        return Seen(told, wrong=int(carried_out != told), seconds=seconds, took=[seconds])

    async def _copy(self) -> Seen:
        connection = self.scale.connection
        rows = await self.scale.bare(1, max(1, self.count // PER_ACTIVITY), PER_ACTIVITY, next(self._turns))
        await connection.execute("CREATE TABLE public.bare (LIKE impact.attendances INCLUDING ALL)")
        began = time.perf_counter()
        await connection.copy_records_to_table("bare", records=rows)
        seconds = time.perf_counter() - began
        await connection.execute("DROP TABLE public.bare")
        return Seen(len(rows), seconds=seconds, took=[seconds])

    async def visible(self, seconds: int) -> list[float]:
        """Milliseconds from the commit of attendances until the totals have them, at so many a second."""
        worker = asyncio.create_task(self.scale.impact.worker.run())
        connection, numbers, found = self.scale.connection, itertools.count(1), []
        known = [row[0] for row in await connection.fetch("SELECT activity_id FROM impact.activities LIMIT 200")]
        try:
            before = await connection.fetchval(_SEEN)
            for turn in range(RATE * seconds // BURST):
                began = time.perf_counter()
                told = [
                    attendance(known[number % len(known)], UUID(int=number, version=4), person_key=UUID(int=number))
                    for number in itertools.islice(numbers, BURST)
                ]
                await self.scale.impact.tell(told, wakes=True)
                committed = time.perf_counter()
                await eventually(partial(self._is_seen, before + (turn + 1) * BURST), every=0.002)
                found.append((time.perf_counter() - committed) * 1000)
                await asyncio.sleep(max(0.0, BURST / RATE - (time.perf_counter() - began)))
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        return found

    async def _is_seen(self, expected: int) -> None:
        assert await self.scale.connection.fetchval(_SEEN) >= expected


def run(results: Results) -> None:
    """All of it, on a database of its own."""
    with asyncio.Runner() as runner:
        opened = facts.scale()
        scale = runner.run(opened.__aenter__())
        try:
            _measure(Folding(results, scale, runner))
        finally:
            runner.run(opened.__aexit__(None, None, None))


def _measure(folding: Folding) -> None:
    results, length = folding.results, folding.results.length
    folding.prepare(KNOWN[length.name])
    server = folding.runner.run(facts.server_cpu(folding.scale.connection))
    for name, ours, goal in (
        ("folding, activities with facts", folding.known, GOAL),
        ("folding, first attendances", folding.first, None),
    ):
        measured = pairs.measure(
            name,
            ours,
            folding.bare,
            reference_name="COPY into a bare table",
            goal=goal,
            pids=(server, server),
            length=length,
            spent=facts.cpu_seconds,
        )
        results.add(measured)
    took = folding.runner.run(folding.visible(SECONDS_VISIBLE[length.name]))
    results.say(f"visible at {RATE} facts/s, p50", statistics.median(took), "ms")
    results.say(f"visible at {RATE} facts/s, p99", statistics.quantiles(took, n=100)[-1], "ms", 1000.0)
    seconds, differences = folding.runner.run(folding.scale.rebuild())
    results.say("rebuild of all of it", seconds, "s", 60.0)
    if differences:
        results.faults.append(f"a recount finds {differences} differences")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short pairs of each, on few facts")
    parser.add_argument("--json", type=Path, help="where the results go")
    arguments = parser.parse_args()
    logs.configure("WARNING", service="benchmark")
    results = Results(pairs.QUICK if arguments.quick else pairs.FULL)
    run(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results.told, indent=1))
    if results.faults:
        sys.exit("\n".join(results.faults))


if __name__ == "__main__":
    main()
