"""What somebody may ask for with the link that they were mailed: to see, take along, withdraw, be forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.registration.privacy import rules
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import check_problem, refused
from tests.harness.sign_ups import Students, in_hours, students

ME = "/registration/v1/me"


def by(secret: str) -> dict[str, str]:
    """The header of whoever holds a mailed secret."""
    return {"Authorization": f"Link {secret}"}


@pytest.fixture
async def ours(network: Network) -> Students:
    """An activity with two places."""
    return await students(network, capacity=2)


async def _begins(ours: Students) -> None:
    begun = "starts_at = now() - interval '1 hour', ends_at = now() + interval '1 hour'"
    await rows(ours.network.database_url, f"UPDATE registration.places SET {begun}")


async def _checked_in(ours: Students, name: str, hours: float) -> None:
    await _begins(ours)
    note = {"registration_id": ours.registrations[name], "at": in_hours(0), "nonce": f"device-{name}-1", "hours": hours}
    reply = await ours.network.client.post(
        f"/registration/v1/activities/{ours.activity_id}/check-ins",
        json=note,
        headers={**await ours.network.local(), **ours.network.key()},
    )
    assert reply.json()["items"][0]["outcome"] == "recorded"


async def _me(ours: Students, secret: str) -> dict[str, Any]:
    reply = await ours.network.client.get(ME, headers=by(secret))
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "private, no-store"
    found: dict[str, Any] = reply.json()
    return found


async def _statistics(ours: Students) -> Any:
    await ours.network.settle()
    reply = (await ours.network.client.get("/impact/v1/statistics?by=country")).json()
    facts = await rows(ours.network.database_url, "SELECT * FROM impact.attendances ORDER BY 1")
    return reply["items"], reply["total"], [dict(row) for row in facts]


async def test_the_holder_of_a_link_sees_all_of_their_activities_and_hours(ours: Students) -> None:
    await ours.on_terms(questions=[{"code": "a", "kind": "text", "text": {"en": "What do you bring?"}}])
    await ours.confirmed("Ada", answers={"a": "Gloves"})
    await _checked_in(ours, "Ada", 2.5)
    other = await students(ours.network, title="Reading to children")
    secret = await other.confirmed("Ada")
    await other.confirmed("Bo")
    me = await _me(ours, secret)
    assert me["email"] == "ada@students.example"
    assert [(row["title"], row["hours"]) for row in me["registrations"]] == [
        ("Reading to children", None),
        ("Cleaning Porto Ferro beach", "2.50"),
    ]
    assert (me["attended_hours"], me["registrations"][1]["answers"]) == ("2.50", {"a": "Gloves"})
    assert {(said["purpose"], said["given"]) for said in me["consents"]} == {
        ("participation", True),
        ("of_age", True),
    }


async def test_an_export_holds_everything_of_one_person_and_nothing_of_another(ours: Students) -> None:
    await ours.on_terms(questions=[{"code": "a", "kind": "text", "text": {"en": "What do you bring?"}}])
    secret = await ours.confirmed("Ada", answers={"a": "Qz7answer"})
    await ours.sign_up("Ada")
    await ours.confirmed("Bo")
    await _checked_in(ours, "Ada", 1)
    reply = await ours.network.client.get(f"{ME}/export", headers=by(secret))
    assert reply.headers["content-disposition"].startswith("attachment")
    tables = reply.json()["tables"]
    assert {name: len(found) for name, found in tables.items()} == {
        "registration.participants": 1, "registration.registrations": 1, "registration.handles": 1,
        "registration.cards": 0, "registration.attendances": 1, "registration.check_ins": 1, "registration.consents": 2,
        "registration.certificates": 0, "registration.certified_attendances": 0,
        "registration.links": 3, "registration.outgoing_mail": 3, "registration.attendance_history": 0,
        "registration.webhook_deliveries": 0,
    }  # fmt: skip
    assert tables["registration.registrations"][0]["answers"] == {"a": "Qz7answer"}
    assert tables["registration.participants"][0]["email"] == "ada@students.example"
    for hidden in ("bo@", secret, ours.registrations["Bo"], "token_hash", "attendance_key"):
        assert hidden not in reply.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        by("S3cret-that-nobody-was-ever-mailed"),
        {"Authorization": "Link"},
        {"Authorization": "Basic YTpi"},
        by("x" * 201),
        by("\u00fc" * 20),
    ],
    ids=["none", "unknown", "empty", "other scheme", "too long", "not ASCII"],
)
@pytest.mark.parametrize(
    ("method", "address"),
    [("GET", ME), ("GET", f"{ME}/export"), ("DELETE", ME), ("POST", f"{ME}/consents/participation/withdraw")],
)
async def test_without_a_link_that_works_nothing_is_told_or_done(
    shared: Network, method: str, address: str, headers: dict[str, str]
) -> None:
    told = {name: text.encode("latin-1") for name, text in headers.items()}
    reply = await shared.client.request(method, address, headers=told)
    check_problem(reply, status=401)
    assert reply.headers["www-authenticate"].startswith("Link ")


async def test_a_link_to_confirm_opens_nobodys_data_and_one_that_expired_neither(ours: Students) -> None:
    await ours.sign_up("Ada")
    confirming = await ours.secret("Ada")
    assert (await ours.network.client.get(ME, headers=by(confirming))).status_code == 401
    await ours.network.client.post(f"/registration/v1/links/{confirming}")
    managing = await ours.secret("Ada")
    await _me(ours, managing)
    await rows(ours.network.database_url, "UPDATE registration.links SET expires_at = now()")
    assert (await ours.network.client.get(ME, headers=by(managing))).status_code == 401


async def _ask_for_link(ours: Students, email: str) -> httpx.Response:
    return await ours.network.client.post(f"{ME}/links", json={"email": email})


async def test_whoever_lost_their_link_is_mailed_another_one_once_an_hour(ours: Students) -> None:
    await ours.sign_up("Ada", language="it")
    replies = [await _ask_for_link(ours, email) for email in ("ADA@students.example", "nobody@students.example")]
    assert {(reply.status_code, reply.content) for reply in replies} == {(202, b"")}
    assert replies[0].headers.keys() == replies[1].headers.keys()
    secret = (await ours.secret("Ada")).removesuffix("/me")
    assert (await _me(ours, secret))["registrations"][0]["state"] == "unconfirmed"
    assert (await ours.subjects("Ada"))[-1] == "Il tuo link SocialErasmus"
    await _ask_for_link(ours, "ada@students.example")
    assert len(await ours.mails("Ada")) == 2
    await rows(ours.network.database_url, "UPDATE registration.participants SET link_mailed_at = now() - interval '1h'")
    await _ask_for_link(ours, "ada@students.example")
    assert len(await ours.mails("Ada")) == 3
    assert await value(ours.network.database_url, "SELECT count(*) FROM registration.participants") == 1
    assert timedelta(hours=24) == rules.LINK_LASTS


async def test_what_is_no_address_gets_no_link(shared: Network) -> None:
    for body, pointer in (({"email": "Zq7Marker"}, "#/email"), ({}, "#/email")):
        await refused(shared, "POST", f"{ME}/links", status=422, pointers=[pointer], json=body)


@pytest.mark.parametrize(("purpose", "other"), [("participation", "of_age"), ("of_age", "participation")])
async def test_withdrawing_consent_is_one_request_and_gives_the_place_back(
    ours: Students, purpose: str, other: str
) -> None:
    secret = await ours.confirmed("Ada")
    for _ in range(2):
        reply = await ours.network.client.post(f"{ME}/consents/{purpose}/withdraw", headers=by(secret))
        assert reply.status_code == 200, reply.text
        assert {said["purpose"]: said["given"] for said in reply.json()["consents"]} == {purpose: False, other: True}
        assert reply.json()["registrations"][0]["state"] == "cancelled"
    assert (await ours.availability())["taken"] == 0
    query = f"SELECT act, text_hash FROM registration.consents WHERE purpose = '{purpose}' ORDER BY given_at"
    acts = await rows(ours.network.database_url, query)
    assert [row["act"] for row in acts] == ["given", "withdrawn"], "what was given is not overwritten"
    texts = (await ours.network.client.get(f"/registration/v1/consents/{purpose}")).json()
    english = next(text for text in texts["versions"][-1]["texts"] if text["language"] == "en")
    assert {row["text_hash"] for row in acts} == {english["sha256"]}
    assert (await ours.network.client.post(f"{ME}/consents/none/withdraw", headers=by(secret))).status_code == 404


@pytest.mark.parametrize(
    "change", ["UPDATE registration.consents SET act = 'withdrawn'", "DELETE FROM registration.consents"]
)
async def test_a_consent_is_neither_changed_nor_deleted_by_itself(ours: Students, change: str) -> None:
    await ours.sign_up("Ada")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(ours.network.database_url, change)


@pytest.mark.parametrize(
    ("consent", "pointer"),
    [
        ({"purpose": "participation", "text_version": "2025-01"}, "#/consents/0/text_version"),
        ({"purpose": "Zq7Marker", "text_version": "2026-09"}, "#/consents/0/purpose"),
    ],
)
async def test_nobody_consents_to_a_text_that_there_is_not(
    ours: Students, consent: dict[str, str], pointer: str
) -> None:
    body = {
        "activity_id": ours.activity_id, "email": "a@students.example", "given_name": "A", "family_name": "B",
        "participant_class": "local", "consents": [consent],
    }  # fmt: skip
    await refused(
        ours.network, "POST", "/registration/v1/registrations", status=422, pointers=[pointer], json=body,
        headers=ours.network.key(),
    )  # fmt: skip


async def test_forgetting_somebody_frees_their_place_and_leaves_nothing_to_ask_for(ours: Students) -> None:
    secret = await ours.confirmed("Ada")
    await ours.sign_up("Bo")
    reply = await ours.network.client.delete(ME, headers=by(secret))
    assert (reply.status_code, reply.content) == (204, b"")
    assert (await ours.network.client.delete(ME, headers=by(secret))).status_code == 401
    assert (await ours.network.client.get(f"/registration/v1/links/{secret}")).status_code == 404
    assert (await ours.by_token("Ada", "cancel", secret)).status_code == 404
    assert ((await ours.availability())["taken"], await ours.states()) == (1, {"Bo": "unconfirmed"})
    await _ask_for_link(ours, "ada@students.example")
    assert len(await ours.mails("Ada")) == 2, "nothing is known to send a link to"
    await ours.sign_up("Ada")
    assert (await ours.availability())["taken"] == 2


async def test_forgetting_somebody_who_was_there_changes_no_figure_and_cuts_what_led_to_it(ours: Students) -> None:
    secret = await ours.confirmed("Ada", mobility="study")
    await ours.confirmed("Bo")
    await _checked_in(ours, "Ada", 2)
    before, url = await _statistics(ours), ours.network.database_url
    known = await rows(url, "SELECT id, attendance_key, code FROM registration.registrations ORDER BY id")
    assert (await ours.network.client.delete(ME, headers=by(secret))).status_code == 204
    assert await _statistics(ours) == before
    assert (await ours.availability())["taken"] == 2, "the place was used"
    left = await rows(url, "SELECT * FROM registration.registrations WHERE participant_id IS NULL")
    assert [(row["state"], row["participant_class"], row["given_name"]) for row in left] == [
        ("confirmed", "international", "")
    ]
    for cut in ("mobility", "asked_again_at", "still_comes_at", "reminded_for"):
        assert left[0][cut] is None
    joined = "SELECT count(*) FROM impact.attendances JOIN registration.registrations USING (attendance_key)"
    assert await value(url, joined) == 0
    assert {left[0]["id"], left[0]["attendance_key"], left[0]["code"]} & {
        each for row in known for each in row
    } == set()
    assert left[0]["signed_up_at"].day == 1
    assert await value(url, "SELECT hours FROM registration.attendances") == 2
    at = await value(url, "SELECT at FROM registration.check_ins")
    assert (at.hour, at.minute, at.second) == (0, 0, 0)
    for table in ("participants", "consents", "links"):
        assert await value(url, f"SELECT count(*) FROM registration.{table}") in (1, 2), "of Bo"


async def test_an_activity_called_off_later_writes_to_nobody_who_was_forgotten(ours: Students) -> None:
    secret = await ours.confirmed("Ada")
    await _begins(ours)
    await ours.network.client.delete(ME, headers=by(secret))
    await rows(ours.network.database_url, "UPDATE registration.places SET state = 'cancelled', to_call_off = true")
    assert len(await ours.mails("Ada")) == 2
    assert (await ours.availability())["taken"] == 0


async def _is_over_for(ours: Students, days: int) -> None:
    over = f"ends_at = now() - interval '{days} days', starts_at = now() - interval '{days + 1} days'"
    await rows(ours.network.database_url, f"UPDATE registration.places SET {over}")
    await ours.network.sweep()


async def test_a_year_after_the_activity_nobody_knows_who_was_there(ours: Students) -> None:
    url = ours.network.database_url
    await ours.confirmed("Ada")
    await _checked_in(ours, "Ada", 3)
    before = await _statistics(ours)
    await _is_over_for(ours, 364)
    assert await value(url, "SELECT given_name FROM registration.registrations") == "Ada"
    await _is_over_for(ours, 366)
    left = await rows(url, "SELECT given_name, participant_id, state FROM registration.registrations")
    assert [tuple(row) for row in left] == [("", None, "confirmed")]
    for table in ("participants", "consents", "links", "outgoing_mail"):
        assert await value(url, f"SELECT count(*) FROM registration.{table}") == 0, table
    assert await _statistics(ours) == before
    assert (await ours.availability())["taken"] == 1
    assert await ours.states() == {}, "organisers see nobody, not an entry without a name"


async def test_who_comes_again_is_known_as_long_as_the_latest_activity_asks_for(ours: Students) -> None:
    await ours.confirmed("Ada")
    await _is_over_for(ours, 366)
    await _is_over_for(ours, 366)
    young = await students(ours.network)
    await young.confirmed("Ada")
    await young.network.sweep()
    assert await value(ours.network.database_url, "SELECT count(*) FROM registration.participants") == 1
    assert (await young.states()) == {"Ada": "confirmed"}


async def test_a_sign_up_that_nobody_confirmed_is_forgotten_after_a_month(ours: Students) -> None:
    url = ours.network.database_url
    await ours.sign_up("Ada")
    await rows(url, "UPDATE registration.registrations SET held_until = now()")
    await ours.network.sweep()
    for days, left in ((29, 1), (31, 0)):
        ended = f"UPDATE registration.registrations SET ended_at = now() - interval '{days} days'"
        await rows(url, ended)
        await ours.network.sweep()
        assert await value(url, "SELECT count(*) FROM registration.participants") == left


async def test_the_page_behind_the_link_shows_hands_over_withdraws_and_erases(ours: Students) -> None:
    await ours.confirmed("Ada", language="it")
    await _ask_for_link(ours, "ada@students.example")
    address = f"/registration/v1/links/{await ours.secret('Ada')}"
    page = await ours.network.client.get(f"{address}?utm_source=mail")
    assert (page.status_code, '<html lang="it"' in page.text) == (200, True)
    assert page.headers["referrer-policy"] == "no-referrer"
    for said in ("ada@students.example", "Cleaning Porto Ferro beach", 'action="me/erase"', 'action="me/withdraw"'):
        assert said in page.text
    assert (await ours.network.client.get("/registration/privacy")).status_code == 200, "where ../../../privacy leads"
    taken = await ours.network.client.get(f"{address}/export")
    assert taken.headers["content-disposition"].startswith("attachment")
    assert taken.json()["tables"]["registration.participants"][0]["email"] == "ada@students.example"
    assert await ours.states() == {"Ada": "confirmed"}, "looking changes nothing"
    assert "revocato" in (await ours.network.client.post(f"{address}/withdraw")).text
    assert await ours.states() == {"Ada": "cancelled"}
    assert "cancellato" in (await ours.network.client.post(f"{address}/erase")).text
    assert await value(ours.network.database_url, "SELECT count(*) FROM registration.participants") == 0
    for method, tail in (("GET", ""), ("GET", "/export"), ("POST", "/withdraw"), ("POST", "/erase")):
        assert (await ours.network.client.request(method, address + tail)).status_code == 404


async def test_who_was_brought_along_is_forgotten_with_whoever_brought_them(ours: Students) -> None:
    await ours.on_terms(guests_at_most=2)
    guest = {"given_name": "Qz8guest", "family_name": "Qz8family", "participant_class": "local"}
    secret = await ours.confirmed("Ada", guests=[guest])
    await _checked_in(ours, "Ada", 2.5)
    before = await ours.availability()
    reply = await ours.network.client.delete(ME, headers=by(secret))
    assert reply.status_code == 204, reply.text
    names = await rows(
        ours.network.database_url, "SELECT given_name, family_name, lead_id FROM registration.registrations"
    )
    assert [tuple(row) for row in names] == [("", "", None)] * 2
    assert await ours.availability() == before, "who was there keeps their places"
