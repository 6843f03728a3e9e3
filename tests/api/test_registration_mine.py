"""A student's own page: what it shows, where it leads, what can still be changed, and the entry in their calendar."""

from __future__ import annotations

from html import unescape
from typing import Any

import httpx
import pytest
from icalendar import Calendar

from services.registration.mail.catalogues import tags
from services.registration.mail.languages import language_of
from tests.api.test_registration_form import Read
from tests.api.test_registration_moves import revise
from tests.api.test_registration_terms import QUESTIONS
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import refused
from tests.harness.sign_ups import Students, directory_has, in_hours, students

ANSWERS = {"boots": "own", "photo": True}
CHANGED = {
    "given_name": "Zoë", "family_name": "Hopper", "home_country": "DE", "mobility": "traineeship", "language": "it",
    "host_section": "", "answer.boots": "lent", "answer.photo": "yes", "answer.trees": "3",
}  # fmt: skip


@pytest.fixture
async def ours(shared: Network) -> Students:
    """An activity that asks for much."""
    made = await students(shared, capacity=3)
    await made.on_terms(questions=QUESTIONS, guests_at_most=1)
    return made


async def _link(ours: Students, name: str, **changes: Any) -> str:
    """The address of the page of somebody with a confirmed place."""
    return f"/registration/v1/links/{await ours.confirmed(name, answers=ANSWERS, **changes)}"


async def _kept(ours: Students, columns: str) -> tuple[Any, ...]:
    query = f"SELECT {columns} FROM registration.registrations WHERE activity_id = $1 AND lead_id IS NULL"
    return tuple((await rows(ours.network.database_url, query, ours.activity_id))[0])


async def _entry(ours: Students, link: str) -> Any:
    reply = await ours.network.client.get(f"{link}/calendar.ics")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert link.rpartition("/")[2] not in reply.text, "calendars are shared"
    [entry] = Calendar.from_ical(reply.content).walk("VEVENT")
    return entry


async def test_the_page_leads_to_everything_in_every_language(ours: Students) -> None:
    for tag in tags():
        link = await _link(ours, f"Page{tag}", language=tag)
        page = await ours.network.client.get(link)
        token, language = link.rpartition("/")[2], language_of(tag)
        ways = {each["href"] for each in Read(page).of("a")}
        assert ways == {f"{token}/answers", f"{token}/calendar.ics", f"{token}/code", f"{token}/me"}
        for way in ways:
            found = await ours.network.client.get(f"/registration/v1/links/{way}")
            assert found.status_code == 200
            assert found.headers["referrer-policy" if "calendar" not in way else "cache-control"] in {
                "no-referrer", "private, no-cache",
            }  # fmt: skip
        for name in ("page.manage.button", "ways.answers", "ways.calendar", "label.code"):
            assert language.text(name) in unescape(page.text)
        form = unescape((await ours.network.client.get(f"{link}/answers")).text)
        assert language.text("answers.heading") in form
        await ours.network.client.post(f"{link}/cancel")


async def test_what_was_told_is_shown_and_changed_as_a_whole(ours: Students) -> None:
    link = await _link(ours, "Grace")
    fields = Read(await ours.network.client.get(f"{link}/answers")).fields
    assert fields["given_name"]["value"] == "Grace"
    assert "checked" in fields["answer.photo"]
    assert await _kept(ours, "given_name") == ("Grace",)
    for _ in range(2):
        reply = await ours.network.client.post(f"{link}/answers", data=CHANGED)
        assert reply.status_code == 200
        assert language_of("it").text("answers.saved") in unescape(reply.text), "in the language that they chose"
    kept = await _kept(ours, "given_name, family_name, home_country, mobility, language, answers::text")
    assert kept[:5] == ("Zoë", "Hopper", "DE", "traineeship", "it")
    assert ('"trees": 3' in kept[5], '"boots": "lent"' in kept[5]) == (True, True)


WRONG: list[tuple[dict[str, str], set[str]]] = [
    ({"given_name": " "}, {"given_name"}),
    ({"home_country": "ZZ", "mobility": "tourism"}, {"home_country", "mobility"}),
    ({"answer.boots": ""}, {"answer.boots"}),
    ({"answer.boots": "red"}, {"answer.boots"}),
    ({"answer.trees": "many"}, {"answer.trees"}),
    ({"language": "!!"}, {"language"}),
]


async def test_what_does_not_fit_is_said_at_its_field_and_changes_nothing(ours: Students) -> None:
    link = await _link(ours, "Wrong")
    for changes, faulty in WRONG:
        reply = await ours.network.client.post(f"{link}/answers", data={**CHANGED, **changes})
        assert (reply.status_code, Read(reply).faulty) == (422, faulty), changes
    assert await _kept(ours, "given_name, home_country") == ("Wrong", None)


async def test_only_an_international_student_is_here_for_something(ours: Students) -> None:
    link = await _link(ours, "Locally", participant_class="local")
    reply = await ours.network.client.post(f"{link}/answers", data=CHANGED)
    assert (reply.status_code, Read(reply).faulty) == (422, {"mobility"})


async def test_answers_change_no_more_once_the_activity_has_begun_or_by_another_link(ours: Students) -> None:
    await ours.sign_up("Unproved", answers=ANSWERS)
    confirming = f"/registration/v1/links/{await ours.secret('Unproved')}"
    link = await _link(ours, "Begun")
    begun = "UPDATE registration.places SET starts_at = now() WHERE activity_id = $1"
    for address in (confirming, link):
        if address == link:
            await rows(ours.network.database_url, begun, ours.activity_id)
        for reply in (
            await ours.network.client.get(f"{address}/answers"),
            await ours.network.client.post(f"{address}/answers", data=CHANGED),
        ):
            assert (reply.status_code, reply.headers["location"]) == (303, f"../{address.rpartition('/')[2]}")
    assert "answers" not in (await ours.network.client.get(link)).text
    changed = "SELECT count(*) FROM registration.registrations WHERE given_name = 'Zoë' AND activity_id = $1"
    assert await value(ours.network.database_url, changed, ours.activity_id) == 0
    nobody = await ours.network.client.get("/registration/v1/links/nobody-was-ever-mailed-this/answers")
    assert nobody.status_code == 303
    bad = await ours.network.client.post(f"{link}/answers", content=b"{}", headers={"Content-Type": "application/json"})
    assert bad.status_code == 303


async def test_the_entry_in_a_calendar_follows_the_activity_and_ends_with_the_place(ours: Students) -> None:
    link = await _link(ours, "Calendar")
    first = await _entry(ours, link)
    assert (first["STATUS"], first["DTSTART"].dt.isoformat()) == ("CONFIRMED", "2027-05-08T08:00:00+00:00")
    assert (await _entry(ours, link)).to_ical() == first.to_ical(), "the same is the same to the last byte"
    await revise(ours, starts_at="2027-05-08T09:00")
    moved = await _entry(ours, link)
    assert (moved["UID"], moved["DTSTART"].dt.hour) == (first["UID"], 7)
    assert moved["SEQUENCE"] > first["SEQUENCE"]
    await ours.network.client.post(f"{link}/cancel")
    gone = await _entry(ours, link)
    assert (gone["UID"], gone["STATUS"]) == (first["UID"], "CANCELLED")
    assert gone["SEQUENCE"] > moved["SEQUENCE"]
    await ours.sign_up("Unconfirmed", answers=ANSWERS)
    confirming = await ours.secret("Unconfirmed")
    assert (await ours.network.client.get(f"/registration/v1/links/{confirming}/calendar.ics")).status_code == 404


async def test_who_waits_may_change_their_answers_too_and_reads_the_position(ours: Students) -> None:
    await ours.on_terms(questions=QUESTIONS)
    for name in ("First", "Second", "Third"):
        await ours.confirmed(name, answers=ANSWERS)
    await ours.sign_up("Fourth", answers=ANSWERS, waiting_list=True)
    link = f"/registration/v1/links/{await ours.secret('Fourth')}"
    page = await ours.network.client.get(link)
    assert "you are first on the list" in page.text
    assert (await ours.network.client.post(f"{link}/answers", data=CHANGED)).status_code == 200
    assert (await ours.states())["Zoë"] == "waitlisted"


async def test_an_app_changes_the_details_by_the_secret(ours: Students) -> None:
    secret = await ours.confirmed("App", answers=ANSWERS)
    address = f"/registration/v1/registrations/{ours.registrations['App']}/details"
    body = {"token": secret, "given_name": "Appia", "family_name": "Via", "language": "it", "answers": ANSWERS}
    reply: httpx.Response = await ours.network.client.put(address, json=body)
    assert (reply.status_code, reply.json()["state"]) == (200, "confirmed")
    assert await _kept(ours, "given_name, language") == ("Appia", "it")
    more = {"mobility": "tourism", "answers": {"boots": "red", "photo": True}}
    wrong = {**body, "answers": {"boots": "red", "photo": True}, "host_section": "XX-NOPE"}
    await directory_has(ours.network, "IT-SASS-ESN")
    await refused(
        ours.network, "PUT", address, status=422, pointers=["#/answers/boots", "#/host_section"], json=wrong, headers={}
    )
    await refused(ours.network, "PUT", address, status=422, pointers=["#/mobility"], json={**body, **more}, headers={})
    await ours.sign_up("Other", answers=ANSWERS)
    stranger = {**body, "token": await ours.secret("Other")}
    await refused(ours.network, "PUT", address, status=404, json=stranger, headers={})
    await ours.network.client.post(f"/registration/v1/links/{secret}/cancel")
    await refused(ours.network, "PUT", address, status=409, json=body, headers={})


async def test_guests_are_named_anew_by_the_page_and_by_programs(ours: Students) -> None:
    guest = {"given_name": "Gus", "family_name": "Hopper", "participant_class": "local"}
    link = await _link(ours, "Host", guests=[guest])
    page = Read(await ours.network.client.get(f"{link}/answers"))
    shown = {each["name"]: each.get("value") for each in page.of("input") if "name" in each}
    assert shown["guest.1.given_name"] == "Gus"
    lacking = await ours.network.client.post(f"{link}/answers", data={**CHANGED, "guest.1.given_name": "Gil"})
    assert (lacking.status_code, 'href="#guest.1.family_name"' in lacking.text) == (422, True)
    named = {**CHANGED, "guest.1.given_name": "Gil", "guest.1.family_name": "Noor"}
    assert (await ours.network.client.post(f"{link}/answers", data=named)).status_code == 200
    assert {"Zoë", "Gil"} <= (await ours.states()).keys()
    address = f"/registration/v1/registrations/{ours.registrations['Host']}/details"
    body = {"token": link.rpartition("/")[2], "given_name": "Host", "family_name": "H", "language": "en",
            "answers": ANSWERS}  # fmt: skip
    one = {"given_name": "Ivo", "family_name": "Noor"}
    for guests, pointer in (
        ([], "#/guests"),
        ([one, one], "#/guests"),
        ([{"given_name": "Ivo"}], "#/guests/0/family_name"),
    ):
        wrong = {**body, "guests": guests}
        await refused(ours.network, "PUT", address, status=422, pointers=[pointer], json=wrong, headers={})
    assert "Gil" in await ours.states()
    assert (await ours.network.client.put(address, json={**body, "guests": [one]})).status_code == 200
    assert (await ours.network.client.put(address, json=body)).status_code == 200, "none are named, all stay"
    assert "Ivo" in await ours.states()


async def test_whoever_was_there_finds_their_hours_and_certificates_on_the_page(ours: Students) -> None:
    link = await _link(ours, "Worked")
    way = f"{link.rpartition('/')[2]}/me/certificates"
    assert way not in (await ours.network.client.get(link)).text
    begun = "starts_at = now() - interval '3 hours', ends_at = now() - interval '1 hour'"
    await rows(
        ours.network.database_url, f"UPDATE registration.places SET {begun} WHERE activity_id = $1", ours.activity_id
    )
    note = {"registration_id": ours.registrations["Worked"], "at": in_hours(-2), "nonce": "device-0"}
    address = f"/registration/v1/activities/{ours.activity_id}/check-ins"
    told = await ours.network.client.post(address, json=note, headers=await ours.network.local())
    assert told.json()["items"][0]["outcome"] == "recorded"
    assert f'href="{way}"' in (await ours.network.client.get(link)).text
    assert (await ours.network.client.get(f"/registration/v1/links/{way}")).status_code == 200
