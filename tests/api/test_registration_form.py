"""The form for signing up: what it asks, what it says of what was sent, and what it tells nobody."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from services.registration.mail.catalogues import tags
from services.registration.mail.languages import language_of
from tests.api.test_registration_terms import QUESTIONS
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.sign_ups import Students, directory_has, in_hours, students

EVIL = '"><script>alert(1)</script>'
ENGLISH = language_of("en")
FORM = {
    "lang": "en", "given_name": "Ada", "family_name": "Lovelace", "email": "ada@students.example",
    "participant_class": "international", "home_country": "PT", "consent.participation": "2026-09",
    "consent.of_age": "2026-11",
}  # fmt: skip
ANSWERS = {"answer.boots": "own", "answer.photo": "yes"}


@pytest.fixture
async def ours(shared: Network) -> Students:
    """An activity with two places."""
    return await students(shared, capacity=2)


@pytest.fixture(scope="module")
async def strict(shared: Network) -> Students:
    """An activity that asks for much."""
    made = await students(shared, requirements={"minimum_age": 18})
    await made.on_terms(questions=QUESTIONS, guests_at_most=2)
    return made


class Read(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, reply: httpx.Response) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.feed(reply.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [attributes for tag, attributes in self.elements if tag in kinds]

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        every = self.of("input", "select", "textarea")
        return {each["name"]: each for each in every if each.get("type") != "hidden"}

    @property
    def faulty(self) -> set[str]:
        return {name for name, each in self.fields.items() if each.get("aria-invalid") == "true"}


def _address(ours: Students) -> str:
    return f"/registration/activities/{ours.activity_id}"


async def _open(ours: Students, query: str = "", **headers: str) -> httpx.Response:
    return await ours.network.client.get(f"{_address(ours)}{query}", headers=headers)


async def _send(ours: Students, headers: dict[str, str] | None = None, **changes: str | None) -> httpx.Response:
    data = {name: given for name, given in {**FORM, **changes}.items() if given is not None}
    return await ours.network.client.post(_address(ours), data=data, headers=headers or {})


async def _kept(ours: Students, columns: str, more: str = "") -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM registration.registrations WHERE activity_id = '{ours.activity_id}' {more}"
    return [tuple(row) for row in await rows(ours.network.database_url, query)]


def _says(reply: httpx.Response, name: str, **fields: object) -> bool:
    return ENGLISH.text(name).format(**fields) in unescape(reply.text)


async def test_an_activity_leads_to_its_form_which_asks_for_little(ours: Students) -> None:
    activity = (await ours.network.client.get(f"/activities/v1/activities/{ours.activity_id}")).json()
    assert activity["sign_up"]["page_url"] == f"http://socialerasmus.test{_address(ours)}"
    reply = await _open(ours, "?utm_source=mail")
    page = Read(reply)
    assert reply.status_code == 200
    assert set(page.fields) == {*FORM, "mobility"} - {"lang"}
    assert not [name for name, each in page.fields.items() if "checked" in each or each.get("value") == EVIL]
    assert {name for name, each in page.fields.items() if "required" not in each} == {"home_country", "mobility"}
    labelled = {each["for"] for each in page.of("label") if "for" in each}
    assert labelled == set(page.fields) - {"consent.participation", "consent.of_age"}
    assert page.of("script", "link", "img", "iframe") == []
    assert page.of("form") == [{"method": "post", "action": ours.activity_id}]
    assert {"href": "../privacy?lang=en"} in page.of("a")
    for told in (activity["title"], "2 of 2 places are free.", "Porto Ferro", "Sign-up is open until"):
        assert told in reply.text
    assert reply.headers["cache-control"] == "private, no-store"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert reply.headers["referrer-policy"] == "same-origin"


async def test_the_form_speaks_every_language_of_the_mails(strict: Students) -> None:
    for tag in tags():
        asked = await _open(strict, f"?lang={tag}", **{"Accept-Language": "en"})
        accepted = await _open(strict, **{"Accept-Language": f"xx, {tag}-XX;q=0.9, *;q=0.1"})
        assert asked.text == accepted.text
        assert asked.headers["content-language"] == tag
        language = language_of(tag)
        assert language.text("form.given_name") in unescape(asked.text)
        assert f">{language.catalogue.locale.territories['DE']}<" in asked.text
        assert ("Perché?" if tag == "it" else "Why?") in asked.text
        done = await _send(strict, **ANSWERS, lang=tag, email=f"{tag}@x.example")
        assert language.text("form.done") in unescape(done.text)
    assert {language for (language,) in await _kept(strict, "language")} == set(tags())


async def test_who_fills_in_the_form_is_mailed_and_has_a_place_once(ours: Students) -> None:
    replies = [await _send(ours, given_name="Zora", email="zora@students.example") for _ in range(2)]
    for reply in replies:
        assert (reply.status_code, reply.headers["cache-control"]) == (200, "private, no-store")
        assert "zora@students.example" in reply.text
        assert _says(reply, "form.done.no_mail")
    await ours.accepts("Zora")
    assert await ours.states() == {"Zora": "confirmed"}
    assert (await ours.availability())["taken"] == 1
    kept = await _kept(ours, "home_country, participant_class, language")
    assert kept == [("PT", "international", "en")]


async def test_a_known_mailbox_is_answered_like_a_stranger_and_shows_nothing_of_its_owner(ours: Students) -> None:
    await ours.sign_up("Ada", family_name="Secretname")
    again = await _send(ours, given_name="Eve", email="ADA@students.example")
    stranger = await _send(ours, given_name="Eve", email="bob@students.example")
    assert again.status_code == stranger.status_code == 200
    assert "Secretname" not in again.text

    def plain(reply: httpx.Response, address: str) -> str:
        return reply.text.replace(address, "").split(" We hold it until")[0]

    assert plain(again, "ADA@students.example") == plain(stranger, "bob@students.example")
    assert "Secretname" not in (await _open(ours)).text


@pytest.mark.parametrize(
    ("changes", "faulty", "words"),
    [
        ({"given_name": "  "}, {"given_name"}, "form.fault.missing"),
        ({"family_name": "\x00"}, {"family_name"}, "form.fault.check"),
        ({"given_name": "x" * 201, "email": None}, {"given_name", "email"}, "form.fault.check"),
        ({"email": "nobody"}, {"email"}, "form.fault.email"),
        ({"participant_class": "king"}, {"participant_class"}, "form.fault.check"),
        ({"home_country": "ZZ"}, {"home_country"}, "form.fault.check"),
        ({"consent.participation": None}, {"consent.participation"}, "form.fault.agree"),
        ({"consent.participation": "1999-01"}, {"consent.participation"}, "form.fault.check"),
        ({"consent.of_age": None}, {"consent.of_age"}, "form.fault.agree"),
        ({"answer.boots": ""}, {"answer.boots"}, "form.fault.missing"),
        ({"answer.boots": "red"}, {"answer.boots"}, "form.fault.check"),
        ({"answer.photo": None}, {"answer.photo"}, "form.fault.agree"),
        ({"answer.trees": "seven"}, {"answer.trees"}, "form.fault.number"),
        ({"answer.trees": "9999999999"}, {"answer.trees"}, "form.fault.check"),
        ({"answer.since": "1.9.2026"}, {"answer.since"}, "form.fault.date"),
        ({"answer.why": "x" * 1001}, {"answer.why"}, "form.fault.check"),
        ({"guest.2.given_name": "Grace"}, {"guest.2.family_name", "guest.2.participant_class"}, "form.fault.missing"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    strict: Students, changes: dict[str, str | None], faulty: set[str], words: str
) -> None:
    fine: dict[str, str | None] = {**ANSWERS, "answer.why": "Why not"}
    reply = await _send(strict, **{"email": "wrong@x.example", **fine, **changes})
    page = Read(reply)
    assert reply.status_code == 422
    assert page.faulty == faulty
    assert _says(reply, words)
    for name in faulty:
        assert f'id="{name}-fault"' in reply.text
        assert f"{name}-fault" in page.fields[name]["aria-describedby"].split()
        assert any(each.get("href") == f"#{name}" for each in page.of("a"))
    assert any(each.get("role") == "alert" and each.get("tabindex") == "-1" for each in page.of("div"))
    assert ("family_name" in changes) or page.fields["family_name"]["value"] == "Lovelace"
    assert ("answer.photo" in changes) or "checked" in page.fields["answer.photo"]
    mailbox = "SELECT count(*) FROM registration.participants WHERE email = 'wrong@x.example'"
    assert await value(strict.network.database_url, mailbox) == 0


async def test_answers_guests_and_agreements_arrive_as_they_were_given(shared: Network) -> None:
    ours = await students(shared, capacity=6, requirements={"minimum_age": 18})
    await ours.on_terms(questions=QUESTIONS, guests_at_most=2)
    page = Read(await _open(ours))
    assert {name for name in page.fields if name.startswith("answer.")} == {
        f"answer.{each['code']}" for each in QUESTIONS
    }
    assert ("details", {}) in page.elements
    guest = {"given_name": "Grace", "family_name": "Hopper", "participant_class": "local"}
    sent = {f"guest.2.{name}": given for name, given in {**guest, "home_country": "österreich"}.items()}
    sent["lang"] = "de"
    more = {"answer.trees": "7,5", "answer.why": "One\r\nTwo", "answer.since": "2026-09-01"}
    reply = await _send(ours, **ANSWERS, **sent, **more)
    assert reply.status_code == 200
    ada, grace = await _kept(ours, "given_name, answers, id, home_country", "ORDER BY party_size DESC")
    assert (ada[0], grace[0], grace[3]) == ("Ada", "Grace", "AT"), "a country by its name in their language"
    assert '"trees": 7.5' in ada[1]
    assert r'"One\nTwo"' in ada[1]
    consents = f"SELECT purpose, text_version FROM registration.consents WHERE registration_id = '{ada[2]}'"
    assert {tuple(row) for row in await rows(shared.database_url, consents)} == {
        ("participation", "2026-09"), ("of_age", "2026-11"),
    }  # fmt: skip
    extra = {f"guest.{number}.{name}": given for number in (1, 2, 3) for name, given in guest.items()}
    many = await _send(ours, **ANSWERS, **extra, email="bo@students.example")
    assert many.status_code == 422
    assert _says(many, "form.fault.guests")
    assert {"href": "#guests"} in Read(many).of("a")
    half = await _send(ours, **ANSWERS, **{"guest.1.given_name": "Eve"})
    assert '<a href="#guest.1.family_name">Guest 1: Family name</a>' in half.text


async def test_one_says_what_one_is_here_for_and_who_hosts_one(network: Network) -> None:
    await directory_has(network, "IT-SASS-ESN")
    await directory_has(network, "PT-PORT-ESN")
    ours = await students(network)
    page = await _open(ours)
    assert [each["label"] for each in Read(page).of("optgroup")] == ["Italy", "Portugal"], (
        "the activity's country first"
    )
    assert 'list="countries"' not in page.text, "without guests there is nobody to ask"
    sent = await _send(ours, mobility="traineeship", host_section="PT-PORT-ESN")
    assert sent.status_code == 200
    assert await _kept(ours, "mobility, host_section") == [("traineeship", "PT-PORT-ESN")]
    wrong = await _send(ours, email="b@x.example", mobility="study", participant_class="local", host_section="PT-NOPE")
    assert (wrong.status_code, Read(wrong).faulty) == (422, {"mobility", "host_section"})
    await ours.accepts("Ada")
    begun = "UPDATE registration.places SET starts_at = now() - interval '1 h', ends_at = now() + interval '1 h'"
    await rows(network.database_url, begun)
    code = await value(network.database_url, "SELECT code FROM registration.registrations")
    there = {"code": code, "at": in_hours(0), "nonce": "n-000000000001"}
    address = f"/registration/v1/activities/{ours.activity_id}/check-ins"
    reply = await network.client.post(address, json=there, headers={**await network.local(), **network.key()})
    assert reply.status_code == 200, reply.text
    told = "SELECT payload ->> 'mobility' FROM events.log WHERE name = 'registration.attendance_recorded.v1'"
    assert await value(network.database_url, told) == "traineeship"


async def test_where_it_is_full_one_may_wait(ours: Students) -> None:
    await ours.on_terms(guests_at_most=1)
    guest = {"guest.1.given_name": "G", "guest.1.family_name": "H", "guest.1.participant_class": "local"}
    await ours.sign_up("Bo")
    assert "waiting_list" not in Read(await _open(ours)).fields
    group = await _send(ours, **guest)
    assert (group.status_code, Read(group).faulty) == (409, {"waiting_list"})
    assert (await ours.states()).keys() == {"Bo"}, "nothing remains of what was refused"
    await ours.sign_up("Cem")
    page = await _open(ours)
    assert "waiting_list" in Read(page).fields
    assert _says(page, "form.full_waiting")
    waits = await _send(ours, waiting_list="yes", **guest)
    assert waits.status_code == 200
    assert _says(waits, "form.done.waitlisted", email=FORM["email"])
    assert (await ours.states())["Ada"] == "waitlisted"
    await ours.on_terms(waiting_list=False)
    for reply in (await _open(ours), await _send(ours, email="d@students.example", waiting_list="yes")):
        assert _says(reply, "form.full")
        assert Read(reply).fields == {}


async def test_where_organisers_choose_the_form_says_so(ours: Students) -> None:
    await ours.on_terms(choosing="approval")
    assert _says(await _open(ours), "form.approval")
    assert _says(await _send(ours), "form.done.pending_approval", email=FORM["email"])


@pytest.mark.parametrize(
    ("change", "words", "status"),
    [
        ("takes_sign_ups = false", "form.not_offered", 404),
        ("state = 'cancelled'", "form.cancelled", 409),
        ("state = 'held'", "form.held", 409),
        ("closes_at = now() - interval '1 h'", "form.closed", 409),
    ],
)
async def test_where_nobody_signs_up_the_page_says_why(ours: Students, change: str, words: str, status: int) -> None:
    moved = f"UPDATE registration.places SET {change} WHERE activity_id = '{ours.activity_id}'"
    await rows(ours.network.database_url, moved)
    shown, sent = await _open(ours), await _send(ours)
    assert (shown.status_code, sent.status_code) == (200, 409 if words != "form.not_offered" else status)
    for reply in (shown, sent):
        assert _says(reply, words)
        assert Read(reply).of("form") == []


async def test_before_sign_up_opens_the_page_says_when_it_does(shared: Network) -> None:
    ours = await students(shared, sign_up={"opens_at": in_hours(30)})
    page = await _open(ours)
    assert "Sign-up has not begun yet. It opens: " in page.text
    assert "(Rome time)" in page.text
    assert (await _send(ours)).status_code == 409


async def test_an_activity_that_nobody_knows_is_not_found_by_people_either(ours: Students) -> None:
    address = "/registration/activities/01890000-0000-7000-8000-000000000000?lang=it"
    for reply in (await ours.network.client.get(address), await ours.network.client.post(address, data=FORM)):
        assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "<h1>" in reply.text


async def test_markup_stays_text(shared: Network) -> None:
    ours = await students(shared, title=EVIL)
    evil = {"en": EVIL}
    asks = [{**QUESTIONS[0], "text": evil, "options": [{"code": "a", "text": evil}]}, {**QUESTIONS[1], "text": evil}]
    await ours.on_terms(questions=asks, guests_at_most=1)
    shown = await _open(ours)
    sent = await _send(ours, family_name=EVIL, email=EVIL, **{"answer.why": EVIL, "guest.1.given_name": EVIL})
    done = await _send(ours, **{"answer.boots": "a"}, email="a@x.example", lang=EVIL)
    assert (shown.status_code, sent.status_code, done.status_code) == (200, 422, 200)
    for reply in (shown, sent, done):
        assert Read(reply).of("script") == []
    assert Read(sent).fields["family_name"]["value"] == EVIL


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://socialerasmus.test"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://socialerasmus.test"}, 200),
        ({}, 200),
    ],
)
async def test_the_form_of_another_website_signs_nobody_up(
    ours: Students, headers: dict[str, str], status: int
) -> None:
    reply = await _send(ours, headers)
    assert reply.status_code == status
    assert (await ours.availability())["taken"] == (1 if status == 200 else 0)
    if status == 403:
        assert _says(reply, "form.elsewhere")
        assert "ada@" not in reply.text


@pytest.mark.parametrize(
    ("content_type", "content", "status"),
    [
        ("application/json", b"{}", 400),
        ("application/x-www-form-urlencoded", b"a=%FF", 400),
        ("application/x-www-form-urlencoded", b"\xff", 400),
        ("application/x-www-form-urlencoded", b"a=1&" * 101, 400),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 65_536, 413),
    ],
    ids=["JSON", "no UTF-8", "no ASCII", "many fields", "long"],
)
async def test_what_is_no_form_of_ours_is_answered_with_the_form(
    strict: Students, content_type: str, content: bytes, status: int
) -> None:
    reply = await strict.network.client.post(_address(strict), content=content, headers={"Content-Type": content_type})
    assert reply.status_code == status
    assert _says(reply, "form.not_understood")
    assert Read(reply).fields
