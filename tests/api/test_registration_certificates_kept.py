"""What becomes of certificates when their holder is forgotten: by request, or by time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.certificates import by, certified, present
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import refused
from tests.harness.sign_ups import Students, students

PUBLIC = "/registration/v1/certificates"
KEPT = "SELECT to_jsonb(kept) - 'number_hash' AS row FROM registration.certificates AS kept"


@pytest.fixture
async def ours(network: Network) -> Students:
    """An activity."""
    return await students(network)


async def _verified(ours: Students, number: str) -> dict[str, Any]:
    found: dict[str, Any] = (await ours.network.client.get(f"{PUBLIC}/{number}")).json()
    return found


async def _matches(ours: Students, number: str, name: str) -> bool:
    reply = await ours.network.client.post(f"{PUBLIC}/{number}/name-check", json={"name": name})
    assert reply.status_code == 200, reply.text
    matches: bool = reply.json()["matches"]
    return matches


async def _a_year_passes(ours: Students) -> None:
    over = "ends_at = now() - interval '366 days', starts_at = now() - interval '367 days'"
    await rows(
        ours.network.database_url, f"UPDATE registration.places SET {over} WHERE activity_id = '{ours.activity_id}'"
    )
    await ours.network.sweep()


async def test_who_is_erased_has_withdrawn_their_certificates_and_nothing_of_them_is_left(ours: Students) -> None:
    secret = await present(ours, "Ada", 2.5)
    number = await certified(ours, secret)
    bos = await certified(ours, await present(await students(ours.network), "Bo", 1))
    export = (await ours.network.client.get("/registration/v1/me/export", headers=by(secret))).json()["tables"]
    assert export["registration.certificates"][0]["content"]["name"] == "Ada Lovelace"
    assert export["registration.certified_attendances"][0]["hours"] == "2.50"
    assert (await ours.network.client.delete("/registration/v1/me", headers=by(secret))).status_code == 204
    found = await _verified(ours, number)
    assert found.pop("standing") == "withdrawn"
    assert {name: each for name, each in found.items() if each not in (None, [])} == {"number": number}
    assert not await _matches(ours, number, "Ada Lovelace")
    page = await ours.network.client.get(f"/registration/certificates/{number}?lang=it")
    assert "ritirato" in page.text
    left = "withdrawn_at, issued_at, to_jsonb(kept) - 'number_hash' - 'withdrawn_at' - 'issued_at' AS rest"
    row = (await rows(
        ours.network.database_url,
        f"SELECT {left} FROM registration.certificates AS kept WHERE withdrawn_at IS NOT NULL",
    ))[0]  # fmt: skip
    assert set(json.loads(row["rest"]).values()) == {None}
    assert (row["withdrawn_at"].day, row["issued_at"].day, row["issued_at"].hour) == (1, 1, 0)
    assert (await _verified(ours, bos))["standing"] == "valid", "who was not asked for stays"
    reply = await ours.network.client.post(
        f"{PUBLIC}/{number}/revoke", json={"reason": "x"}, headers=await ours.network.token("international")
    )
    assert reply.status_code == 409


async def test_a_year_later_it_can_be_verified_and_nobody_knows_whose_it_was(ours: Students) -> None:
    url = ours.network.database_url
    number = await certified(ours, await present(ours, "Zoe", 2.5, given_name="Zoë"))
    await _a_year_passes(ours)
    await _a_year_passes(ours)
    assert await value(url, "SELECT count(*) FROM registration.participants") == 0
    kept = str(await value(url, KEPT))
    for told in (number, "Zo", "Lovelace", "Porto Ferro", "Sassari"):
        assert told not in kept
    found = await _verified(ours, number)
    assert (found["standing"], found["name"], found["hours"], found["activity_count"], found["activities"]) == (
        "valid", None, "2.50", 1, [],
    )  # fmt: skip
    for name, matches in (("Zoë Lovelace", True), ("  zoe\u0308   LOVELACE ", True), ("Zoe Lovelace", False)):
        assert await _matches(ours, number, name) is matches
        page = await ours.network.client.post(f"/registration/certificates/{number}", data={"name": name, "lang": "en"})
        assert ("was issued to this name" in page.text) is matches
    address = f"{PUBLIC}/{number}/revoke"
    for who, status in ((await ours.network.local(), 403), (await ours.network.token("international"), 204)):
        reply = await ours.network.client.post(address, json={"reason": "Qz1reason"}, headers=who)
        assert reply.status_code == status
    assert (await _verified(ours, number))["standing"] == "revoked"
    assert not await _matches(ours, number, "Zoë Lovelace")
    assert "Qz1reason" not in str(await value(url, KEPT)), "of whom nobody knows, nothing is written"


async def test_who_came_again_keeps_a_certificate_when_its_activity_is_long_over(ours: Students) -> None:
    number = await certified(ours, await present(ours, "Ada", 2.5))
    secret = await present(await students(ours.network, title="Reading to children"), "Ada", 1)
    await _a_year_passes(ours)
    forgotten = "SELECT count(*) FROM registration.registrations WHERE forgotten_at IS NOT NULL"
    assert await value(ours.network.database_url, forgotten) == 1
    assert (await _verified(ours, number))["name"] == "Ada Lovelace"
    reply = await ours.network.client.get(f"{PUBLIC}/{number}.pdf", headers=by(secret))
    assert reply.content.startswith(b"%PDF")


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "Zq7Marker\nx"}, {"name": "Zq7Marker" * 60}])
async def test_what_is_no_name_is_refused(shared: Network, body: dict[str, str]) -> None:
    address = f"{PUBLIC}/SE-0000-0000-0000-0000/name-check"
    await refused(shared, "POST", address, status=422, pointers=["#/name"], json=body)
