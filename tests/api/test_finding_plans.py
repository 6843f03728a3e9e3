"""At 20,000 activities every filter, pair of filters and order answers from an index, by few statements."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from services.kernel.db import PLANNED_FOR_LISTS
from tests.benchmarks.catalogue_at_scale import fill
from tests.harness.catalogue import LIST, found
from tests.harness.databases import Databases, settings
from tests.harness.network import Network, running
from tests.harness.statements import Statement, nodes, plan, reads, recorded, rows_read, scans

ACTIVITIES = 20_000
FILTERS: list[dict[str, Any]] = [
    {"edition": "2026-autumn"},
    {"edition": ["2010-spring", "2026-autumn"]},
    {"country": "IT"},
    {"country": "MT"},
    {"section": "IT-C000-ESN"},
    {"area": "health"},
    {"cause": "culture"},
    {"sdg": 13},
    {"kind": "volunteering"},
    {"kind": "gathering"},
    {"platform": "NEP"},
    {"programme": "exchangeability"},
    {"mode": "online"},
    {"audience": "international_students"},
    {"free": "true"},
    {"max_cost": "5", "currency": "EUR"},
    {"label": "asked"},
    {"partner": "01890000-0000-7000-8000-000000000000"},
    {"objective": "active-citizenship"},
    {"part_of": "01890000-0000-7000-8000-000000000000"},
    {"from": "2026-11-15T00:00:00Z"},
    {"to": "2012-01-01T00:00:00Z"},
    {"updated_since": "2026-11-01T00:00:00Z"},
    {"open": "true"},
    {"open": "false"},
    {"language": "tr"},
    {"accessible": "step-free"},
    {"near": "45,9"},
    {"near": "45,9", "radius_km": 1000},
    {"near": "45,9", "radius_km": 200, "sort": "distance"},
    {"near": "45,9", "radius_km": 1000, "sort": "distance"},
    {"q": "blood donation"},
    {"q": "students"},
    {"q": "beach", "sort": "starts_at"},
    {"q": "blod donnation"},
    {"q": "(a+)+$"},
    {"q": "zzzz"},
]
PAIRS = [
    {**first, **second}
    for first, second in itertools.combinations(FILTERS, 2)
    # A range must not end before it begins.
    if not first.keys() & second.keys() and {"from", "to"} != first.keys() | second.keys()
]
# Of the rows that are listed a statement reads at most a third, and all statements of a page together less than half.
# What marks rows to be read may look at as many entries of an index as the commonest word or label has.
AT_MOST_READ = 6_300
AT_MOST_TOGETHER = 9_000
MOST_ENTRIES = 15_000
WAYS = ("ix_activities_", "pk_activities", "ix_sections_merged_into", "pk_label_counts", "Seq Scan on label_counts")
PUBLIC = "state IN ('published', 'held', 'cancelled') AND NOT is_series"
FACETS = "area,cause,objective,kind,country,edition,programme,platform,mode,audience"


# How connections are that need no transaction.
_PREPARED = Statement(
    "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in PLANNED_FOR_LISTS.items()), ()
)


@pytest.fixture(scope="module")
async def many(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    async with databases.fresh() as url:
        told = settings(url, redis_url)
        await fill(url, told, ACTIVITIES)
        async with running(told, url) as network:
            # What a process has to learn once, it has learnt.
            await found(network, edition="2026-autumn", section="IT-C000-ESN", platform="NEP")
            yield network


async def _sent(network: Network, query: dict[str, Any]) -> list[Statement]:
    with recorded(network.runtimes["activities"]) as statements:
        await found(network, **query)
    return statements if "set_config" in statements[0].text else [_PREPARED, *statements]


def _way(statement: Statement, before: Statement) -> Statement:
    """What is set up from now on, where a statement changes how rows are read."""
    name, how = statement.values
    assert (name, how in {"on", "off"}) == ("enable_indexscan", True)
    return Statement(f"{before.text}, set_config('{name}', '{how}', true)", before.values)


async def _is_answered_from_indexes(network: Network, queries: list[dict[str, Any]]) -> None:
    connection = await asyncpg.connect(network.database_url)
    try:
        for query in queries:
            before, *reading = await _sent(network, query)
            assert "set_config" in before.text
            fetched = 0
            for statement in reading:
                if statement.text.startswith("SELECT set_config"):
                    before = _way(statement, before)
                    continue
                described = await plan(connection, statement, before=before, run=True)
                ways = scans(described) - {"set_config", "Seq Scan on label_news"}
                assert ways, query
                assert all(way.startswith(WAYS) for way in ways), (query, ways)
                counts = list(reads(described))
                # An index that is walked from end to end, or nearly, is no better than the table.
                assert max(count for _, count in counts) <= MOST_ENTRIES, (query, ways, counts)
                here = sum(count for kind, count in counts if kind != "Bitmap Index Scan")
                assert here <= AT_MOST_READ, (query, ways, here)
                fetched += here
            assert fetched <= AT_MOST_TOGETHER, (query, fetched)
    finally:
        await connection.close()


async def test_each_filter_answers_from_an_index(many: Network) -> None:
    await _is_answered_from_indexes(many, [{}, *FILTERS])


async def test_each_pair_of_filters_answers_from_an_index(many: Network) -> None:
    await _is_answered_from_indexes(many, PAIRS)


async def test_a_walk_through_a_whole_index_is_seen(many: Network) -> None:
    observer = await many.observer()
    walk = "SELECT id FROM activities.activities WHERE state IN ('published', 'held', 'cancelled') AND capacity = 41"
    off = Statement("SELECT set_config('enable_seqscan', 'off', true)", ())
    described = await plan(observer, Statement(f"{walk} ORDER BY updated_at LIMIT 50", ()), before=off, run=True)
    assert all(way.startswith(WAYS) for way in scans(described))
    assert rows_read(described) > AT_MOST_READ


async def test_counts_of_codes_places_and_times_read_one_index_and_no_activity(many: Network) -> None:
    observer = await many.observer()
    for query in (
        {"country": "IT"}, {"country": "IT", "area": "health"},
        {"near": "45,9", "radius_km": 1000}, {"kind": "volunteering"},
    ):  # fmt: skip
        before, *_, counting = await _sent(many, {**query, "facets": FACETS})
        assert "GROUPING SETS" in counting.text
        described = await plan(observer, counting, before=before, run=True)
        reading = [node for node in nodes(described) if "Index Name" in node or "Relation Name" in node]
        ways = {(node["Node Type"], node.get("Index Name")) for node in reading}
        assert ways == {("Index Only Scan", "ix_activities_public_codes")}, query
        assert sum(node["Heap Fetches"] for node in reading) < 100, query
        assert rows_read(described) < ACTIVITIES


async def test_counts_of_words_and_other_labels_read_what_has_them_in_its_order(many: Network) -> None:
    observer = await many.observer()
    for query in ({"q": "beach"}, {"q": "students"}, {"language": "en"}, {"sdg": 13}, {"section": "IT-C000-ESN"}):
        before, *between, counting = await _sent(many, {**query, "facets": FACETS})
        # What was set up for the page holds for the counts, too.
        for each in between:
            before = _way(each, before) if each.text.startswith("SELECT set_config") else before
        described = await plan(observer, counting, before=before, run=True)
        assert not {way for way in scans(described) if way.startswith("Seq Scan")}, query
        assert "ix_activities_found_by" in scans(described), query
        assert not any(node["Node Type"] == "Index Scan" for node in nodes(described)), query
        assert rows_read(described) < 2 * ACTIVITIES, query


async def test_counts_of_facets_that_are_filters_too_leave_their_own_aside(many: Network) -> None:
    query = {"country": "IT", "kind": "volunteering", "near": "45,9", "radius_km": 1000}
    observer = await many.observer()
    told = (await found(many, **query, facets="country,kind,area,edition"))["facets"]
    listed = f"SELECT count(*) FROM activities.activities WHERE {PUBLIC} AND latitude IS NOT NULL"
    near = "activities.on_globe(latitude, longitude) <-> activities.on_globe(45, 9) <= 2 * sin(1000 / 6371.0088 / 2)"
    for name, aside in (("country", "kind = 'volunteering'"), ("kind", "country = 'IT'")):
        for each in told[name]:
            counted = f"{listed} AND {aside} AND {name} = $1 AND {near}"
            assert abs(await observer.fetchval(counted, each["code"]) - each["count"]) <= 1, each
    areas = f"{listed} AND kind = 'volunteering' AND country = 'IT' AND $1 = ANY(areas) AND {near}"
    for each in told["area"]:
        assert abs(await observer.fetchval(areas, each["code"]) - each["count"]) <= 1, each
    assert {each["code"] for each in told["kind"]} > {"volunteering"}


async def test_counts_of_everything_read_no_activity(many: Network) -> None:
    before, _, counting = await _sent(many, {"facets": FACETS})
    observer = await many.observer()
    described = await plan(observer, counting, before=before, run=True)
    assert scans(described) <= {"pk_label_counts", "Seq Scan on label_counts", "Seq Scan on label_news"}
    assert rows_read(described) < 2_000


async def test_a_later_page_answers_from_an_index(many: Network) -> None:
    queries = []
    for query in ({}, {"country": "IT"}, {"q": "students"}, {"near": "45,9", "radius_km": 1000, "sort": "distance"}):
        page = await found(many, **query, limit=10)
        queries.append({**query, "limit": 10, "cursor": page["next"].split("cursor=")[1]})
    await _is_answered_from_indexes(many, queries)


@pytest.mark.parametrize(
    ("query", "statements"),
    [
        ({}, 2),
        ({"country": "IT", "open": "true"}, 2),
        ({"near": "45,9", "sort": "distance"}, 2),
        ({"near": "45,9", "sort": "distance", "kind": "volunteering"}, 2),
        ({"q": "blood donation", "country": "MT"}, 2),
        # Too many have it for all of them to be read, so that the latest are looked for in their order.
        ({"q": "beach"}, 4),
        # Nothing has these words, so that similar ones are looked for.
        ({"q": "blod donnation"}, 5),
        ({"facets": FACETS}, 3),
        ({"country": "IT", "facets": FACETS}, 4),
        # For words and other labels the way to read them is set up first.
        ({"q": "blod donnation", "facets": FACETS}, 7),
    ],
    ids=str,
)
async def test_a_page_costs_the_same_statements_however_long_it_is(
    many: Network, query: dict[str, Any], statements: int
) -> None:
    assert len(await _sent(many, {**query, "limit": 1})) == statements
    assert len(await _sent(many, {**query, "limit": 200})) == statements


async def test_the_next_page_is_no_offset(many: Network) -> None:
    page = await found(many, limit=200)
    statements = await _sent(many, {"limit": 200, "cursor": page["next"].split("cursor=")[1]})
    assert not any("OFFSET" in statement.text or "count(" in statement.text for statement in statements)
    reply = await many.client.get(page["next"])
    assert {item["id"] for item in reply.json()["items"]}.isdisjoint(item["id"] for item in page["items"])
    assert reply.url.path == LIST
