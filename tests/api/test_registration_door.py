"""The door lent to a helper: what a pass opens, what it does not, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.openapi import OPERATIONS, Operation
from tests.harness.refusals import MARKER, refused
from tests.harness.sign_ups import Students, in_hours, students

NOBODY = "01890000-0000-7000-8000-000000000000"
DOOR = [operation for operation in OPERATIONS if "/door" in operation.path]
ELSEWHERE = [each for each in OPERATIONS if each.description.get("security") and each not in DOOR]


@pytest.fixture
async def ours(shared: Network) -> Students:
    """An activity that begins soon, with Ada and Bo confirmed."""
    made = await students(shared, starts_at=in_hours(2), ends_at=in_hours(5), capacity=5)
    await made.confirmed("Ada", home_country="PT")
    await made.confirmed("Bo", participant_class="local")
    return made


def at(ours: Students, what: str) -> str:
    return f"/registration/v1/activities/{ours.activity_id}/{what}"


async def lend(ours: Students, **wanted: Any) -> dict[str, Any]:
    headers = await ours.network.local()
    reply = await ours.network.client.post(at(ours, "check-in-passes"), json=wanted, headers=headers)
    assert (reply.status_code, reply.headers["cache-control"]) == (201, "private, no-store"), reply.text
    found: dict[str, Any] = reply.json()
    return found


async def by_pass(ours: Students, secret: str, method: str, what: str, **more: Any) -> httpx.Response:
    return await ours.network.client.request(method, at(ours, what), headers={"X-Check-In-Pass": secret}, **more)


def note(nonce: str, **more: Any) -> dict[str, Any]:
    return {"at": datetime.now(UTC).isoformat(), "nonce": f"at-the-door-{nonce}", **more}


async def test_a_helper_sees_the_list_without_addresses_and_answers_and_checks_people_in(ours: Students) -> None:
    secret = (await lend(ours, label="South entrance"))["secret"]
    people = (await by_pass(ours, secret, "GET", "door/people")).json()["items"]
    assert [(each["given_name"], each["presence"]) for each in people] == [
        ("Ada", "not_recorded"),
        ("Bo", "not_recorded"),
    ]
    known = {"id", "lead_id", "code", "given_name", "family_name", "participant_class", "presence"}
    assert {*people[0]} == known
    told = [note("ada", registration_id=people[0]["id"]), note("bo", code=people[1]["code"])]
    reply = await by_pass(ours, secret, "POST", "door/check-ins", json=told)
    assert [each["outcome"] for each in reply.json()["items"]] == ["recorded", "recorded"]
    reply = await by_pass(ours, secret, "POST", "door/check-ins", json=told)
    assert [each["outcome"] for each in reply.json()["items"]] == ["already_recorded"] * 2
    reply = await by_pass(ours, secret, "POST", "door/walk-ins", json=note("walk", participant_class="local"))
    assert (reply.json()["present"], reply.json()["items"][0]["outcome"]) == (3, "recorded")
    seen = (await by_pass(ours, secret, "GET", "door")).json()
    assert (seen["present"], seen["walk_ins"], seen["capacity"]) == (2, 1, 5)


async def test_organisers_keep_the_door_too_and_strangers_do_not(ours: Students) -> None:
    client, network = ours.network.client, ours.network
    for headers, status in (
        (await network.local(), 200),
        (await network.national(), 200),
        (await network.local("PT-PORT-ESN"), 403),
        (await network.national("PT"), 403),
        ({}, 401),
        ({"X-Check-In-Pass": ""}, 401),
        ({"X-Check-In-Pass": "cip_" + "a" * 43}, 401),
        ({"Authorization": "Bearer " + (await lend(ours))["secret"]}, 401),
    ):
        reply = await client.get(at(ours, "door/people"), headers=headers)
        assert reply.status_code == status, (headers, reply.text)


async def test_a_pass_is_for_one_door(ours: Students) -> None:
    secret = (await lend(ours))["secret"]
    other = await students(ours.network, starts_at=in_hours(2), ends_at=in_hours(5))
    for what in ("door", "door/people"):
        assert (await by_pass(other, secret, "GET", what)).status_code == 401
    # That a code is for something else of the same section is for organisers to know.
    await other.confirmed("Zoe")
    code = await value(
        ours.network.database_url,
        "SELECT code FROM registration.registrations WHERE activity_id::text = $1",
        other.activity_id,
    )
    reply = await by_pass(ours, secret, "POST", "door/check-ins", json=note("zoe", code=code))
    assert reply.json()["items"][0]["reason"] == "unknown_code"


@pytest.mark.parametrize("operation", ELSEWHERE, ids=str)
async def test_a_pass_opens_nothing_else(shared: Network, passed: tuple[str, str], operation: Operation) -> None:
    activity_id, secret = passed
    address = operation.address(activity_id=activity_id)
    for headers in ({"X-Check-In-Pass": secret}, {"Authorization": f"Bearer {secret}"}):
        body = {"content": b"{}", "headers": {**headers, **shared.key(), "Content-Type": "application/json"}}
        # What strangers may read, whoever holds a pass may too.
        if operation.method != "get" or "Authorization" in headers:
            reply = await shared.client.request(operation.method, address, **body)
            assert reply.status_code >= 400, reply.text


@pytest.fixture(scope="module")
async def passed(shared: Network) -> tuple[str, str]:
    made = await students(shared, starts_at=in_hours(2), ends_at=in_hours(5))
    return made.activity_id, (await lend(made))["secret"]


async def test_a_pass_that_is_taken_back_or_over_opens_nothing_at_once(ours: Students) -> None:
    network, lent = ours.network, [await lend(ours) for _ in range(3)]
    assert [(await by_pass(ours, each["secret"], "GET", "door")).status_code for each in lent] == [200] * 3
    address = at(ours, f"check-in-passes/{lent[0]['id']}")
    for _ in range(2):
        assert (await network.client.delete(address, headers=await network.local())).status_code == 204
    statement = "UPDATE registration.check_in_passes SET expires_at = now() WHERE id::text = $1"
    await rows(network.database_url, statement, lent[1]["id"])
    statement = statement.replace("expires_at = now()", "begins_at = now() + interval '1 minute'")
    await rows(network.database_url, statement, lent[2]["id"])
    for each in lent:
        for method, what in (("GET", "door"), ("GET", "door/people"), ("POST", "door/check-ins")):
            more = {"json": note("late", code="AAAA")} if method == "POST" else {}
            assert (await by_pass(ours, each["secret"], method, what, **more)).status_code == 401


async def test_organisers_see_which_passes_there_are_and_nobody_reads_a_secret_again(ours: Students) -> None:
    lent = [await lend(ours, label=label) for label in ("One", "Two", "Three")]
    client, headers = ours.network.client, await ours.network.local()
    first = (await client.get(at(ours, "check-in-passes?limit=2"), headers=headers)).json()
    rest = (await client.get(first["next"], headers=headers)).json()
    listed = [*first["items"], *rest["items"]]
    assert ([each["label"] for each in listed], rest["next"]) == (["One", "Two", "Three"], None)
    assert {*listed[0]} == {"id", "label", "made_at", "begins_at", "expires_at", "revoked_at"}
    assert lent[0]["url"].endswith(f"/registration/activities/{ours.activity_id}/check-in#{lent[0]['secret']}")
    assert lent[0]["picture"].startswith("<?xml")
    for other in (await ours.network.local("PT-PORT-ESN"), await ours.network.national("PT")):
        assert (await client.get(at(ours, "check-in-passes"), headers=other)).status_code == 403
        assert (await client.post(at(ours, "check-in-passes"), json={}, headers=other)).status_code == 403
        one = at(ours, f"check-in-passes/{lent[0]['id']}")
        assert (await client.delete(one, headers=other)).status_code == 403
    stored = await rows(ours.network.database_url, "SELECT p::text FROM registration.check_in_passes p")
    assert not any(each["secret"].removeprefix("cip_") in str(stored) for each in lent)
    assert (await client.delete(at(ours, f"check-in-passes/{NOBODY}"), headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"on": "tomorrow"}, "#/on"),
        ({"on": "2027-02-29"}, "#/on"),
        ({"on": "2027-02-27T10:00"}, "#/on"),
        ({"on": 20270227}, "#/on"),
        ({"label": MARKER * 20}, "#/label"),
        ({"label": "a\nb"}, "#/label"),
        ({"section": MARKER}, "#/section"),
    ],
)
async def test_what_is_no_wish_for_a_pass_is_refused(shared: Network, body: dict[str, Any], pointer: str) -> None:
    address = f"/registration/v1/activities/{NOBODY}/check-in-passes"
    headers = await shared.local()
    await refused(shared, "POST", address, status=422, pointers=[pointer], headers=headers, json=body)


async def test_a_pass_is_for_a_day_from_today_on_by_the_clock_of_the_activity(ours: Students) -> None:
    zone = ZoneInfo("Europe/Rome")
    today = datetime.now(zone).date()
    for days in (-1, 366):
        body = {"on": (today + timedelta(days=days)).isoformat()}
        headers = await ours.network.local()
        await refused(
            ours.network, "POST", at(ours, "check-in-passes"), status=422, pointers=["#/on"], headers=headers, json=body
        )
    lent = await lend(ours, on=(today + timedelta(days=8)).isoformat())
    begins, ends = (datetime.fromisoformat(lent[each]).astimezone(zone) for each in ("begins_at", "expires_at"))
    assert (begins.date(), begins.hour) == (today + timedelta(days=7), 12)
    assert (ends.date(), ends.time()) == (today + timedelta(days=9), time())
    assert (await by_pass(ours, lent["secret"], "GET", "door")).status_code == 401


async def test_there_are_only_so_many_passes_and_they_are_forgotten(ours: Students) -> None:
    network = ours.network
    await lend(ours)
    statement = """INSERT INTO registration.check_in_passes
        (id, activity_id, secret_hash, made_by, begins_at, expires_at)
        SELECT gen_random_uuid(), $1::uuid, uuid_send(gen_random_uuid()), gen_random_uuid(), now(),
        now() + interval '1 hour' FROM generate_series(2, 50)"""
    await rows(network.database_url, statement, ours.activity_id)
    await refused(network, "POST", at(ours, "check-in-passes"), status=409, headers=await network.local(), json={})
    await rows(network.database_url, "UPDATE registration.check_in_passes SET expires_at = now() - interval '31 days'")
    await network.sweep()
    assert await value(network.database_url, "SELECT count(*) FROM registration.check_in_passes") == 0
