"""What a service says to Postgres: the statements of a block, and the plans that Postgres makes for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import asyncpg
import sqlalchemy as sa

from services.kernel.runtime import Runtime


class Statement(NamedTuple):
    """A statement with the values that it was sent with."""

    text: str
    values: tuple[Any, ...]


@contextmanager
def recorded(runtime: Runtime) -> Iterator[list[Statement]]:
    """The statements that a service sends while the block runs."""
    found: list[Statement] = []

    def remember(_connection: Any, _cursor: Any, text: str, values: Any, _context: Any, _many: bool) -> None:
        found.append(Statement(text, tuple(values)))

    engines = [each.sync_engine for each in (runtime.engine, runtime.glancing_engine, runtime.grouping_engine)]
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", remember)
    try:
        yield found
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", remember)


async def plan(
    connection: asyncpg.Connection, statement: Statement, *, before: Statement | None = None, run: bool = False
) -> dict[str, Any]:
    """The plan of a statement for its own values, as Postgres describes it; `before` sets up the transaction."""
    how = "ANALYZE, BUFFERS, FORMAT JSON" if run else "FORMAT JSON"
    async with connection.transaction():
        if before is not None:
            await connection.fetch(before.text, *before.values)
        text = await connection.fetchval(f"EXPLAIN ({how}) {statement.text}", *statement.values)
    described: dict[str, Any] = json.loads(text)[0]
    return described


def nodes(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every step of a plan."""
    waiting = [described["Plan"]]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.get("Plans", [])


def scans(described: dict[str, Any]) -> set[str]:
    """How the plan gets at rows: the names of indexes, and `Seq Scan on activities` for what is read as a whole."""
    return {
        node["Index Name"] if "Index Name" in node else f"Seq Scan on {node['Relation Name']}"
        for node in nodes(described)
        if "Index Name" in node or node["Node Type"] == "Seq Scan"
    }


def rows_read(described: dict[str, Any]) -> int:
    """How many rows, or entries of an index, the scans of a plan that was run have read, thrown away ones included."""
    return sum(count for _, count in reads(described))


def reads(described: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Each scan of a plan that was run: its kind, and how many rows, or entries of an index, it has read."""
    thrown_away = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    for node in nodes(described):
        if node["Node Type"].endswith("Scan") and ("Relation Name" in node or "Index Name" in node):
            rows = node["Actual Rows"] + sum(node.get(each, 0) for each in thrown_away)
            yield node["Node Type"], round(node["Actual Loops"] * rows)
