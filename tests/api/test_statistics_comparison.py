"""Figures beside those of the period before, relative periods, and series with their growth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.impact.facts.academic_years import academic_year_of
from services.impact.statistics.periods import academic_year_before
from tests.harness.catalogue import get
from tests.harness.databases import Databases
from tests.harness.figures import STATISTICS, enter, held, network_with
from tests.harness.network import Network
from tests.harness.refusals import refused

WAS_NOUGHT, NOTHING_BEFORE = "It was 0.", "No period before it is known."
SECTIONS = ["IT-SASS-ESN", "PT-PORT-ESN", "PL-WARS-UKS"]
EDITIONS = [
    ("2024-autumn", date(2024, 11, 11), date(2024, 11, 24)),
    ("2025-spring", date(2025, 5, 8), date(2025, 5, 15)),
    ("2025-autumn", None, None),
    ("2026-spring", date(2026, 5, 4), date(2026, 5, 17)),
    ("secm-2025", date(2025, 9, 25), date(2025, 9, 28)),
]


def of(section: str, edition: str, international: int, **fields: Any) -> dict[str, Any]:
    days = {code: first for code, first, _ in EDITIONS}
    people = {"international": international, "local": 0, "esn_volunteer": 0}
    return held(section, days[edition] or date(2025, 11, 12), edition=edition, **{**people, **fields})


ROWS = [
    of("IT-SASS-ESN", "2024-autumn", 10, quantities={("waste", "kg"): Decimal(100)}),
    of("IT-SASS-ESN", "2025-spring", 30, quantities={("waste", "kg"): Decimal(150), ("trees", "1"): Decimal(5)}),
    of("PT-PORT-ESN", "2024-autumn", 8),
    of("PL-WARS-UKS", "2025-spring", 7),
    of("IT-SASS-ESN", "2025-autumn", 20),
    of("IT-SASS-ESN", "2026-spring", 45),
]


@pytest.fixture(scope="module")
async def known(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """One network with the activities above, for all tests that write nothing."""
    async with network_with(databases, redis_url, ROWS, sections=SECTIONS, editions=EDITIONS) as network:
        yield network


def growth(absolute: float | None, ratio: float | None, reason: str | None = None) -> dict[str, Any]:
    return {"absolute": absolute, "ratio": ratio, "reason": reason}


async def test_an_edition_is_compared_with_the_one_before_it_and_what_is_gone_shows(known: Network) -> None:
    query = {"edition": "2025-spring", "by": "country", "measures": "activities,participants", "compare": "previous"}
    found = await get(known, STATISTICS, query)
    assert found["compared"] == {"how": "previous", "dimension": "edition", "with": {"2025-spring": "2024-autumn"}}
    items = {item["country"]: item for item in found["items"]}
    assert [(code, item["participants"]) for code, item in items.items()] == [("IT", 30), ("PL", 7), ("PT", 0)]
    assert items["IT"]["growth"] == {"activities": growth(0, 0.0), "participants": growth(20, 2.0)}
    assert items["IT"]["previous"] == {"country": "IT", "activities": 1, "participants": 10, "suppressed": []}
    assert items["PL"]["growth"]["participants"] == growth(7, None, WAS_NOUGHT)
    assert items["PT"]["growth"]["participants"] == growth(-8, -1.0)
    assert found["total"]["previous"]["participants"] == 18
    assert found["total"]["growth"]["participants"] == growth(19, 1.0556)
    assert sum(item["previous"]["participants"] for item in found["items"]) == 18


async def test_a_year_before_is_the_same_season_and_the_first_edition_has_nothing_before_it(known: Network) -> None:
    query = {"by": "edition", "measures": "participants", "compare": "last_year"}
    found = await get(known, STATISTICS, query)
    assert found["compared"]["with"] == {
        "2024-autumn": None,
        "2025-autumn": "2024-autumn",
        "2025-spring": None,
        "2026-spring": "2025-spring",
    }
    items = {item["edition"]: item for item in found["items"]}
    assert items["2026-spring"]["growth"]["participants"] == growth(8, 0.2162)
    assert (items["2024-autumn"]["previous"], items["2024-autumn"]["growth"]["participants"]) == (
        None,
        growth(None, None, NOTHING_BEFORE),
    )
    assert found["total"]["previous"] is None
    assert "several periods" in found["total"]["growth"]["participants"]["reason"]


async def test_days_months_and_academic_years_are_compared_too(known: Network) -> None:
    shared = {"measures": "participants", "compare": "previous"}
    year = await get(known, STATISTICS, {**shared, "academic_year": "2025/26"})
    assert year["compared"]["with"] == {"2025/26": "2024/25"}
    assert year["total"]["growth"]["participants"] == growth(10, 0.1818)
    month = await get(known, STATISTICS, {**shared, "by": "month", "month": "2025-05", "compare": "last_year"})
    assert month["compared"]["with"] == {"2025-05": "2024-05"}
    assert month["items"][0]["growth"]["participants"] == growth(37, None, WAS_NOUGHT)
    days = await get(known, STATISTICS, {**shared, "from": "2025-01-01", "to": "2025-12-31"})
    assert days["compared"]["with"] == {"2025-01-01/2025-12-31": "2024-01-02/2024-12-31"}
    assert days["total"]["growth"]["participants"] == growth(39, 2.1667)


async def test_quantities_grow_by_their_own_unit_and_ratios_by_themselves(known: Network) -> None:
    measures = "quantities,participants_per_activity"
    query = {"edition": "2025-spring", "country": "IT", "measures": measures, "compare": "previous"}
    total = (await get(known, STATISTICS, query))["total"]
    assert total["growth"]["quantities"] == [
        {"measure": "trees", "unit": "1", "absolute": "5", "ratio": None, "reason": WAS_NOUGHT},
        {"measure": "waste", "unit": "kg", "absolute": "50", "ratio": 0.5, "reason": None},
    ]
    assert total["growth"]["participants_per_activity"] == growth(20.0, 2.0)


async def test_a_series_of_editions_leads_from_the_first_with_figures_over_those_without_known_days(
    known: Network,
) -> None:
    found = await get(known, "/impact/v1/growth", {"country": "IT", "measures": "participants"})
    assert [(item["edition"], item["participants"], item["growth"]["participants"]) for item in found["items"]] == [
        ("2024-autumn", 10, growth(None, None, NOTHING_BEFORE)),
        ("2025-spring", 30, growth(20, 2.0)),
        ("2025-autumn", 20, growth(-10, -0.3333)),
        ("2026-spring", 45, growth(25, 1.25)),
    ]
    assert (found["items"][1]["from"], found["items"][2]["from"]) == ("2025-05-08", None)
    assert (found["completeness"]["sections_active"], found["sources"]) == (1, {"organiser": 4})


async def test_a_series_holds_the_periods_without_anything(known: Network) -> None:
    query = {"over": "academic_year", "country": "PT", "measures": "activities"}
    items = (await get(known, "/impact/v1/growth", query))["items"]
    assert [(item["academic_year"], item["activities"]) for item in items[:2]] == [("2024/25", 1), ("2025/26", 0)]
    assert items[1]["growth"]["activities"] == growth(-1, -1.0)
    if len(items) > 2:
        assert items[2]["growth"]["activities"] == growth(0, None, WAS_NOUGHT)
    assert (await get(known, "/impact/v1/growth", {"country": "DE"}))["items"] == []


@pytest.mark.parametrize("query", ["over=month", "measures=joy", "edition=2025-spring", "by=country", "counting=x"])
async def test_a_series_of_what_there_is_not_is_refused(known: Network, query: str) -> None:
    pointer = f"query/{query.partition('=')[0]}"
    await refused(known, "GET", f"/impact/v1/growth?{query}", status=422, pointers=[pointer])


async def test_relative_periods_are_of_today_and_told(network: Network) -> None:
    today = datetime.now(UTC).date()
    over, now = ("2001-spring", today - timedelta(20)), ("2001-autumn", today - timedelta(3))
    await enter(
        network,
        [
            held("IT-SASS-ESN", over[1], edition=over[0]),
            held("IT-SASS-ESN", now[1], edition=now[0], international=1),
            held("IT-SASS-ESN", today - timedelta(300), international=2),
            held("IT-SASS-ESN", today - timedelta(800), international=3),
        ],
        sections=SECTIONS,
        editions=[
            (over[0], over[1], over[1] + timedelta(6)),
            (now[0], now[1], today + timedelta(3)),
            ("2002-spring", today + timedelta(90), today + timedelta(95)),
            ("secm-2001", today - timedelta(9), today - timedelta(8)),
        ],
    )

    async def asked(**query: str) -> tuple[dict[str, Any], dict[str, Any], int]:
        found = await get(network, STATISTICS, {"measures": "participants_international", **query})
        return found["period"], found["filters"], found["total"]["participants_international"]

    year = academic_year_of(today)
    for query, filters, people in (
        ({"period": "last_edition"}, {"edition": over[0]}, 6),
        ({"period": "this_edition"}, {"edition": now[0]}, 1),
        ({"edition": "last"}, {"edition": over[0]}, 6),
        ({"edition": "this"}, {"edition": now[0]}, 1),
        ({"period": "last_30_days"}, {"from": str(today - timedelta(29)), "to": str(today)}, 7),
    ):
        period, told, found = await asked(**query)
        assert (told, found) == (filters, people)
        assert (period["today"], filters.items() <= period.items()) == (str(today), True)
    _, told, people = await asked(period="last_12_months")
    assert ((date.fromisoformat(told["to"]) - date.fromisoformat(told["from"])).days, people) in {(364, 9), (365, 9)}
    assert (await asked(period="this_academic_year"))[1] == {"academic_year": year}
    assert (await asked(period="last_academic_year"))[1] == {"academic_year": academic_year_before(year)}
    compared = await get(network, STATISTICS, {"edition": "last", "by": "section", "compare": "previous"})
    assert compared["compared"]["with"] == {over[0]: None}


@pytest.mark.parametrize(
    ("query", "pointer", "told"),
    [
        ("period=last_edition", "query/period", "No edition whose days are known is over yet."),
        ("edition=last", "query/edition/0", "No edition whose days are known is over yet."),
        ("period=this_edition", "query/period", "No edition is under way today. The next begins on"),
    ],
)
async def test_a_relative_edition_that_there_is_not_is_refused(
    network: Network, query: str, pointer: str, told: str
) -> None:
    soon = datetime.now(UTC).date() + timedelta(30)
    await enter(network, [], editions=[("2001-spring", soon, soon), ("2001-autumn", None, None)])
    document = await refused(network, "GET", f"{STATISTICS}?{query}", status=422, pointers=[pointer])
    assert document["errors"][0]["detail"].startswith(told)
