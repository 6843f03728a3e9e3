"""Sections: found, merged, and edited by those who coordinate them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.activities.directory import actions
from services.activities.directory.section_rows import section_in_accounts
from tests.harness.catalogue import activity, enter, titles
from tests.harness.databases import Databases, rows, settings, value
from tests.harness.network import DRAFT, Network, running
from tests.harness.refusals import refused

SECTIONS = "/activities/v1/sections"
ACTIVITIES = "/activities/v1/activities"
MORE = """
UPDATE activities.sections SET latitude = 40.73, longitude = 8.56 WHERE code = 'IT-SASS-ESN';
UPDATE activities.sections SET latitude = 45.46, longitude = 9.19 WHERE code = 'IT-MILA-STA';
INSERT INTO activities.sections (code, name, country, cities, state, time_zone, latitude, longitude) VALUES
  ('IT-MILA-BIC', 'ESN Milano-Bicocca', 'IT', '{Milan,Sesto San Giovanni}', 'warned', 'Europe/Rome', 45.52, 9.21),
  ('SE-MALM-ESN', 'ESN Malmö', 'SE', '{Malmö}', 'withdrew', 'Europe/Stockholm', NULL, NULL);
"""


@pytest.fixture(scope="module")
async def directory(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    async with databases.fresh() as url, running(settings(url, redis_url), url) as network:
        await (await network.observer()).execute(MORE)
        yield network


async def codes(network: Network, **query: Any) -> list[str]:
    reply = await network.client.get(SECTIONS, params=query)
    assert reply.status_code == 200, reply.text
    return [item["code"] for item in reply.json()["items"]]


async def patch(network: Network, code: str, changes: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    etag = (await network.client.get(f"{SECTIONS}/{code}")).headers["etag"]
    told = {**(headers or await network.token("international")), "If-Match": etag}
    return await network.client.patch(f"{SECTIONS}/{code}", json=changes, headers=told)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"country": "PL"}, ["PL-WARS-UKS"]),
        ({"country": ["PL", "PT"]}, ["PL-WARS-UKS", "PT-PORT-ESN"]),
        ({"platform": "CEP"}, ["PL-WARS-UKS"]),
        ({"platform": ["CEP", "NEP"]}, ["PL-WARS-UKS", "SE-MALM-ESN"]),
        ({"platform": "SEEP"}, []),
        ({"state": "warned"}, ["IT-MILA-BIC"]),
        ({"state": ["warned", "withdrew"], "country": "SE"}, ["SE-MALM-ESN"]),
        ({"q": "malmo"}, ["SE-MALM-ESN"]),
        ({"q": "SESTO san"}, ["IT-MILA-BIC"]),
        ({"q": "milano bicocca"}, ["IT-MILA-BIC"]),
        ({"q": "it-mila-sta"}, ["IT-MILA-STA"]),
        ({"q": "%"}, []),
        ({"q": "_"}, []),
        ({"q": "esn nowhere"}, []),
        ({"near": "45.46,9.19"}, ["IT-MILA-STA", "IT-MILA-BIC"]),
        ({"near": "45.46,9.19", "radius_km": 2}, ["IT-MILA-STA"]),
        ({"near": "45.6,9.21", "radius_km": 1000}, ["IT-MILA-BIC", "IT-MILA-STA", "IT-SASS-ESN"]),
    ],
    ids=str,
)
async def test_sections_are_found(directory: Network, query: dict[str, Any], expected: list[str]) -> None:
    assert await codes(directory, **query) == expected


async def test_pages_of_the_nearest_go_on_where_they_ended(directory: Network) -> None:
    reply = await directory.client.get(SECTIONS, params={"near": "45.6,9.21", "radius_km": 1000, "limit": 1})
    found = [reply.json()["items"][0]]
    while reply.json()["next"]:
        reply = await directory.client.get(reply.json()["next"])
        found += reply.json()["items"]
    assert [item["code"] for item in found] == ["IT-MILA-BIC", "IT-MILA-STA", "IT-SASS-ESN"]
    distances = [item["distance_km"] for item in found]
    assert distances == sorted(distances)
    assert 8.8 < distances[0] < 9.0


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("near=1", "near"), ("near=91,0", "near"), ("radius_km=5", "radius_km"), ("near=1,1&radius_km=0", "radius_km"),
        ("state=gone", "state/0"), ("country=it", "country/0"),
        ("country=ZZ", "country/0"), ("platform=ZZP", "platform/0"), ("platform=%20", "platform/0"), ("q=", "q"),
        ("q=%00", "q"),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_named(directory: Network, query: str, pointer: str) -> None:
    await refused(directory, "GET", f"{SECTIONS}?{query}", status=422, pointers=[f"query/{pointer}"])


async def test_a_section_says_its_platform_and_its_languages(directory: Network) -> None:
    section = (await directory.client.get(f"{SECTIONS}/PL-WARS-UKS")).json()
    assert (section["platform"], section["languages"], section["merged_into"]) == ("CEP", ["pl"], None)


@pytest.mark.parametrize("who", ["local", "national", "international", "operator"])
async def test_a_section_is_edited_by_its_coordinators(network: Network, who: str) -> None:
    headers = {
        "local": await network.local(), "national": await network.national(),
        "international": await network.token("international"), "operator": await network.token("operator"),
    }[who]  # fmt: skip
    wanted = {
        "website": "https://sassari.example/", "languages": ["it", "sc"], "time_zone": "Europe/Malta",
        "cities": ["Sassari", "Alghero"], "latitude": 40.7, "longitude": 8.6,
    }  # fmt: skip
    reply = await patch(network, "IT-SASS-ESN", wanted, headers)
    assert reply.status_code == 200, reply.text
    assert {name: reply.json()[name] for name in wanted} == wanted
    got = await network.client.get(f"{SECTIONS}/IT-SASS-ESN")
    assert (got.json(), got.headers["etag"]) == (reply.json(), reply.headers["etag"])
    told = "SELECT payload ->> 'time_zone' FROM events.log WHERE name LIKE '%section_recorded%'"
    assert [row[0] for row in await rows(network.database_url, told)] == ["Europe/Malta"]
    await network.settle()
    known = await rows(network.database_url, "SELECT code FROM registration.sections")
    assert [row["code"] for row in known] == ["IT-SASS-ESN"]
    assert (await patch(network, "IT-SASS-ESN", {"languages": None}, headers)).json()["languages"] == ["it"]


async def test_nobody_edits_a_section_of_others_or_what_they_did_not_read(shared: Network) -> None:
    address, body = f"{SECTIONS}/IT-SASS-ESN", {"website": None}
    for headers in (
        await shared.local("IT-MILA-STA"),
        await shared.national("PL"),
        await shared.token("machine"),
    ):
        await refused(shared, "PATCH", address, status=403, headers={**headers, "If-Match": "*"}, json=body)
    local = await shared.local()
    await refused(shared, "PATCH", address, status=428, headers=local, json=body)
    await refused(shared, "PATCH", address, status=412, headers={**local, "If-Match": '"old"'}, json=body)
    for body in ({"state": "withdrew"}, {"merged_into": "IT-MILA-STA"}):
        for headers in (local, await shared.national()):
            await refused(shared, "PATCH", address, status=403, headers={**headers, "If-Match": "*"}, json=body)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({}, "#"), ({"latitude": 1}, "#"), ({"latitude": 1, "longitude": None}, "#"),
        ({"latitude": 91, "longitude": 1}, "#/latitude"), ({"latitude": "1", "longitude": 1}, "#/latitude"),
        ({"website": "javascript:alert(1)"}, "#/website"), ({"website": "sassari"}, "#/website"),
        ({"time_zone": "Europe/Atlantis"}, "#/time_zone"), ({"time_zone": None}, "#/time_zone"),
        ({"languages": []}, "#/languages"), ({"languages": ["it", "it"]}, "#/languages"),
        ({"languages": ["Italian!"]}, "#/languages/0"), ({"cities": ["a", "a"]}, "#/cities"),
        ({"cities": None}, "#/cities"), ({"cities": ["x"] * 11}, "#/cities"), ({"state": "gone"}, "#/state"),
        ({"state": None}, "#/state"), ({"name": "ESN"}, "#/name"), ({"merged_into": "IT-MILA-STA"}, "#/merged_into"),
        ({"state": "withdrew", "merged_into": "IT-MILA-STA"}, "#/merged_into"),
        ({"state": "merged", "merged_into": "XX-NONE-ESN"}, "#/merged_into"),
        ({"state": "merged", "merged_into": "IT-SASS-ESN"}, "#/merged_into"),
    ],
    ids=str,
)  # fmt: skip
async def test_an_edit_that_cannot_be_is_named(shared: Network, changes: dict[str, Any], pointer: str) -> None:
    headers = {**await shared.token("international"), "If-Match": "*"}
    address = f"{SECTIONS}/IT-SASS-ESN"
    await refused(shared, "PATCH", address, status=422, pointers=[pointer], headers=headers, json=changes)


async def merge(network: Network, code: str, successor: str) -> Any:
    return await patch(network, code, {"state": "merged", "merged_into": successor})


async def test_a_merged_section_leads_to_its_last_successor(network: Network) -> None:
    assert (await merge(network, "IT-SASS-ESN", "IT-MILA-STA")).status_code == 200
    assert (await merge(network, "IT-MILA-STA", "PL-WARS-UKS")).status_code == 200
    for code in ("IT-SASS-ESN", "IT-MILA-STA"):
        reply = await network.client.get(f"{SECTIONS}/{code}")
        assert (reply.status_code, reply.headers["location"]) == (308, f"{SECTIONS}/PL-WARS-UKS")
        assert (reply.json()["code"], reply.json()["state"]) == (code, "merged")
    circle = await merge(network, "PL-WARS-UKS", "IT-SASS-ESN")
    assert (circle.status_code, circle.json()["errors"][0]["pointer"]) == (422, "#/merged_into")
    assert (await network.client.get(f"{SECTIONS}/PL-WARS-UKS")).status_code == 200
    reply = await patch(network, "IT-SASS-ESN", {"state": "active"})
    assert (reply.json()["state"], reply.json()["merged_into"]) == ("active", None)
    assert (await network.client.get(f"{SECTIONS}/IT-SASS-ESN")).status_code == 200


async def test_two_that_merge_into_each_other_at_once_make_no_circle(network: Network) -> None:
    replies = await asyncio.gather(
        merge(network, "IT-SASS-ESN", "IT-MILA-STA"), merge(network, "IT-MILA-STA", "IT-SASS-ESN")
    )
    assert sorted(reply.status_code for reply in replies) == [200, 422]
    merged = await rows(network.database_url, "SELECT code FROM activities.sections WHERE merged_into IS NOT NULL")
    assert len(merged) == 1


async def test_the_successor_stands_for_its_predecessors(network: Network) -> None:
    def of(code: str) -> Any:
        return activity(code, section_codes=[code], organisers=[{"code": code, "name": code, "lead": True}])

    await enter(network, [of(code) for code in ("IT-SASS-ESN", "IT-MILA-STA", "PL-WARS-UKS")])
    await merge(network, "IT-SASS-ESN", "IT-MILA-STA")
    assert sorted(await titles(network, section="IT-MILA-STA")) == ["IT-MILA-STA", "IT-SASS-ESN"]
    assert await titles(network, section="IT-SASS-ESN") == ["IT-SASS-ESN"]
    await merge(network, "IT-MILA-STA", "PL-WARS-UKS")
    assert len(await titles(network, section="PL-WARS-UKS")) == 3
    feed = await network.client.get("/activities/v1/activities.atom", params={"section": "PL-WARS-UKS"})
    assert feed.text.count("</entry>") == 3


async def test_nobody_merges_into_a_section_that_is_no_more_nor_across_a_border_but_esn_international(
    network: Network,
) -> None:
    await (await network.observer()).execute(MORE)
    both = {"state": "merged", "merged_into": "SE-MALM-ESN"}
    gone = await patch(network, "IT-SASS-ESN", both)
    await patch(network, "IT-MILA-STA", {"state": "merged"})
    lost = await patch(network, "IT-SASS-ESN", {**both, "merged_into": "IT-MILA-STA"})
    abroad = {**both, "merged_into": "PL-WARS-UKS"}
    by_operator = await patch(network, "IT-SASS-ESN", abroad, await network.token("operator"))
    for reply in (gone, lost, by_operator):
        assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "#/merged_into")
    assert (await patch(network, "IT-SASS-ESN", abroad)).status_code == 200


async def test_a_section_that_is_no_more_drafts_nothing_and_its_last_successor_takes_over_what_it_drafted(
    network: Network,
) -> None:
    drafted = await network.drafted()
    await merge(network, "IT-SASS-ESN", "IT-MILA-STA")
    await merge(network, "IT-MILA-STA", "PL-WARS-UKS")
    address, heir = f"{ACTIVITIES}/{drafted['id']}", await network.local("PL-WARS-UKS")
    stranger = await network.local("PT-PORT-ESN")
    assert (await network.client.get(address, headers=stranger)).status_code == 404
    seen = await network.client.get(address, headers=heir)
    told = {**heir, "If-Match": seen.headers["etag"]}
    await refused(network, "PATCH", address, status=403, headers={**told, **stranger}, json={"capacity": 7})
    # What it organises it goes on to organise, until somebody says otherwise.
    revised = await network.client.patch(address, json={"capacity": 7, "title": "Ours now"}, headers=told)
    assert (revised.status_code, revised.json()["capacity"]) == (200, 7)
    assert (await network.client.get(f"{address}/history", headers=heir)).status_code == 200
    again = {**heir, **network.key()}
    await refused(network, "POST", f"{address}/duplicate", status=409, headers=again)
    both = {**DRAFT, "organisers": [{"code": "PL-WARS-UKS", "lead": True}, {"code": "IT-SASS-ESN"}]}
    reply = await network.client.post(ACTIVITIES, json=both, headers={**heir, **network.key()})
    assert (reply.status_code, reply.json()["errors"]) == (
        422,
        [{"pointer": "#/organisers/1/code", "detail": "This section merged; its successor is PL-WARS-UKS."}],
    )


async def test_what_a_section_stated_no_list_overwrites(network: Network) -> None:
    await patch(network, "IT-SASS-ESN", {"website": "https://own.example/"}, await network.local())
    record = {
        "code": "IT-SASS-ESN", "label": "ESN Sassari 2", "cc": "IT", "cities": [{"name": "Alghero"}],
        "website": "https://accounts.example/",
    }  # fmt: skip
    async with network.runtimes["activities"].unit_of_work() as session:
        assert await actions.record_section(session, section_in_accounts(record)[0])
    section = (await network.client.get(f"{SECTIONS}/IT-SASS-ESN")).json()
    assert (section["website"], section["name"], section["cities"]) == (
        "https://own.example/",
        "ESN Sassari 2",
        ["Alghero"],
    )
    async with network.runtimes["activities"].unit_of_work() as session:
        assert not await actions.record_section(session, section_in_accounts(record)[0])
    assert await value(network.database_url, "SELECT count(*) FROM events.log") == 2
