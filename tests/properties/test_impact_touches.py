"""Touches of several labels, and of several dimensions, are those that somebody counts by hand: each activity once."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from services.impact.statistics import answering
from tests.harness.catalogue import get
from tests.harness.databases import Databases
from tests.harness.figures import STATISTICS, Row, held, network_with
from tests.harness.network import Network
from tests.harness.refusals import refused

LABELS: dict[str, list[Any]] = {
    "area": ["environment", "animals", "health"],
    "cause": ["culture", "education", "inclusion"],
    "sdg": [3, 13, 14],
    "objective": ["waste", "trees", "blood"],
}
PLURAL = {name: f"{name}s" for name in LABELS}
SECTIONS = ["IT-SASS-ESN", "IT-MILA-STA", "PT-PORT-ESN"]
FIRST = date(2026, 3, 1)


def _made(seed: int) -> list[Row]:
    dice = random.Random(seed)
    return [
        held(
            dice.choice(SECTIONS),
            FIRST + timedelta(days=dice.randrange(200)),
            international=dice.randrange(40),
            hours=Decimal(dice.randrange(400)) / 4,
            outcome=dice.choice(["held", "held", "held", "shrunk"]),
            quantities={("waste", dice.choice(["kg", "t"])): Decimal(dice.randrange(1, 90))},
            **{PLURAL[name]: dice.sample(labels, dice.randrange(4)) for name, labels in LABELS.items()},
        )
        for _ in range(60)
    ]


ROWS = _made(7)


@pytest.fixture(scope="module")
async def figures(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    async with network_with(databases, redis_url, ROWS, sections=SECTIONS, editions=[]) as network:
        yield network


def _values(row: Row, name: str, chosen: list[Any]) -> list[Any]:
    """What of a dimension an activity counts at; of labels, those that were chosen where some were."""
    if name not in PLURAL:
        return [row[name]]
    return [label for label in row[PLURAL[name]] if not chosen or label in chosen]


def _counted(by: list[str], filters: dict[str, list[Any]]) -> tuple[dict[tuple[Any, ...], Any], Any]:
    """Every activity looked at, one after another."""
    found: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    total: Counter[str] = Counter()
    for row in ROWS:
        if any(not _values(row, name, chosen) or (name not in PLURAL and row[name] not in chosen)
               for name, chosen in filters.items()):  # fmt: skip
            continue
        amounts = {f"{unit} of {measure}": amount for (measure, unit), amount in row["quantities"].items()}
        figures = {"activities": 1, "participants": row["international"] + 4, "hours": row["hours"], **amounts}
        total.update(figures)
        for key in product(*(_values(row, name, filters.get(name, [])) for name in by)):
            found[key].update(figures)
    return dict(found), total


def _told(item: dict[str, Any]) -> dict[str, Any]:
    amounts = {f"{each['unit']} of {each['measure']}": Decimal(each["amount"]) for each in item["quantities"]}
    hours = Decimal(str(item["hours"]))
    return {"activities": item["activities"], "participants": item["participants"], "hours": hours, **amounts}


def _questions() -> list[tuple[list[str], dict[str, list[Any]]]]:
    dice = random.Random(11)
    found = []
    for _ in range(16):
        by = dice.sample(["country", "section", *LABELS], dice.randrange(3))
        names = dice.sample([*LABELS, "country"], dice.randrange(1, 4))
        chosen = {name: LABELS.get(name, ["IT", "PT"]) for name in names}
        found.append((by, {name: dice.sample(labels, dice.randint(1, 2)) for name, labels in chosen.items()}))
    return found


async def test_each_activity_that_touches_several_counts_once(figures: Network) -> None:
    for by, filters in _questions():
        answer = await get(figures, STATISTICS, {**filters, "by": ",".join(by), "counting": "touches"} if by
                           else {**filters, "counting": "touches"})  # fmt: skip
        items, total = _counted(by, filters)
        assert {tuple(item[name] for name in by): _told(item) for item in answer["items"]} == (
            items if by or not total else {(): total}
        ), (by, filters)
        assert {name: value for name, value in _told(answer["total"]).items() if value} == {
            name: value for name, value in total.items() if value
        }, (by, filters)
        assert sum(answer["sources"].values()) == total["activities"]
        assert answer["filters"] == {name: each[0] if len(each) == 1 else each for name, each in filters.items()}


async def test_of_too_many_activities_nothing_is_counted_one_by_one(
    figures: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MOST_FACTS", 20)
    many = len([row for row in ROWS if {3, 13} & {*row["sdgs"]}])
    document = await refused(figures, "GET", f"{STATISTICS}?sdg=3&sdg=13", status=422, pointers=["query/sdg"])
    assert f"would be {many}; there may be 20." in document["errors"][0]["detail"]
    both = f"{STATISTICS}?by=sdg,objective"
    await refused(figures, "GET", both, status=422, pointers=["query/by"])
    assert (await figures.client.get(f"{STATISTICS}?sdg=3&sdg=13&section=XX-NONE-ESN")).status_code == 422
    assert (await figures.client.get(f"{STATISTICS}?sdg=3")).status_code == 200
    some = f"{STATISTICS}?sdg=3&sdg=13&from={FIRST}&to={FIRST + timedelta(days=20)}"
    assert (await figures.client.get(some)).status_code == 200
