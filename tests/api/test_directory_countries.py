"""Countries, their regional platforms over time, and the activities that follow them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.operations import imports
from services.operations.kinds import Kind
from tests.harness.catalogue import activity, enter, found, titles
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused

COUNTRIES = "/activities/v1/countries"
PLATFORMS = "/activities/v1/platforms"


async def read(network: Network, address: str) -> dict[str, Any]:
    reply = await network.client.get(address)
    assert reply.status_code == 200, reply.text
    document: dict[str, Any] = reply.json()
    return document


async def members(network: Network, code: str, on: str | None = None) -> set[str]:
    listed = await read(network, PLATFORMS + (f"?on={on}" if on else ""))
    return {each["country"] for item in listed["items"] if item["code"] == code for each in item["members"]}


async def put(network: Network, country: str, memberships: list[dict[str, Any]], role: str = "international") -> Any:
    address = f"{COUNTRIES}/{country}/platform-memberships"
    etag = (await network.client.get(address)).headers["etag"]
    headers = {**await network.token(role), "If-Match": etag}
    return await network.client.put(address, json={"memberships": memberships}, headers=headers)


async def test_a_country_says_its_organisation_its_platform_and_its_active_sections(network: Network) -> None:
    assert [item["code"] for item in (await read(network, COUNTRIES))["items"]] == ["IT", "PL", "PT"]
    assert await read(network, f"{COUNTRIES}/PL") == {
        "code": "PL", "name": "Poland", "organisation": None, "sections_active": 1, "platform": "CEP"
    }  # fmt: skip


async def test_what_is_known_of_the_platforms_says_how_well_it_is_known(network: Network) -> None:
    listed = await read(network, PLATFORMS)
    assert [item["code"] for item in listed["items"]] == ["CEP", "NEP", "SEEP", "SWEP", "WEP"]
    assert await members(network, "NEP", "2023-06-01") == {"NO", "SE", "DK", "FI", "LV", "EE", "RU", "IS", "LT"}
    assert await members(network, "CEP", "2016-06-01") == {"PL", "CZ", "LT", "SK", "AT", "HU", "SI", "HR"}
    assert await members(network, "SEEP") == set()
    history = (await read(network, f"{PLATFORMS}/CEP"))["history"]
    lithuania = next(each for each in history if each["country"] == "LT")
    assert (lithuania["from"], lithuania["until"], lithuania["certainty"]) == (None, "2019-01-01", "inferred")
    assert lithuania["source"]


async def test_the_list_of_countries_is_imported_once(network: Network, tmp_path: Path) -> None:
    source = tmp_path / "countries.csv"
    source.write_text(
        "country_code_iso,national_organisation,website_2016,regional_platform_stated,note\n"
        "UK,ESN UK,http:/www.esnuk.example,WEP,\nPL,ESN Poland,0,NEP,\nMT, ESN Malta,,,\n"
        "XX,ESN Nowhere,,,\nIT,,,,\nPT,ESN Portugal,,NOPE,\n"
    )
    report = await imports.run(network.settings, Kind.COUNTRIES, source)
    assert (report.taken, report.refused) == (3, 3)
    assert (tmp_path / "countries.refused.csv").read_text().count("\n") == 4
    again = await imports.run(network.settings, Kind.COUNTRIES, source)
    assert (again.taken, again.unchanged) == (0, 3)
    britain = await read(network, f"{COUNTRIES}/GB")
    assert britain["organisation"] == {"name": "ESN UK", "website": "http://www.esnuk.example"}
    assert britain["platform"] == "WEP"
    # What is known already is not overwritten by a list that has no dates.
    assert (await read(network, f"{COUNTRIES}/PL"))["platform"] == "CEP"
    assert [item["code"] for item in (await read(network, COUNTRIES))["items"]] == ["GB", "IT", "MT", "PL", "PT"]


async def test_the_real_list_of_countries_is_taken(network: Network, shared_data: Path) -> None:
    report = await imports.run(network.settings, Kind.COUNTRIES, shared_data / "esn_countries.csv", beside=False)
    assert (report.taken, report.refused) == (46, 0)
    again = await imports.run(network.settings, Kind.COUNTRIES, shared_data / "esn_countries.csv", beside=False)
    assert (again.taken, again.unchanged) == (0, 46)


async def test_memberships_are_replaced_as_a_whole(network: Network) -> None:
    wanted = [
        {"platform": "SEEP", "until": "2020-01-01", "certainty": "inferred", "source": "a letter"},
        {"platform": "SWEP", "from": "2020-01-01"},
    ]
    reply = await put(network, "IT", wanted)
    assert reply.status_code == 200, reply.text
    assert [(item["platform"], item["from"], item["until"]) for item in reply.json()["items"]] == [
        ("SEEP", None, "2020-01-01"),
        ("SWEP", "2020-01-01", None),
    ]
    assert reply.headers["etag"] == (await network.client.get(f"{COUNTRIES}/IT/platform-memberships")).headers["etag"]
    assert "IT" in await members(network, "SEEP", "2019-12-31")
    assert "IT" in await members(network, "SWEP", "2020-01-01")
    assert (await put(network, "IT", [], role="operator")).json()["items"] == []


@pytest.mark.parametrize(
    ("memberships", "pointers"),
    [
        ([{"platform": "NEP"}, {"platform": "CEP", "from": "2020-01-01"}], ["#/memberships/1/from"]),
        ([{"platform": "NEP", "from": "2020-01-01", "until": "2020-01-01"}], ["#/memberships/0/until"]),
        ([{"platform": "NOPE"}], ["#/memberships/0/platform"]),
        ([{"platform": "NEP", "from": "2020"}], ["#/memberships/0/from"]),
        ([{"platform": "NEP", "from": 1577836800}], ["#/memberships/0/from"]),
        ([{"platform": "NEP", "until": "2020-02-30"}], ["#/memberships/0/until"]),
        ([{"platform": "NEP", "certainty": "sure"}], ["#/memberships/0/certainty"]),
        ([{}], ["#/memberships/0/platform"]),
    ],
    ids=str,
)
async def test_memberships_that_cannot_be_are_named(
    shared: Network, memberships: list[dict[str, Any]], pointers: list[str]
) -> None:
    address = f"{COUNTRIES}/LT/platform-memberships"
    etag = (await shared.client.get(address)).headers["etag"]
    headers = {**await shared.token("international"), "If-Match": etag}
    body = {"memberships": memberships}
    await refused(shared, "PUT", address, status=422, pointers=pointers, headers=headers, json=body)


async def test_only_the_network_says_who_is_in_a_platform_and_only_of_what_it_read(shared: Network) -> None:
    address, body = f"{COUNTRIES}/IT/platform-memberships", {"memberships": []}
    for headers in (await shared.local(), await shared.national()):
        await refused(shared, "PUT", address, status=403, headers=headers, json=body)
    network = await shared.token("international")
    await refused(shared, "PUT", address, status=428, headers=network, json=body)
    await refused(shared, "PUT", address, status=412, headers={**network, "If-Match": '"old"'}, json=body)
    await refused(shared, "PUT", f"{COUNTRIES}/XX/platform-memberships", status=404, headers=network, json=body)


async def test_postgres_itself_refuses_two_platforms_at_once(network: Network) -> None:
    statement = "INSERT INTO activities.platform_memberships (country, platform, starts_on, certainty) VALUES"
    with pytest.raises(Exception, match="ex_platform_memberships_one_at_a_time"):
        await rows(network.database_url, f"{statement} ('PL', 'NEP', '2030-01-01', 'stated')")


async def test_an_activity_is_in_the_platform_of_its_country_on_its_first_day(network: Network) -> None:
    await put(network, "IT", [{"platform": "SEEP", "until": "2027-05-08"}, {"platform": "SWEP", "from": "2027-05-08"}])
    assert (await network.published())["platform"] == "SWEP"
    # It is still the evening before in UTC when this begins in Rome.
    assert (await network.drafted(starts_at="2027-05-08T00:30"))["platform"] == "SWEP"
    assert (await network.drafted(starts_at="2027-05-07T23:30"))["platform"] == "SEEP"
    told = await value(
        network.database_url, "SELECT payload #>> '{activity,platform}' FROM events.log WHERE name LIKE '%published%'"
    )
    assert told == "SWEP"
    assert (await found(network, platform="SWEP"))["items"][0]["platform"] == "SWEP"
    assert (await found(network, platform=["NEP", "SEEP"]))["items"] == []
    assert (await found(network, facets="platform"))["facets"] == {"platform": [{"code": "SWEP", "count": 1}]}


async def test_activities_follow_their_country_into_another_platform(network: Network) -> None:
    held = activity("held", state="held", starts_at=datetime(2015, 5, 8, 8, tzinfo=UTC))
    undated = activity("undated", starts_at=None)
    await enter(network, [held, undated, *(activity(f"{number}") for number in range(250))])
    elsewhere = activity("elsewhere", country="PL")
    await enter(network, [elsewhere])
    reply = await put(
        network, "IT", [{"platform": "WEP", "until": "2020-01-01"}, {"platform": "SWEP", "from": "2020-01-01"}]
    )
    assert reply.status_code == 200
    await network.sweep()
    assert await titles(network, platform="WEP") == ["held"]
    assert len(await titles(network, platform="SWEP", limit=200)) == 250
    page = await found(network, q="undated")
    assert (page["items"][0]["platform"], page["items"][0]["revision"]) == (None, 1)
    revised = "SELECT count(DISTINCT aggregate) FROM events.log WHERE name = 'activities.activity_revised.v1'"
    assert await value(network.database_url, revised) == 251
    entry = "SELECT DISTINCT verb, actor_role, revision FROM activities.activity_history"
    assert [tuple(row) for row in await rows(network.database_url, entry)] == [("follow", "directory", 2)]
    assert await value(network.database_url, "SELECT count(*) FROM activities.platform_rounds") == 0
    await network.sweep()
    assert await value(network.database_url, revised) == 251


ORGANISATION = f"{COUNTRIES}/IT/organisation"


async def edit(network: Network, who: dict[str, str], etag: str | None = None, **wanted: Any) -> Any:
    etag = etag or (await network.client.get(ORGANISATION)).headers["etag"]
    return await network.client.put(ORGANISATION, json=wanted, headers={**who, "If-Match": etag})


async def test_a_national_organisation_is_edited_and_no_list_overwrites_it(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "countries.csv"
    path.write_text("country_code_iso,national_organisation,website_2016\nIT,Listed,http://listed.example\n")
    await imports.run(network.settings, Kind.COUNTRIES, path)
    unknown = await read(network, f"{COUNTRIES}/PL/organisation")
    assert unknown == {"country": "PL", "name": None, "website": None, "revision": 0}
    seen = await network.client.get(ORGANISATION)
    assert (seen.json()["name"], seen.json()["revision"]) == ("Listed", 0)

    national, wanted = await network.national(), {"name": "ESN Italia", "website": "https://esnitalia.example/"}
    reply = await edit(network, national, **wanted)
    assert (reply.status_code, reply.json()) == (200, {"country": "IT", **wanted, "revision": 1})
    assert (await edit(network, national, **wanted)).json()["revision"] == 1, "what is as it was is no change"
    assert (await edit(network, national, seen.headers["etag"], name="Late")).status_code == 412
    await edit(network, await network.token("international"), name="ESN Italy")
    await imports.run(network.settings, Kind.COUNTRIES, path)
    assert (await read(network, f"{COUNTRIES}/IT"))["organisation"] == {"name": "ESN Italy", "website": None}

    page = (await network.client.get(f"{ORGANISATION}/history?limit=1", headers=national)).json()
    again = (await network.client.get(page["next"], headers=national)).json()
    told = [*page["items"], *again["items"]]
    assert [(each["revision"], each["by"]) for each in told] == [(1, "national_coordinator"), (2, "international")]
    assert told[0]["before"] == {"name": "Listed", "website": "http://listed.example"}
    assert told[0]["after"] == told[1]["before"] == wanted
    assert again["next"] is None
    with pytest.raises(asyncpg.RestrictViolationError):
        await value(network.database_url, "DELETE FROM activities.organisation_history")


async def test_only_those_of_the_country_edit_its_organisation(shared: Network) -> None:
    etag = (await shared.client.get(ORGANISATION)).headers["etag"]
    wanted = {"json": {"name": "ESN"}}
    for who in (await shared.local(), await shared.national("PL")):
        await refused(shared, "PUT", ORGANISATION, status=403, headers={**who, "If-Match": etag}, **wanted)
        await refused(shared, "GET", f"{ORGANISATION}/history", status=403, headers=who)
    await refused(shared, "PUT", ORGANISATION, status=401, headers={"If-Match": etag}, **wanted)
    national = await shared.national()
    await refused(shared, "PUT", ORGANISATION, status=428, headers=national, **wanted)
    await refused(shared, "PUT", f"{COUNTRIES}/ZZ/organisation", status=404, headers=national, **wanted)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/name"), ({"name": " "}, "#/name"), ({"name": "123"}, "#/name"), ({"name": MARKER, "x": 1}, "#/x"),
        ({"name": "ESN", "website": f"javascript:{MARKER}"}, "#/website"), ({"name": "ESN\n"+MARKER}, "#/name"),
    ],
)  # fmt: skip
async def test_what_no_organisation_can_be_is_refused(shared: Network, body: dict[str, Any], pointer: str) -> None:
    etag = (await shared.client.get(ORGANISATION)).headers["etag"]
    headers = {**await shared.national(), "If-Match": etag}
    await refused(shared, "PUT", ORGANISATION, status=422, pointers=[pointer], headers=headers, json=body)
