"""Places from sign-up to their end: who gets one, when it is free again, and who hears of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.sign_ups import Students, students, wanted

CATALOGUE = "/activities/v1/activities"


@pytest.fixture
async def ours(network: Network) -> Students:
    """An activity with two places."""
    return await students(network, capacity=2)


async def _holds_end(ours: Students) -> None:
    await rows(ours.network.database_url, "UPDATE registration.registrations SET held_until = now()")


async def _shown_by_the_catalogue(ours: Students) -> str:
    await ours.network.settle()
    found: str = (await ours.network.client.get(f"{CATALOGUE}/{ours.activity_id}")).json()["sign_up"]["state"]
    return found


async def _revise(ours: Students, **changes: Any) -> None:
    address, local = f"{CATALOGUE}/{ours.activity_id}", await ours.network.local()
    etag = (await ours.network.client.get(address)).headers["etag"]
    reply = await ours.network.client.patch(address, headers={**local, "If-Match": etag}, json=changes)
    assert reply.status_code == 200, reply.text
    await ours.network.settle()


async def test_a_hold_that_nobody_confirms_ends_and_its_place_is_free(ours: Students) -> None:
    for name in ("Ada", "Bo"):
        await ours.sign_up(name)
    assert (await _shown_by_the_catalogue(ours), (await ours.availability())["open"]) == ("full", False)
    assert (await ours.sign_up("Cem", status=409)).json()["title"] == "Activity full"
    await _holds_end(ours)
    token = await ours.secret("Ada")  # Reading the mail lets time pass: the sweep of the holds, too.
    assert await ours.states() == {"Ada": "expired", "Bo": "expired"}
    assert ((await ours.availability())["taken"], await _shown_by_the_catalogue(ours)) == (0, "open")
    late = await ours.by_token("Ada", "confirm", token)
    assert (late.status_code, late.json()["title"]) == (410, "Hold ended")
    await ours.sign_up("Cem")


async def test_a_hold_that_has_ended_can_not_be_confirmed_before_the_sweep_comes(ours: Students) -> None:
    await ours.sign_up("Ada")
    token = await ours.secret("Ada")
    await _holds_end(ours)
    assert (await ours.by_token("Ada", "confirm", token)).status_code == 410
    assert (await ours.network.client.post(f"/registration/v1/links/{token}")).status_code == 410
    assert await ours.states() == {"Ada": "unconfirmed"}


async def test_a_confirmed_place_outlives_its_hold(ours: Students) -> None:
    await ours.confirmed("Ada")
    await _holds_end(ours)
    await ours.network.sweep()
    assert (await ours.states(), (await ours.availability())["taken"]) == ({"Ada": "confirmed"}, 1)


async def test_a_place_that_is_given_back_is_free(ours: Students) -> None:
    secrets = {name: await ours.confirmed(name) for name in ("Ada", "Bo")}
    assert await _shown_by_the_catalogue(ours) == "full"
    assert (await ours.network.client.post(f"/registration/v1/links/{secrets['Ada']}/cancel")).status_code == 200
    assert ((await ours.availability())["taken"], await _shown_by_the_catalogue(ours)) == (1, "open")
    assert await ours.subjects("Ada") == ["Confirm your place", "You have a place", "You gave up your place"]
    await ours.sign_up("Cem")
    assert await _shown_by_the_catalogue(ours) == "full"
    turns = "SELECT count(*) FROM events.log WHERE name = 'registration.availability_changed.v1'"
    assert await value(ours.network.database_url, turns) == 3


async def test_whoever_gave_their_place_back_may_come_again(ours: Students) -> None:
    await ours.network.client.post(f"/registration/v1/links/{await ours.confirmed('Ada')}/cancel")
    await ours.sign_up("Ada")
    assert (await ours.availability())["taken"] == 1


async def test_when_an_activity_is_called_off_everybody_hears_of_it_once(ours: Students) -> None:
    await ours.confirmed("Ada")
    await ours.sign_up("Bo")
    token = await ours.secret("Bo")
    local = await ours.network.local()
    address = f"{CATALOGUE}/{ours.activity_id}/cancel"
    reply = await ours.network.client.post(address, headers=local, json={"reason": "Storm."})
    assert reply.status_code == 200, reply.text
    await ours.network.settle()
    for _ in range(2):
        await ours.network.sweep()
        assert [(await ours.subjects(name)).count("Called off") for name in ("Ada", "Bo")] == [1, 1]
    assert await ours.states() == {"Ada": "cancelled", "Bo": "cancelled"}
    assert (await ours.sign_up("Cem", status=409)).json()["title"] == "Sign-up closed"
    assert (await ours.by_token("Bo", "confirm", token)).json()["title"] == "Activity called off"
    assert (await ours.availability())["taken"] == 0


async def test_whoever_gave_their_place_back_hears_nothing_of_a_later_calling_off(ours: Students) -> None:
    await ours.network.client.post(f"/registration/v1/links/{await ours.confirmed('Ada')}/cancel")
    await ours.network.client.post(
        f"{CATALOGUE}/{ours.activity_id}/cancel", headers=await ours.network.local(), json={"reason": "Storm."}
    )
    await ours.network.settle()
    assert "Called off" not in await ours.subjects("Ada")


async def test_a_capacity_lowered_below_what_is_taken_throws_nobody_out(ours: Students) -> None:
    await ours.confirmed("Ada")
    bo = await ours.confirmed("Bo")
    await _revise(ours, capacity=1)
    found = await ours.availability()
    assert (found["capacity"], found["taken"], found["open"]) == (1, 2, False)
    assert await ours.states() == {"Ada": "confirmed", "Bo": "confirmed"}
    await ours.network.client.post(f"/registration/v1/links/{bo}/cancel")
    await ours.sign_up("Cem", status=409)
    assert await _shown_by_the_catalogue(ours) == "full"
    await _revise(ours, capacity=2)
    await ours.sign_up("Cem")


WINDOWS = [
    ("opens_at = now() + interval '1 minute'", 409, "Sign-up not yet open"),
    ("opens_at = now()", 201, None),
    ("closes_at = now()", 409, "Sign-up closed"),
    ("closes_at = now() + interval '1 minute'", 201, None),
    ("closes_at = NULL, starts_at = now()", 409, "Sign-up closed"),
    ("state = 'held'", 409, "Sign-up closed"),
    ("takes_sign_ups = false", 404, "No sign-up"),
]


@pytest.mark.parametrize("off_by", [timedelta(), timedelta(hours=-3), timedelta(hours=3)], ids=str)
async def test_the_clock_of_the_database_alone_opens_and_closes_sign_up(network: Network, off_by: timedelta) -> None:
    ours = await students(network, capacity=None)
    for number, (window, status, title) in enumerate(WINDOWS):
        with_window = "opens_at = NULL, closes_at = NULL, starts_at = now() + interval '1 day', state = 'published'"
        await rows(network.database_url, f"UPDATE registration.places SET {with_window}, takes_sign_ups = true")
        await rows(network.database_url, f"UPDATE registration.places SET {window}")
        is_open = (await ours.availability())["open"]
        with time_machine.travel(datetime.now(UTC) + off_by, tick=True):
            reply = await ours.sign_up(f"{chr(65 + number)}da", status=status)
        assert is_open is (status == 201), window
        assert status == 201 or reply.json()["title"] == title


async def test_signing_up_again_is_answered_as_the_first_time_and_tells_the_mailbox_only(ours: Students) -> None:
    first = await ours.sign_up("Ada")
    again = await ours.sign_up("Ada", given_name="Somebody", family_name="Else", home_country="NO")
    await ours.sign_up("Ada")
    stranger = await ours.sign_up("Bo")
    for reply in (again, stranger):
        assert reply.json().keys() == first.json().keys()
        assert {name: reply.json()[name] for name in ("activity_id", "state")} == {
            name: first.json()[name] for name in ("activity_id", "state")
        }
        assert reply.headers.keys() == first.headers.keys()
    assert len({reply.json()["id"] for reply in (first, again, stranger)}) == 3
    assert (await ours.availability())["taken"] == 2
    assert set(await ours.states()) == {"Ada", "Bo"}, "what a stranger wrote was dropped"
    assert len(await ours.subjects("Ada")) == 2, "one mailbox is not written to again and again"


async def test_signing_up_again_for_a_full_activity_is_refused_as_a_stranger_is(ours: Students) -> None:
    await ours.sign_up("Ada")
    await ours.sign_up("Bo")
    again, stranger = [(await ours.sign_up(name, status=409)).json() for name in ("Ada", "Cem")]
    assert {**again, "trace_id": ""} == {**stranger, "trace_id": ""}


async def test_the_further_id_of_a_repeated_sign_up_works_as_the_first(ours: Students) -> None:
    await ours.sign_up("Ada")
    token = await ours.secret("Ada")
    ours.registrations["Ada"] = (await ours.sign_up("Ada")).json()["id"]
    assert (await ours.by_token("Ada", "confirm", token)).json()["state"] == "confirmed"


@pytest.mark.parametrize("spelling", ["ADA@STUDENTS.EXAMPLE", " Ada@students.example "])
async def test_a_mailbox_has_one_place_however_it_is_spelt(ours: Students, spelling: str) -> None:
    await ours.sign_up("Ada")
    await ours.sign_up("Ada", email=spelling)
    assert (await ours.availability())["taken"] == 1


async def test_a_repeated_request_is_answered_alike_and_done_once(ours: Students) -> None:
    key, body = ours.network.key(), wanted(ours.activity_id)
    first, again = [
        await ours.network.client.post("/registration/v1/registrations", json=body, headers=key) for _ in range(2)
    ]
    assert (first.status_code, first.content) == (201, again.content)
    assert again.headers["idempotency-replayed"] == "true"
    other = await ours.network.client.post(
        "/registration/v1/registrations", json=wanted(ours.activity_id, "Bo"), headers=key
    )
    assert (other.status_code, other.json()["title"]) == (422, "Idempotency-Key reused")
    assert (await ours.availability())["taken"] == 1
    assert await ours.subjects("Ada") == ["Confirm your place"]


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        ("local_coordinator", {"section": "IT-SASS-ESN"}, 200),
        ("national_coordinator", {"country": "IT"}, 200),
        ("international", {}, 200),
        ("local_coordinator", {"section": "IT-MILA-STA"}, 403),
        ("local_coordinator", {"section": "PL-WARS-UKS"}, 403),
        ("national_coordinator", {"country": "PL"}, 403),
        ("machine", {}, 403),
        (None, {}, 401),
    ],
)
async def test_only_the_activitys_organisers_see_and_check_in_its_people(
    network: Network, role: str | None, scope: dict[str, str], status: int
) -> None:
    ours = await students(network)
    await ours.on_terms(questions=[{"code": "a", "kind": "text", "text": {"en": "Why?"}}])
    await ours.sign_up("Ada", answers={"a": "Qz7answer"})
    who = {} if role is None else await network.token(role, **scope)
    address = f"/registration/v1/activities/{ours.activity_id}"
    note = {"registration_id": ours.registrations["Ada"], "at": "2027-05-08T10:00:00Z", "nonce": "device-one-1"}
    listed = await network.client.get(f"{address}/registrations", headers=who)
    told = await network.client.post(f"{address}/check-ins", json=note, headers={**who, **network.key()})
    assert (listed.status_code, told.status_code) == (status, status)
    if status != 200:
        for reply in (listed, told):
            assert reply.json().keys() == {"type", "title", "status", "detail", "instance", "trace_id"}
            for personal in ("Ada", "students.example", "Qz7answer", ours.registrations["Ada"]):
                assert personal not in reply.text
        assert await value(network.database_url, "SELECT count(*) FROM registration.check_ins") == 0
