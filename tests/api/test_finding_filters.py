"""The list's filters, one by one and together; its counts; and what a reader may not ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.kernel.known_codes import MOST_LOOKED_UP_A_SECOND
from tests.harness.catalogue import LIST, START, activity, found, network_with, titles
from tests.harness.databases import Databases
from tests.harness.network import Network
from tests.harness.refusals import refused
from tests.harness.statements import recorded

PLAIN = "plain"
LONG_AGO = datetime(2019, 5, 8, 8, tzinfo=UTC)
ACTIVITIES = [
    activity(PLAIN),
    activity("edition", edition="2026-autumn"),
    activity("country", country="PL"),
    activity("platform", platform="NEP"),
    activity("section", section_codes=["IT-SASS-ESN", "IT-MILA-STA"]),
    activity("area", areas=["environment", "health"]),
    activity("cause", causes=["environmental-sustainability", "health-well-being"]),
    activity("sdg", sdgs=[13, 14]),
    activity("kind", kind="training"),
    activity("programme", programme="exchangeability"),
    activity("language", language="pt-BR"),
    activity("accessible", accessibility=["step-free", "sign-language"]),
    activity("step-free", accessibility=["step-free"]),
    activity("mode", mode="online"),
    activity("audience", audience=["pupils", "families"]),
    activity("free", cost={"amount": "0.00", "currency": "EUR"}),
    activity("paid", cost={"amount": "5.00", "currency": "EUR"}),
    activity("translated", translations={"pt-BR": {"title": "Praia"}, "de": {"title": "Strand"}}),
    activity("late", starts_at=START + timedelta(days=100)),
    activity("full", has_places=False),
    activity("not yet open", sign_up_opens_at=START - timedelta(days=1)),
    activity("changed", updated_at=START),
    activity("past", state="held", starts_at=LONG_AGO, edition=None),
    activity("undated", starts_at=None, edition=None, takes_sign_ups=False),
    activity("both", country="PL", kind="training", areas=["health"]),
    activity("draft", state="draft", country="PL", kind="training", areas=["health"]),
]
EVERYBODY = [row.title for row in ACTIVITIES if row.state != "draft"]


@pytest.fixture(scope="module")
async def catalogue(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    async with network_with(databases, redis_url, ACTIVITIES) as network:
        yield network


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"edition": "2026-autumn"}, {"edition"}),
        ({"edition": ["2026-autumn", "2026-autumn"]}, {"edition"}),
        ({"country": "PL"}, {"country", "both"}),
        ({"platform": "NEP"}, {"platform"}),
        ({"platform": ["NEP", "CEP"], "country": "PL"}, set()),
        ({"section": "IT-MILA-STA"}, {"section"}),
        ({"area": "health"}, {"area", "both"}),
        ({"cause": "health-well-being"}, {"cause"}),
        ({"sdg": 13}, {"sdg"}),
        ({"sdg": [14, 17]}, {"sdg"}),
        ({"kind": "training"}, {"kind", "both"}),
        ({"programme": "exchangeability"}, {"programme"}),
        ({"language": "pt"}, {"language", "translated"}),
        ({"language": "pt-BR"}, {"language", "translated"}),
        ({"language": "de"}, {"translated"}),
        ({"mode": "online"}, {"mode"}),
        ({"mode": ["online", "hybrid"], "country": "PL"}, set()),
        ({"audience": "pupils"}, {"audience"}),
        ({"audience": ["families", "everybody"]}, {"audience"}),
        ({"free": "true"}, {"free"}),
        ({"free": "false"}, {"paid"}),
        ({"max_cost": "5", "currency": "EUR"}, {"free", "paid"}),
        ({"max_cost": "4.99", "currency": "EUR"}, {"free"}),
        # What costs nothing costs nothing in any currency, and what costs something is not compared.
        ({"max_cost": "9999", "currency": "PLN"}, {"free"}),
        ({"language": "pt-PT"}, set()),
        ({"accessible": "step-free"}, {"accessible", "step-free"}),
        ({"accessible": ["step-free", "sign-language"]}, {"accessible"}),
        ({"from": (START + timedelta(days=50)).isoformat()}, {"late"}),
        ({"to": (LONG_AGO + timedelta(days=1)).isoformat()}, {"past"}),
        ({"updated_since": START.isoformat()}, {"changed"}),
        ({"open": "false"}, {"full", "not yet open", "past", "undated"}),
        ({"open": "true", "country": "PL"}, {"country", "both"}),
        ({"country": "PL", "kind": "training"}, {"both"}),
        ({"country": ["PL", "PT"], "area": "health", "kind": "training", "edition": "2027-spring"}, {"both"}),
        ({"country": "PL", "sdg": 13}, set()),
        ({"country": "PT"}, set()),
        ({"section": "PT-PORT-ESN"}, set()),
        ({"language": "PT-br"}, {"language", "translated"}),
    ],
)
async def test_a_filter_finds_what_it_says(catalogue: Network, query: dict[str, Any], expected: set[str]) -> None:
    assert set(await titles(catalogue, **query)) == expected


async def test_a_reader_who_wants_nothing_particular_finds_all_that_is_public(catalogue: Network) -> None:
    assert sorted(await titles(catalogue)) == sorted(EVERYBODY)


@pytest.mark.parametrize("query", [{}, {"q": "Porto"}, {"country": "IT"}], ids=str)
async def test_pages_of_one_hold_each_activity_once(catalogue: Network, query: dict[str, Any]) -> None:
    at_once = await titles(catalogue, **query, limit=200)
    one_by_one = await titles(catalogue, **query, limit=1)
    assert one_by_one == at_once
    assert len(set(at_once)) == len(at_once) >= 15


async def test_unknown_starts_come_last(catalogue: Network) -> None:
    in_order = await titles(catalogue, limit=7)
    assert (in_order[0], in_order[-2:]) == ("past", ["late", "undated"])


async def test_a_cursor_holds_for_its_filters_and_order_only(catalogue: Network) -> None:
    page = await found(catalogue, country="IT", q="Porto", limit=1)
    cursor = page["next"].split("cursor=")[1]
    assert (await found(catalogue, country="IT", q="Porto", limit=2, cursor=cursor))["items"]
    for other in (
        {"country": "IT"},
        {"country": "PL", "q": "Porto"},
        {"country": "IT", "q": "Porto", "sort": "starts_at"},
    ):
        await refused(catalogue, "GET", LIST, params={**other, "cursor": cursor}, status=422, pointers=["query/cursor"])


async def test_facets_count_what_each_code_would_leave(catalogue: Network) -> None:
    page = await found(catalogue, facets="kind,area,country", country="PL", limit=1)
    assert page["facets"] == {
        "kind": [{"code": "training", "count": 1}, {"code": "volunteering", "count": 1}],
        "area": [{"code": "environment", "count": 1}, {"code": "health", "count": 1}],
        # The facet's own filter does not count: a reader wants to know what the other countries have.
        "country": [{"code": "IT", "count": len(EVERYBODY) - 2}, {"code": "PL", "count": 2}],
    }


async def test_facets_of_two_chosen_codes_count_each_under_the_other(catalogue: Network) -> None:
    page = await found(catalogue, facets="kind,area", kind="training", area="health", q="Porto")
    assert page["facets"] == {
        "kind": [{"code": "training", "count": 1}, {"code": "volunteering", "count": 1}],
        "area": [{"code": "environment", "count": 1}, {"code": "health", "count": 1}],
    }


async def test_facets_are_counted_on_the_first_page_and_on_request_only(catalogue: Network) -> None:
    first = await found(catalogue, facets="edition,cause,programme", limit=5)
    assert {"code": "2027-spring", "count": len(EVERYBODY) - 3} in first["facets"]["edition"]
    reply = await catalogue.client.get(first["next"])
    assert reply.json()["facets"] is None
    assert (await found(catalogue))["facets"] is None


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"area": "Zq7Marker"}, "query/area/0"),
        ({"cause": "Zq7Marker"}, "query/cause/0"),
        ({"kind": ["training", "Zq7Marker"]}, "query/kind/1"),
        ({"programme": "Zq7Marker"}, "query/programme/0"),
        ({"section": "XX-NONE-ESN"}, "query/section/0"),
        ({"section": ["IT-SASS-ESN", "IT-SASS-NONE"]}, "query/section/1"),
        ({"country": "ZZ"}, "query/country/0"),
        ({"platform": ["NEP", "ZZZ"]}, "query/platform/1"),
        ({"edition": "2027-autum"}, "query/edition/0"),
        ({"sdg": "18"}, "query/sdg/0"),
        ({"sdg": "0"}, "query/sdg/0"),
        ({"country": "italy"}, "query/country/0"),
        ({"country": ["IT"] * 51}, "query/country"),
        ({"language": "???"}, "query/language/0"),
        ({"section": "' OR 1=1--"}, "query/section/0"),
        ({"sort": "title;drop table"}, "query/sort"),
        ({"sort": "distance"}, "query/sort"),
        ({"sort": "relevance"}, "query/sort"),
        ({"near": "91,0"}, "query/near"),
        ({"near": "0,180.1"}, "query/near"),
        ({"near": "-90.5,0"}, "query/near"),
        ({"near": "45"}, "query/near"),
        ({"near": "45,9,1"}, "query/near"),
        ({"near": "nan,nan"}, "query/near"),
        ({"near": "1e1,9"}, "query/near"),
        ({"near": "４５,9"}, "query/near"),
        ({"near": ""}, "query/near"),
        ({"near": "45,9", "radius_km": "0"}, "query/radius_km"),
        ({"near": "45,9", "radius_km": "-1"}, "query/radius_km"),
        ({"near": "45,9", "radius_km": "1000.1"}, "query/radius_km"),
        ({"near": "45,9", "radius_km": "1e9"}, "query/radius_km"),
        ({"near": "45,9", "radius_km": "nan"}, "query/radius_km"),
        ({"near": "45,9", "radius_km": "inf"}, "query/radius_km"),
        ({"radius_km": "5"}, "query/radius_km"),
        ({"from": "2027-05-09T00:00:00Z", "to": "2027-05-08T00:00:00Z"}, "query/to"),
        ({"from": "2027-05-09"}, "query/from"),
        ({"updated_since": "yesterday"}, "query/updated_since"),
        ({"q": ""}, "query/q"),
        ({"q": " \t "}, "query/q"),
        ({"q": "x" * 201}, "query/q"),
        ({"q": "two\nlines"}, "query/q"),
        ({"open": "perhaps"}, "query/open"),
        ({"max_cost": "5"}, "query/currency"),
        ({"currency": "EUR"}, "query/currency"),
        ({"max_cost": "5", "currency": "ZZZ"}, "query/currency"),
        ({"max_cost": "-1", "currency": "EUR"}, "query/max_cost"),
        ({"max_cost": "0.001", "currency": "EUR"}, "query/max_cost"),
        ({"max_cost": "NaN", "currency": "EUR"}, "query/max_cost"),
        ({"facets": "area,Zq7Marker"}, "query/facets"),
        ({"facets": ""}, "query/facets"),
        ({"limit": "201"}, "query/limit"),
        ({"platform": "N P"}, "query/platform/0"),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused_by_name(catalogue: Network, query: dict[str, Any], pointer: str) -> None:
    await refused(catalogue, "GET", LIST, params=query, status=422, pointers=[pointer])


@pytest.mark.parametrize("feed", ["ics", "atom", "geojson"])
async def test_a_feed_refuses_an_unknown_code_as_the_list_does(catalogue: Network, feed: str) -> None:
    query = {"section": "XX-NONE-ESN", "edition": "2027-autum", "platform": "ZZZ"}
    pointers = ["query/edition/0", "query/section/0", "query/platform/0"]
    await refused(catalogue, "GET", f"{LIST}.{feed}", params=query, status=422, pointers=pointers)


async def test_a_known_code_costs_no_statement_and_unknown_ones_few(
    catalogue: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"section": "IT-SASS-ESN", "edition": "2027-spring", "platform": "NEP"}
    await found(catalogue, **known)
    with recorded(catalogue.runtimes["activities"]) as statements:
        await found(catalogue, **known)
        for second in (1_000_000, 1_000_001):
            monkeypatch.setattr("services.kernel.known_codes.monotonic", lambda second=second: second)
            for number in range(MOST_LOOKED_UP_A_SECOND + 3):
                await catalogue.client.get(LIST, params={"section": f"XX-NO{number}-ESN"})
    asked = [each.text for each in statements if "FROM activities.sections" in each.text and "line" not in each.text]
    assert len(asked) == 2 * MOST_LOOKED_UP_A_SECOND
    assert not any("activities.editions" in each.text or "activities.platforms" in each.text for each in statements)
