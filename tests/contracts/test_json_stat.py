"""Our JSON-stat as the toolkit of its author reads it: the numbers of the JSON, cell by cell."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from decimal import Decimal
from typing import Any

from tests.contracts.conftest import Validators
from tests.harness import shapes
from tests.harness.databases import Databases
from tests.harness.figures import STATISTICS, held, network_with

DAY = date(2026, 11, 11)
ROWS = [
    held("IT-SASS-ESN", date(2026, 5, 6), edition="2026-spring", sdgs=[13, 14], hours=Decimal("20.25")),
    held("IT-SASS-ESN", DAY, edition="2026-autumn", sdgs=[13], international=9,
         quantities={("waste", "kg"): Decimal("130.5"), ("waste", "t"): Decimal(1)}),
    held("PT-PORT-ESN", DAY, edition=None, unclassified=7, hours=None),
]  # fmt: skip
QUESTIONS: list[tuple[str, dict[str, str]]] = [
    (STATISTICS, {"by": "country,edition", "measures": "activities,hours,quantities,share_international"}),
    (STATISTICS, {"by": "section,participant_class"}),
    (STATISTICS, {"by": "section", "edition": "2026-autumn", "compare": "previous"}),
    ("/impact/v1/growth", {}),
    ("/impact/v1/rankings", {"by": "most_improved", "edition": "2026-autumn"}),
]


async def test_the_toolkit_of_json_stats_author_reads_the_same_numbers(
    validators: Validators, databases: Databases, redis_url: str
) -> None:
    sections = ["IT-SASS-ESN", "PT-PORT-ESN"]
    editions = [("2026-spring", date(2026, 5, 4), date(2026, 5, 17)), ("2026-autumn", date(2026, 11, 9), DAY)]
    answers, given = [], []
    async with network_with(databases, redis_url, ROWS, sections=sections, editions=editions) as network:
        for address, query in QUESTIONS:
            answers.append((await network.client.get(address, params=query)).json())
            given.append((await network.client.get(f"{address}.jsonstat", params=query)).json())
    read = await asyncio.to_thread(validators.judged, "cubes.mjs", given=json.dumps(given))
    first, split, compared, growth, ranking = map(_cells, read)
    assert first == _told(shapes.of_statistics(answers[0]))
    assert split == _told(shapes.of_statistics(answers[1]))
    assert compared == _told(shapes.of_compared(answers[2], ["section"]))
    assert growth == _told(shapes.of_compared(answers[3], ["edition"]))
    assert ranking == _told(shapes.of_ranking(answers[4], ["place", "value", "numerator", "denominator"]))
    assert {each["kind"] for each in read} == {"dataset"}
    assert {"time": ["edition"], "geo": ["country"], "metric": ["measure"]}.items() <= read[0]["role"].items()
    assert "ESN IT-SASS-ESN" in read[1]["labels"][0]


def _cells(read: dict[str, Any]) -> dict[tuple[Any, ...], float | None]:
    found = {}
    for codes, value, status in read["cells"]:
        *key, measure = [None if code == "_U" else code for code in codes]
        assert value is None or status is None
        if value is not None or status is not None:
            found[*key, *measure.removeprefix("quantities:").split(":")] = value
    return found


def _told(cells: shapes.Cells) -> dict[tuple[Any, ...], float | None]:
    return {key: None if value is None else float(value) for key, value in cells.items()}
