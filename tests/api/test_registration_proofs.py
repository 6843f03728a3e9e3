"""Who grabs places has to work for it; who wants one hardly notices, also where a grabber used their mailbox."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from services.kernel import proofs
from services.registration.form import page_api
from services.registration.mail.languages import language_of
from tests.api.test_registration_form import FORM, Read
from tests.api.test_registration_series import of_three_dates
from tests.harness import databases as harness
from tests.harness.databases import rows, value
from tests.harness.network import Network, running
from tests.harness.proofs import solve
from tests.harness.refusals import check_problem, refused
from tests.harness.sign_ups import Students, students, text_of, wanted

SIGN_UPS = "/registration/v1/registrations"
Guarded = Callable[..., AbstractAsyncContextManager[Network]]


@pytest.fixture
def guarded(shared: Network) -> Guarded:
    """The services with thresholds of the test's own, which no other test has counted for."""

    @asynccontextmanager
    async def made(**thresholds: Any) -> AsyncIterator[Network]:
        told = harness.settings(
            shared.database_url, shared.settings.redis_url, mailbox=shared.settings.mailbox,
            secret=secrets.token_hex(32), **{"proof_cost": 1, **thresholds},
        )  # fmt: skip
        async with running(told, shared.database_url) as network:
            network._keys = shared._keys  # Of one database.
            yield network

    return made


@pytest.fixture
async def ours(shared: Network, guarded: Guarded) -> AsyncIterator[Students]:
    """An activity with six places, of which three are held before anything is asked."""
    activity = await shared.published(capacity=6)
    async with guarded(proof_after_held_percent=50) as network:
        yield Students(network, activity["id"])


async def _three(ours: Students) -> None:
    for name in ("Ada", "Bea", "Cleo"):
        await ours.sign_up(name)


async def _send(ours: Students, name: str, proof: str | None = None, **changes: Any) -> httpx.Response:
    headers = ours.network.key() | ({"X-Altcha": proof} if proof else {})
    return await ours.network.client.post(SIGN_UPS, json=wanted(ours.activity_id, name, **changes), headers=headers)


async def _challenge(ours: Students, name: str = "Dora") -> dict[str, Any]:
    document = check_problem(await _send(ours, name), status=403)
    assert document["type"] == "/registration/problems/proof-required"
    challenge: dict[str, Any] = document["challenge"]
    return challenge


async def _held(ours: Students) -> int:
    found: int = (await ours.availability())["taken"]
    return found


async def test_work_is_asked_when_many_places_are_held_and_no_more_once_they_are_confirmed(ours: Students) -> None:
    await _three(ours)
    challenge = await _challenge(ours)
    assert challenge["parameters"] | {"nonce": "", "salt": "", "expiresAt": 0} == {
        "algorithm": "PBKDF2/SHA-256", "cost": 1, "data": {"for": ours.activity_id}, "expiresAt": 0, "keyLength": 32,
        "keyPrefix": "00", "nonce": "", "salt": "",
    }  # fmt: skip
    assert await _held(ours) == 3
    key = ours.network.key()
    reply = await ours.network.client.post(
        SIGN_UPS, json=wanted(ours.activity_id, "Dora"), headers={**key, "X-Altcha": solve(challenge)}
    )
    assert (reply.status_code, reply.json()["state"]) == (201, "unconfirmed")
    # The same request once more is answered for its key, and needs no further proof.
    again = await ours.network.client.post(SIGN_UPS, json=wanted(ours.activity_id, "Dora"), headers=key)
    assert (again.status_code, again.json()) == (201, reply.json())
    await ours.network.sweep()
    for name in ("Ada", "Bea"):
        await ours.accepts(name)
    await ours.sign_up("Eve")
    page = await ours.network.client.get("/registration/problems/proof-required")
    assert (page.status_code, "ALTCHA" in page.text or "proof of work" in page.text) == (200, True)


def _tampered(name: str, to: object) -> Callable[[dict[str, Any]], object]:
    return lambda told: told["challenge"]["parameters"].update({name: to})


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_tampered("cost", 0), "FORGED"),
        (_tampered("keyPrefix", ""), "FORGED"),
        (_tampered("expiresAt", 4_000_000_000), "FORGED"),
        (_tampered("data", {"for": "another"}), "FORGED"),
        (_tampered("more", "x"), "MALFORMED"),
        (lambda told: told["challenge"].update(signature="0" * 64), "FORGED"),
        (lambda told: told["challenge"].update(signature="é"), "FORGED"),
        (lambda told: told["solution"].update(counter=told["solution"]["counter"] + 1), "WRONG"),
        (lambda told: told["solution"].update(derivedKey="00" + "1" * 62), "WRONG"),
        (lambda told: told["solution"].update(counter=-1), "MALFORMED"),
        (lambda told: told["solution"].update(counter=2**32), "MALFORMED"),
        (lambda told: told.update(solution=None), "MALFORMED"),
    ],
)  # fmt: skip
async def test_a_proof_that_was_tampered_with_is_none(spoil: Callable[[dict[str, Any]], object], fault: str) -> None:
    now = datetime.now(UTC)
    asked = proofs.challenge("secret", "a", cost=2, now=now)
    found = await proofs.read("secret", solve(asked.model_dump(by_alias=True), spoil), "a", now=now)
    assert found is proofs.Fault[fault]


@pytest.mark.parametrize("written", ["", "x", "e30=", "W10=", "W1tb" * 900, "🙂", "bnVsbA==", "A" * 5000])
async def test_what_is_no_proof_is_malformed(written: str) -> None:
    assert await proofs.read("secret", written, "a", now=datetime.now(UTC)) is proofs.Fault.MALFORMED


async def test_a_proof_holds_for_one_thing_once_and_for_ten_minutes(
    shared: Network, ours: Students, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _three(ours)
    other = Students(ours.network, (await shared.published(capacity=4))["id"])
    await _three(other)
    spent = solve(await _challenge(ours))
    assert (await _send(ours, "Dora", spent)).status_code == 201
    late = solve(await _challenge(ours))
    foreign = solve(await _challenge(other))
    old = datetime.now(UTC) - timedelta(minutes=11)
    expired = proofs.challenge(
        ours.network.settings.secret.get_secret_value(), ours.activity_id, cost=1, now=old
    )  # As it would be by then.
    before = await _held(ours)
    for proof, fault in (
        (spent, proofs.Fault.USED),
        (foreign, proofs.Fault.ELSEWHERE),
        (solve(expired.model_dump(by_alias=True)), proofs.Fault.EXPIRED),
        ("nonsense", proofs.Fault.MALFORMED),
    ):
        document = await refused(
            ours.network, "POST", SIGN_UPS, status=403, pointers=["header/X-Altcha"], hidden=["nonsense"],
            json=wanted(ours.activity_id, "Eve"), headers={**ours.network.key(), "X-Altcha": proof},
        )  # fmt: skip
        assert document["errors"][0]["detail"] == fault.value
        assert document["challenge"]["signature"] != ""
    assert await _held(ours) == before
    # The refused ones cost nobody anything: an unused one still does.
    assert (await _send(ours, "Eve", late)).status_code == 201


async def test_more_is_asked_the_more_is_held_and_an_easy_challenge_of_before_does_not_do(
    shared: Network, guarded: Guarded
) -> None:
    activity = await shared.published(capacity=11)
    async with guarded(proof_after_held_percent=30) as network:
        ours = Students(network, activity["id"])
        await _three(ours)
        early = [solve(await _challenge(ours)) for _ in range(2)]
        costs = []
        for number in range(7):
            challenge = await _challenge(ours)
            costs.append(challenge["parameters"]["cost"])
            assert (await _send(ours, f"S{number}", solve(challenge))).status_code == 201
            if number == 3:
                # Twice as much is asked by now, which somebody who was solving could not know.
                assert (await _send(ours, "Early", early[0])).status_code == 201
        assert costs == [1, 1, 1, 2, 2, 4, 4]
        document = check_problem(await _send(ours, "Late", early[1]), status=409)  # There is nothing to work for.
        assert document["type"] == "/registration/problems/activity-full"


async def test_many_from_one_address_or_network_work_and_others_do_not(shared: Network, guarded: Guarded) -> None:
    ours = await students(shared, capacity=None)
    async with guarded(
        proof_after_from_address=2, proof_after_from_network=3, trusted_proxies="127.0.0.0/8"
    ) as network:

        async def status(name: str, address: str) -> int:
            body, here = wanted(ours.activity_id, name), {"X-Forwarded-For": address}
            reply = await network.client.post(SIGN_UPS, json=body, headers={**network.key(), **here})
            if reply.status_code == 403:
                proof = {"X-Altcha": solve(reply.json()["challenge"])}
                proved = await network.client.post(SIGN_UPS, json=body, headers={**network.key(), **here, **proof})
                assert proved.status_code == 201, proved.text
            return reply.status_code

        assert [await status(f"A{number}", "192.0.2.1") for number in range(4)] == [201, 201, 403, 403]
        # Another address of the same network, and addresses of another.
        assert await status("B", "192.0.2.77") == 403
        assert [await status(f"C{number}", f"198.51.100.{number}") for number in range(4)] == [201, 201, 201, 403]
        assert await status("D", "203.0.113.5") == 201


async def test_counts_say_nothing_of_whether_a_mailbox_is_known(shared: Network, guarded: Guarded) -> None:
    ours = await students(shared, capacity=None)
    await ours.sign_up("Known")
    found = []
    for name in ("Known", "Stranger"):
        async with guarded(proof_after_from_address=2) as network:
            there = Students(network, ours.activity_id)
            found.append([(await _send(there, name)).status_code for _ in range(3)])
    assert found == [[201, 201, 403]] * 2


async def test_a_student_whose_mailbox_a_grabber_used_signs_up_all_the_same(shared: Network, guarded: Guarded) -> None:
    """Somebody names Zoe's mailbox everywhere, in variants too, with a name that is not hers and guests."""
    first, second, third = [(await shared.published(capacity=9))["id"] for _ in range(3)]
    async with guarded(proof_after_for_mailbox=2) as network:
        grabbed, other, wished = (Students(network, each) for each in (first, second, third))
        await grabbed.on_terms(guests_at_most=2)
        guest = {"given_name": "Nobody", "family_name": "Real", "participant_class": "local"}
        assert (await _send(grabbed, "Zoe", family_name="Grabber", guests=[guest] * 2)).status_code == 201
        assert (await _send(other, "Zoe", email="zoe+a1@students.example")).status_code == 201
        assert (await _send(other, "Zoe", email="ZOE+a2@students.example")).status_code == 403
        # What she wants herself: a second's work of her device, and it is hers.
        proof = solve(await _challenge(wished, "Zoe"))
        assert (await _send(wished, "Zoe", proof)).status_code == 201
        wished.registrations["Zoe"] = ""
        await network.sweep()
        await wished.accepts("Zoe")
        assert await wished.states() == {"Zoe": "confirmed"}
        # Where the grabber was first she is answered like a stranger, and her mailbox alone gets the way in and out.
        proof = solve(await _challenge(grabbed, "Zoe"))
        assert (await _send(grabbed, "Zoe", proof)).status_code == 201
        await network.sweep()
        assert "/links/" in text_of((await grabbed.mails("Zoe"))[-1])
        assert await _held(grabbed) == 3
        confirming = await grabbed.secret("Zoe")
        reply = await network.client.post(f"/registration/v1/links/{confirming}/cancel")
        assert (reply.status_code, await _held(grabbed)) == (200, 0)
        proof = solve(await _challenge(grabbed, "Zoe"))
        assert (await _send(grabbed, "Zoe", proof)).status_code == 201
        await network.sweep()
        await grabbed.accepts("Zoe")
        family = "SELECT family_name FROM registration.registrations WHERE activity_id = $1 AND state = 'confirmed'"
        assert await value(shared.database_url, family, grabbed.activity_id) == "Lovelace"


async def test_of_many_at_once_as_many_are_let_in_as_one_by_one(shared: Network, guarded: Guarded) -> None:
    activity = await shared.published(capacity=12)
    async with guarded(proof_after_held_percent=50) as network:
        ours = Students(network, activity["id"])
        replies = await asyncio.gather(*(_send(ours, f"S{number}") for number in range(10)))
        assert Counter(reply.status_code for reply in replies) == {201: 6, 403: 4}
        # Of many with one proof, one is let in.
        proof = solve(next(reply for reply in replies if reply.status_code == 403).json()["challenge"])
        replies = await asyncio.gather(*(_send(ours, f"T{number}", proof) for number in range(5)))
        assert Counter(reply.status_code for reply in replies) == {201: 1, 403: 4}
        told = [reply.json()["errors"][0]["detail"] for reply in replies if reply.status_code == 403]
        assert told == [proofs.Fault.USED.value] * 4
        assert await _held(ours) == 7


async def test_groups_are_counted_with_their_guests_and_work_once(shared: Network, ours: Students) -> None:
    await Students(shared, ours.activity_id).on_terms(guests_at_most=2)
    guest = {"given_name": "Gil", "family_name": "Guest", "participant_class": "local"}
    assert (await _send(ours, "Ada", guests=[guest] * 2)).status_code == 201
    proof = solve(await _challenge(ours))
    assert (await _send(ours, "Dora", proof)).status_code == 201
    # Groups are decided apart from those who come alone, and see what these have used.
    document = check_problem(await _send(ours, "Eve", proof, guests=[guest]), status=403)
    assert document["errors"][0]["detail"] == proofs.Fault.USED.value


async def test_organisers_and_their_keys_are_not_asked_and_those_of_others_are(ours: Students) -> None:
    await _three(ours)
    for who, status in ((await ours.network.local("PL-WARS-UKS"), 403), (await ours.network.local(), 201)):
        reply = await ours.network.client.post(
            SIGN_UPS, json=wanted(ours.activity_id, "Dora"), headers={**who, **ours.network.key()}
        )
        assert reply.status_code == status, reply.text


async def test_a_proof_that_solves_nothing_costs_more_of_the_limit(shared: Network, guarded: Guarded) -> None:
    ours = await students(shared, capacity=None)
    async with guarded(writes_a_minute=25) as network:
        there = Students(network, ours.activity_id)
        asked = proofs.challenge(
            network.settings.secret.get_secret_value(), ours.activity_id, cost=1, now=datetime.now(UTC)
        ).model_dump(by_alias=True)
        wrong = solve(asked, lambda told: told["solution"].update(counter=told["solution"]["counter"] + 1))
        replies = [await _send(there, name, wrong) for name in ("Ada", "Bea", "Cleo")]
        # Nothing was asked of them, so what they sent is passed over; but it had to be looked at.
        assert [reply.status_code for reply in replies] == [201, 201, 429]


async def test_several_dates_are_one_proof(shared: Network, guarded: Guarded) -> None:
    series = await of_three_dates(shared, capacity=6)
    async with guarded(proof_after_held_percent=50) as network:
        for name in ("Ada", "Bea", "Cleo"):
            reply = await network.client.post(series.address, json=series.body(name), headers=network.key())
            assert reply.status_code == 201, reply.text
        asked = check_problem(
            await network.client.post(series.address, json=series.body("Dora"), headers=network.key()), status=403
        )["challenge"]
        assert asked["parameters"]["data"] == {"for": series.identity}
        for name, status in (("Dora", 201), ("Eve", 403)):
            told = {**network.key(), "X-Altcha": solve(asked)}
            reply = await network.client.post(series.address, json=series.body(name), headers=told)
            assert reply.status_code == status, reply.text
        assert [await _held(date) for date in series.dates] == [4] * 3


async def test_the_form_comes_back_with_a_challenge_and_goes_on_with_its_proof(ours: Students) -> None:
    await _three(ours)
    address = f"/registration/activities/{ours.activity_id}"
    client, english = ours.network.client, language_of("en")
    assert "script" not in (await client.get(address)).text
    reply = await client.post(address, data=FORM)
    page = Read(reply)
    assert reply.status_code == 403
    for name in ("form.proof", "form.proof.scriptless"):
        assert english.text(name) in unescape(reply.text)
    assert page.of("script") == [{"type": "module", "src": "../proof.js"}]
    assert "script-src 'self'" in reply.headers["content-security-policy"]
    (form,) = page.of("form")
    assert form["data-sends"] == "yes"
    assert page.fields["given_name"]["value"] == "Ada"
    assert {each["name"] for each in page.of("input") if each.get("type") == "hidden"} == {"lang", "altcha"}
    told = json.loads(form["data-challenge"])
    spoilt = Read(await client.post(address, data={**FORM, "altcha": "nonsense"}))
    assert spoilt.of("form")[0]["data-sends"] == "no"  # Nothing goes round and round by itself.
    done = await client.post(address, data={**FORM, "email": "dora@students.example", "altcha": solve(told)})
    assert (done.status_code, "Look into your mailbox" in done.text) == (200, True)
    assert await _held(ours) == 4
    script = await client.get("/registration/proof.js")
    assert (script.headers["content-type"], script.content) == ("text/javascript; charset=utf-8", page_api._SCRIPT)


async def test_used_proofs_are_forgotten_when_they_have_expired(ours: Students) -> None:
    await _three(ours)
    assert (await _send(ours, "Dora", solve(await _challenge(ours)))).status_code == 201
    count = "SELECT count(*) FROM registration.spent_proofs"
    url = ours.network.database_url
    await ours.network.sweep()
    assert await value(url, count) >= 1
    await rows(url, "UPDATE registration.spent_proofs SET expires_at = now() - interval '1 day 1 hour'")
    await ours.network.sweep()
    assert await value(url, count) == 0
