"""Joint days: a country's or ESN International's, with local parts that sections draft and that are reviewed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.catalogue import LIST, found
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import refused

POLISH = {"organisers": [{"code": "PL-WARS-UKS", "lead": True}]}


@pytest.fixture(scope="module")
async def network(shared: Network) -> Network:
    """One for all tests of this file: each looks at what it made."""
    return shared


async def _joint(network: Network, scope: str = "country", *, who: dict[str, str] | None = None) -> dict[str, Any]:
    national = who or await network.national()
    body = {**DRAFT, "title": "National cleaning day", "joint": scope}
    drafted = await network.client.post(LIST, headers={**national, **network.key()}, json=body)
    assert drafted.status_code == 201, drafted.text
    for verb in ("submit", "approve", "publish"):
        reply = await network.client.post(f"{LIST}/{drafted.json()['id']}/{verb}", headers=national)
        assert reply.status_code == 200, reply.text
    await network.settle()
    told: dict[str, Any] = reply.json()
    return told


async def test_local_parts_are_reviewed_on_their_own_and_counted_by_the_whole(network: Network) -> None:
    whole = await _joint(network)
    assert (whole["joint"], whole["sign_up"]["state"], whole["parts"]["count"]) == ("country", "not_offered", 0)
    part = await network.published(part_of=whole["id"])
    assert part["part_of"]["id"] == whole["id"]
    assert (part["part_of"]["relation"], part["part_of"]["title"]) == ("local_part", "National cleaning day")
    assert part["sign_up"]["state"] == "open"
    await network.drafted(part_of=whole["id"])
    after = (await network.client.get(f"{LIST}/{whole['id']}")).json()
    assert (after["parts"]["count"], after["revision"]) == (1, whole["revision"])
    assert [item["id"] for item in (await found(network, part_of=whole["id"]))["items"]] == [part["id"]]
    # Both are listed: the day as such, and what happens where.
    both = {whole["id"], part["id"]}
    assert {item["id"] for item in (await found(network))["items"]} >= both
    assert {item["id"] for item in (await found(network, open="true"))["items"]} & both == {part["id"]}
    exported = (await network.client.get("/activities/v1/export")).json()["data"]
    assert {record["uuid"] for record in exported} & both == {part["id"]}


async def test_a_part_tells_the_new_name_of_its_whole(network: Network) -> None:
    whole = await _joint(network)
    part = await network.published(part_of=whole["id"])
    address, national = f"{LIST}/{whole['id']}", await network.national()
    etag = (await network.client.get(address)).headers["etag"]
    renamed = await network.client.patch(address, headers={**national, "If-Match": etag}, json={"title": "Beach day"})
    assert renamed.status_code == 200
    told = (await network.client.get(f"{LIST}/{part['id']}")).json()
    assert (told["part_of"]["title"], told["title"], told["revision"]) == ("Beach day", part["title"], part["revision"])


async def test_an_international_day_takes_parts_of_every_country_and_a_national_one_of_its_own(
    network: Network,
) -> None:
    national = await _joint(network)
    international = await _joint(network, "international", who=await network.token("international"))
    polish = {**await network.local("PL-WARS-UKS"), **network.key()}
    body = {**DRAFT, **POLISH, "part_of": international["id"]}
    assert (await network.client.post(LIST, headers=polish, json=body)).status_code == 201
    await refused(
        network, "POST", LIST, status=422, pointers=["#/part_of"], headers={**polish, **network.key()},
        json={**body, "part_of": national["id"]},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("role", "scope", "joint", "status"),
    [
        ("local_coordinator", {"section": "IT-SASS-ESN"}, "country", 403),
        ("national_coordinator", {"country": "PL"}, "country", 403),
        ("national_coordinator", {"country": "IT"}, "international", 403),
        ("national_coordinator", {"country": "IT"}, "country", 201),
        ("international", {}, "international", 201),
        ("international", {}, "everywhere", 422),
    ],
)
async def test_who_may_draft_a_joint_day(
    shared: Network, role: str, scope: dict[str, str], joint: str, status: int
) -> None:
    headers = {**await shared.token(role, **scope), **shared.key()}
    reply = await shared.client.post(LIST, headers=headers, json={**DRAFT, "joint": joint})
    assert reply.status_code == status


async def test_a_part_needs_a_published_joint_day(network: Network) -> None:
    plain = await network.published()
    national = {**await network.national(), **network.key()}
    drafted = await network.client.post(LIST, headers=national, json={**DRAFT, "joint": "country"})
    for whole in (plain["id"], drafted.json()["id"], "01890000-0000-7000-8000-000000000000"):
        headers = {**await network.local(), **network.key()}
        await refused(
            network, "POST", LIST, status=422, pointers=["#/part_of"], headers=headers, json={**DRAFT, "part_of": whole}
        )
    both = {**DRAFT, "joint": "country", "part_of": plain["id"]}
    await refused(
        network, "POST", LIST, status=422, pointers=["#/part_of"], headers={**national, **network.key()}, json=both
    )


async def test_what_something_is_a_part_of_stays(network: Network) -> None:
    whole = await _joint(network)
    part = await network.drafted(part_of=whole["id"])
    address, local = f"{LIST}/{part['id']}", await network.local()
    etag = (await network.client.get(address, headers=local)).headers["etag"]
    for changes in ({"part_of": None}, {"joint": "country", "part_of": None}):
        reply = await network.client.patch(address, headers={**local, "If-Match": etag}, json=changes)
        assert (reply.status_code, reply.json()["type"].rpartition("/")[2]) == (409, "parts-are-fixed")
    reply = await network.client.patch(address, headers={**local, "If-Match": etag}, json={"title": "In Sassari"})
    assert (reply.status_code, reply.json()["part_of"]["id"]) == (200, whole["id"])
