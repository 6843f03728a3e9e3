"""What a reviewer sees: the queue of a country with checklists and hints, and who may look at it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.activities.catalogue.tables import Activity
from tests.harness.catalogue import START, activity, enter
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import refused
from tests.harness.statements import plan, recorded, scans

LIST = "/activities/v1/activities"
QUEUE = "/activities/v1/reviews"


async def hints(network: Network, identity: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """The hints about an activity."""
    reply = await network.client.get(f"{LIST}/{identity}/hints", headers=headers)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["items"]
    return found


async def test_a_draft_is_told_what_may_be_wrong_and_submitted_all_the_same(network: Network) -> None:
    checklist = {**DRAFT["label_checklist"], "student_part": "bla bla"}
    drafted = await network.drafted(
        title="Christmas concert", summary="10 + 5 + 5 = 21 students sing, at least 50 people listen.",
        ends_at="2027-05-10T13:00", label_checklist=checklist,
    )  # fmt: skip
    local = await network.local()
    found = await hints(network, drafted["id"], local)
    assert [(hint["code"], hint["pointer"]) for hint in found] == [
        ("filler_text", "#/label_checklist/student_part"),
        ("title_contradicts_date", "#/starts_at"),
        ("sum_wrong", "#/summary"),
        ("capacity_below_minimum", "#/capacity"),
        ("implausible_duration", "#/ends_at"),
    ]
    assert all(hint["detail"] and 1 <= hint["weight"] <= 3 for hint in found)
    submitted = await network.client.post(f"{LIST}/{drafted['id']}/submit", headers=local)
    assert submitted.status_code == 200
    assert submitted.links["related"]["url"] == f"{LIST}/{drafted['id']}/hints"


async def test_likely_duplicates_are_named_also_those_of_a_co_organiser(network: Network) -> None:
    both = [{"code": "IT-MILA-STA", "lead": True}, {"code": "IT-SASS-ESN", "lead": False}]
    milan = {**await network.local("IT-MILA-STA"), **network.key()}
    joint = (
        await network.client.post(
            LIST, headers=milan,
            json={**DRAFT, "title": "Porto Ferro beach: cleaning", "organisers": both, "starts_at": "2027-05-10T10:00",
                  "ends_at": "2027-05-10T13:00"},
        )
    ).json()  # fmt: skip
    same = await network.drafted(title="Cleaning Pórto  Ferro beach!")
    await network.drafted(title="Reading with pupils")
    await network.drafted(starts_at="2027-05-12T10:00", ends_at="2027-05-12T13:00")
    mine = await network.drafted()
    found = await hints(network, mine["id"], await network.local())
    assert [(hint["code"], hint["weight"]) for hint in found] == [("likely_duplicate", 3), ("likely_duplicate", 3)]
    assert {same["id"], joint["id"]} == {
        next(each["id"] for each in (same, joint) if each["id"] in hint["detail"]) for hint in found
    }


async def test_a_draft_that_the_reader_may_not_read_is_not_named(network: Network) -> None:
    both = [{"code": "IT-SASS-ESN", "lead": True}, {"code": "IT-MILA-STA", "lead": False}]
    joint = await network.drafted(organisers=both)
    await network.drafted()
    assert await hints(network, joint["id"], await network.local("IT-MILA-STA")) == []
    assert len(await hints(network, joint["id"], await network.local())) == 1


async def test_what_was_cancelled_is_no_duplicate(network: Network) -> None:
    await enter(network, [activity("Cleaning Porto Ferro beach", state="cancelled")])
    drafted = await network.drafted()
    assert await hints(network, drafted["id"], await network.local()) == []


async def test_hints_and_reviews_are_for_those_in_reach(network: Network) -> None:
    drafted = await network.drafted()
    for name in ("hints", "review"):
        address = f"{LIST}/{drafted['id']}/{name}"
        nobody = f"{LIST}/01890000-0000-7000-8000-000000000000/{name}"
        await refused(network, "GET", address, status=401)
        await refused(network, "GET", address, status=403, headers=await network.local("PL-WARS-UKS"))
        await refused(network, "GET", nobody, status=404, headers=await network.local())
        assert (await network.client.get(address, headers=await network.national())).status_code == 200


async def submitted(network: Network, titles: Sequence[str]) -> None:
    """Let ESN Sassari ask for labels, one after the other."""
    local = await network.local()
    for title in titles:
        drafted = await network.drafted(title=title)
        reply = await network.client.post(f"{LIST}/{drafted['id']}/submit", headers=local)
        assert reply.status_code == 200, reply.text


@pytest.fixture(scope="module")
async def asking(shared: Network) -> Network:
    """One activity of Italy waits for its label; nobody writes anything else."""
    await submitted(shared, ["Blood donation"])
    return shared


async def test_the_queue_shows_who_waits_oldest_first_page_by_page(network: Network) -> None:
    names = ["Zebra walk", "Blood donation", "Meals for homeless people"]
    await submitted(network, names)
    await network.drafted(title="Not submitted")
    await network.published(title="Decided about")
    national = await network.national()
    page = (await network.client.get(QUEUE, headers=national, params={"limit": 2})).json()
    items = page["items"]
    rest = (await network.client.get(page["next"], headers=national)).json()
    items += rest["items"]
    assert rest["next"] is None
    assert [item["activity"]["title"] for item in items] == names
    assert all(item["label_checklist"] == DRAFT["label_checklist"] and item["missing"] == [] for item in items)
    assert [item["asked_at"] for item in items] == sorted(item["asked_at"] for item in items)
    assert items[0]["activity"]["state"] == "submitted"
    assert items[0]["hints"] == []


async def test_the_queue_shows_hints(network: Network) -> None:
    await submitted(network, ["Christmas concert", "Christmas concerts"])
    items = (await network.client.get(QUEUE, headers=await network.national())).json()["items"]
    assert [[hint["code"] for hint in item["hints"]] for item in items] == [
        ["title_contradicts_date", "likely_duplicate"]
    ] * 2


async def test_what_is_published_and_waits_for_its_label_is_in_the_queue(network: Network) -> None:
    national, local = await network.national(), await network.local()
    await network.client.put("/activities/v1/label/policies/IT", headers=national, json={"policy": "recorded"})
    drafted = await network.drafted()
    for verb in ("publish", "submit"):
        assert (await network.client.post(f"{LIST}/{drafted['id']}/{verb}", headers=local)).status_code == 200
    items = (await network.client.get(QUEUE, headers=national)).json()["items"]
    assert [item["activity"]["state"] for item in items] == ["published"]


@pytest.mark.parametrize(
    ("role", "scope", "query", "expected"),
    [
        ("national_coordinator", {"country": "IT"}, {}, 1),
        ("national_coordinator", {"country": "IT"}, {"country": "IT"}, 1),
        ("national_coordinator", {"country": "IT"}, {"country": "PL"}, None),
        ("national_coordinator", {"country": "PL"}, {}, 0),
        ("international", {}, {}, 1),
        ("international", {}, {"country": "PL"}, 0),
        ("local_coordinator", {"section": "IT-SASS-ESN"}, {}, None),
        ("operator", {}, {}, None),
        ("machine", {}, {}, None),
    ],
)
async def test_a_queue_is_its_country_s(
    asking: Network, role: str, scope: dict[str, str], query: dict[str, str], expected: int | None
) -> None:
    reply = await asking.client.get(QUEUE, headers=await asking.token(role, **scope), params=query)
    assert reply.status_code == (403 if expected is None else 200)
    if expected is not None:
        assert len(reply.json()["items"]) == expected


async def test_the_queue_and_its_duplicates_are_found_by_indexes_in_four_statements(network: Network) -> None:
    rows: list[Activity] = [
        activity(f"Walk {number}", starts_at=START + timedelta(days=number % 400), label_state="given")
        for number in range(800)
    ]
    rows += [
        activity(f"Asked {number}", state="submitted", label_state="asked", label_asked_at=START) for number in range(9)
    ]
    await enter(network, rows)
    observer = await network.observer()
    await observer.execute("ANALYZE activities.activities")
    headers = await network.national()
    await network.client.get(QUEUE, headers=headers)
    with recorded(network.runtimes["activities"]) as statements:
        reply = await network.client.get(QUEUE, headers=headers)
    assert len(reply.json()["items"]) == 9
    assert len(statements) <= 4
    before = next(statement for statement in statements if "set_config" in statement.text)
    queue = next(statement for statement in statements if "ORDER BY coalesce" in statement.text)
    similar = next(statement for statement in statements if "similarity" in statement.text)
    assert scans(await plan(observer, queue)) == {"ix_activities_label_waits"}
    assert scans(await plan(observer, similar, before=before)) == {"pk_activities", "ix_activities_starts_at"}


async def test_words_that_change_after_the_label_was_given_ask_for_a_fresh_look(network: Network) -> None:
    address, national = f"{LIST}/{(await network.published())['id']}", await network.national()

    async def patch(changes: dict[str, Any], who: dict[str, str]) -> dict[str, Any]:
        seen = (await network.client.get(address)).headers["etag"]
        reply = await network.client.patch(address, headers={**who, "If-Match": seen}, json=changes)
        assert reply.status_code == 200, reply.text
        told: dict[str, Any] = reply.json()
        return told

    async def waiting() -> list[tuple[Any, ...]]:
        items = (await network.client.get(QUEUE, headers=national)).json()["items"]
        return [(item["activity"]["title"], item["changed"], item["look_since"] is not None) for item in items]

    local = await network.local()
    await patch({"capacity": 12}, local)
    await patch({"title": "What the reviewer calls it"}, national)
    assert await waiting() == []
    told = await patch({"title": "Party at the beach"}, local)
    assert (told["state"], told["label"]["state"]) == ("published", "given"), "it stays until somebody decides"
    await patch({"summary": "Bring drinks."}, local)
    assert await waiting() == [("Party at the beach", ["summary", "title"], True)]
    seen = (await network.client.get(f"{address}/review", headers=local)).json()
    assert seen["changed"] == ["summary", "title"]
    assert (await network.client.post(f"{address}/approve", headers=local)).status_code == 403
    kept = await network.client.post(f"{address}/approve", headers=national)
    assert (kept.json()["state"], kept.json()["label"]["state"], await waiting()) == ("published", "given", [])
    assert (await network.client.post(f"{address}/approve", headers=national)).status_code == 409
    await patch({"title": "Beach party"}, local)
    lost = await network.client.post(f"{address}/return", headers=national, json={"reason": "A party."})
    assert (lost.json()["state"], lost.json()["label"]["state"], await waiting()) == ("published", "returned", [])


async def test_a_series_waits_once_and_its_dates_keep_their_label_after_a_fresh_look(network: Network) -> None:
    address, local, national = f"{LIST}/{(await network.drafted())['id']}", await network.local(), None
    times = [{"starts_at": f"2027-05-{day}T18:00", "ends_at": f"2027-05-{day}T19:00"} for day in (12, 13)]
    made = await network.client.post(
        f"{address}/occurrences", headers={**local, **network.key()}, json={"times": times}
    )
    national = await network.national()
    for verb, who in (("submit", local), ("approve", national), ("publish", local)):
        if verb == "approve":
            queue = (await network.client.get(QUEUE, headers=national)).json()["items"]
            assert [f"{LIST}/{item['activity']['id']}" for item in queue] == [address]
        assert (await network.client.post(f"{address}/{verb}", headers=who)).status_code == 200
    seen = (await network.client.get(address)).headers["etag"]
    await network.client.patch(address, headers={**local, "If-Match": seen}, json={"title": "Shifts"})
    assert len((await network.client.get(QUEUE, headers=national)).json()["items"]) == 1
    assert (await network.client.post(f"{address}/approve", headers=national)).status_code == 200
    part = await network.client.get(f"{LIST}/{made.json()['items'][0]['id']}")
    assert (part.json()["title"], part.json()["label"]["state"]) == ("Shifts", "given")
    assert (await network.client.get(QUEUE, headers=national)).json()["items"] == []


async def test_a_series_is_not_too_long_and_its_dates_are_no_duplicates(network: Network) -> None:
    drafted = await network.drafted(title="Canteen shifts for all")
    headers = {**await network.local(), **network.key()}
    times = [{"starts_at": f"2027-03-{day}T18:00", "ends_at": f"2027-03-{day}T19:00"} for day in (12, 13, 18)]
    address = f"/activities/v1/activities/{drafted['id']}"
    made = await network.client.post(f"{address}/occurrences", headers=headers, json={"times": times})
    for identity in (drafted["id"], *(item["id"] for item in made.json()["items"])):
        found = await network.client.get(f"/activities/v1/activities/{identity}/hints", headers=headers)
        assert {hint["code"] for hint in found.json()["items"]}.isdisjoint({"likely_duplicate", "implausible_duration"})
    other = await network.drafted(
        title="Canteen shifts for all", starts_at="2027-03-13T18:00", ends_at="2027-03-13T20:00"
    )
    found = await network.client.get(f"/activities/v1/activities/{other['id']}/hints", headers=headers)
    assert "likely_duplicate" in {hint["code"] for hint in found.json()["items"]}
