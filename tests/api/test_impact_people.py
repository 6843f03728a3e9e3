"""Distinct people: each counted once in every place and time, whatever becomes of what was told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from services import contracts
from tests.harness.catalogue import get
from tests.harness.impact import Impact, activity, attendance
from tests.harness.network import Network

PEOPLE = "/impact/v1/people"
FIRST, SECOND, ABROAD = (UUID(int=number, version=4) for number in range(3))
ADA, BO = UUID(int=100, version=4), UUID(int=101, version=4)


def key(number: int) -> UUID:
    return UUID(int=200 + number, version=4)


@pytest.fixture
async def impact(network: Network) -> Impact:
    """Three activities of two countries, one edition: Ada was at all of them, Bo and a guest at one."""
    made = Impact(network.runtimes["impact"], network.database_url)
    await made.tell(
        [
            contracts.ActivityPublished(activity=activity(FIRST)),
            contracts.ActivityPublished(activity=activity(SECOND, section="IT-SASS-ESN")),
            contracts.ActivityPublished(activity=activity(ABROAD, section="PL-WARS-UKS", country="PL", platform="CEP")),
            *(attendance(at, key(n), person_key=ADA) for n, at in enumerate((FIRST, SECOND, ABROAD))),
            attendance(FIRST, key(3), person_key=BO),
            attendance(FIRST, key(4)),
        ]
    )
    await made.catch_up()
    return made


async def numbers(network: Network, **query: Any) -> dict[Any, tuple[int, int, int]]:
    found = await get(network, PEOPLE, query)
    return {
        item["section"] or item["country"]: (item["people"], item["with_key"], item["without_key"])
        for item in found["items"]
    }


async def test_somebody_counts_once_in_each_place_and_time(network: Network, impact: Impact) -> None:
    for period in ({"edition": "2026-autumn"}, {"academic_year": "2026/27"}):
        assert await numbers(network, **period) == {
            None: (3, 2, 1), "IT": (3, 2, 1), "PL": (1, 1, 0),
            "IT-MILA-STA": (3, 2, 1), "IT-SASS-ESN": (1, 1, 0), "PL-WARS-UKS": (1, 1, 0),
        }  # fmt: skip
    told = await get(network, PEOPLE, {"section": "IT-SASS-ESN", "edition": "2026-autumn"})
    assert told["items"] == [
        {
            "scope": "section", "country": None, "section": "IT-SASS-ESN", "period": "edition", "academic_year": None,
            "edition": "2026-autumn", "people": 1, "with_key": 1, "without_key": 0,
        }
    ]  # fmt: skip
    assert told["as_of"] is not None
    assert "must not be added" in told["definition"]


async def test_who_was_not_there_after_all_counts_where_else_they_were(network: Network, impact: Impact) -> None:
    await impact.tell([attendance(FIRST, key(0), 2, person_key=ADA, present=False)])
    await impact.catch_up()
    assert await numbers(network, scope="section", edition="2026-autumn", section="IT-MILA-STA") == {
        "IT-MILA-STA": (2, 1, 1)
    }
    assert (await numbers(network, scope="network", edition="2026-autumn"))[None] == (3, 2, 1)
    # A telling of before changes nothing, however late it comes.
    await impact.tell([attendance(FIRST, key(0), 1, person_key=ADA)])
    await impact.catch_up()
    assert (await numbers(network, country="IT", edition="2026-autumn"))["IT"] == (3, 2, 1)
    assert (await numbers(network, section="IT-MILA-STA", edition="2026-autumn"))["IT-MILA-STA"] == (2, 1, 1)


async def test_people_move_with_their_activity(network: Network, impact: Impact) -> None:
    moved = activity(FIRST, 2, section="PT-PORT-ESN", country="PT", edition=None)
    await impact.tell([contracts.ActivityRevised(activity=moved)])
    await impact.catch_up()
    assert await numbers(network, edition="2026-autumn") == {
        None: (1, 1, 0), "IT": (1, 1, 0), "PL": (1, 1, 0), "IT-SASS-ESN": (1, 1, 0), "PL-WARS-UKS": (1, 1, 0)
    }  # fmt: skip
    assert await numbers(network, country="PT") == {"PT": (3, 2, 1)}
    assert (await impact.rebuild()).differences == 0


async def test_presences_of_an_activity_that_is_not_known_yet_count_when_it_is(network: Network) -> None:
    impact = Impact(network.runtimes["impact"], network.database_url)
    await impact.tell([attendance(FIRST, key(1), person_key=ADA), attendance(FIRST, key(2), participant_class="local")])
    await impact.catch_up()
    assert await numbers(network) == {}
    query = {"by": "country", "measures": "activities,attendances,participants"}
    assert (await get(network, "/impact/v1/statistics", query))["items"] == []
    await impact.tell([contracts.ActivityPublished(activity=activity(FIRST))])
    await impact.catch_up()
    # Counted before anybody reported anything: no activity was held yet, and nobody is said to have taken part.
    told = await get(network, "/impact/v1/statistics", query)
    assert told["items"] == [{"country": "IT", "activities": 0, "attendances": 2, "participants": 0, "suppressed": []}]
    assert (told["sources"], told["completeness"]["sections_reporting"]) == ({}, 0)
    assert (await numbers(network, scope="network", academic_year="2026/27")) == {None: (2, 1, 1)}
    await impact.verify(FIRST, {}, international=9, local=4)
    await impact.tell([contracts.ReportVerified(activity_id=FIRST, revision=1)])
    await impact.catch_up()
    told = await get(network, "/impact/v1/statistics", query)
    assert told["items"] == [{"country": "IT", "activities": 1, "attendances": 2, "participants": 13, "suppressed": []}]
    assert told["sources"] == {"organiser": 1}


async def test_pages_follow_each_other(network: Network, impact: Impact) -> None:
    whole = (await get(network, PEOPLE, {}))["items"]
    first = await get(network, PEOPLE, {"limit": 7})
    rest = (await network.client.get(first["next"])).json()
    assert (first["items"] + rest["items"], rest["next"]) == (whole, None)
    assert len(whole) == 12


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"scope": "world"}, "query/scope"),
        ({"country": "it"}, "query/country/0"),
        ({"academic_year": "2026"}, "query/academic_year/0"),
        ({"country": "IT", "section": "IT-MILA-STA"}, "query/section"),
        ({"edition": "2026-autumn", "academic_year": "2026/27"}, "query/edition"),
        ({"scope": "section", "country": "IT"}, "query/scope"),
        ({"home_country": "IT"}, "query/home_country"),
        ({"limit": 0}, "query/limit"),
        ({"cursor": "x"}, "query/cursor"),
    ],
)
async def test_bad_questions_are_refused_with_their_pointer(
    network: Network, query: dict[str, Any], pointer: str
) -> None:
    reply = await network.client.get(PEOPLE, params=query)
    assert reply.status_code == 422, reply.text
    assert [error["pointer"] for error in reply.json()["errors"]] == [pointer]
