"""Questions to the statistics at ten times the facts, and a GROUP BY: `python3 deploy bench statistics [--quick]`.

Two databases of one network, one with ten times the activities: a question has the same answer with other numbers in
it, or may take as much longer as its answer has more rows; every answer is that of a GROUP BY of the raw rows.
`--ten-million` compares a million facts with ten.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.facts.rules import Figures
from services.impact.pages import describing
from services.impact.pages.rules import View
from services.impact.statistics import network, standing, store
from services.impact.statistics.measures import DEFAULT_MEASURES
from services.impact.statistics.rules import Asked
from services.kernel import logs
from tests.benchmarks import facts, pairs
from tests.benchmarks.facts import Scale
from tests.benchmarks.load import Seen
from tests.benchmarks.reads import Results

FACTS = {"full": 100_000, "quick": 5_000, "shortest": 1_000}
TEN_MILLION = 1_000_000
LONG = pairs.Length("full", pairs=5, seconds=1.0)
MOST_TIMES_SLOWER, TIMES_FASTER = 1.2, 150.0
_YEAR = "starts_on BETWEEN '2020-08-01' AND '2021-07-31'"
QUESTIONS: dict[str, tuple[Asked, str]] = {
    "by country": (Asked(("country",), DEFAULT_MEASURES), "TRUE"),
    "one edition by country": (
        Asked(("country",), DEFAULT_MEASURES, {"edition": ("2020-autumn",)}),
        "edition = '2020-autumn'",
    ),
    "by edition": (Asked(("edition",), DEFAULT_MEASURES), "TRUE"),
    "one year by section": (Asked(("section",), DEFAULT_MEASURES, {"academic_year": ("2020/21",)}), _YEAR),
    "one country by month": (Asked(("month",), DEFAULT_MEASURES, {"country": ("PL",)}), "country = 'PL'"),
    "one year by area and cause": (
        Asked(("area", "cause"), DEFAULT_MEASURES, {"academic_year": ("2020/21",)}),
        _YEAR,
    ),
}
RAW = {
    "country": "country", "section": "section", "edition": "edition", "month": "to_char(starts_on, 'YYYY-MM')",
    "area": "areas[1]", "cause": "causes[1]",
}  # fmt: skip
_COLUMNS = ("attendances", "checked_in_hours")


async def _answer(asked: Asked, session: AsyncSession) -> dict[Any, tuple[int, Any]]:
    groups = await store.groups(session, asked, most=20_000)
    await store.completeness(session, asked)
    await store.sources(session, asked)
    return {group.key: (group.figures.attendances, group.figures.checked_in_hours) for group in groups}


async def _page(view: View, session: AsyncSession) -> Any:
    shown = await describing.show(session, view)
    assert shown is not None
    return len(shown.tables)


async def _standing(session: AsyncSession) -> Any:
    return len((await standing.completeness(session, Asked((), ()), reported=None, inactive=None)).items)


async def _since(session: AsyncSession) -> Any:
    return await network.first_days(session, Figures._fields)


OTHERS: dict[str, Callable[[AsyncSession], Awaitable[Any]]] = {
    "the page of everything": partial(_page, View()),
    "the page of an edition": partial(_page, View({"edition": "2020-autumn"})),
    "which sections have reported": _standing,
    "since when each measure is counted": _since,
}
"""What is compared with itself alone."""


async def _asked(scale: Scale, ask: Callable[[AsyncSession], Awaitable[Any]], seconds: float, right: Any) -> Seen:
    seen, begun = Seen(), time.perf_counter()
    while not seen.took or time.perf_counter() - begun < seconds:
        async with scale.impact.runtime.reading() as session:
            before = time.perf_counter()
            answer = await ask(session)
            seen.took.append(time.perf_counter() - before)
        seen.wrong += int(right is not None and answer != right)
    seen.replies, seen.seconds = len(seen.took), sum(seen.took)
    return seen


async def _grouped(scale: Scale, asked: Asked, where: str) -> tuple[Seen, dict[Any, tuple[int, Any]]]:
    by = [RAW[name] for name in asked.by]
    begun = time.perf_counter()
    rows = await scale.connection.fetch(
        f"""SELECT {", ".join(by)}, count(*), coalesce(sum(hours), 0) FROM impact.attendances
        JOIN impact.activities USING (activity_id) WHERE present AND {where}
        GROUP BY {", ".join(map(str, range(1, len(by) + 1)))}""",
        timeout=600,
    )
    seconds = time.perf_counter() - begun
    return Seen(1, seconds=seconds, took=[seconds]), {tuple(row)[:-2]: (row[-2], row[-1]) for row in rows}


def run(results: Results, *, first: int) -> None:
    """All of it, on databases of its own."""
    with asyncio.Runner() as runner:
        opened = AsyncExitStack()
        try:
            small, large = (runner.run(opened.enter_async_context(facts.scale())) for _ in range(2))
            for scale, count in ((small, first), (large, 10 * first)):
                runner.run(scale.grow(count))
                seconds, _ = runner.run(scale.rebuild())
                results.say(f"rebuild makes {count:,} facts", seconds, "s", 60.0 if count <= TEN_MILLION else None)
                seconds, differences = runner.run(scale.rebuild())
                results.say(f"rebuild compares {count:,} facts", seconds, "s", 60.0 if count <= TEN_MILLION else None)
                if differences:
                    results.faults.append(f"the second rebuild finds {differences} differences")
            _compare(results, runner, small, large)
        finally:
            runner.run(opened.aclose())


def _compare(results: Results, runner: asyncio.Runner, small: Scale, large: Scale) -> None:
    server = runner.run(facts.server_cpu(large.connection))
    told: dict[str, Any] = {"pids": (server, server), "length": results.length, "spent": facts.cpu_seconds}
    grows = {"reference_name": "itself at a tenth", **told}

    def asking(scale: Scale, ask: Callable[[AsyncSession], Awaitable[Any]], right: Any) -> Callable[[float], Seen]:
        return lambda seconds: runner.run(_asked(scale, ask, seconds, right))

    for name, (asked, where) in QUESTIONS.items():
        right = {scale: runner.run(_grouped(scale, asked, where))[1] for scale in (small, large)}
        ours = asking(large, partial(_answer, asked), right[large])
        results.add(
            pairs.measure(
                f"{name}, against raw rows",
                ours,
                lambda _, asked=asked, where=where: runner.run(_grouped(large, asked, where))[0],  # type: ignore[misc]
                reference_name="GROUP BY of the raw rows",
                goal=TIMES_FASTER if large.activities * facts.PER_ACTIVITY > TEN_MILLION else None,
                **told,
            )
        )
        # The total is a row of each answer.
        goal = (1 + len(right[small])) / (1 + len(right[large])) / MOST_TIMES_SLOWER
        tenth = asking(small, partial(_answer, asked), right[small])
        results.add(pairs.measure(f"{name}, ten times", ours, tenth, goal=goal, **grows))
    for name, ask in OTHERS.items():
        ours, tenth = asking(large, ask, None), asking(small, ask, None)
        results.add(pairs.measure(f"{name}, ten times", ours, tenth, goal=1 / MOST_TIMES_SLOWER, **grows))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short pairs of each, on few facts")
    parser.add_argument("--ten-million", action="store_true", help="a million facts and ten, which takes half an hour")
    parser.add_argument("--json", type=Path, help="where the results go")
    arguments = parser.parse_args()
    logs.configure("WARNING", service="benchmark")
    results = Results(pairs.QUICK if arguments.quick else LONG if arguments.ten_million else pairs.FULL)
    run(results, first=TEN_MILLION if arguments.ten_million else FACTS[results.length.name])
    if arguments.json:
        arguments.json.write_text(json.dumps(results.told, indent=1))
    if results.faults:
        sys.exit("\n".join(results.faults))


if __name__ == "__main__":
    main()
