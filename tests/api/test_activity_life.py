"""The life of an activity through the public API, and who may move it on."""

from __future__ import annotations

import pytest

from tests.harness.databases import value
from tests.harness.network import DRAFT, Network


async def test_a_draft_is_reviewed_published_and_listed(network: Network) -> None:
    activity = await network.published()
    assert activity["state"] == "published"
    assert activity["starts_at"] == "2027-05-08T10:00:00+02:00"
    assert activity["edition"] == "2027-spring"
    assert activity["sign_up"]["state"] == "open"
    listed = (await network.client.get("/activities/v1/activities", params={"edition": "2027-spring"})).json()
    assert [item["id"] for item in listed["items"]] == [activity["id"]]
    detail = await network.client.get(f"/activities/v1/activities/{activity['id']}")
    assert detail.json() == listed["items"][0] == activity


async def test_a_returned_activity_tells_the_reasons_and_comes_back(network: Network) -> None:
    drafted = await network.drafted()
    address = f"/activities/v1/activities/{drafted['id']}"
    local, national = await network.local(), await network.national()
    await network.client.post(f"{address}/submit", headers=local)
    returned = await network.client.post(f"{address}/return", headers=national, json={"reason": "Which partner?"})
    assert (returned.json()["state"], returned.json()["reason"]) == ("returned", "Which partner?")
    etag = returned.headers["etag"]
    revised = await network.client.patch(
        address, headers={**local, "If-Match": etag}, json={"partners": [{"name": "Bonga Surf School"}]}
    )
    assert revised.status_code == 200
    again = await network.client.post(f"{address}/submit", headers=local)
    assert again.json()["state"] == "submitted"


async def test_two_coordinators_cannot_overwrite_each_other(network: Network) -> None:
    drafted = await network.drafted()
    address, local = f"/activities/v1/activities/{drafted['id']}", await network.local()
    etag = (await network.client.get(address, headers=local)).headers["etag"]
    first = await network.client.patch(address, headers={**local, "If-Match": etag}, json={"capacity": 10})
    second = await network.client.patch(address, headers={**local, "If-Match": etag}, json={"capacity": 20})
    without = await network.client.patch(address, headers=local, json={"capacity": 30})
    assert (first.status_code, second.status_code, without.status_code) == (200, 412, 428)
    assert (await network.client.get(address, headers=local)).json()["capacity"] == 10


@pytest.mark.parametrize(
    ("role", "scope", "expected"),
    [
        ("local_coordinator", {"section": "IT-SASS-ESN"}, 403),
        ("local_coordinator", {"section": "IT-MILA-STA"}, 403),
        ("national_coordinator", {"country": "PL"}, 403),
        ("national_coordinator", {"country": "IT"}, 200),
        ("international", {}, 200),
        ("operator", {}, 403),
        ("machine", {}, 403),
    ],
)
async def test_only_the_reviewer_of_the_country_approves(
    network: Network, role: str, scope: dict[str, str], expected: int
) -> None:
    drafted = await network.drafted()
    address = f"/activities/v1/activities/{drafted['id']}"
    await network.client.post(f"{address}/submit", headers=await network.local())
    reply = await network.client.post(f"{address}/approve", headers=await network.token(role, **scope))
    assert reply.status_code == expected


async def test_a_draft_is_no_secret_to_its_section_and_does_not_exist_for_others(network: Network) -> None:
    drafted = await network.drafted()
    address = f"/activities/v1/activities/{drafted['id']}"
    assert (await network.client.get(address)).status_code == 404
    assert (await network.client.get(address, headers=await network.local("PL-WARS-UKS"))).status_code == 404
    assert (await network.client.get(address, headers=await network.local())).status_code == 200
    assert (await network.client.get("/activities/v1/activities")).json()["items"] == []


async def test_nobody_drafts_for_another_section(network: Network) -> None:
    headers = {**await network.local("PL-WARS-UKS"), **network.key()}
    reply = await network.client.post("/activities/v1/activities", json=DRAFT, headers=headers)
    assert reply.status_code == 403
    assert await value(network.database_url, "SELECT count(*) FROM activities.activities") == 0


async def test_what_was_reviewed_for_the_label_is_fixed(network: Network) -> None:
    activity = await network.published()
    address, local = f"/activities/v1/activities/{activity['id']}", await network.local()
    etag = (await network.client.get(address)).headers["etag"]
    headers = {**local, "If-Match": etag}
    fixed = await network.client.patch(address, headers=headers, json={"areas": ["health"]})
    same = await network.client.patch(address, headers=headers, json={"areas": activity["areas"]})
    assert (same.status_code, same.headers["etag"]) == (200, etag), "what is as it was is no change"
    free = await network.client.patch(address, headers=headers, json={"starts_at": "2027-05-08T09:00"})
    assert (fixed.status_code, free.status_code) == (409, 200)
    assert free.json()["sign_up"]["closes_at"] == "2027-05-08T09:00:00+02:00"


async def test_a_wrong_step_says_what_was_possible(network: Network) -> None:
    drafted = await network.drafted()
    reply = await network.client.post(
        f"/activities/v1/activities/{drafted['id']}/publish", headers=await network.local()
    )
    assert reply.status_code == 409
    assert "must be approved" in reply.json()["detail"]


async def test_a_duplicate_is_a_new_draft(network: Network) -> None:
    activity = await network.published()
    reply = await network.client.post(
        f"/activities/v1/activities/{activity['id']}/duplicate", headers={**await network.local(), **network.key()}
    )
    copy = reply.json()
    assert (reply.status_code, copy["state"], copy["title"]) == (201, "draft", activity["title"])
    assert copy["id"] != activity["id"]


async def test_what_has_not_begun_cannot_have_taken_place(network: Network) -> None:
    activity = await network.published()
    reply = await network.client.post(
        f"/activities/v1/activities/{activity['id']}/complete", headers=await network.local()
    )
    assert reply.status_code == 409
    assert reply.json()["type"].endswith("/not-started-yet")


async def test_nobody_names_another_section_as_the_leading_one(network: Network) -> None:
    foreign = [{"code": "PL-WARS-UKS", "lead": True}, {"code": "IT-SASS-ESN", "lead": False}]
    headers = {**await network.local(), **network.key()}
    drafted = await network.client.post(
        "/activities/v1/activities", json={**DRAFT, "organisers": foreign}, headers=headers
    )
    assert drafted.status_code == 403
    own = await network.drafted()
    address = f"/activities/v1/activities/{own['id']}"
    etag = (await network.client.get(address, headers=headers)).headers["etag"]
    given_away = await network.client.patch(
        address, json={"organisers": foreign}, headers={**headers, "If-Match": etag}
    )
    assert given_away.status_code == 403
    assert (await network.client.get(address, headers=headers)).json()["organisers"][0]["code"] == "IT-SASS-ESN"


async def test_a_co_organiser_copies_nothing_into_the_name_of_the_section_that_leads(network: Network) -> None:
    both = [{"code": "IT-SASS-ESN", "lead": True}, {"code": "PL-WARS-UKS", "lead": False}]
    activity = await network.drafted(organisers=both)
    headers = {**await network.local("PL-WARS-UKS"), **network.key()}
    address = f"/activities/v1/activities/{activity['id']}"
    assert (await network.client.get(address, headers=headers)).status_code == 200
    assert (await network.client.post(f"{address}/duplicate", headers=headers)).status_code == 403
    assert await value(network.database_url, "SELECT count(*) FROM activities.activities") == 1


async def test_a_verb_asks_for_the_state_that_was_read_where_its_caller_does(network: Network) -> None:
    drafted = await network.drafted()
    address, local = f"/activities/v1/activities/{drafted['id']}", await network.local()
    stale = (await network.client.get(address, headers=local)).headers["etag"]
    patched = await network.client.patch(address, headers={**local, "If-Match": stale}, json={"capacity": 10})
    refused = await network.client.post(f"{address}/submit", headers={**local, "If-Match": stale})
    assert refused.status_code == 412
    seen = {**local, "If-Match": patched.headers["etag"]}
    assert (await network.client.post(f"{address}/submit", headers=seen)).status_code == 200
