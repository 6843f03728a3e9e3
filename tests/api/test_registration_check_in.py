"""Check-in: who was there, whoever tells it, in whatever order and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.sign_ups import Students, in_hours, students

TOLD = """
SELECT (payload ->> 'revision')::int, (payload ->> 'hours')::float FROM events.log
WHERE name = 'registration.attendance_recorded.v1' ORDER BY number
"""


@pytest.fixture
async def ours(network: Network) -> Students:
    """An activity of three hours that begins soon, with Ada confirmed and Bo not yet."""
    made = await students(network, starts_at=in_hours(2), ends_at=in_hours(5), capacity=10)
    await made.confirmed("Ada")
    await made.sign_up("Bo")
    return made


async def _told(ours: Students, *notes: dict[str, Any], status: int = 200) -> list[tuple[str, str | None]]:
    reply = await ours.network.client.post(
        f"/registration/v1/activities/{ours.activity_id}/check-ins",
        json=list(notes),
        headers={**await ours.network.local(), **ours.network.key()},
    )
    assert reply.status_code == status, reply.text
    return [(item["outcome"], item["reason"]) for item in reply.json()["items"]]


def _note(ours: Students, name: str, nonce: str, *, minutes: float = 0, **more: Any) -> dict[str, Any]:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    return {"registration_id": ours.registrations[name], "at": at.isoformat(), "nonce": f"nonce-{nonce}", **more}


async def _events(ours: Students) -> list[tuple[int, float]]:
    return [(row[0], row[1]) for row in await rows(ours.network.database_url, TOLD)]


RECORDED, AGAIN = ("recorded", None), ("already_recorded", None)


async def test_somebody_is_there_once_however_often_and_from_wherever_it_is_told(ours: Students) -> None:
    note = _note(ours, "Ada", "one")
    assert await _told(ours, note) == [RECORDED]
    assert await _told(ours, note, note) == [AGAIN, AGAIN]
    assert await _told(ours, _note(ours, "Ada", "two")) == [AGAIN]
    assert await _events(ours) == [(1, 3.0)]


async def test_a_code_is_read_however_it_is_typed(ours: Students) -> None:
    [row] = await rows(
        ours.network.database_url, "SELECT code FROM registration.registrations WHERE given_name = 'Ada'"
    )
    written = f" {row['code'][:4].lower()}-{row['code'][4:]} "
    note = {"code": written, "at": in_hours(0), "nonce": "nonce-one"}
    assert await _told(ours, note) == [RECORDED]
    assert await _told(ours, {**note, "code": "0000-0000", "nonce": "nonce-two"}) == [("refused", "unknown_code")]


async def test_who_stands_at_the_door_has_confirmed_by_that(ours: Students) -> None:
    assert await _told(ours, _note(ours, "Bo", "one")) == [RECORDED]
    assert (await ours.states())["Bo"] == "confirmed"


async def test_one_refusal_in_a_batch_holds_up_nobody(ours: Students) -> None:
    other = await students(ours.network, starts_at=in_hours(2), ends_at=in_hours(5))
    await other.sign_up("Cem")
    elsewhere = {**_note(ours, "Ada", "two"), "registration_id": other.registrations["Cem"]}
    nobody = {**elsewhere, "registration_id": "01890000-0000-7000-8000-000000000000", "nonce": "nonce-three"}
    found = await _told(ours, elsewhere, _note(ours, "Ada", "one"), nobody)
    assert found == [("refused", "other_activity"), RECORDED, ("refused", "unknown_registration")]


async def test_a_code_of_another_section_is_a_code_that_nobody_has(ours: Students) -> None:
    theirs = await students(ours.network, starts_at=in_hours(2), ends_at=in_hours(5))
    await theirs.confirmed("Cem")
    url = ours.network.database_url
    code = await value(url, "SELECT code FROM registration.registrations WHERE given_name = 'Cem'")
    note = {"code": code, "at": in_hours(0), "nonce": "nonce-one"}
    assert await _told(ours, note) == [("refused", "other_activity")]
    elsewhere = "UPDATE registration.places SET section_codes = '{IT-MILA-STA}' WHERE activity_id = $1"
    await rows(url, elsewhere, UUID(theirs.activity_id))
    assert await _told(ours, note) == [("refused", "unknown_code")]
    # Organised together with us, and still not in our reach to look into: the one that we do not organise.
    shared = "UPDATE registration.places SET section_codes = '{IT-MILA-STA,IT-SASS-ESN}' WHERE activity_id = $1"
    await rows(url, shared, UUID(ours.activity_id))
    assert await _told(ours, note) == [("refused", "unknown_code")]


async def test_it_is_refused_a_day_before_and_in_the_future(ours: Students) -> None:
    early, future = _note(ours, "Ada", "one", minutes=-23 * 60), _note(ours, "Ada", "two", minutes=11)
    assert await _told(ours, early, future) == [("refused", "too_early"), ("refused", "in_the_future")]
    assert await _told(ours, _note(ours, "Ada", "one"), _note(ours, "Bo", "two", minutes=9)) == [RECORDED, RECORDED]


async def test_whoever_gave_their_place_back_or_let_it_go_is_not_there(ours: Students) -> None:
    await ours.network.client.post(f"/registration/v1/links/{await ours.secret('Ada')}/cancel")
    await rows(ours.network.database_url, "UPDATE registration.registrations SET held_until = now()")
    await ours.network.sweep()
    found = await _told(ours, _note(ours, "Ada", "one"), _note(ours, "Bo", "two"))
    assert found == [("refused", "cancelled"), ("refused", "not_confirmed")]
    assert await _events(ours) == []


async def test_nobody_is_at_an_activity_that_was_called_off(ours: Students) -> None:
    local = await ours.network.local()
    address = f"/activities/v1/activities/{ours.activity_id}/cancel"
    await ours.network.client.post(address, headers=local, json={"reason": "Storm."})
    await ours.network.settle()
    assert await _told(ours, _note(ours, "Ada", "one")) == [("refused", "activity_cancelled")]


async def test_hours_are_corrected_by_the_later_device_time_not_by_the_later_telling(ours: Students) -> None:
    assert await _told(ours, _note(ours, "Ada", "noon", minutes=-30)) == [RECORDED]
    assert await _told(ours, _note(ours, "Ada", "late", minutes=-10, hours=2.5)) == [RECORDED]
    # A device that was offline tells a day later what it saw before.
    assert await _told(ours, _note(ours, "Ada", "early", minutes=-20, hours=1)) == [AGAIN]
    assert await _told(ours, _note(ours, "Ada", "last", minutes=-5, hours=4)) == [RECORDED]
    assert await _told(ours, _note(ours, "Ada", "plain", minutes=-1)) == [AGAIN]
    assert await _events(ours) == [(1, 3.0), (2, 2.5), (3, 4.0)]


async def test_a_nonce_stands_for_one_person(ours: Students) -> None:
    assert await _told(ours, _note(ours, "Ada", "one")) == [RECORDED]
    assert await _told(ours, _note(ours, "Bo", "one")) == [("refused", "nonce_reused")]
    assert (await ours.states())["Bo"] == "unconfirmed"


async def test_a_place_that_was_used_is_not_given_back(ours: Students) -> None:
    await _told(ours, _note(ours, "Ada", "one"))
    reply = await ours.by_token("Ada", "cancel", await ours.secret("Ada"))
    assert (reply.status_code, reply.json()["title"]) == (409, "Already checked in")
    assert (await ours.availability())["taken"] == 2
