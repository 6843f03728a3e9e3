"""What changes nothing is no change; what is over can still be put right where it speaks of people."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from services.activities.catalogue.rules import SignUp, State, sign_up
from tests.harness.catalogue import LIST, START
from tests.harness.databases import rows, value
from tests.harness.network import Network


@pytest.fixture(scope="module")
async def network(shared: Network) -> Network:
    """One for all tests of this file: each looks at what it made."""
    return shared


async def _patch(network: Network, identity: str, changes: dict[str, Any]) -> httpx.Response:
    local = await network.local()
    etag = (await network.client.get(f"{LIST}/{identity}", headers=local)).headers["etag"]
    return await network.client.patch(f"{LIST}/{identity}", headers={**local, "If-Match": etag}, json=changes)


async def test_what_is_read_and_sent_back_changes_nothing(network: Network) -> None:
    activity = await network.published()
    sent_back = {
        name: activity[name]
        for name in (
            *("title", "edition", "areas", "causes", "organisers", "starts_at", "ends_at", "time_zone", "place"),
            *("capacity", "sign_up", "requirements", "partners", "cost", "contact", "translations"),
        )
    }
    count = await value(network.database_url, "SELECT count(*) FROM events.log")
    same = await _patch(network, activity["id"], sent_back)
    assert (same.status_code, same.json()) == (200, activity)
    assert await value(network.database_url, "SELECT count(*) FROM events.log") == count
    later = {"starts_at": "2027-10-09T10:00", "ends_at": "2027-10-09T12:00"}
    moved = (await _patch(network, activity["id"], {**sent_back, **later, "sign_up": {}})).json()
    assert moved["revision"] == activity["revision"] + 1
    assert moved["edition"] != activity["edition"], "it went on following its date"


async def test_what_was_held_or_cancelled_can_be_corrected_and_nothing_else_of_it(network: Network) -> None:
    activity = await network.published(contact={"email": "board@esnsassari.it"})
    identity, local = activity["id"], await network.local()
    await network.client.post(f"{LIST}/{identity}/cancel", headers=local, json={"reason": "Storm."})
    fixed = await _patch(network, identity, {"capacity": 3, "summary": "Shorter."})
    assert (fixed.status_code, "contact, image, summary, title, translations" in fixed.json()["detail"]) == (409, True)
    put_right = await _patch(network, identity, {"contact": None, "summary": "Shorter.", "capacity": 40})
    told = put_right.json()
    assert (put_right.status_code, told["contact"], told["summary"]) == (200, None, "Shorter.")
    assert (told["state"], told["reason"], told["edition"]) == ("cancelled", "Storm.", activity["edition"])
    told_last = "SELECT name FROM events.log WHERE payload->'activity'->>'activity_id' = $1"
    names = [row["name"] for row in await rows(network.database_url, told_last, identity)]
    assert "activities.activity_revised.v1" in names
    more = {**local, **network.key()}
    rule = {"times": [{"starts_at": "2027-05-07T17:00", "ends_at": "2027-05-07T20:00"}]}
    assert (await network.client.post(f"{LIST}/{identity}/occurrences", headers=more, json=rule)).status_code == 409


async def test_the_reason_of_what_was_cancelled_can_be_put_right(network: Network) -> None:
    address, local = f"{LIST}/{(await network.published())['id']}", await network.local()
    early = (await network.client.get(address)).headers["etag"]
    right = {"reason": "Strong wind."}

    async def put(headers: dict[str, str], body: dict[str, Any]) -> int:
        return (await network.client.put(f"{address}/reason", headers=headers, json=body)).status_code

    assert await put({**local, "If-Match": early}, right) == 409, "it is not cancelled"
    await network.client.post(f"{address}/cancel", headers=local, json={"reason": "Ann is ill."})
    seen = {**local, "If-Match": (await network.client.get(address)).headers["etag"]}
    told = "SELECT count(*) FROM events.log"
    before = await value(network.database_url, told)
    assert [await put(local, right), await put({**local, "If-Match": early}, right), await put(seen, {})] == [
        428, 412, 422,
    ]  # fmt: skip
    assert await put({**await network.local("PL-WARS-UKS"), "If-Match": seen["If-Match"]}, right) == 403
    assert await value(network.database_url, told) == before
    assert await put(seen, right) == 200
    read = await network.client.get(address)
    assert (read.json()["reason"], read.json()["state"]) == ("Strong wind.", "cancelled")
    assert await put({**local, "If-Match": read.headers["etag"]}, right) == 200, "what changes nothing is no revision"
    assert await value(network.database_url, told) == int(str(before)) + 1
    history = (await network.client.get(f"{address}/history", headers=local)).json()["items"]
    assert (history[-1]["verb"], history[-1]["changes"]) == ("revise", {"reason": None})


async def test_an_occurrence_that_opens_with_its_start_goes_on_following_its_series(network: Network) -> None:
    late = {"starts_at": "2027-05-01T10:00", "ends_at": "2027-05-01T12:00"}
    series = (await network.drafted(**late, sign_up={"opens_at": "2027-04-01T00:00"}))["id"]
    times = [{"starts_at": f"2027-{day}T18:00", "ends_at": f"2027-{day}T19:00"} for day in ("03-12", "04-20")]
    headers = {**await network.local(), **network.key()}
    made = await network.client.post(f"{LIST}/{series}/occurrences", headers=headers, json={"times": times})
    opening = [item["sign_up"]["opens_at"] for item in made.json()["items"]]
    assert opening == [None, "2027-04-01T00:00:00+02:00"]
    assert (await _patch(network, series, {"sign_up": {"opens_at": "2027-03-01T00:00"}})).status_code == 200
    for item in made.json()["items"]:
        now = (await network.client.get(f"{LIST}/{item['id']}", headers=headers)).json()
        assert now["sign_up"]["opens_at"] == "2027-03-01T00:00:00+01:00"


@pytest.mark.parametrize("closes_at", [None, START + timedelta(days=2)])
def test_sign_up_closes_at_the_end_at_the_latest(closes_at: datetime | None) -> None:
    window = {"opens_at": None, "closes_at": closes_at, "ends_at": START + timedelta(hours=3)}
    always: dict[str, Any] = {"takes": True, "state": State.PUBLISHED, "has_places": True, **window}
    assert sign_up(**always, now=START) == (SignUp.OPEN, window["ends_at"])
    assert sign_up(**always, now=START + timedelta(hours=3)) == (SignUp.CLOSED, None)
