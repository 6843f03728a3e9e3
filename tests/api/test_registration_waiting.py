"""The waiting list: its order, offers with a deadline, groups that fit whole, and its end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.sign_ups import Students, in_hours, students

CATALOGUE = "/activities/v1/activities"
REGISTRATIONS = "registration.registrations"


@pytest.fixture
async def ours(network: Network) -> Students:
    """An activity whose two places are taken by Ada and Bo."""
    made = await students(network, capacity=2)
    for name in ("Ada", "Bo"):
        await made.confirmed(name)
    return made


def guests(many: int, participant_class: str = "international") -> list[dict[str, str]]:
    """Those whom somebody brings along."""
    return [
        {"given_name": f"Guest{number}", "family_name": "Noether", "participant_class": participant_class}
        for number in range(many)
    ]


async def _offers_end(ours: Students) -> None:
    await rows(ours.network.database_url, f"UPDATE {REGISTRATIONS} SET held_until = now() WHERE state = 'offered'")
    await ours.network.sweep()


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


async def test_who_does_not_ask_to_wait_is_told_that_it_is_full(ours: Students) -> None:
    assert (await ours.sign_up("Cem", status=409)).json()["title"] == "Activity full"
    reply = (await ours.sign_up("Cem", waiting_list=True)).json()
    assert (reply["state"], reply["held_until"]) == ("waitlisted", None)
    assert (await ours.availability())["waiting"] == 1
    assert await ours.subjects("Cem") == ["You are on the waiting list"]


async def test_a_place_that_is_given_back_is_offered_in_the_order_of_waiting(ours: Students) -> None:
    for name in ("Cem", "Dia", "Eve"):
        await ours.sign_up(name, waiting_list=True)
    await ours.gives_up("Ada")
    found = await ours.availability()
    assert (found["taken"], found["waiting"], found["open"]) == (1, 3, False), "it is nobody else's"
    await ours.network.sweep()
    assert await ours.states() == {
        "Ada": "cancelled", "Bo": "confirmed", "Cem": "offered", "Dia": "waitlisted", "Eve": "waitlisted",
    }  # fmt: skip
    await ours.accepts("Cem")
    found = await ours.availability()
    assert (found["taken"], found["waiting"], await _shown_by_the_catalogue(ours)) == (2, 2, "full")
    assert (await ours.states())["Cem"] == "confirmed"
    assert len(await ours.subjects("Cem")) == 3


async def test_nobody_overtakes_those_who_wait(ours: Students) -> None:
    await ours.sign_up("Cem", waiting_list=True)
    await ours.gives_up("Ada")
    assert (await ours.sign_up("Dia", status=409)).json()["title"] == "Activity full"
    assert (await ours.sign_up("Dia", waiting_list=True)).json()["state"] == "waitlisted"
    await ours.network.sweep()
    found = await ours.states()
    assert (found["Cem"], found["Dia"]) == ("offered", "waitlisted")


async def test_an_offer_that_nobody_takes_goes_to_the_next(ours: Students) -> None:
    for name in ("Cem", "Dia"):
        await ours.sign_up(name, waiting_list=True)
    await ours.gives_up("Ada")
    await ours.network.sweep()
    await _offers_end(ours)
    found = await ours.states()
    assert (found["Cem"], found["Dia"]) == ("expired", "offered")
    assert len(await ours.subjects("Cem")) == 3, "they hear that the offer has ended"
    await ours.accepts("Cem", status=410)
    await ours.gives_up("Dia")
    await ours.network.sweep()
    found = await ours.states()
    assert (found["Cem"], found["Dia"]) == ("expired", "cancelled"), "who let it go is not offered again"
    assert (await ours.availability())["taken"] == 1
    assert (await ours.sign_up("Cem")).json()["state"] == "unconfirmed", "unless they ask"


async def test_who_stops_waiting_is_passed_over_and_counted_out(ours: Students) -> None:
    for name in ("Cem", "Dia"):
        await ours.sign_up(name, waiting_list=True)
    await ours.gives_up("Cem")
    assert (await ours.availability())["waiting"] == 1
    await ours.gives_up("Ada")
    await ours.network.sweep()
    found = await ours.states()
    assert (found["Cem"], found["Dia"]) == ("cancelled", "offered")


async def test_a_group_waits_until_it_fits_whole_and_holds_nobody_up(ours: Students) -> None:
    await ours.on_terms(guests_at_most=3)
    await ours.sign_up("Cem", waiting_list=True, guests=guests(1))
    await ours.sign_up("Dia", waiting_list=True)
    assert (await ours.availability())["waiting"] == 3
    await ours.gives_up("Ada")
    await ours.network.sweep()
    found = await ours.states()
    assert (found["Cem"], found["Guest0"], found["Dia"]) == ("waitlisted", "waitlisted", "offered")
    await ours.gives_up("Bo")
    await ours.gives_up("Dia")
    await ours.network.sweep()
    found = await ours.states()
    assert (found["Cem"], found["Guest0"]) == ("offered", "offered")
    await ours.accepts("Cem")
    found = await ours.states()
    assert (found["Cem"], found["Guest0"], (await ours.availability())["taken"]) == ("confirmed", "confirmed", 2)


async def test_a_raised_capacity_is_offered_at_once(ours: Students) -> None:
    for name in ("Cem", "Dia", "Eve"):
        await ours.sign_up(name, waiting_list=True)
    await _revise(ours, capacity=4)
    await ours.network.sweep()
    found = await ours.states()
    assert [found[name] for name in ("Cem", "Dia", "Eve")] == ["offered", "offered", "waitlisted"]
    await _revise(ours, capacity=None)
    await ours.network.sweep()
    assert (await ours.states())["Eve"] == "offered"
    assert await _shown_by_the_catalogue(ours) == "open"


async def test_the_position_is_shown_behind_the_link_and_in_the_answer(ours: Students) -> None:
    for name in ("Cem", "Dia"):
        await ours.sign_up(name, waiting_list=True)
    page = (await ours.network.client.get(f"/registration/v1/links/{await ours.secret('Dia')}")).text
    assert "1 " in re.sub("<[^>]+>", " ", page.partition("<main>")[2])
    before = await ours.states()
    assert before["Dia"] == "waitlisted", "opening the link changed nothing"
    assert "<button" in page


async def test_an_offer_stands_as_long_as_the_terms_say_and_never_past_the_start(network: Network) -> None:
    ours = await students(network, capacity=1, starts_at=in_hours(30), ends_at=in_hours(33))
    await ours.on_terms(offer_hours=5, offers_end_hours=10)
    await ours.confirmed("Ada")
    await ours.sign_up("Bo", waiting_list=True)
    await ours.gives_up("Ada")
    await network.sweep()
    until = await value(network.database_url, f"SELECT held_until FROM {REGISTRATIONS} WHERE state = 'offered'")
    assert timedelta(hours=4.9) < until - datetime.now(UTC) <= timedelta(hours=5)


async def test_whoever_is_chosen_has_until_the_date_for_it_else_the_place_goes_on(network: Network) -> None:
    ours = await students(network, capacity=1)
    until = in_hours(24 * 9)
    terms = await ours.on_terms(choosing="approval", confirm_until=until)
    assert datetime.fromisoformat(terms.json()["confirm_until"]) == datetime.fromisoformat(until)
    for name in ("Ada", "Bo"):
        await ours.sign_up(name)
    for name in ("Ada", "Bo"):
        await ours.decide(name, "approve")
    reply = await network.client.get(
        f"/registration/v1/activities/{ours.activity_id}/registrations", headers=await network.local()
    )
    ada, bo = reply.json()["items"]
    assert (ada["state"], bo["state"], bo["held_until"]) == ("offered", "waitlisted", None)
    assert datetime.fromisoformat(ada["held_until"]) == datetime.fromisoformat(until), "the organisers see it"
    page = await network.client.get(f"/registration/v1/links/{await ours.secret('Ada')}")
    day = datetime.fromisoformat(until)
    assert f"It is yours until {day:%A}, {day.day} {day:%B %Y}" in page.text
    await _offers_end(ours)
    found = await ours.states()
    assert (found["Ada"], found["Bo"]) == ("expired", "offered")
    await ours.accepts("Bo")
    assert (await ours.states())["Bo"] == "confirmed"
    past = await ours.on_terms(choosing="approval", confirm_until="2020-01-01T00:00:00Z")
    assert past.status_code == 200, "what is chosen later has the hours of an offer"


async def test_near_the_start_nothing_is_offered_and_who_waits_is_told(network: Network) -> None:
    ours = await students(network, capacity=1, starts_at=in_hours(5), ends_at=in_hours(8))
    await ours.confirmed("Ada")
    await ours.sign_up("Bo", waiting_list=True)
    await ours.on_terms(offers_end_hours=6)
    await ours.gives_up("Ada")
    await network.sweep()
    assert (await ours.states())["Bo"] == "expired"
    assert len(await ours.subjects("Bo")) == 2
    assert (await ours.availability())["waiting"] == 0
    await ours.sign_up("Cem")
    assert (await ours.sign_up("Dia", waiting_list=True, status=409)).json()["title"] == "No waiting list"


async def test_who_waits_hears_when_the_activity_is_called_off(ours: Students) -> None:
    await ours.on_terms(guests_at_most=1)
    await ours.sign_up("Cem", waiting_list=True, guests=guests(1))
    local = await ours.network.local()
    reply = await ours.network.client.post(
        f"{CATALOGUE}/{ours.activity_id}/cancel", headers=local, json={"reason": "Storm."}
    )
    assert reply.status_code == 200, reply.text
    await ours.network.settle()
    for _ in range(2):
        await ours.network.sweep()
    assert set((await ours.states()).values()) == {"cancelled"}
    found = await ours.availability()
    assert (found["taken"], found["waiting"]) == (0, 0)
    assert (await ours.subjects("Cem")).count("Called off") == 1


async def test_waiting_twice_is_answered_alike_and_counted_once(ours: Students) -> None:
    first = (await ours.sign_up("Cem", waiting_list=True)).json()
    again = (await ours.sign_up("Cem", waiting_list=True)).json()
    stranger = (await ours.sign_up("Dia", waiting_list=True)).json()
    for reply in (again, stranger):
        assert {**reply, "id": ""} == {**first, "id": ""}
    has_a_place = (await ours.sign_up("Ada", waiting_list=True)).json()
    assert {**has_a_place, "id": ""} == {**first, "id": ""}, "who has a place already is answered like a stranger"
    assert (await ours.availability())["waiting"] == 2


async def test_checking_in_takes_up_an_offer_but_nobody_comes_in_from_the_list(ours: Students) -> None:
    for name in ("Cem", "Dia"):
        await ours.sign_up(name, waiting_list=True)
    await ours.gives_up("Ada")
    await ours.network.sweep()
    notes = [
        {"registration_id": ours.registrations[name], "at": "2027-05-08T10:00:00Z", "nonce": f"device-one-{name}"}
        for name in ("Cem", "Dia")
    ]
    await rows(ours.network.database_url, "UPDATE registration.places SET starts_at = now() - interval '1 hour'")
    at = datetime.now(UTC).isoformat()
    reply = await ours.network.client.post(
        f"/registration/v1/activities/{ours.activity_id}/check-ins",
        json=[{**note, "at": at} for note in notes],
        headers={**await ours.network.local(), **ours.network.key()},
    )
    assert reply.status_code == 200, reply.text
    assert [(item["outcome"], item["reason"]) for item in reply.json()["items"]] == [
        ("recorded", None),
        ("refused", "not_confirmed"),
    ]
    assert (await ours.states())["Cem"] == "confirmed"
