"""The day as organisers keep it: who came without a place, who did not come, what was corrected, what it comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused
from tests.harness.sign_ups import Students, in_hours, students

TOLD = """
SELECT payload ->> 'attendance_key' AS key, (payload ->> 'revision')::int AS revision,
  (payload ->> 'present')::bool AS present, (payload ->> 'hours')::float AS hours,
  payload ->> 'participant_class' AS participant_class, payload ->> 'person_key' AS person_key,
  payload ->> 'home_country' AS home_country
FROM events.log WHERE name = 'registration.attendance_recorded.v1' AND aggregate = ANY ($1) ORDER BY number
"""
NOBODY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
async def ours(shared: Network) -> Students:
    """An activity of three hours and two places that begins soon, with Ada and Bo confirmed."""
    made = await students(shared, starts_at=in_hours(2), ends_at=in_hours(5), capacity=2)
    await made.confirmed("Ada", home_country="PT")
    await made.confirmed("Bo", participant_class="local")
    return made


async def post(ours: Students, what: str, body: Any, *, status: int = 200) -> Any:
    reply = await ours.network.client.post(
        f"/registration/v1/activities/{ours.activity_id}/{what}", json=body, headers=await ours.network.local()
    )
    assert reply.status_code == status, reply.text
    return reply.json()


def walk_in(nonce: str, each: str = "local", **more: Any) -> dict[str, Any]:
    return {"participant_class": each, "at": datetime.now(UTC).isoformat(), "nonce": f"walk-in-{nonce}", **more}


async def come(ours: Students, name: str, nonce: str = "one", *, minutes: float = 0, **more: Any) -> str:
    """Check somebody in; answers the outcome."""
    at = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    note = {"registration_id": ours.registrations[name], "at": at, "nonce": f"nonce-{name}-{nonce}", **more}
    outcome: str = (await post(ours, "check-ins", note))["items"][0]["outcome"]
    return outcome


async def becomes(ours: Students, change: str) -> None:
    statement = f"UPDATE registration.places SET {change} WHERE activity_id::text = $1"
    await rows(ours.network.database_url, statement, ours.activity_id)


async def is_over(ours: Students, hours: float = 1) -> None:
    await becomes(ours, f"starts_at = now() - interval '{hours + 3} hours', ends_at = now() - interval '{hours} hours'")


async def get(ours: Students, address: str, **more: Any) -> httpx.Response:
    reply = await ours.network.client.get(address, headers=await ours.network.local(), **more)
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "private, no-store"
    return reply


async def correct(ours: Students, identity: str, *, status: int = 200, **body: Any) -> httpx.Response:
    address = f"/registration/v1/attendances/{identity}"
    etag = (await get(ours, address)).headers["etag"]
    headers = {**await ours.network.local(), "If-Match": etag}
    reply = await ours.network.client.put(address, json={"reason": "Seen by the team.", **body}, headers=headers)
    assert reply.status_code == status, reply.text
    return reply


async def day(ours: Students) -> dict[str, Any]:
    found: dict[str, Any] = (await get(ours, f"/registration/v1/activities/{ours.activity_id}/attendance")).json()
    return found


async def listed(ours: Students) -> dict[str, dict[str, Any]]:
    reply = await get(ours, f"/registration/v1/activities/{ours.activity_id}/registrations")
    return {item["given_name"]: item for item in reply.json()["items"]}


async def events(*several: Students) -> list[asyncpg.Record]:
    return await rows(several[0].network.database_url, TOLD, [each.activity_id for each in several])


async def told(ours: Students) -> list[tuple[int, bool, float | None]]:
    return [(row["revision"], row["present"], row["hours"]) for row in await events(ours)]


IMPACT = "FROM impact.attendances WHERE present AND activity_id::text = $1"


async def test_who_comes_without_a_place_is_counted_once_past_the_capacity_too(ours: Students) -> None:
    await come(ours, "Ada")
    one, two = walk_in("a"), walk_in("b", "esn_volunteer", hours=1.5)
    first = await post(ours, "walk-ins", [one, two, one])
    assert [item["outcome"] for item in first["items"]] == ["recorded", "recorded", "already_recorded"]
    assert (first["present"], first["capacity"], first["over_capacity"]) == (3, 2, True)
    again = await post(ours, "walk-ins", one)
    assert [(item["outcome"], item["id"]) for item in again["items"]] == [("already_recorded", first["items"][0]["id"])]
    found = await events(ours)
    assert [(row["participant_class"], row["hours"]) for row in found] == [
        ("international", 3.0), ("local", 3.0), ("esn_volunteer", 1.5)
    ]  # fmt: skip
    assert len({row["key"] for row in found}) == 3
    assert [row["person_key"] is None for row in found] == [False, True, True]
    await ours.network.settle()
    assert await value(ours.network.database_url, f"SELECT count(*) {IMPACT}", ours.activity_id) == 3


async def test_nobody_walks_into_what_is_not_on(ours: Students) -> None:
    for change, reason in (
        ("starts_at = now() + interval '2 days', ends_at = now() + interval '3 days'", "too_early"),
        ("starts_at = now() - interval '40 days', ends_at = now() - interval '31 days'", "too_late"),
        ("has_parts = true", "counted_in_its_parts"),
        ("state = 'cancelled'", "activity_cancelled"),
    ):
        await becomes(ours, change)
        [found] = (await post(ours, "walk-ins", walk_in("a")))["items"]
        assert found == {"nonce": "walk-in-a", "outcome": "refused", "reason": reason, "id": None}
    assert await told(ours) == []


async def test_a_nonce_of_a_walk_in_stands_for_one_class(ours: Students) -> None:
    found = await post(ours, "walk-ins", [walk_in("a"), walk_in("a", "international")])
    assert [(item["outcome"], item["reason"]) for item in found["items"]] == [
        ("recorded", None), ("refused", "nonce_reused")
    ]  # fmt: skip
    future = walk_in("b", at=in_hours(1))
    assert (await post(ours, "walk-ins", future))["items"][0]["reason"] == "in_the_future"


async def test_a_day_comes_to_who_was_expected_who_came_and_for_how_long(ours: Students) -> None:
    await ours.on_terms(questions=[
        {"code": "tool", "kind": "choice", "text": {"en": "What do you bring?"}, "required": False,
         "options": [{"code": "rake", "text": {"en": "A rake"}}, {"code": "bag", "text": {"en": "A bag"}}]},
        {"code": "seats", "kind": "number", "text": {"en": "Seats in your car?"}, "required": False},
        {"code": "say", "kind": "text", "text": {"en": "Anything else?"}, "required": False},
    ])  # fmt: skip
    url = ours.network.database_url
    for name, answers in (
        ("Ada", '{"tool": "rake", "seats": 3}'),
        ("Bo", '{"tool": "rake", "seats": 1.5, "say": "x"}'),
    ):
        given = "UPDATE registration.registrations SET answers = $2 WHERE id::text = $1"
        await rows(url, given, ours.registrations[name], answers)
    await come(ours, "Ada", hours=2)
    await post(ours, "walk-ins", walk_in("a", "international"))
    found = await day(ours)
    assert {name: found[name] for name in ("expected", "present", "no_shows", "not_recorded", "walk_ins")} == {
        "expected": 2, "present": 1, "no_shows": 0, "not_recorded": 1, "walk_ins": 1
    }  # fmt: skip
    counted = ("participant_class", "expected", "present", "walk_ins")
    assert [tuple(each[name] for name in counted) for each in found["by_class"]] == [
        ("international", 1, 1, 1), ("local", 1, 0, 0), ("esn_volunteer", 0, 0, 0)
    ]  # fmt: skip
    assert (found["hours_planned"], found["hours_actual"], found["planned_duration"]) == ("6.00", "5.00", "3.00")
    assert (found["over_capacity"], found["without_hours"]) == (False, 0)
    assert found["answers"] == [
        {"code": "tool", "answered": 2, "counts": {"rake": 2, "bag": 0}, "total": None},
        {"code": "seats", "answered": 2, "counts": {}, "total": "4.5"},
    ]
    ada = (await listed(ours))["Ada"]
    assert (ada["presence"], ada["hours"], ada["corrected"], ada["checked_in"]) == ("present", "2.00", False, True)


async def test_no_shows_are_marked_after_the_end_and_a_late_check_in_takes_it_back(ours: Students) -> None:
    await come(ours, "Ada")
    await refused(
        ours.network, "POST", f"/registration/v1/activities/{ours.activity_id}/no-shows", status=409, json={},
        headers=await ours.network.local(),
    )  # fmt: skip
    await is_over(ours)
    assert await post(ours, "no-shows", {}) == {"marked": [ours.registrations["Bo"]]}
    assert await post(ours, "no-shows", {}) == {"marked": []}
    bo = (await listed(ours))["Bo"]
    assert (bo["presence"], bo["state"], bo["hours"]) == ("no_show", "confirmed", None)
    assert (await day(ours))["no_shows"] == 1
    assert await told(ours) == [(1, True, 3.0)], "nobody who was not there is told of"
    # A phone that was offline at the door tells it only now.
    assert await come(ours, "Bo", minutes=-70) == "recorded"
    assert (await listed(ours))["Bo"]["presence"] == "present"
    assert await told(ours) == [(1, True, 3.0), (1, True, 3.0)]


async def test_some_are_marked_and_others_are_not(ours: Students) -> None:
    await is_over(ours)
    wanted = {"registration_ids": [ours.registrations["Bo"], NOBODY]}
    assert await post(ours, "no-shows", wanted) == {"marked": [ours.registrations["Bo"]]}
    assert (await listed(ours))["Ada"]["presence"] == "not_recorded"


async def test_a_day_after_the_end_time_marks_them_where_people_were_checked_in(ours: Students) -> None:
    other = await students(ours.network, starts_at=in_hours(2), ends_at=in_hours(5))
    await other.confirmed("Cem")
    await come(ours, "Ada")
    await is_over(ours, 23)
    await ours.network.sweep()
    assert (await day(ours))["no_shows"] == 0
    await is_over(ours, 25)
    await ours.network.sweep()
    assert ((await day(ours))["no_shows"], (await day(other))["no_shows"]) == (1, 0)
    history = await get(ours, f"/registration/v1/attendances/{ours.registrations['Bo']}/history")
    [entry] = history.json()["items"]
    assert (entry["act"], entry["actor_id"], entry["present_after"]) == ("marked_no_show", None, False)


async def test_a_no_show_is_nothing_that_the_student_or_another_section_is_told(ours: Students) -> None:
    await is_over(ours)
    await post(ours, "no-shows", {})
    secret = await ours.secret("Bo")
    for address in ("/registration/v1/me", "/registration/v1/me/export"):
        me = await ours.network.client.get(address, headers={"Authorization": f"Link {secret}"})
        assert (me.status_code, "no_show" in me.text.replace("marked_no_show", "")) == (200, False)
    identity = ours.registrations["Bo"]
    others = await ours.network.local("IT-MILA-STA")
    for address in (
        f"activities/{ours.activity_id}/attendance", f"activities/{ours.activity_id}/registrations",
        f"attendances/{identity}", f"attendances/{identity}/history",
    ):  # fmt: skip
        await refused(ours.network, "GET", f"/registration/v1/{address}", status=403, headers=others)


async def test_a_correction_stands_above_every_check_in_and_leaves_a_trace(ours: Students) -> None:
    identity = ours.registrations["Ada"]
    assert await come(ours, "Ada") == "recorded"
    found = (await correct(ours, identity, present=True, hours=1.25, reason="Left with a headache of hers.")).json()
    assert (found["presence"], found["hours"], found["corrected"]) == ("present", "1.25", True)
    assert await come(ours, "Ada", "two", hours=3) == "overruled"
    assert await come(ours, "Ada", "two", hours=3) == "overruled"
    assert await come(ours, "Ada", "three") == "already_recorded"
    await correct(ours, identity, present=False)
    assert await come(ours, "Ada", "four") == "overruled"
    assert (await listed(ours))["Ada"]["checked_in"] is False
    await correct(ours, identity, present=False)
    await correct(ours, identity, present=True)
    assert await told(ours) == [(1, True, 3.0), (2, True, 1.25), (3, False, None), (4, True, 3.0)]
    history = await get(ours, f"/registration/v1/attendances/{identity}/history", params={"limit": 2})
    items = history.json()["items"]
    assert [(each["hours_before"], each["hours_after"], each["reason"]) for each in items] == [
        ("3.00", "1.25", "Left with a headache of hers."), ("1.25", None, "Seen by the team.")
    ]  # fmt: skip
    assert (items[0]["act"], items[0]["actor_role"]) == ("corrected", "local_coordinator")
    rest = (await get(ours, history.json()["next"])).json()
    assert (len(rest["items"]), rest["next"]) == (2, None)
    await ours.network.settle()
    assert await value(ours.network.database_url, f"SELECT hours {IMPACT}", ours.activity_id) == 3


async def test_who_was_never_checked_in_can_be_corrected_to_have_come(ours: Students) -> None:
    await correct(ours, ours.registrations["Bo"], present=False)
    assert await told(ours) == [], "nobody was told that he was there"
    await correct(ours, ours.registrations["Bo"], present=True, hours=2)
    assert await told(ours) == [(1, True, 2.0)]
    assert (await listed(ours))["Bo"]["checked_in"] is True


async def test_a_walk_in_that_was_a_mistake_is_taken_back_with_a_trace(ours: Students) -> None:
    identity = (await post(ours, "walk-ins", walk_in("a")))["items"][0]["id"]
    found = (await correct(ours, identity, present=False, reason="Counted twice.")).json()
    assert (found["walk_in"], found["presence"]) == (True, "no_show")
    assert (await day(ours))["walk_ins"] == 0
    assert await told(ours) == [(1, True, 3.0), (2, False, None)]
    assert (await post(ours, "walk-ins", walk_in("a")))["items"][0]["outcome"] == "overruled"
    assert (await day(ours))["walk_ins"] == 0
    history = await get(ours, f"/registration/v1/attendances/{identity}/history")
    assert [each["reason"] for each in history.json()["items"]] == ["Counted twice."]


async def test_who_came_without_a_place_is_listed_for_the_organisers_page_by_page(ours: Students) -> None:
    told = [walk_in(nonce, each) for nonce, each in (("a", "local"), ("b", "international"), ("c", "local"))]
    identities = [(await post(ours, "walk-ins", one))["items"][0]["id"] for one in told]
    await correct(ours, identities[1], present=False, reason="Counted twice.")
    address = f"/registration/v1/activities/{ours.activity_id}/walk-ins"
    first = (await get(ours, f"{address}?limit=2")).json()
    rest = (await get(ours, first["next"])).json()
    listed = [*first["items"], *rest["items"]]
    assert [each["id"] for each in listed] == identities
    assert [(each["participant_class"], each["present"], each["corrected"]) for each in listed] == [
        ("local", True, False), ("international", False, True), ("local", True, False),
    ]  # fmt: skip
    assert rest["next"] is None
    await refused(ours.network, "GET", address, status=401)
    other = await ours.network.local("IT-MILA-STA")
    await refused(ours.network, "GET", address, status=403, headers=other)


async def test_a_correction_needs_to_have_seen_what_it_corrects(ours: Students) -> None:
    address = f"/registration/v1/attendances/{ours.registrations['Ada']}"
    local, body = await ours.network.local(), {"present": True, "reason": "Seen."}
    await refused(ours.network, "PUT", address, status=428, json=body, headers=local)
    etag = (await get(ours, address)).headers["etag"]
    await come(ours, "Ada")
    headers = {**local, "If-Match": etag}
    await refused(ours.network, "PUT", address, status=412, json=body, headers=headers)


async def test_a_correction_that_says_nothing_clear_is_refused(ours: Students) -> None:
    address = f"/registration/v1/attendances/{ours.registrations['Ada']}"
    headers = {**await ours.network.local(), "If-Match": (await get(ours, address)).headers["etag"]}
    for body, pointer in (
        ({"present": True}, "#/reason"),
        ({"present": "yes", "reason": "a"}, "#/present"),
        ({"present": True, "reason": " "}, "#/reason"),
        ({"present": True, "reason": "a", "hours": 24.5}, "#/hours"),
        ({"present": True, "reason": "a", "hours": -1}, "#/hours"),
        ({"present": True, "reason": "a", "hours": 0.001}, "#/hours"),
        ({"present": False, "reason": MARKER, "hours": 1}, "#"),
    ):
        await refused(ours.network, "PUT", address, status=422, pointers=[pointer], json=body, headers=headers)


async def test_what_is_long_before_or_called_off_is_not_corrected(ours: Students) -> None:
    await becomes(ours, "starts_at = now() + interval '3 days', ends_at = NULL")
    assert (await correct(ours, ours.registrations["Ada"], status=409, present=True)).json()["title"] == "Not begun"
    await becomes(ours, "state = 'cancelled'")
    await correct(ours, ours.registrations["Ada"], status=409, present=True)
    for identity in (NOBODY, ours.activity_id):
        address = f"/registration/v1/attendances/{identity}"
        await refused(ours.network, "GET", address, status=404, headers=await ours.network.local())


async def test_the_trace_is_neither_changed_nor_deleted_by_itself(ours: Students) -> None:
    await correct(ours, ours.registrations["Ada"], present=True)
    for change in (
        "UPDATE registration.attendance_history SET reason = 'x'",
        "DELETE FROM registration.attendance_history",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(ours.network.database_url, change)


async def test_a_person_is_one_at_several_activities_and_nobody_once_forgotten(ours: Students) -> None:
    other = await students(ours.network, starts_at=in_hours(2), ends_at=in_hours(5))
    guest = [{"given_name": "Guest", "family_name": "H", "participant_class": "local", "home_country": "FR"}]
    await other.on_terms(guests_at_most=1)
    secret = await other.confirmed("Ada", guests=guest)
    await come(ours, "Ada")
    await come(ours, "Bo")
    await come(other, "Ada")
    url = ours.network.database_url
    other.registrations["Guest"] = (await listed(other))["Guest"]["id"]
    await come(other, "Guest")
    found = await events(ours, other)
    keys = [row["person_key"] for row in found]
    assert (keys[0] == keys[2], keys[0] == keys[1], keys[3]) == (True, False, None)
    assert [row["home_country"] for row in found][:2] == ["PT", None]
    await correct(ours, ours.registrations["Ada"], present=True, hours=1, reason=f"{MARKER} left early.")
    reply = await ours.network.client.delete("/registration/v1/me", headers={"Authorization": f"Link {secret}"})
    assert reply.status_code == 204
    assert await value(url, "SELECT count(*) FROM registration.participants WHERE person_key::text = $1", keys[0]) == 0
    reasons = "SELECT count(*) FROM registration.attendance_history WHERE reason LIKE $1 || '%'"
    assert await value(url, reasons, MARKER) == 0
    assert ((await day(ours))["present"], (await day(ours))["hours_actual"]) == (2, "4.00")


async def test_when_one_attendance_is_forgotten_the_person_gets_another_key(ours: Students) -> None:
    await come(ours, "Ada")
    url = ours.network.database_url
    key = "SELECT person_key FROM registration.participants WHERE email_key LIKE 'ada%'"
    first = await value(url, key)
    later = await students(ours.network, starts_at=in_hours(2), ends_at=in_hours(5))
    await later.confirmed("Ada")
    await is_over(ours, 400 * 24)
    await ours.network.sweep()
    assert await value(url, key) is None, "what was told under it leads to nobody"
    await come(later, "Ada")
    assert await value(url, key) not in (first, None)
