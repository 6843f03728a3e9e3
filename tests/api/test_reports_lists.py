"""Verifiers find what waits for them, and everybody in reach what was never reported."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.impact.projections.tables import Edition
from services.impact.reports.tables import ReportReminder
from tests.harness import databases as harness
from tests.harness.databases import Databases
from tests.harness.network import Network, running
from tests.harness.refusals import refused
from tests.harness.reports import MISSING, REPORTS, Reporter, activity, enter, present, sections
from tests.harness.statements import plan, recorded, scans

MILAN = {"section": "IT-MILA-STA", "section_codes": ["IT-MILA-STA"]}
WARSAW = {"section": "PL-WARS-UKS", "section_codes": ["PL-WARS-UKS", "IT-SASS-ESN"], "country": "PL"}


@pytest.fixture(scope="module")
async def lists(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """Reports of three sections, and activities that nobody reported."""
    async with databases.fresh() as url, running(harness.settings(url, redis_url), url) as network:
        reported = [
            activity(title="beach", days_ago=20, edition="2026-autumn"),
            activity(title="forest", days_ago=8),
            activity(title="canteen", days_ago=7, capacity=1, **MILAN),
            activity(title="shelter", days_ago=6, **WARSAW),
            activity(title="drafted", days_ago=30),
        ]
        rest = [
            activity(title="forgotten", days_ago=15.5, **MILAN),
            activity(title="recent", days_ago=13.5),
            activity(title="old", days_ago=400, state="published", **WARSAW),
            activity(title="to come", days_ago=-2, state="published"),
            activity(title="off", days_ago=50, state="cancelled"),
            activity(title="series", days_ago=50, has_parts=True),
            activity(title="some time", ends_at=None, starts_at=None),
        ]
        await enter(network, *sections(), Edition(code="2026-autumn", series="Days"), *reported, *rest)
        await enter(
            network,
            ReportReminder(activity_id=rest[0].activity_id, stage="deadline", told_at=datetime.now(UTC)),
            ReportReminder(
                activity_id=rest[0].activity_id, stage="first", told_at=datetime.now(UTC) - timedelta(days=9)
            ),
        )
        international, national = await network.token("international"), await network.national()
        reporters = [Reporter(network, row.activity_id, international, international) for row in reported]
        for number, each in enumerate(reporters):
            await each.put(hours=str(40 + number))
        await reporters[2].act("submit", {"acknowledged": ["people_over_capacity"]})
        for number in (0, 1, 3):
            await reporters[number].done("submit")
        assert (await reporters[1].act("verify", who=national)).status_code == 200
        yield network


@pytest.fixture(scope="module")
async def who(lists: Network) -> dict[str, dict[str, str]]:
    return {
        "Sassari": await lists.local(),
        "Milan": await lists.local("IT-MILA-STA"),
        "Italy": await lists.national(),
        "Poland": await lists.national("PL"),
        "International": await lists.token("international"),
        "machine": await lists.token("machine"),
    }


async def items(network: Network, address: str, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    reply = await network.client.get(address, headers=headers, params=query)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["items"]
    return found


async def titles(network: Network, address: str, headers: dict[str, str], **query: Any) -> list[str]:
    return [item["title"] for item in await items(network, address, headers, **query)]


@pytest.mark.parametrize(
    ("reader", "reports", "missing"),
    [
        ("Sassari", ["drafted", "beach", "shelter", "forest"], ["drafted", "old"]),
        ("Milan", ["canteen"], ["forgotten"]),
        ("Italy", ["drafted", "canteen", "beach", "forest"], ["forgotten", "drafted"]),
        ("Poland", ["shelter"], ["old"]),
        ("International", ["drafted", "canteen", "beach", "shelter", "forest"], ["forgotten", "drafted", "old"]),
    ],
)
async def test_everybody_sees_what_is_in_their_reach(
    lists: Network, who: dict[str, dict[str, str]], reader: str, reports: list[str], missing: list[str]
) -> None:
    assert await titles(lists, REPORTS, who[reader]) == reports
    assert await titles(lists, MISSING, who[reader]) == missing


@pytest.mark.parametrize("address", [REPORTS, MISSING])
async def test_a_machine_and_a_stranger_see_nothing(
    lists: Network, who: dict[str, dict[str, str]], address: str
) -> None:
    await refused(lists, "GET", address, status=403, headers=who["machine"])
    await refused(lists, "GET", address, status=401)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "submitted"}, ["canteen", "beach", "shelter"]),
        ({"state": "verified"}, ["forest"]),
        ({"state": "draft"}, ["drafted"]),
        ({"state": "submitted", "country": "PL"}, ["shelter"]),
        ({"section": "IT-MILA-STA"}, ["canteen"]),
        ({"edition": "2026-autumn"}, ["beach"]),
        ({"late": "true"}, ["beach"]),
        ({"late": "false"}, ["canteen", "shelter", "forest"]),
        ({"outcome": "cancelled"}, []),
    ],
)
async def test_the_queue_is_narrowed(
    lists: Network, who: dict[str, dict[str, str]], query: dict[str, str], expected: list[str]
) -> None:
    assert await titles(lists, REPORTS, who["International"], **query) == expected


@pytest.mark.parametrize("address", [REPORTS, MISSING])
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("section=XX-NONE", "query/section"),
        ("edition=2999-autumn", "query/edition"),
        ("country=ZZ", "query/country"),
        ("cursor=abc", "query/cursor"),
        ("limit=0", "query/limit"),
    ],
)
async def test_a_filter_by_what_never_was_is_refused(
    lists: Network, who: dict[str, dict[str, str]], address: str, query: str, pointer: str
) -> None:
    await refused(lists, "GET", f"{address}?{query}", status=422, pointers=[pointer], headers=who["International"])


@pytest.mark.parametrize(
    ("address", "pointer"),
    [
        (f"{REPORTS}?state=lost", "query/state"),
        (f"{REPORTS}?late=perhaps", "query/late"),
        (f"{MISSING}?days=-1", "query/days"),
        (f"{MISSING}?days=99999", "query/days"),
        (f"{MISSING}?days=x", "query/days"),
        (f"{MISSING}?state=draft", "query/state"),
    ],
)
async def test_a_wrong_parameter_is_named(
    lists: Network, who: dict[str, dict[str, str]], address: str, pointer: str
) -> None:
    await refused(lists, "GET", address, status=422, pointers=[pointer], headers=who["International"])


async def test_an_item_says_what_a_verifier_needs(lists: Network, who: dict[str, dict[str, str]]) -> None:
    [item] = await items(lists, REPORTS, who["Italy"], section="IT-MILA-STA")
    assert [(hint["code"], hint["severity"], hint["acknowledged"]) for hint in item["hints"]] == [
        ("people_over_capacity", "blocking", True)
    ]
    assert (item["participants"]["total"], item["hours"], item["is_late"], item["state"]) == (
        15,
        42.0,
        False,
        "submitted",
    )
    report = (await lists.client.get(item["url"], headers=who["Italy"])).json()
    assert [entry["verb"] for entry in report["history"]] == ["write", "submit"]


async def test_what_is_missing_says_how_late_it_is_and_who_was_reminded(
    lists: Network, who: dict[str, dict[str, str]]
) -> None:
    [forgotten, drafted] = await items(lists, MISSING, who["Italy"])
    assert (forgotten["days_late"], forgotten["report"], forgotten["reminded"]) == (1, None, ["first", "deadline"])
    assert (drafted["days_late"], drafted["report"], drafted["reminded"]) == (16, "draft", [])
    found = await items(lists, MISSING, who["Italy"], days=0, section="IT-SASS-ESN")
    assert [(item["title"], item["days_late"]) for item in found] == [("recent", 0), ("drafted", 16)]


@pytest.mark.parametrize(("address", "query"), [(REPORTS, {}), (MISSING, {"days": "0"})])
async def test_pages_hold_each_once(
    lists: Network, who: dict[str, dict[str, str]], address: str, query: dict[str, str]
) -> None:
    whole = await titles(lists, address, who["International"], **query)
    found: list[str] = []
    reply = await lists.client.get(address, headers=who["International"], params={"limit": "2", **query})
    while True:
        page = reply.json()
        found += [item["title"] for item in page["items"]]
        if not page["next"]:
            break
        assert len(page["items"]) == 2
        reply = await lists.client.get(page["next"], headers=who["International"])
    assert found == whole
    assert len(whole) >= 4


async def test_a_page_costs_as_many_statements_as_a_single_report(
    lists: Network, who: dict[str, dict[str, str]]
) -> None:
    counts = []
    for limit in (1, 200):
        with recorded(lists.runtimes["impact"]) as statements:
            await items(lists, REPORTS, who["International"], limit=limit)
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_what_is_missing_is_found_by_its_index(network: Network) -> None:
    await enter(network, *(activity(title=str(number), days_ago=20 + number / 10) for number in range(3000)))
    observer = await network.observer()
    await observer.execute("ANALYZE impact.activities; ANALYZE impact.reports")
    with recorded(network.runtimes["impact"]) as statements:
        assert len(await items(network, MISSING, await network.token("international"), limit=10)) == 10
    [asked] = [statement for statement in statements if "impact.activities" in statement.text]
    assert "ix_activities_over" in scans(await plan(observer, asked))


async def test_somebody_who_was_there_is_in_no_list(lists: Network, who: dict[str, dict[str, str]]) -> None:
    row = activity(title="seen", days_ago=3, **MILAN)
    await enter(lists, row, present(row.activity_id, "local"))
    [found] = await items(lists, MISSING, who["Milan"], days=0, limit=1)
    assert set(found) == {
        *("activity_id", "title", "section", "country", "edition", "ended_at", "due_at", "days_late", "report"),
        "reminded",
    }
