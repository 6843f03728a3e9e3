"""What a million facts cost to export: `python -m tests.benchmarks.exports_at_scale [--rows N]`, with both addresses.

CSV is compared with a COPY of the same rows to a file by the driver alone, in turns; the memory is that of the process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import asyncpg
import sqlalchemy as sa

from services.impact.exports import store, streaming
from services.impact.exports.schemas import Dataset, Format
from services.impact.facts.tables import ActivityFacts
from services.impact.statistics.rules import Asked
from services.kernel.runtime import Runtime
from tests.harness.databases import Databases, settings

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
    statement = f"INSERT INTO impact.activity_facts ({', '.join(values)}) SELECT {', '.join(values.values())}"
    await connection.execute(f"{statement} FROM generate_series(1, $1::int) AS number", count, timeout=600)
    await connection.execute("VACUUM ANALYZE impact.activity_facts", timeout=600)


async def plain(connection: asyncpg.Connection, file: Path) -> float:
    """Seconds of a COPY of the table's own columns to a file."""
    begun = time.perf_counter()
    await connection.copy_from_query(FOUND.sql(harmless=False), output=file, format="csv", header=True, timeout=600)
    return time.perf_counter() - begun


async def exported(runtime: Runtime, shape: Format, file: Path) -> float:
    """Seconds of an export to a file."""
    begun = time.perf_counter()
    with file.open("wb") as opened:  # As the driver writes its own.
        async for piece in streaming.pieces(runtime, FOUND, shape, {}):
            opened.write(piece.data)
    return time.perf_counter() - begun


def mebibytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _size(file: Path) -> float:
    return file.stat().st_size / 2**20


async def run(count: int) -> None:
    """A tenth of the rows, then all of them."""
    made = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await made.make_template()
    async with made.fresh() as url:
        connection = await asyncpg.connect(url)
        runtime = Runtime(settings(url, os.environ["REDIS_URL"]), role="impact")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "facts"
            await fill(connection, count // 10)
            for shape in Format:
                await exported(runtime, shape, file)
                print(f"{count // 10:>10,} rows: {shape.value:<8} the process had {mebibytes():.0f} MiB at most")
            await fill(connection, count - count // 10)
            before = mebibytes()
            pairs = [(await plain(connection, file), await exported(runtime, Format.CSV, file)) for _ in range(3)]
            ratio = statistics.median(export / copy for copy, export in pairs)
            best, more = min(export for _, export in pairs), mebibytes() - before
            print(f"{count:>10,} rows: csv      {count / best:,.0f} rows/s, {ratio:.2f}x the time of a COPY to a file")
            print(f"{count:>10,} rows: csv      {_size(file):.0f} MiB, {more:.1f} MiB more memory")
            before = mebibytes()
            seconds = await exported(runtime, Format.PARQUET, file)
            print(f"{count:>10,} rows: parquet  {count / seconds:,.0f} rows/s")
            print(f"{count:>10,} rows: parquet  {_size(file):.0f} MiB, {mebibytes() - before:.1f} MiB more memory")
        await runtime.close()
        await connection.close()
    await made.drop_template()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asyncio.run(run(parser.parse_args().rows))


if __name__ == "__main__":
    main()
