"""Facts of activities as CSV and Parquet beside a COPY of them to a file: `python3 deploy bench export [--quick]`.

Over the same way as HTTP sends them, piece by piece; the rows are counted, those of Parquet by a reader. The memory is
that of the process, which must not grow with the rows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import pyarrow.parquet as pq
import sqlalchemy as sa

from services.impact.exports import store, streaming
from services.impact.exports.schemas import Dataset, Format
from services.impact.facts.tables import ActivityFacts
from services.impact.statistics.rules import Asked
from services.kernel import logs
from tests.benchmarks import facts, pairs
from tests.benchmarks.facts import Scale
from tests.benchmarks.load import Seen
from tests.benchmarks.reads import Results

ROWS = {"full": 1_000_000, "quick": 20_000, "shortest": 2_000}
GOALS = {Format.CSV: 0.9, Format.PARQUET: 0.6}
MOST_MORE_MB = 30.0
FOUND = store.rows(Dataset.FACTS, Asked((), ()))
_KNOWN = {
    "activity_id": "gen_random_uuid()",
    "labels": "'{area:environment,cause:culture,sdg:13}'",
    "reports": "1",
    "starts_on": "DATE '2012-09-01' + number % 5000",
    "section": "'IT-S' || number % 600",
    "hours": "number % 97 / 4.0",
}


async def fill(connection: asyncpg.Connection, count: int) -> None:
    """As many facts."""
    values = {
        each.name: _KNOWN.get(each.name, "'environment'" if isinstance(each.type, sa.Text) else "number % 40")
        for each in ActivityFacts.__table__.columns
    }
    names = ", ".join(f'"{name}"' for name in values)
    statement = f"INSERT INTO impact.activity_facts ({names}) SELECT {', '.join(values.values())}"
    await connection.execute(f"{statement} FROM generate_series(1, $1::int) AS number", count, timeout=600)
    await connection.execute("VACUUM ANALYZE impact.activity_facts", timeout=600)


async def plain(scale: Scale, file: Path, count: int) -> Seen:
    """A COPY of the same rows to a file, by the driver alone."""
    begun = time.perf_counter()
    sql = FOUND.sql(harmless=False)
    await scale.connection.copy_from_query(sql, output=file, format="csv", header=True, timeout=600)
    seconds = time.perf_counter() - begun
    return Seen(count, wrong=int(_lines(file) != count + 1), seconds=seconds, took=[seconds])


async def exported(scale: Scale, shape: Format, file: Path, count: int) -> Seen:
    """An export to a file."""
    begun = time.perf_counter()
    with file.open("wb") as opened:  # As the driver writes its own.
        async for piece in streaming.pieces(scale.impact.runtime, FOUND, shape, {}):
            opened.write(piece.data)
    seconds = time.perf_counter() - begun
    there = _lines(file) - 1 if shape is Format.CSV else pq.read_metadata(file).num_rows
    return Seen(count, wrong=int(there != count), seconds=seconds, took=[seconds])


def _lines(file: Path) -> int:
    with file.open("rb") as opened:
        return sum(piece.count(b"\n") for piece in iter(lambda: opened.read(1 << 20), b""))


def mebibytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(results: Results) -> None:
    """A tenth of the rows, then all of them, on a database of its own."""
    count = ROWS[results.length.name]
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        opened = facts.scale()
        scale, file = runner.run(opened.__aenter__()), Path(folder) / "facts"
        try:
            runner.run(fill(scale.connection, count // 10))
            for shape in Format:
                runner.run(exported(scale, shape, file, count // 10))
            runner.run(fill(scale.connection, count - count // 10))
            server = runner.run(facts.server_cpu(scale.connection))
            for shape in Format:
                before = mebibytes()
                runner.run(exported(scale, shape, file, count))
                results.say(
                    f"{shape.value}, more memory for ten times the rows", mebibytes() - before, "MB", MOST_MORE_MB
                )
                results.add(
                    pairs.measure(
                        f"{count:,} rows of {shape.value}",
                        lambda _, shape=shape: runner.run(exported(scale, shape, file, count)),  # type: ignore[misc]
                        lambda _: runner.run(plain(scale, file, count)),
                        reference_name="COPY to a file",
                        goal=GOALS[shape],
                        pids=(server, server),
                        length=results.length,
                        spent=facts.cpu_seconds,
                    )
                )
        finally:
            runner.run(opened.__aexit__(None, None, None))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two pairs of each, of few rows")
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
