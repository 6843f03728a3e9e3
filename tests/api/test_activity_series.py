"""Series: dates by a rule or one by one, reviewed together, found one by one, cancelled and moved one by one."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.harness.catalogue import LIST, found
from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.refusals import refused

LIST_URL = "http://socialerasmus.test/activities/v1/activities"
FRIDAYS = {"weekly": ["friday"], "from": "2027-03-12", "until": "2027-04-09", "starts": "18:00", "ends": "21:00"}
DAYS = ["2027-03-12", "2027-03-19", "2027-03-26", "2027-04-02", "2027-04-09"]


@pytest.fixture(scope="module")
async def network(shared: Network) -> Network:
    """One for all tests of this file: each looks at what it made."""
    return shared


async def _add(network: Network, series: dict[str, Any], body: dict[str, Any], **headers: str) -> Any:
    told = {**await network.local(), **network.key(), **headers}
    return await network.client.post(f"{LIST}/{series['id']}/occurrences", headers=told, json=body)


async def _canteen(network: Network, rule: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    drafted = await network.drafted(title="Canteen shifts", capacity=7, **changes)
    reply = await _add(network, drafted, {"rule": rule or {**FRIDAYS, "except": ["2027-04-02"]}})
    assert reply.status_code == 201, reply.text
    return drafted


async def _do(network: Network, activity: dict[str, Any], *verbs: str, **body: Any) -> Any:
    for verb in verbs:
        who = await (network.national() if verb in {"approve", "return"} else network.local())
        reply = await network.client.post(f"{LIST}/{activity['id']}/{verb}", headers=who, json=body or None)
        assert reply.status_code == 200, reply.text
    await network.settle()
    return reply.json()


async def _patch(network: Network, identity: str, changes: dict[str, Any]) -> Any:
    local = await network.local()
    etag = (await network.client.get(f"{LIST}/{identity}", headers=local)).headers["etag"]
    return await network.client.patch(f"{LIST}/{identity}", headers={**local, "If-Match": etag}, json=changes)


async def _dates(network: Network, series: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await found(network, part_of=series["id"]))["items"]
    return items


async def test_a_rule_keeps_its_hour_when_the_clocks_change_and_leaves_days_out(network: Network) -> None:
    drafted = await network.drafted(capacity=7)
    reply = await _add(network, drafted, {"rule": {**FRIDAYS, "except": ["2027-04-02"]}})
    made = reply.json()["items"]
    assert [item["starts_at"] for item in made] == [
        "2027-03-12T18:00:00+01:00", "2027-03-19T18:00:00+01:00", "2027-03-26T18:00:00+01:00",
        "2027-04-09T18:00:00+02:00",
    ]  # fmt: skip
    assert made[0]["ends_at"] == "2027-03-12T21:00:00+01:00"
    assert {(item["state"], item["capacity"], item["part_of"]["id"]) for item in made} == {("draft", 7, drafted["id"])}
    assert len({item["id"] for item in made}) == 4
    series = (await network.client.get(f"{LIST}/{drafted['id']}", headers=await network.local())).json()
    assert (series["starts_at"], series["ends_at"]) == ("2027-03-12T18:00:00+01:00", "2027-04-09T21:00:00+02:00")
    assert series["parts"] == {"relation": "occurrence", "count": 0, "url": f"{LIST_URL}?part_of={drafted['id']}"}


async def test_dates_are_reviewed_and_published_with_their_series_and_found_in_its_place(network: Network) -> None:
    series = await _do(network, await _canteen(network), "submit", "approve", "publish")
    listed = await _dates(network, series)
    ids = {series["id"], *(item["id"] for item in listed)}
    assert series["id"] not in {item["id"] for item in (await found(network, limit=200))["items"]}
    assert [item["starts_at"][:10] for item in listed] == [day for day in DAYS if day != "2027-04-02"]
    assert series["parts"]["count"] == 4
    assert series["sign_up"] == {
        "state": "not_offered",
        "opens_at": None,
        "closes_at": series["starts_at"],
        "url": None,
        "page_url": None,
    }
    whole = {
        "id": series["id"],
        "relation": "occurrence",
        "title": "Canteen shifts",
        "url": f"{LIST_URL}/{series['id']}",
    }
    assert all(item["part_of"] == whole and item["sign_up"]["state"] == "open" for item in listed)
    assert (await network.client.get(f"{LIST}/{series['id']}")).status_code == 200
    for feed in ("activities.ics", "activities.atom"):
        text = (await network.client.get(f"/activities/v1/{feed}")).text
        assert text.count(series["id"]) == 0
        assert listed[0]["id"] in text
    changes = (await network.client.get("/activities/v1/changes")).json()["items"]
    states = {item["id"]: item["state"] for item in changes if item["id"] in ids}
    assert states == {series["id"]: "deleted", **{item["id"]: "updated" for item in listed}}
    exported = (await network.client.get("/activities/v1/export")).json()["data"]
    assert [record["uuid"] for record in exported if record["uuid"] in ids] == [series["id"]]


async def test_the_calendar_of_a_series_has_its_dates_and_not_the_days_between(network: Network) -> None:
    series = await _canteen(network)
    await _do(network, series, "submit", "approve", "publish")
    [first, *_] = await _dates(network, series)
    await _do(network, first, "cancel", reason="Closed.")
    reply = await network.client.get(f"{LIST}/{series['id']}.ics")
    assert reply.text.count("BEGIN:VEVENT") == 4
    assert reply.text.count("STATUS:CANCELLED") == 1
    assert series["id"] not in {line.removeprefix("UID:") for line in reply.text.splitlines()}
    assert reply.text.count("DTSTART:20270312T170000Z") == reply.text.count("DTEND:20270312T200000Z") == 1
    told = await network.client.get(f"{LIST}/{series['id']}", headers={"Accept": "application/ld+json"})
    assert told.json()["@type"] == "EventSeries"


async def test_a_date_has_its_own_places_and_the_series_has_none(network: Network) -> None:
    series = await _do(network, await _canteen(network), "submit", "approve", "publish")
    identity = (await _dates(network, series))[0]["id"]
    address = "/registration/v1/activities/{}/availability"
    own = (await network.client.get(address.format(identity))).json()
    assert (own["capacity"], own["open"]) == (7, True)
    assert (await network.client.get(address.format(series["id"]))).json()["open"] is False


async def test_dates_added_to_a_published_series_are_public_at_once(network: Network) -> None:
    series = await _do(network, await _canteen(network), "submit", "approve", "publish")
    more = {"times": [{"starts_at": "2027-05-07T17:00", "ends_at": "2027-05-07T20:00"}]}
    added = (await _add(network, series, more)).json()["items"]
    assert [item["state"] for item in added] == ["published"]
    after = (await network.client.get(f"{LIST}/{series['id']}")).json()
    assert (after["parts"]["count"], after["ends_at"]) == (5, "2027-05-07T20:00:00+02:00")
    await network.settle()
    assert (await network.client.get(f"/registration/v1/activities/{added[0]['id']}/availability")).status_code == 200


async def test_one_date_is_cancelled_or_moved_and_the_others_stay(network: Network) -> None:
    series = await _do(network, await _canteen(network), "submit", "approve", "publish")
    first, second, *_ = await _dates(network, series)
    await _do(network, first, "cancel", reason="The kitchen is closed.")
    moved = await _patch(network, second["id"], {"starts_at": "2027-03-20T12:00", "ends_at": "2027-03-20T15:00"})
    assert moved.json()["starts_at"] == "2027-03-20T12:00:00+01:00"
    after = (await network.client.get(f"{LIST}/{series['id']}")).json()
    assert (after["state"], after["parts"]["count"]) == ("published", 3)
    assert after["starts_at"] == "2027-03-20T12:00:00+01:00"
    assert [item["state"] for item in await _dates(network, series)] == ["cancelled", *["published"] * 3]


async def test_a_series_is_cancelled_with_the_dates_that_have_not_begun(network: Network) -> None:
    today = datetime.now(UTC)
    times = [
        {"starts_at": (today + days).isoformat(), "ends_at": (today + days + timedelta(hours=1)).isoformat()}
        for days in (timedelta(days=-7), timedelta(days=7))
    ]
    drafted = await network.drafted()
    assert (await _add(network, drafted, {"times": times})).status_code == 201
    series = await _do(network, drafted, "submit", "approve", "publish")
    headers = await network.local()
    early = await network.client.post(f"{LIST}/{series['id']}/complete", headers=headers)
    assert (early.status_code, early.json()["type"].rpartition("/")[2]) == (409, "not-started-yet")
    await _do(network, series, "cancel", reason="Nobody cooks any more.")
    told = await _dates(network, series)
    assert [(item["state"], item["reason"]) for item in told] == [
        ("published", None), ("cancelled", "Nobody cooks any more."),
    ]  # fmt: skip
    assert (await _do(network, told[0], "complete"))["state"] == "held"


async def test_texts_of_a_series_reach_its_dates_and_their_own_facts_stay(network: Network) -> None:
    series = await _do(network, await _canteen(network), "submit", "approve", "publish")
    first, second, *_ = await _dates(network, series)
    assert (await _patch(network, first["id"], {"capacity": 3})).status_code == 200
    changes = {"title": "Soup kitchen", "capacity": 9, "translations": {"it": {"title": "Mensa"}}}
    assert (await _patch(network, series["id"], changes)).status_code == 200
    one, other, *_ = await _dates(network, series)
    assert [item["title"] for item in (one, other)] == ["Soup kitchen"] * 2
    assert (one["capacity"], other["capacity"]) == (3, 9)
    assert other["part_of"]["title"] == "Soup kitchen"
    assert (one["starts_at"], other["starts_at"]) == (first["starts_at"], second["starts_at"])
    assert {item["title"] for item in (await found(network, part_of=series["id"], lang="it"))["items"]} == {"Mensa"}


async def test_what_belongs_to_the_series_is_refused_at_a_date_and_the_other_way_round(network: Network) -> None:
    drafted = await _canteen(network)
    local = await network.local()
    listed = "SELECT id FROM activities.activities WHERE part_of = $1 ORDER BY starts_at"
    identity = str((await rows(network.database_url, listed, UUID(drafted["id"])))[0]["id"])
    for reply in (
        await _patch(network, identity, {"title": "Another"}),
        await network.client.post(f"{LIST}/{identity}/submit", headers=local),
    ):
        assert (reply.status_code, reply.json()["type"].rpartition("/")[2]) == (409, "follows-its-series")
    reply = await _patch(network, drafted["id"], {"starts_at": "2027-03-01T18:00"})
    assert (reply.status_code, reply.json()["type"].rpartition("/")[2]) == (409, "spans-its-occurrences")
    reply = await _add(network, {"id": identity}, {"rule": FRIDAYS})
    assert (reply.status_code, reply.json()["type"].rpartition("/")[2]) == (409, "no-series")
    reply = await _patch(network, identity, {"part_of": drafted["id"]})
    assert (reply.status_code, reply.json()["type"].rpartition("/")[2]) == (409, "parts-are-fixed")


async def test_what_people_signed_up_for_becomes_no_series(network: Network) -> None:
    reply = await _add(network, await network.published(), {"rule": FRIDAYS})
    assert (reply.status_code, reply.json()["type"].rpartition("/")[2]) == (409, "takes-sign-ups-already")


async def test_the_same_request_adds_dates_once(network: Network) -> None:
    drafted = await network.drafted()
    same = {**await network.local(), **network.key()}
    first = await _add(network, drafted, {"rule": FRIDAYS}, **same)
    again = await _add(network, drafted, {"rule": FRIDAYS}, **same)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert (await _add(network, drafted, {"rule": FRIDAYS})).status_code == 422
    counted = "SELECT count(*) FROM activities.activities WHERE part_of = $1"
    assert (await rows(network.database_url, counted, UUID(drafted["id"])))[0][0] == 5


async def test_dates_are_added_by_those_in_reach(network: Network) -> None:
    drafted = await network.drafted()
    address = f"{LIST}/{drafted['id']}/occurrences"
    other = {**await network.local("PL-WARS-UKS"), **network.key()}
    await refused(network, "POST", address, status=403, headers=other, json={"rule": FRIDAYS})
    await refused(network, "POST", address, status=401, headers=network.key(), json={"rule": FRIDAYS})
    await refused(network, "POST", address, status=400, headers=await network.local(), json={"rule": FRIDAYS})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#"),
        ({"rule": FRIDAYS, "times": [{"starts_at": "2027-03-12T18:00", "ends_at": "2027-03-12T19:00"}]}, "#"),
        ({"rule": {**FRIDAYS, "weekly": []}}, "#/rule/weekly"),
        ({"rule": {**FRIDAYS, "weekly": ["friday", "friday"]}}, "#/rule/weekly"),
        ({"rule": {**FRIDAYS, "weekly": ["Freitag"]}}, "#/rule/weekly/0"),
        ({"rule": {**FRIDAYS, "from": "12.3.2027"}}, "#/rule/from"),
        ({"rule": {**FRIDAYS, "until": "2027-02-30"}}, "#/rule/until"),
        ({"rule": {**FRIDAYS, "until": "2027-03-01"}}, "#/rule"),
        ({"rule": {**FRIDAYS, "until": "2029-03-01"}}, "#/rule"),
        ({"rule": {**FRIDAYS, "starts": "6 pm"}}, "#/rule/starts"),
        ({"rule": {**FRIDAYS, "starts": "24:00"}}, "#/rule/starts"),
        ({"rule": {**FRIDAYS, "ends": 21}}, "#/rule/ends"),
        ({"rule": {**FRIDAYS, "except": ["Easter"]}}, "#/rule/except/0"),
        ({"rule": {**FRIDAYS, "weekly": ["monday"], "until": "2027-03-13"}}, "#/rule"),
        # Every day for a year, and an hour that the clocks skip.
        ({"rule": {**FRIDAYS, "weekly": ["monday", "tuesday", "wednesday"], "until": "2028-03-01"}}, "#/rule"),
        ({"rule": {**FRIDAYS, "weekly": ["sunday"], "starts": "02:30", "ends": "04:00"}}, "#/rule"),
        ({"times": []}, "#/times"),
        ({"times": [{"starts_at": "2027-03-12T18:00"}]}, "#/times/0/ends_at"),
        ({"times": [{"starts_at": "2027-03-12T18:00", "ends_at": "2027-03-12T17:00"}]}, "#/times/0"),
        ({"times": [{"starts_at": "2027-03-12T18:00", "ends_at": "2027-03-12T19:00"}] * 2}, "#/times/1"),
    ],
    ids=lambda value: str(value)[:70],
)
async def test_dates_that_cannot_be_are_refused(shared: Network, body: dict[str, Any], pointer: str) -> None:
    drafted = await shared.drafted()
    headers = {**await shared.local(), **shared.key()}
    address = f"{LIST}/{drafted['id']}/occurrences"
    await refused(shared, "POST", address, status=422, pointers=[pointer], headers=headers, json=body)
    after = (await shared.client.get(f"{LIST}/{drafted['id']}", headers=headers)).json()
    assert (after["revision"], after["parts"]) == (1, None)


async def test_linked_data_of_a_series_holds_its_dates_and_its_page_shows_their_span(network: Network) -> None:
    drafted = await _canteen(network)
    series = await _do(network, drafted, "submit", "approve", "publish")
    dates = await _dates(network, series)
    await _do(network, dates[1], "cancel", reason="Holiday")
    reply = await network.client.get(f"{LIST}/{series['id']}", headers={"Accept": "application/ld+json"})
    told = reply.json()
    assert told["@type"] == "EventSeries"
    assert [each["@id"] for each in told["subEvent"]] == [each["url"] for each in dates]
    assert {each["@type"] for each in told["subEvent"]} == {"Event"}
    assert [each["startDate"] for each in told["subEvent"]] == [each["starts_at"] for each in dates]
    assert [each["eventStatus"].rpartition("/")[2] for each in told["subEvent"]] == [
        "EventScheduled", "EventCancelled", "EventScheduled", "EventScheduled"
    ]  # fmt: skip
    assert all(each["location"]["@type"] == "Place" for each in told["subEvent"])
    page = (await network.client.get(series["page_url"], params={"lang": "en"})).text
    assert "Fri 12 March 2027 – Fri 9 April 2027 (dates: 3)" in page
    (inside,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert json.loads(inside)["subEvent"] == told["subEvent"]
    single = await network.client.get(f"{LIST}/{dates[0]['id']}", headers={"Accept": "application/ld+json"})
    assert "subEvent" not in single.json()
