"""Joint days: a country's or ESN International's, with local parts that sections draft and that are reviewed."""

from __future__ import annotations

from typing import Any

import pytest

from services.activities.catalogue import rules
from tests.harness.catalogue import LIST, found
from tests.harness.databases import rows, value
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


async def _done(network: Network, identity: str, verb: str, who: dict[str, str], **body: Any) -> Any:
    return await network.client.post(f"{LIST}/{identity}/{verb}", headers=who, json=body or None)


async def test_a_part_is_of_a_joint_day_that_goes_on(network: Network) -> None:
    plain, national = await network.published(), await network.national()
    over = await _joint(network)
    assert (await _done(network, over["id"], "cancel", national, reason="Storm")).status_code == 200
    for whole in (plain["id"], over["id"], "01890000-0000-7000-8000-000000000000"):
        headers = {**await network.local(), **network.key()}
        await refused(
            network, "POST", LIST, status=422, pointers=["#/part_of"], headers=headers, json={**DRAFT, "part_of": whole}
        )
    both = {**DRAFT, "joint": "country", "part_of": plain["id"]}
    await refused(
        network, "POST", LIST, status=422, pointers=["#/part_of"], headers={**national, **network.key()}, json=both
    )


async def test_parts_are_prepared_before_the_day_is_published_and_published_after_it(network: Network) -> None:
    national, local = await network.national(), await network.local()
    headers = {**national, **network.key()}
    whole = (await network.client.post(LIST, headers=headers, json={**DRAFT, "joint": "country"})).json()
    part = await network.drafted(part_of=whole["id"])
    for verb, who in (("submit", local), ("approve", national)):
        assert (await _done(network, part["id"], verb, who)).status_code == 200
    document = await refused(network, "POST", f"{LIST}/{part['id']}/publish", status=409, headers=local)
    assert document["type"].endswith("/joint-day-not-public")
    for verb in ("submit", "approve", "publish"):
        assert (await _done(network, whole["id"], verb, national)).status_code == 200
    assert (await _done(network, part["id"], "publish", local)).status_code == 200
    assert (await network.client.get(f"{LIST}/{whole['id']}")).json()["parts"]["count"] == 1


async def test_whoever_calls_off_a_joint_day_calls_off_its_parts_for_its_reason(network: Network) -> None:
    national = await network.national()
    whole = await _joint(network)
    published, begun = [await network.published(part_of=whole["id"]) for _ in range(2)]
    drafted = await network.drafted(part_of=whole["id"])
    series = await network.drafted(part_of=whole["id"])
    times = {"times": [{"starts_at": "2027-05-08T10:00", "ends_at": "2027-05-08T11:00"}]}
    headers = {**await network.local(), **network.key()}
    added = await network.client.post(f"{LIST}/{series['id']}/occurrences", headers=headers, json=times)
    for verb in ("submit", "approve", "publish"):
        assert (await _done(network, series["id"], verb, national)).status_code == 200
    observer = await network.observer()
    await observer.execute("UPDATE activities.activities SET starts_at = now() WHERE id = $1", begun["id"])
    # The leading section's coordinator would call off what other sections do.
    reply = await _done(network, whole["id"], "cancel", national, reason="A storm is coming.")
    assert (reply.status_code, reply.json()["parts"]["count"]) == (200, 1)
    local = await network.local()
    found = {}
    for identity in (published["id"], begun["id"], drafted["id"], series["id"], added.json()["items"][0]["id"]):
        told = (await network.client.get(f"{LIST}/{identity}", headers=local)).json()
        found[identity] = (told["state"], told["reason"])
    off = ("cancelled", "A storm is coming.")
    assert list(found.values()) == [off, ("published", None), ("discarded", "A storm is coming."), off, off]
    await network.settle()
    assert await value(
        network.database_url, f"SELECT state FROM registration.places WHERE activity_id = '{published['id']}'"
    ) == "cancelled"  # fmt: skip


async def test_nobody_calls_off_what_other_countries_do(network: Network) -> None:
    whole = await _joint(network, "international", who=await network.token("international"))
    polish = {**await network.local("PL-WARS-UKS"), **network.key()}
    part = await network.client.post(LIST, headers=polish, json={**DRAFT, **POLISH, "part_of": whole["id"]})
    national, reason = await network.national(), {"reason": "Storm"}
    await refused(network, "POST", f"{LIST}/{whole['id']}/cancel", status=403, headers=national, json=reason)
    seen = await network.client.get(f"{LIST}/{part.json()['id']}", headers=polish)
    assert seen.json()["state"] == "draft"


async def test_more_parts_than_one_transaction_calls_off_are_left_to_a_sweep(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_CALLED_OFF_AT_ONCE", 2)
    whole = await _joint(network)
    for number in range(5):
        await network.drafted(title=f"Part {number}", part_of=whole["id"])
    assert (await _done(network, whole["id"], "cancel", await network.national(), reason="Storm")).status_code == 200
    states = f"SELECT state, count(*) FROM activities.activities WHERE part_of = '{whole['id']}' GROUP BY 1"
    assert dict(map(tuple, await rows(network.database_url, states))) == {"discarded": 2, "draft": 3}
    await network.sweep()
    assert dict(map(tuple, await rows(network.database_url, states))) == {"discarded": 5}
    roles = "SELECT DISTINCT actor_role FROM activities.activity_history WHERE verb = 'discard' AND reason = 'Storm'"
    assert {row["actor_role"] for row in await rows(network.database_url, roles)} == {"national_coordinator", "service"}


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
