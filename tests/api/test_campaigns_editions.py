"""Series and editions: what there is, which of them run on a day, and how ESN International announces and revises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.harness.catalogue import get
from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused

EDITIONS, SERIES = "/activities/v1/editions", "/activities/v1/series"
AUTUMN: dict[str, Any] = {
    "series": "social-impact-days",
    "season": "autumn",
    "year": 2027,
    "starts_on": "2027-11-08",
    "ends_on": "2027-11-21",
    "theme": "Together",
}


async def codes(network: Network, **query: Any) -> list[str]:
    return [item["code"] for item in (await get(network, EDITIONS, query))["items"]]


async def announced(network: Network, **changes: Any) -> dict[str, Any]:
    headers = {**await network.token("international"), **network.key()}
    reply = await network.client.post(EDITIONS, json={**AUTUMN, **changes}, headers=headers)
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    assert reply.headers["location"] == f"{EDITIONS}/{found['code']}"
    return found


async def test_the_series_lead_from_the_weeks_to_the_impact_days_and_gatherings_stand_apart(shared: Network) -> None:
    found = (await get(shared, SERIES))["items"]
    described = {
        item["code"]: (item["first_year"], item["last_year"], item["predecessor"], item["successor"]) for item in found
    }
    assert described == {
        "secm": (2012, None, None, None),
        "socialerasmus-week": (2012, 2017, None, "social-inclusion-days"),
        "social-inclusion-days": (2017, 2021, "socialerasmus-week", "social-impact-days"),
        "social-impact-days": (2021, None, "social-inclusion-days", None),
    }
    assert [item["code"] for item in found if not item["claims_activities"]] == ["secm"]
    assert all(item["names"].keys() == {"en", "it", "es"} for item in found)
    assert await get(shared, f"{SERIES}/secm") == found[0]
    await refused(shared, "GET", f"{SERIES}/weeks", status=404)


async def test_an_edition_is_announced_and_read(network: Network) -> None:
    made = await announced(network)
    assert (made["code"], made["series"], made["precision"]) == ("2027-autumn", "social-impact-days", "day")
    read = await get(network, f"{EDITIONS}/2027-autumn")
    assert {name: read[name] for name in made} == made
    told = await rows(
        network.database_url, "SELECT payload->>'code' FROM events.log WHERE name LIKE '%edition_recorded%'"
    )
    assert [row[0] for row in told] == ["2027-autumn"]


async def test_a_gathering_has_its_year_as_its_code(network: Network) -> None:
    made = await announced(
        network, series="secm", season=None, starts_on="2027-09-23", ends_on="2027-09-26", theme=None
    )
    assert (made["code"], made["season"]) == ("secm-2027", None)


async def test_editions_are_found_by_series_year_season_and_day(network: Network) -> None:
    await announced(network)
    await announced(network, season="spring", year=2028, precision="unknown", starts_on=None, ends_on=None)
    await announced(
        network, season="autumn", year=2028, precision="month", starts_on="2028-11-01", ends_on="2028-11-30"
    )
    await announced(network, series="secm", season=None, starts_on="2027-09-23", ends_on="2027-09-26")
    assert await codes(network) == [
        "2028-autumn", "2027-autumn", "secm-2027", "2027-spring", "2026-autumn", "2028-spring"
    ]  # fmt: skip
    assert await codes(network, series="secm") == ["secm-2027"]
    assert await codes(network, year=2027, series="social-impact-days") == ["2027-autumn", "2027-spring"]
    assert await codes(network, season="spring") == ["2027-spring", "2028-spring"]
    assert await codes(network, on="2027-11-08") == await codes(network, on="2027-11-21") == ["2027-autumn"]
    assert await codes(network, on="2027-11-22") == await codes(network, on="2028-11-15") == []


async def test_an_edition_is_current_on_its_days_and_in_a_country_on_that_countrys(network: Network) -> None:
    today = datetime.now(UTC).date()
    await rows(network.database_url, "DELETE FROM activities.editions WHERE code = '2026-autumn'")
    for first, last, is_current in ((-3, -1, False), (0, 0, True), (-1, 1, True), (1, 9, False)):
        days = [today + timedelta(days=first), today + timedelta(days=last)]
        statement = "UPDATE activities.editions SET starts_on = $1, ends_on = $2 WHERE code = '2027-spring'"
        await rows(network.database_url, statement, *days)
        assert ("2027-spring" in await codes(network, current="true")) is is_current
        assert ("2027-spring" in await codes(network, current="false")) is not is_current
    here = (
        "INSERT INTO activities.national_dates (edition, country, starts_on, ends_on) VALUES ('2027-spring','IT',$1,$1)"
    )
    await rows(network.database_url, here, today)
    assert await codes(network, current="true") == await codes(network, on=today.isoformat()) == ["2027-spring"]


async def test_an_edition_is_revised_field_by_field(network: Network) -> None:
    international = await network.token("international")
    before = await network.client.get(f"{EDITIONS}/2027-spring")
    headers = {**international, "If-Match": before.headers["etag"]}
    reply = await network.client.patch(f"{EDITIONS}/2027-spring", json={"theme": "Rivers"}, headers=headers)
    assert reply.status_code == 200, reply.text
    after = await network.client.get(f"{EDITIONS}/2027-spring")
    assert after.json() == {**before.json(), "theme": "Rivers"}
    # The ETag of an answer to a revision is as good as that of a reading; the old one is not.
    await refused(network, "PATCH", f"{EDITIONS}/2027-spring", status=412, headers=headers, json={"theme": "Seas"})
    headers["If-Match"] = reply.headers["etag"]
    reply = await network.client.patch(f"{EDITIONS}/2027-spring", json={"theme": None}, headers=headers)
    assert (reply.status_code, reply.json()["theme"]) == (200, None)


async def test_figures_that_move_do_not_stand_in_the_way_of_a_revision(network: Network) -> None:
    before = await network.client.get(f"{EDITIONS}/2027-spring")
    await network.published()
    after = await network.client.get(f"{EDITIONS}/2027-spring")
    assert after.headers["etag"] != before.headers["etag"]
    headers = {**await network.token("international"), "If-Match": before.headers["etag"]}
    reply = await network.client.patch(f"{EDITIONS}/2027-spring", json={"theme": "Rivers"}, headers=headers)
    assert reply.status_code == 200, reply.text


async def test_a_revision_says_what_it_has_seen(shared: Network) -> None:
    headers = await shared.token("international")
    await refused(shared, "PATCH", f"{EDITIONS}/2027-spring", status=428, headers=headers, json={"theme": "Rivers"})


@pytest.mark.parametrize("role", ["local", "national", "operator"])
async def test_only_esn_international_announces_and_revises(shared: Network, role: str) -> None:
    who = {"local": shared.local, "national": shared.national, "operator": lambda: shared.token("operator")}[role]
    headers = {**await who(), "If-Match": "*"}
    await refused(shared, "POST", EDITIONS, status=403, headers={**headers, **shared.key()}, json=AUTUMN)
    await refused(shared, "PATCH", f"{EDITIONS}/2027-spring", status=403, headers=headers, json={"theme": "x"})


async def test_an_edition_is_announced_once(shared: Network) -> None:
    headers = {**await shared.token("international"), **shared.key()}
    wanted = {**AUTUMN, "season": "spring"}
    await refused(shared, "POST", EDITIONS, status=409, headers=headers, json=wanted)
    await refused(shared, "POST", EDITIONS, status=400, headers=await shared.token("international"), json=AUTUMN)


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"series": MARKER}, ["series"]),
        ({"series": "secm"}, ["season"]),
        ({"season": None}, ["season"]),
        ({"season": MARKER}, ["season"]),
        ({"year": 2020, "starts_on": "2020-11-08", "ends_on": "2020-11-21"}, ["year"]),
        ({"year": "2027"}, ["year"]),
        ({"year": 1999}, ["year"]),
        ({"year": 2028}, ["starts_on"]),
        ({"starts_on": None}, ["starts_on"]),
        ({"starts_on": None, "ends_on": None}, ["starts_on", "ends_on"]),
        ({"precision": "unknown"}, ["starts_on", "ends_on"]),
        ({"precision": "month"}, ["starts_on", "ends_on"]),
        ({"precision": "week"}, ["precision"]),
        ({"starts_on": "2027-11-22"}, ["ends_on"]),
        ({"starts_on": "2027-08-01", "ends_on": "2027-11-01"}, ["ends_on"]),
        ({"starts_on": "2027-11-08T00:00"}, ["starts_on"]),
        ({"starts_on": "2027-02-30"}, ["starts_on"]),
        ({"starts_on": 1825632000}, ["starts_on"]),
        ({"theme": "two\nlines"}, ["theme"]),
        ({"code": "2027-winter"}, ["code"]),
    ],
)
async def test_what_an_edition_cannot_be_is_named(
    shared: Network, changes: dict[str, Any], pointers: list[str]
) -> None:
    headers = {**await shared.token("international"), **shared.key()}
    named = [f"#/{name}" for name in pointers]
    await refused(shared, "POST", EDITIONS, status=422, pointers=named, headers=headers, json={**AUTUMN, **changes})


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({}, "#"),
        ({"year": 2028}, "#/year"),
        ({"starts_on": None}, "#/starts_on"),
        ({"ends_on": "2027-05-02"}, "#/ends_on"),
        ({"starts_on": "2026-12-31"}, "#/starts_on"),
        ({"certainty": None}, "#/certainty"),
    ],
)
async def test_what_an_edition_cannot_become_is_named(shared: Network, changes: dict[str, Any], pointer: str) -> None:
    headers = {**await shared.token("international"), "If-Match": "*"}
    address = f"{EDITIONS}/2027-spring"
    await refused(shared, "PATCH", address, status=422, pointers=[pointer], headers=headers, json=changes)


@pytest.mark.parametrize(
    "query", ["series=a%20b", "year=1999", "year=x", "season=winter", "on=2027-5-8", "on=2027-02-30", "current=2"]
)
async def test_a_filter_out_of_its_form_is_named(shared: Network, query: str) -> None:
    pointers = [f"query/{query.partition('=')[0]}"]
    await refused(shared, "GET", f"{EDITIONS}?{query}", status=422, pointers=pointers)
