"""Which sections have reported in a period, and which were not active lately."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.impact.statistics.periods import semester_begins
from tests.harness.catalogue import get
from tests.harness.databases import Databases
from tests.harness.figures import held, network_with
from tests.harness.network import Network
from tests.harness.refusals import refused

COMPLETENESS = "/impact/v1/completeness"
TODAY = datetime.now(UTC).date()
DAY = date(2026, 5, 6)
SECTIONS = ["IT-AAAA-ESN", "IT-BBBB-ESN", "IT-CCCC-ESN", "PT-DDDD-ESN"]


ROWS = [
    held("IT-AAAA-ESN", DAY, edition="2026-spring", platform="SWEP"),
    held("IT-AAAA-ESN", DAY, edition="2026-spring", outcome="cancelled", international=None, hours=None),
    held("IT-BBBB-ESN", DAY, edition="2026-spring", report="submitted"),
    held("PT-DDDD-ESN", date(2019, 5, 6), edition="2019-spring"),
    # What is active counts for all who organise it; what is a sample, called off or to come for nobody.
    held("PT-DDDD-ESN", TODAY, report=None, with_others=["IT-CCCC-ESN"], state="published"),
    held("IT-BBBB-ESN", TODAY, report=None, state="cancelled"),
    held("IT-BBBB-ESN", TODAY, report=None, sample=True, state="published"),
    held("IT-BBBB-ESN", TODAY + timedelta(40), report=None, state="published"),
]
EDITIONS = [("2026-spring", DAY, DAY), ("2019-spring", None, None)]


@pytest.fixture(scope="module")
async def known(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """One network with the activities above, for all tests of this file, which write nothing."""
    async with network_with(databases, redis_url, ROWS, sections=SECTIONS, editions=EDITIONS) as network:
        yield network


async def codes(network: Network, **query: Any) -> list[str]:
    return [item["section"] for item in (await get(network, COMPLETENESS, query))["items"]]


async def test_sections_have_reported_where_a_report_of_theirs_in_the_period_is_verified(known: Network) -> None:
    found = await get(known, COMPLETENESS, {"edition": "2026-spring"})
    assert found["completeness"] == {"sections_reporting": 1, "sections_active": 4}
    first, second, *_ = found["items"]
    assert (first["section"], first["activities_reported"], first["has_reported"]) == ("IT-AAAA-ESN", 2, True)
    assert (first["last_reported_on"], first["last_active_on"]) == ("2026-05-06", "2026-05-06")
    assert (second["section"], second["activities_reported"], second["has_reported"]) == ("IT-BBBB-ESN", 0, False)
    assert await codes(known, edition="2026-spring", reported="true") == ["IT-AAAA-ESN"]
    assert await codes(known, edition="2026-spring", reported="false", country="IT") == ["IT-BBBB-ESN", "IT-CCCC-ESN"]
    assert await codes(known, edition="2019-spring", reported="true") == ["PT-DDDD-ESN"]


async def test_the_national_view_names_those_that_were_not_active_this_year_and_this_semester(known: Network) -> None:
    assert await codes(known, inactive="semester", country="PT") == []
    inactive = await codes(known, inactive="semester")
    assert "IT-CCCC-ESN" not in inactive
    if semester_begins(TODAY) > DAY:
        assert inactive == ["IT-AAAA-ESN", "IT-BBBB-ESN"]
    found = await get(known, COMPLETENESS, {"country": "IT"})
    assert found["not_active"]["this_semester"] == len(inactive)
    assert found["not_active"]["this_academic_year"] == len(await codes(known, inactive="academic_year", country="IT"))


async def test_pages_follow_each_other_and_the_counts_are_of_all(known: Network) -> None:
    address: str | None = f"{COMPLETENESS}?limit=3"
    pages = []
    while address:
        page = await get(known, address)
        pages.append([item["section"] for item in page["items"]])
        assert page["completeness"]["sections_active"] == 4
        address = page["next"]
    assert pages == [SECTIONS[:3], SECTIONS[3:]]


@pytest.mark.parametrize(
    "query", ["reported=perhaps", "inactive=month", "area=health", "cursor=x", "limit=0", "edition=2026%20spring"]
)
async def test_what_cannot_be_asked_is_refused(known: Network, query: str) -> None:
    document = await refused(known, "GET", f"{COMPLETENESS}?{query}", status=422)
    assert document["errors"][0]["pointer"].removesuffix("/0") == f"query/{query.partition('=')[0]}"
