"""Sections beside each other by measures that are fair, and those that don't want to stand there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.harness.catalogue import get
from tests.harness.databases import Databases
from tests.harness.figures import STATISTICS, Row, held, network_with
from tests.harness.network import Network
from tests.harness.refusals import refused

RANKINGS = "/impact/v1/rankings"
EDITIONS = [
    ("2025-spring", date(2025, 5, 5), date(2025, 5, 11)),
    ("2025-autumn", date(2025, 11, 10), date(2025, 11, 16)),
    ("2026-spring", date(2026, 5, 4), date(2026, 5, 10)),
]
BIG, SMALL, STEADY, NEW = "IT-SASS-ESN", "IT-MILA-STA", "PT-PORT-ESN", "PL-WARS-UKS"


def of(section: str, edition: str, people: int, hours: int = 10) -> Row:
    days = {code: first for code, first, _ in EDITIONS}
    nobody = {"local": 0, "esn_volunteer": 0}
    return held(section, days[edition], edition=edition, international=people, hours=Decimal(hours), **nobody)


SECTIONS = [BIG, SMALL, STEADY, NEW]
ROWS = [
    of(BIG, "2025-spring", 10),
    of(BIG, "2026-spring", 90, 40),
    of(BIG, "2025-autumn", 60),
    of(SMALL, "2025-autumn", 1),
    of(SMALL, "2026-spring", 2),
    of(STEADY, "2025-spring", 20),
    of(STEADY, "2025-autumn", 20),
    of(STEADY, "2026-spring", 40),
    of(NEW, "2026-spring", 40, 40),
    of(NEW, "2026-spring", 2),
    held(SMALL, date(2025, 5, 5), edition="2025-spring", outcome="cancelled", international=None, hours=None),
]


@pytest.fixture(scope="module")
async def known(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """One network with the activities above, for all tests that write nothing."""
    async with network_with(databases, redis_url, ROWS, sections=SECTIONS, editions=EDITIONS) as network:
        yield network


@pytest.fixture
async def own(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """A network with the same activities, for a test that writes."""
    async with network_with(databases, redis_url, ROWS, sections=SECTIONS, editions=EDITIONS) as network:
        yield network


async def places(network: Network, **query: Any) -> list[tuple[int, str, float]]:
    found = await get(network, RANKINGS, {"edition": "2026-spring", **query})
    return [(item["place"], item["section"], item["value"]) for item in found["items"]]


async def test_who_has_the_same_value_shares_a_place_and_the_next_is_left_free(known: Network) -> None:
    assert await places(known) == [(1, NEW, 2), (2, SMALL, 1), (2, BIG, 1), (2, STEADY, 1)]
    assert await places(known, by="participants") == [(1, BIG, 90), (2, NEW, 42), (3, STEADY, 40), (4, SMALL, 2)]
    assert await places(known, by="hours") == [(1, NEW, 50.0), (2, BIG, 40.0), (3, SMALL, 10.0), (3, STEADY, 10.0)]
    assert await places(known, by="participants", country="PT") == [(1, STEADY, 40)]


async def test_a_streak_ends_where_a_section_held_nothing(known: Network) -> None:
    assert await places(known, by="streak") == [(1, BIG, 3), (1, STEADY, 3), (3, SMALL, 2), (4, NEW, 1)]
    assert await places(known, by="streak", edition="2025-spring") == [(1, BIG, 1), (1, STEADY, 1)]


async def test_newcomers_never_held_anything_before(known: Network) -> None:
    assert await places(known, by="newcomers") == [(1, NEW, 2)]
    assert await places(known, by="newcomers", edition="2025-autumn") == [(1, SMALL, 1)]


async def test_from_one_to_two_does_not_win(known: Network) -> None:
    found = await get(known, RANKINGS, {"edition": "2026-spring", "by": "most_improved"})
    assert [(item["section"], item["value"], item["numerator"], item["denominator"]) for item in found["items"]] == [
        (STEADY, 0.6667, 20, 30),
        (BIG, 0.5, 30, 60),
        (SMALL, 0.0333, 1, 30),
    ]
    assert (found["before"], "30" in found["rule"]) == ({"edition": "2025-autumn"}, True)
    year = await get(known, RANKINGS, {"academic_year": "2025/26", "by": "most_improved"})
    assert [(item["section"], item["value"]) for item in year["items"]] == [(BIG, 4.6667), (STEADY, 1.3333)]


async def test_large_and_small_sections_are_compared_by_the_students_that_they_host(own: Network) -> None:
    assert await places(own, by="participants_per_student_hosted") == []
    italy, portugal = await own.national(), await own.national("PT")
    for section, students, headers in ((BIG, 900, italy), (SMALL, 19, italy), (STEADY, 100, portugal)):
        address = f"/impact/v1/sections/{section}/sizes/2025-26"
        reply = await own.client.put(address, json={"international_students": students}, headers=headers)
        assert reply.status_code == 201, reply.text
        assert (reply.headers["location"], reply.json()["academic_year"]) == (address, "2025/26")
    # Where fewer than twenty are hosted, one more or less would decide.
    assert await places(own, by="participants_per_student_hosted") == [(1, STEADY, 0.4), (2, BIG, 0.1)]
    assert await places(own, by="participants_per_student_hosted", edition="2025-spring") == []


async def test_a_size_is_corrected_and_taken_back_by_who_has_read_it(own: Network) -> None:
    address = f"/impact/v1/sections/{BIG}/sizes/2025-26"
    headers, body = await own.national(), {"international_students": 900}
    first = await own.client.put(address, json=body, headers=headers)
    assert (await own.client.get(address)).json() == first.json()
    await refused(own, "PUT", address, status=428, json=body, headers=headers)
    stale = {**headers, "If-Match": '"1"'}
    await refused(own, "PUT", address, status=412, json=body, headers=stale)
    await refused(own, "DELETE", address, status=428, headers=headers)
    other = f"/impact/v1/sections/{BIG}/sizes/2026-27"
    await refused(own, "PUT", other, status=412, json=body, headers=stale)
    read = {**headers, "If-Match": first.headers["etag"]}
    corrected = await own.client.put(address, json={"international_students": 800}, headers=read)
    assert (corrected.status_code, corrected.json()["international_students"]) == (200, 800)
    listed = (await get(own, f"/impact/v1/sections/{BIG}/sizes"))["items"]
    assert [item["international_students"] for item in listed] == [800]
    await refused(own, "DELETE", address, status=412, headers=read)
    gone = await own.client.delete(address, headers={**headers, "If-Match": corrected.headers["etag"]})
    assert gone.status_code == 204
    await refused(own, "GET", address, status=404)


@pytest.mark.parametrize(
    ("section", "year", "body", "status", "pointer"),
    [
        (BIG, "2025-26", {"international_students": 0}, 422, "#/international_students"),
        (BIG, "2025-26", {"international_students": 100_001}, 422, "#/international_students"),
        (BIG, "2025-26", {"international_students": "900"}, 422, "#/international_students"),
        (BIG, "2025-26", {}, 422, "#/international_students"),
        (BIG, "2025-27", {"international_students": 9}, 422, "path/academic_year"),
        (BIG, "2025", {"international_students": 9}, 422, "path/academic_year"),
        ("IT-NONE-ESN", "2025-26", {"international_students": 9}, 404, None),
        (STEADY, "2025-26", {"international_students": 9}, 403, None),
    ],
)
async def test_a_size_that_cannot_be_is_refused(
    known: Network, section: str, year: str, body: dict[str, Any], status: int, pointer: str | None
) -> None:
    address = f"/impact/v1/sections/{section}/sizes/{year}"
    pointers = None if pointer is None else [pointer]
    headers = await known.national()
    await refused(known, "PUT", address, status=status, pointers=pointers, json=body, headers=headers)


async def test_only_the_country_says_how_many_students_a_section_hosts(known: Network) -> None:
    address, body = f"/impact/v1/sections/{BIG}/sizes/2025-26", {"international_students": 900}
    for headers in (await known.local(BIG), await known.national("PT"), await known.token("machine")):
        await refused(known, "PUT", address, status=403, json=body, headers=headers)
    await refused(known, "PUT", address, status=401, json=body)


async def test_a_section_that_left_is_in_no_ranking_and_leaves_no_gap(own: Network) -> None:
    address, headers = f"/impact/v1/sections/{BIG}/rankings", await own.local(BIG)
    assert (await own.client.get(address, headers=headers)).json() == {"section": BIG, "is_ranked": True, "since": None}
    for _ in range(2):
        left = await own.client.delete(address, headers=headers)
        assert (left.status_code, left.json()["is_ranked"]) == (200, False)
    assert await places(own, by="participants") == [(1, NEW, 42), (2, STEADY, 40), (3, SMALL, 2)]
    for by in ("activities", "hours", "streak", "newcomers", "most_improved"):
        text = (await own.client.get(f"{RANKINGS}?edition=2026-spring&by={by}")).text
        assert BIG not in text
    # How many there are in all is of the statistics, and the same for those who left.
    found = await get(own, RANKINGS, {"edition": "2026-spring"})
    assert found["completeness"] == {"sections_reporting": 4, "sections_active": 4}
    public = await get(own, STATISTICS, {"by": "section", "edition": "2026-spring"})
    assert BIG in {item["section"] for item in public["items"]}
    back = await own.client.put(address, headers=headers)
    assert back.json() == {"section": BIG, "is_ranked": True, "since": None}
    assert (await places(own, by="participants"))[0] == (1, BIG, 90)


async def test_nobody_else_decides_or_learns_whether_a_section_stands_in_rankings(known: Network) -> None:
    address = f"/impact/v1/sections/{BIG}/rankings"
    others = [await known.local(SMALL), await known.national(), await known.token("international")]
    for method in ("GET", "PUT", "DELETE"):
        for headers in others:
            await refused(known, method, address, status=403, headers=headers)
        await refused(known, method, address, status=401)
    await refused(known, "PUT", "/impact/v1/sections/IT-NONE-ESN/rankings", status=404, headers=others[0])


async def test_pages_of_a_ranking_follow_each_other(known: Network) -> None:
    address: str | None = f"{RANKINGS}?edition=2026-spring&limit=2"
    found = []
    while address:
        reply = await known.client.get(address)
        page = reply.json()
        found += [(item["place"], item["section"]) for item in page["items"]]
        assert reply.headers.get("link") == (page["next"] and f'<{page["next"]}>; rel="next"')
        address = page["next"]
    assert found == [(1, NEW), (2, SMALL), (2, BIG), (2, STEADY)]


async def test_the_last_edition_is_ranked_unless_another_period_is_named(known: Network) -> None:
    found = await get(known, RANKINGS, {"by": "participants"})
    assert (found["filters"], found["period"]["name"]) == ({"edition": "2026-spring"}, "last_edition")
    assert (found["items"][0]["title"], found["items"][0]["country"]) == (f"ESN {BIG}", "IT")
    assert found["sources"] == {"organiser": 5}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("by=fame", "query/by"),
        ("by=streak&academic_year=2025/26", "query/by"),
        ("by=newcomers&from=2025-01-01&to=2025-12-31", "query/by"),
        ("by=most_improved&edition=2025-autumn&edition=2026-spring", "query/by"),
        ("by=participants_per_student_hosted&month=2026-05", "query/by"),
        ("area=health", "query/area"),
        ("cursor=x", "query/cursor"),
    ],
)
async def test_a_ranking_that_there_is_not_is_refused(known: Network, query: str, pointer: str) -> None:
    await refused(known, "GET", f"{RANKINGS}?{query}", status=422, pointers=[pointer])
