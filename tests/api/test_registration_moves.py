"""Activities that move: whoever signed up is told once and asked again, and organisers see who has answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.sign_ups import Students, in_hours, students, text_of

MOVED = "Time or place has changed"


async def revise(ours: Students, **changes: Any) -> None:
    """Change the activity, and let registration hear of it."""
    address, local = f"/activities/v1/activities/{ours.activity_id}", await ours.network.local()
    etag = (await ours.network.client.get(address)).headers["etag"]
    reply = await ours.network.client.patch(address, headers={**local, "If-Match": etag}, json=changes)
    assert reply.status_code == 200, reply.text
    await ours.network.settle()


async def settles(ours: Students) -> None:
    """Let so much time pass that people are told."""
    due = "UPDATE registration.places SET move_due_at = now() WHERE move_due_at IS NOT NULL"
    await rows(ours.network.database_url, due)
    await ours.network.sweep()


async def entries(ours: Students) -> dict[str, dict[str, Any]]:
    """The registrations as the organisers see them."""
    reply = await ours.network.client.get(
        f"/registration/v1/activities/{ours.activity_id}/registrations", headers=await ours.network.local()
    )
    return {item["given_name"]: item for item in reply.json()["items"]}


async def moves(ours: Students, name: str) -> int:
    """How many letters about a move somebody got."""
    return (await ours.subjects(name)).count(MOVED)


async def test_everybody_is_told_once_of_several_moves_and_answers(network: Network) -> None:
    ours = await students(network, capacity=2)
    await ours.on_terms(guests_at_most=0)
    await ours.confirmed("Ada")
    await ours.confirmed("Bo", language="it")
    await ours.sign_up("Cem", waiting_list=True)
    await revise(ours, starts_at="2027-05-08T15:00", ends_at="2027-05-08T18:00")
    await network.sweep()
    assert await moves(ours, "Ada") == 0, "it has not come to rest"
    await revise(ours, starts_at="2027-05-09T11:00", ends_at="2027-05-09T14:00")
    await settles(ours)
    await settles(ours)
    mail = (await ours.mails("Ada"))[-1]
    html = mail.get_body(("html",))
    assert html is not None
    for said in (text_of(mail), html.get_content()):
        assert "Sunday, 9 May 2027, 11:00–14:00 (Rome time)" in said
        assert "15:00" not in said
    assert await moves(ours, "Ada") == await moves(ours, "Cem") == 1
    assert (await ours.subjects("Bo"))[-1].startswith("Ora o luogo cambiati")
    assert "withdraw here" in text_of((await ours.mails("Cem"))[-1])
    assert {name: each["after_move"] for name, each in (await entries(ours)).items()} == {
        "Ada": "asked", "Bo": "asked", "Cem": "asked",
    }  # fmt: skip
    link = f"/registration/v1/links/{await ours.secret('Ada')}"
    page = (await network.client.get(link)).text
    assert "I still come" in page
    assert "I give up my place" in page
    assert (await entries(ours))["Ada"]["after_move"] == "asked", "looking answers nothing"
    for _ in range(2):
        assert "You still come" in (await network.client.post(link)).text
    assert "Your place" in (await network.client.get(link)).text
    await ours.gives_up("Bo")
    found = await entries(ours)
    assert (found["Ada"]["state"], found["Ada"]["after_move"]) == ("confirmed", "comes")
    assert found["Bo"]["state"] == "cancelled"
    await revise(ours, place={"name": "Alghero Lido", "city": "Alghero", "country": "IT"})
    await settles(ours)
    assert await moves(ours, "Ada") == 2
    assert (await entries(ours))["Ada"]["after_move"] == "asked", "what was answered was answered to something else"
    reply = await ours.by_token("Ada", "confirm", await ours.secret("Ada"))
    assert (reply.status_code, reply.json()["state"]) == (200, "confirmed")
    assert (await entries(ours))["Ada"]["after_move"] == "comes", "apps say it by confirming"


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Cleaning the beach of Porto Ferro", "capacity": 50},
        {"place": {"name": "porto ferro", "city": "SASSARI", "country": "IT"}},
        {"ends_at": "2027-05-08T13:20"},
    ],
    ids=["other words", "same place", "end"],
)
async def test_what_concerns_nobody_is_told_to_nobody(shared: Network, changes: dict[str, Any]) -> None:
    ours = await students(shared)
    name = f"Quiet{len(changes)}{next(iter(changes))}".replace("_", "")
    await ours.confirmed(name)
    await revise(ours, **changes)
    await settles(ours)
    assert await moves(ours, name) == 0
    assert (await entries(ours))[name]["after_move"] is None


async def test_who_signs_up_after_a_move_or_whose_activity_is_back_is_not_asked(shared: Network) -> None:
    ours = await students(shared)
    await ours.confirmed("Early")
    await revise(ours, starts_at="2027-05-08T09:00")
    late = "UPDATE registration.places SET move_noted_at = now() - interval '2 minutes' WHERE activity_id = $1"
    await rows(shared.database_url, late, ours.activity_id)
    early = "UPDATE registration.registrations SET signed_up_at = now() - interval '1 hour' WHERE activity_id = $1"
    await rows(shared.database_url, early, ours.activity_id)
    await ours.confirmed("Late")
    await settles(ours)
    assert (await moves(ours, "Early"), await moves(ours, "Late")) == (1, 0)
    await revise(ours, starts_at="2027-05-08T11:00")
    await revise(ours, starts_at="2027-05-08T09:00")
    await settles(ours)
    assert (await moves(ours, "Early"), await moves(ours, "Late")) == (1, 0), "it is where they know it to be"


async def test_a_place_that_was_only_held_is_confirmed_by_the_link_of_the_move(shared: Network) -> None:
    ours = await students(shared)
    await ours.sign_up("Held")
    await revise(ours, starts_at="2027-05-08T09:00")
    await settles(ours)
    assert await moves(ours, "Held") == 1
    await ours.accepts("Held")
    found = (await entries(ours))["Held"]
    assert (found["state"], found["after_move"]) == ("confirmed", "comes")


async def test_what_begins_soon_is_told_at_once(shared: Network) -> None:
    ours = await students(shared, starts_at=in_hours(4), ends_at=in_hours(6))
    await ours.confirmed("Soon")
    await revise(ours, starts_at=in_hours(3))
    await shared.sweep()
    assert await moves(ours, "Soon") == 1


async def test_a_moved_activity_that_is_called_off_is_told_of_as_called_off_only(shared: Network) -> None:
    ours = await students(shared)
    await ours.confirmed("Off")
    await revise(ours, starts_at="2027-05-08T09:00")
    reply = await shared.client.post(
        f"/activities/v1/activities/{ours.activity_id}/cancel", headers=await shared.local(), json={"reason": "Storm"}
    )
    assert reply.status_code == 200, reply.text
    await shared.settle()
    await settles(ours)
    assert (await ours.subjects("Off"))[2:] == ["Called off"]
