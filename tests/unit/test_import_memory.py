"""An import of a large file, with everything but the database: memory does not grow with the rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.kernel.import_report import Report
from services.kernel.importing import Stage, Written, carry_out, open_rows
from services.kernel.imports import Refused, Remark

ROWS = 100_000
PADDING = "x" * 1_000


class NoDatabase:
    """Stands for a runtime, its session and its savepoints."""

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[NoDatabase]:
        yield self

    begin_nested = unit_of_work


def resident() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def parse(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Remark]]:
    number = int(values["a"])
    if number % 10 == 1:
        raise Refused("a", "is odd")
    return values, [Remark("a", "is strange")] if number % 10 == 2 else []


async def write(*_: object) -> Written:
    return Written(changed=True)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("name", ["input.csv", "input.json"])
async def test_a_hundred_thousand_rows_need_little_more_memory_than_one(name: str, tmp_path: Path) -> None:
    source = tmp_path / name
    with source.open("w") as file:
        if name.endswith(".csv"):
            file.write("a,b\n")
            file.writelines(f"{number},{PADDING}\n" for number in range(ROWS))
        else:
            file.writelines(f'{"," if number else "["}{{"a": {number}, "b": "{PADDING}"}}' for number in range(ROWS))
            file.write("]")
    stage = Stage(NoDatabase(), "a", lambda row: str(row["a"]), parse, write)  # type: ignore[arg-type]
    peak = before = resident()

    def progress(_: int, __: int) -> None:
        nonlocal peak
        peak = max(peak, resident())

    with source.open("rb") as stream:
        rows = open_rows(stream, source, required=("a", "b"), optional=())
        with Report.beside(source, rows.header) as report:
            await carry_out(rows, [stage], report, progress=progress)
    assert (report.taken, report.refused, report.warnings) == (90_000, 10_000, 10_000)
    # The file has 100 MB; what is kept of each key, so that one that comes twice is found, takes some 30.
    assert peak - before < 64_000_000
