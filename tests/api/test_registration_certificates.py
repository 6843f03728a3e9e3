"""Certificates of hours: who gets one, what it states for good, what anybody is told who holds its number."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from services.registration.certificates.rules import academic_year_of
from tests.harness.certificates import MINE, by, certified, issued, present
from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.refusals import check_problem, refused
from tests.harness.sign_ups import Students, students

HOURS = "/registration/v1/me/hours"
PUBLIC = "/registration/v1/certificates"
BEACH = "Cleaning Porto Ferro beach"
VALID = {
    "en": "is valid", "it": "è valido", "es": "es válido", "fr": "est valable", "de": "ist gültig", "pl": "jest ważne",
}  # fmt: skip
NOBODYS = "01890000-0000-7000-8000-000000000000"
UNFIT: tuple[tuple[dict[str, Any], str], ...] = (
    ({"activity_ids": [NOBODYS]}, "#/activity_ids/0"),
    ({"activity_ids": []}, "#/activity_ids"),
    ({"activity_ids": ["Zq7Marker"]}, "#/activity_ids/0"),
    ({"activity_ids": [NOBODYS, NOBODYS]}, "#/activity_ids"),
    ({"activity_ids": [NOBODYS], "since": "2026-03-01"}, "#/since"),
    ({"since": "2026-02-30"}, "#/since"),
    ({"since": "2026-03-01", "until": "2026-02-01"}, "#/until"),
    ({"language": "Zq7Marker!"}, "#/language"),
    ({"name": "Zq7Marker"}, "#/name"),
)
_NUMBERS = count(1)


@pytest.fixture
async def ours(shared: Network) -> Students:
    """An activity."""
    return await students(shared)


@pytest.fixture
def ada() -> str:
    """Somebody whom no other test knows."""
    return f"Ada{next(_NUMBERS)}"


@pytest.fixture
async def secret(ours: Students, ada: str) -> str:
    """Of Ada, who was there for two hours and a half."""
    return await present(ours, ada, 2.5)


async def _verified(ours: Students, number: str) -> dict[str, Any]:
    reply = await ours.network.client.get(f"{PUBLIC}/{number}")
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "private, no-store"
    assert "noindex" in reply.headers["x-robots-tag"]
    found: dict[str, Any] = reply.json()
    return found


async def _corrected(ours: Students, hours: str) -> None:
    of_ours = f"SELECT id FROM registration.registrations WHERE activity_id = '{ours.activity_id}'"
    changed = f"UPDATE registration.attendances SET hours = {hours} WHERE registration_id IN ({of_ours})"
    await rows(ours.network.database_url, changed)


async def _becomes(ours: Students, change: str, table: str = "places") -> None:
    await rows(
        ours.network.database_url,
        f"UPDATE registration.{table} SET {change} WHERE activity_id = '{ours.activity_id}'",
    )


async def test_whoever_was_there_gets_a_certificate_that_anybody_can_verify(
    ours: Students, ada: str, secret: str
) -> None:
    reply = await issued(ours, secret)
    mine = reply.json()
    assert reply.status_code == 201
    assert re.fullmatch(r"SE(-[0-9A-HJKMNP-TV-Z]{4}){4}", mine["number"])
    assert mine["url"].endswith(f"/registration/certificates/{mine['number']}")
    assert reply.headers["location"].endswith(f"{PUBLIC}/{mine['number']}")
    today = datetime.now(UTC).date()
    found = await _verified(ours, mine["number"])
    began = (datetime.now(UTC) - timedelta(hours=2)).date().isoformat()
    assert found.pop("first_on") == found.pop("last_on") == found["activities"][0].pop("on")
    assert found == {
        "number": mine["number"], "standing": "valid", "issued_on": today.isoformat(), "revoked_on": None,
        "language": "en", "name": f"{ada} Lovelace", "hours": "2.50", "activity_count": 1,
        "activities": [{"title": BEACH, "organisers": ["ESN Sassari"], "hours": "2.50"}],
    }  # fmt: skip
    assert mine["activities"][0]["on"] >= began


async def test_a_number_is_read_as_people_write_it(ours: Students, secret: str) -> None:
    number = await certified(ours, secret)
    for written in (number.lower(), number.replace("-", ""), f" {number[3:]} "):
        assert (await _verified(ours, written))["number"] == number


@pytest.mark.parametrize(
    "number", ["SE-0000-0000-0000-0001", "SE-0000-0000-0000-0000", "x", "a%00b", "%F0%9F", "9" * 99]
)
async def test_a_number_that_nobody_has_is_unknown(shared: Network, number: str) -> None:
    check_problem(await shared.client.get(f"{PUBLIC}/{number}"), status=404)
    page = await shared.client.get(f"/registration/certificates/{number}?lang=de")
    assert (page.status_code, "Es gibt keine Bescheinigung" in page.text) == (404, True)


async def test_the_same_hours_are_the_same_certificate_and_in_another_language_another(
    ours: Students, secret: str
) -> None:
    first, again, italian = [await issued(ours, secret, **more) for more in ({}, {}, {"language": "it"})]
    assert [reply.status_code for reply in (first, again, italian)] == [201, 200, 201]
    assert again.json() == first.json()
    assert italian.json()["number"] != first.json()["number"]
    listed = (await ours.network.client.get(MINE, headers=by(secret))).json()
    assert {item["language"] for item in listed["items"]} == {"en", "it"}
    assert listed["next"] is None


async def test_only_hours_of_ones_own_at_what_is_over_are_certified(ours: Students, ada: str) -> None:
    secret = await ours.confirmed(ada)
    await present(ours, f"Bo{ada}", 1)
    check_problem(await issued(ours, secret, status=409), status=409)
    await present(ours, ada, 0, signs_up=False)
    check_problem(await issued(ours, secret, status=409), status=409)
    await _corrected(ours, "3")
    await _becomes(ours, "ends_at = now() + interval '1 hour'")
    check_problem(await issued(ours, secret, status=409), status=409)
    await _becomes(ours, "ends_at = now()")
    assert (await issued(ours, secret)).json()["hours"] == "3.00"


async def test_one_activity_or_a_period_is_chosen(ours: Students, ada: str, secret: str) -> None:
    other = await students(ours.network, title="Reading to children")
    await present(other, ada, 4, days_ago=360)
    named = await issued(ours, secret, activity_ids=[ours.activity_id])
    assert [each["title"] for each in named.json()["activities"]] == [BEACH]
    middle = (datetime.now(UTC) - timedelta(days=200)).date().isoformat()
    assert (await issued(ours, secret, until=middle)).json()["hours"] == "4.00"
    assert (await issued(ours, secret, since=middle)).json()["number"] == named.json()["number"]
    everything = (await issued(ours, secret)).json()
    assert [each["title"] for each in everything["activities"]] == ["Reading to children", BEACH]
    assert everything["hours"] == "6.50"


async def test_what_can_not_be_certified_is_refused_and_nothing_is_issued(ours: Students, secret: str) -> None:
    for body, pointer in UNFIT:
        await refused(ours.network, "POST", MINE, status=422, pointers=[pointer], json=body, headers=by(secret))
    assert (await ours.network.client.get(MINE, headers=by(secret))).json()["items"] == []


async def test_a_certificate_stays_as_it_was_issued_and_tells_when_figures_changed_since(
    ours: Students, ada: str, secret: str
) -> None:
    number = await certified(ours, secret)
    await _becomes(ours, "title = 'Another', organiser_names = NULL")
    await _becomes(ours, "given_name = 'Eve'", "registrations")
    found = await _verified(ours, number)
    assert (found["standing"], found["name"], found["activities"][0]["title"]) == ("valid", f"{ada} Lovelace", BEACH)
    for hours in ("1", "NULL", "0"):
        await _corrected(ours, hours)
        found = await _verified(ours, number)
        assert (found["standing"], found["hours"]) == ("figures_changed", "2.50")
    await _corrected(ours, "2.5")
    assert (await _verified(ours, number))["standing"] == "valid"
    await _becomes(ours, "state = 'cancelled'")
    assert (await _verified(ours, number))["standing"] == "figures_changed"


async def test_organisers_are_named_by_their_codes_where_no_name_was_heard(ours: Students, secret: str) -> None:
    await _becomes(ours, "organiser_names = NULL")
    assert (await issued(ours, secret)).json()["activities"][0]["organisers"] == ["IT-SASS-ESN"]


async def _revoke(ours: Students, number: str, who: dict[str, str], status: int) -> httpx.Response:
    reply = await ours.network.client.post(
        f"{PUBLIC}/{number}/revoke", json={"reason": "Qz1reason"}, headers={**who, **ours.network.key()}
    )
    assert reply.status_code == status, reply.text
    return reply


async def test_organisers_revoke_a_certificate_and_what_is_within_reach_is_certified_no_more(
    ours: Students, ada: str, secret: str
) -> None:
    other = await students(ours.network, title="Reading to children")
    await present(other, ada, 4)
    number, single = await certified(ours, secret), await certified(ours, secret, activity_ids=[ours.activity_id])
    await _becomes(other, "section_codes = '{DE-AACH-ESN}', country = 'DE'")
    for who in (await ours.network.national("FR"), await ours.network.token("machine")):
        check_problem(await _revoke(ours, number, who, 403), status=403)
    check_problem(await _revoke(ours, number, {}, 401), status=401)
    for _ in range(2):
        reply = await _revoke(ours, number, await ours.network.national(), 204)
    assert reply.content == b""
    found = await _verified(ours, number)
    assert (found["standing"], found["name"], found["hours"], found["activities"]) == ("revoked", None, None, [])
    assert found["revoked_on"] == datetime.now(UTC).date().isoformat()
    for format_of in (found, (await ours.network.client.get(f"/registration/certificates/{number}")).text):
        assert "Qz1reason" not in str(format_of)
    assert (await _verified(ours, single))["standing"] == "figures_changed", "it states what is barred"
    again = (await issued(ours, secret)).json()
    assert [each["title"] for each in again["activities"]] == ["Reading to children"]
    check_problem(await ours.network.client.get(f"{PUBLIC}/{number}.pdf", headers=by(secret)), status=404)
    listed = (await ours.network.client.get(MINE, headers=by(secret))).json()["items"]
    assert {item["number"]: item["standing"] for item in listed} == {
        number: "revoked", again["number"]: "valid", single: "figures_changed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "pointer"), [({}, "#/reason"), ({"reason": " "}, "#/reason"), ({"reason": "Zq7Marker" * 200}, "#/reason")]
)
async def test_a_revocation_says_why(shared: Network, body: dict[str, str], pointer: str) -> None:
    headers = {**await shared.local(), **shared.key()}
    address = f"{PUBLIC}/SE-0000-0000-0000-0000/revoke"
    await refused(shared, "POST", address, status=422, pointers=[pointer], json=body, headers=headers)


async def test_the_pdf_is_for_its_holder_only_and_the_same_each_time(ours: Students, ada: str, secret: str) -> None:
    number = await certified(ours, secret)
    address = f"{PUBLIC}/{number}.pdf"
    first, again = [await ours.network.client.get(address, headers=by(secret)) for _ in range(2)]
    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
    assert first.headers["content-disposition"] == f'inline; filename="{number}.pdf"'
    assert first.content == again.content
    assert first.content.startswith(b"%PDF-1.7")
    check_problem(await ours.network.client.get(address), status=401)
    bo = await (await students(ours.network)).confirmed(f"Bo{ada}")
    check_problem(await ours.network.client.get(address, headers=by(bo)), status=404)
    check_problem(await ours.network.client.get(f"{PUBLIC}/x.pdf", headers=by(secret)), status=404)


async def test_a_name_for_which_no_font_is_at_hand_is_told_and_never_printed_wrongly(ours: Students, ada: str) -> None:
    secret = await present(ours, ada, 1, given_name="\U00016800", family_name="\U00016801")
    number = await certified(ours, secret)
    document = check_problem(await ours.network.client.get(f"{PUBLIC}/{number}.pdf", headers=by(secret)), status=409)
    assert "No font is at hand" in document["detail"]
    assert (await _verified(ours, number))["name"] == "\U00016800 \U00016801"


async def test_hours_are_summed_by_academic_year_and_class(ours: Students, ada: str, secret: str) -> None:
    for title, hours, days, more in (
        ("Reading", 4, 360, {}),
        ("Trees", 1.25, 360, {"participant_class": "esn_volunteer"}),
        ("Blood", 1, 0, {}),
    ):
        await present(await students(ours.network, title=title), ada, hours, days_ago=days, **more)
    reply = (await ours.network.client.get(HOURS, headers=by(secret))).json()
    now, then = (academic_year_of((datetime.now(UTC) - timedelta(days=days)).date()) for days in (0, 360))
    expected: Counter[tuple[str, str]] = Counter()
    for year, of, hours in ((now, "international", 350), (then, "international", 400), (then, "esn_volunteer", 125)):
        expected[year, of] += hours
    told = {
        (each["academic_year"], each["participant_class"]): round(float(each["hours"]) * 100) for each in reply["items"]
    }
    assert told == expected
    assert reply["items"][0]["academic_year"] == now
    assert (reply["activities"], reply["hours"]) == (4, "8.75")


async def test_a_browser_is_led_to_the_page_and_a_program_reads_json(ours: Students, secret: str) -> None:
    number = await certified(ours, secret)
    get = ours.network.client.get
    led = await get(f"{PUBLIC}/{number}", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (led.status_code, led.headers["location"]) == (303, f"../../certificates/{number}")
    asked = await get(f"/registration/certificates?number={number.lower().replace('-', ' ')}&lang=pl")
    assert (asked.status_code, asked.headers["location"]) == (303, f"certificates/{number}?lang=pl")
    assert (await get("/registration/certificates?number=Zq7")).status_code == 404
    assert 'name="number"' in (await get("/registration/certificates")).text


async def test_the_page_says_in_the_visitors_language_what_a_verifier_needs(ours: Students, ada: str) -> None:
    secret = await present(ours, ada, 2.5, given_name="<b>Ada</b>")
    address = f"/registration/certificates/{await certified(ours, secret)}"
    for tag, valid in VALID.items():
        page = await ours.network.client.get(address, headers={"Accept-Language": f"{tag}-XX, en;q=0.5"})
        assert f'<html lang="{tag}"' in page.text
        for said in (valid, BEACH, "&lt;b&gt;Ada&lt;/b&gt; Lovelace"):
            assert said in page.text
        assert "noindex" in page.headers["x-robots-tag"]
        assert page.headers["cache-control"] == "private, no-store"
        assert "http" not in page.text, "it loads nothing"


async def test_the_page_behind_the_link_shows_hours_and_makes_and_hands_over_certificates(
    ours: Students, ada: str
) -> None:
    secret = await present(ours, ada, 2.5, language="it")
    client, address = ours.network.client, f"/registration/v1/links/{secret}/me/certificates"
    assert 'href="me/certificates"' in (await client.get(f"/registration/v1/links/{secret}/me")).text
    page = await client.get(address)
    assert (page.status_code, "Le tue ore e i tuoi attestati" in page.text, "2,5" in page.text) == (200, True, True)
    assert "SE-" not in page.text, "looking changes nothing"
    year = re.search(r'<option value="(\d{4}/\d\d)">', page.text)
    assert year is not None
    for of in ("", year[1], ours.activity_id):
        made = await client.post(address, data={"of": of, "language": "it"})
        assert (made.status_code, made.headers["location"]) == (303, "certificates?made=yes")
    page = await client.get(f"{address}?made=yes")
    numbers = re.findall(r"<strong>(SE-[^<]*)</strong>", page.text)
    assert (len(numbers), "Il tuo attestato è pronto" in page.text) == (1, True)
    assert (await client.get(f"{address}/{numbers[0]}.pdf")).content.startswith(b"%PDF")
    for of, language in (
        ("2001/02", "it"),
        ("Zq7Marker", "it"),
        ("", "Zq7!"),
        (ours.network.key()["Idempotency-Key"], ""),
    ):
        reply = await client.post(address, data={"of": of, "language": language})
        assert (reply.status_code in {409, 422}, "Zq7" in reply.text) == (True, False)
    for method, tail in (("GET", ""), ("POST", ""), ("GET", f"/{numbers[0]}.pdf")):
        wrong = address.replace(secret, "S3cret-that-nobody-was-mailed") + tail
        assert (await client.request(method, wrong)).status_code == 404
