"""Keys of websites and programs: who makes them, what they open, how they are shown, rotated and ended."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from services.kernel import auth
from tests.harness import sign_ups
from tests.harness.databases import rows, value
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import MARKER, check_problem, refused
from tests.harness.statements import recorded

KEYS = "/activities/v1/keys"
ACTIVITIES = "/activities/v1/activities"
SITE = "https://esn-sassari.example"
SECRET: dict[str, Any] = {"kind": "secret", "name": "Our app", "scopes": ["activities:read"], "section": "IT-SASS-ESN"}
PUBLISHABLE: dict[str, Any] = {"kind": "publishable", "name": "Our site", "origins": [SITE], "section": "IT-SASS-ESN"}


async def _made(network: Network, wanted: dict[str, Any], who: dict[str, str] | None = None) -> dict[str, Any]:
    reply = await network.client.post(KEYS, json=wanted, headers=who or await network.local())
    assert reply.status_code == 201, reply.text
    assert reply.headers["cache-control"] == "no-store"
    found: dict[str, Any] = reply.json()
    assert reply.headers["location"] == f"{KEYS}/{found['id']}"
    return found


def _by(made: dict[str, Any], **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['key']}", **more}


async def _draft(network: Network, headers: dict[str, str], **changes: Any) -> int:
    body = {**DRAFT, **changes}
    return (await network.client.post(ACTIVITIES, json=body, headers={**headers, **network.key()})).status_code


def _in_half_a_minute(monkeypatch: pytest.MonkeyPatch, seconds: float = 30.0) -> None:
    monkeypatch.setattr(auth, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + seconds))


async def test_a_key_is_shown_once_and_stored_hashed(shared: Network) -> None:
    local = await shared.local()
    made = await _made(shared, SECRET, local)
    secret = made.pop("key")
    assert secret.startswith("sesk_")
    assert len(secret) == len("sesk_") + 43
    assert made["shown_as"] == f"sesk_…{secret[-4:]}"
    assert (made["state"], made["last_used_at"], made["former_until"]) == ("active", None, None)
    assert (await shared.client.get(f"{KEYS}/{made['id']}", headers=local)).json() == made
    assert made in (await shared.client.get(KEYS, headers=local)).json()["items"]
    stored = str([tuple(row) for row in await rows(shared.database_url, "SELECT * FROM access.keys")])
    assert secret.removeprefix("sesk_") not in stored
    assert repr(auth.hashed(secret)) in stored


async def test_a_secret_key_opens_what_its_scopes_name(shared: Network) -> None:
    reader = _by(await _made(shared, SECRET))
    writer = _by(await _made(shared, {**SECRET, "scopes": ["activities:read", "activities:write"]}))
    drafted = await shared.drafted()
    address = f"{ACTIVITIES}/{drafted['id']}"
    for headers in (reader, writer):
        assert (await shared.client.get(address, headers=headers)).status_code == 200
    assert await _draft(shared, writer) == 201
    lacking = await shared.client.post(ACTIVITIES, json=DRAFT, headers={**reader, **shared.key()})
    assert check_problem(lacking, status=403)["detail"] == "This key lacks the scope activities:write."
    elsewhere = await shared.client.get(f"/registration/v1/activities/{drafted['id']}/registrations", headers=writer)
    assert check_problem(elsewhere, status=403)["detail"] == "This key lacks the scope registration:read."


async def test_a_secret_key_reaches_its_own_section_or_country_alone(shared: Network) -> None:
    local, national, international = await shared.local(), await shared.national(), await shared.token("international")
    own = {"organisers": [{"code": "IT-SASS-ESN", "lead": True}]}
    drafted = await shared.drafted(**own)
    address = f"{ACTIVITIES}/{drafted['id']}"
    polish = await shared.local("PL-WARS-UKS")
    keys = [
        (await _made(shared, SECRET, local), 200),
        (await _made(shared, {**SECRET, "section": "PL-WARS-UKS"}, polish), 404),
        (await _made(shared, {**SECRET, "section": None, "country": "IT"}, national), 200),
        (await _made(shared, {**SECRET, "section": None, "country": "PL"}, await shared.national("PL")), 404),
        (await _made(shared, {**SECRET, "section": None}, international), 200),
    ]
    for made, status in keys:
        assert (await shared.client.get(address, headers=_by(made))).status_code == status, made
    write = {**SECRET, "scopes": ["activities:write"]}
    foreign = _by(await _made(shared, write, local))
    assert await _draft(shared, foreign, organisers=[{"code": "IT-MILA-STA", "lead": True}]) in {403, 422}


async def test_nobody_makes_a_key_that_reaches_further_than_they_do(shared: Network) -> None:
    local, national = await shared.local(), await shared.national()
    machine = await shared.token("machine")
    key = _by(await _made(shared, {**SECRET, "scopes": ["activities:read", "activities:write"]}))
    for who, wanted in (
        (local, {**SECRET, "section": "IT-MILA-STA"}),
        (local, {**SECRET, "section": None, "country": "IT"}),
        (local, {**SECRET, "section": None}),
        (national, {**SECRET, "section": "PL-WARS-UKS"}),
        (national, {**SECRET, "section": None, "country": "PL"}),
        (national, {**SECRET, "section": None}),
        (machine, SECRET),
        (key, SECRET),
    ):
        await refused(shared, "POST", KEYS, status=403, headers=who, json=wanted)
    await refused(shared, "POST", KEYS, status=401, json=SECRET)
    for address in (KEYS, f"{KEYS}/01890000-0000-7000-8000-000000000000"):
        for who in (machine, key):
            await refused(shared, "GET", address, status=403, headers=who)


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"kind": "both"}, ["#/kind"]),
        ({"scopes": []}, ["#/scopes"]),
        ({"scopes": ["activities:admin"]}, ["#/scopes/0"]),
        ({"scopes": ["impact:read", "impact:read"]}, ["#/scopes"]),
        ({"origins": [SITE]}, ["#/origins"]),
        ({"section": None, "country": "IT", "scopes": ["activities:write"]}, ["#/scopes"]),
        ({"section": "XX-NONE"}, ["#/section"]),
        ({"country": "IT"}, ["#"]),
        ({"section": None, "country": "ZZ"}, ["#/country"]),
        ({"valid_days": 0}, ["#/valid_days"]),
        ({"valid_days": 732}, ["#/valid_days"]),
        ({"valid_days": "7"}, ["#/valid_days"]),
        ({"name": " "}, ["#/name"]),
        ({"id": MARKER}, ["#/id"]),
        ({"last_used_at": MARKER}, ["#/last_used_at"]),
        ({"kind": "publishable", "scopes": []}, ["#/origins"]),
        ({"kind": "publishable", "origins": [SITE]}, ["#/scopes"]),
        *(
            ({"kind": "publishable", "scopes": [], "origins": [wrong]}, ["#/origins/0"])
            for wrong in ("*", "null", "http://site.example", "https://Site.example", "https://site.example/", "https://",
                          "https://a@site.example", "https://site.example:0", "javascript:x", "https://site.example\\.b",
                          "https://site example")
        ),
    ],
)  # fmt: skip
async def test_a_wrong_key_is_refused(shared: Network, changes: dict[str, Any], pointers: list[str]) -> None:
    who = await shared.token("international")
    await refused(shared, "POST", KEYS, status=422, pointers=pointers, headers=who, json={**SECRET, **changes})


async def test_a_publishable_key_is_for_its_websites_and_what_strangers_do(shared: Network) -> None:
    made = await _made(shared, PUBLISHABLE)
    assert made["key"].startswith("sepk_")
    activity = await shared.published()
    here, elsewhere = _by(made, Origin=SITE), _by(made, Origin="https://evil.example")
    address = f"{ACTIVITIES}/{activity['id']}"
    assert (await shared.client.get(address, headers=here)).status_code == 200
    for headers in (elsewhere, _by(made), _by(made, Origin="null"), _by(made, Origin=f"{SITE}.evil.example")):
        check_problem(await shared.client.get(address, headers=headers), status=403)
    reply = await shared.client.post(
        "/registration/v1/registrations", json=sign_ups.wanted(activity["id"]), headers={**here, **shared.key()}
    )
    assert reply.status_code == 201, reply.text
    draft = await shared.drafted()
    assert (await shared.client.get(f"{ACTIVITIES}/{draft['id']}", headers=here)).status_code == 404
    await refused(shared, "POST", ACTIVITIES, status=403, headers={**here, **shared.key()}, json=DRAFT)
    people = f"/registration/v1/activities/{activity['id']}/registrations"
    await refused(shared, "GET", people, status=403, headers=here)
    await refused(shared, "GET", KEYS, status=403, headers=here)


async def test_an_ended_key_opens_nothing_within_half_a_minute(
    shared: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    local, made = await shared.local(), await _made(shared, {**SECRET, "scopes": ["activities:write"]})
    expiring = await _made(shared, {**SECRET, "scopes": ["activities:write"]})
    for each in (made, expiring):
        assert await _draft(shared, _by(each)) == 201
    first = await shared.client.post(f"{KEYS}/{made['id']}/revoke", headers=local)
    again = await shared.client.post(f"{KEYS}/{made['id']}/revoke", headers=local)
    assert (first.json()["state"], again.json()) == ("revoked", first.json())
    await rows(shared.database_url, "UPDATE access.keys SET expires_at = now() WHERE id = $1", expiring["id"])
    _in_half_a_minute(monkeypatch)
    for each, state in ((made, "revoked"), (expiring, "expired")):
        assert await _draft(shared, _by(each)) == 401
        listed = (await shared.client.get(f"{KEYS}?state={state}", headers=local)).json()["items"]
        assert each["id"] in {item["id"] for item in listed}
        current = await shared.client.get(f"{KEYS}/{each['id']}", headers=local)
        headers = {**local, "If-Match": current.headers["etag"]}
        await refused(shared, "POST", f"{KEYS}/{each['id']}/rotate", status=409, headers=headers, json={})


async def test_a_rotated_key_works_beside_its_former_for_a_while(
    shared: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    local, made = await shared.local(), await _made(shared, {**SECRET, "scopes": ["activities:write"]})
    address = f"{KEYS}/{made['id']}"
    headers = {**local, "If-Match": (await shared.client.get(address, headers=local)).headers["etag"]}
    await refused(shared, "POST", f"{address}/rotate", status=428, headers=local, json={})
    # It is used meanwhile, which is no change of it.
    await rows(shared.database_url, "UPDATE access.keys SET last_used_at = now() WHERE id = $1", made["id"])
    reply = await shared.client.post(f"{address}/rotate", headers=headers, json={"overlap_hours": 2})
    rotated = reply.json()
    assert (reply.status_code, rotated["id"]) == (200, made["id"])
    assert rotated["key"] != made["key"]
    await refused(shared, "POST", f"{address}/rotate", status=412, headers=headers, json={})
    for each in (made, rotated):
        assert await _draft(shared, _by(each)) == 201
    await rows(shared.database_url, "UPDATE access.keys SET former_until = now() WHERE id = $1", made["id"])
    _in_half_a_minute(monkeypatch)
    assert [await _draft(shared, _by(each)) for each in (made, rotated)] == [401, 201]
    at_once = await shared.client.post(
        f"{address}/rotate", headers={**local, "If-Match": reply.headers["etag"]}, json={"overlap_hours": 0}
    )
    assert at_once.json()["former_until"] is None
    _in_half_a_minute(monkeypatch, 60)
    assert [await _draft(shared, _by(each)) for each in (made, rotated, at_once.json())] == [401, 401, 201]
    for hours in (-1, 169, "2", None):
        await refused(
            shared, "POST", f"{address}/rotate", status=422, pointers=["#/overlap_hours"],
            headers={**local, "If-Match": at_once.headers["etag"]}, json={"overlap_hours": hours},
        )  # fmt: skip


async def test_others_keys_are_not_seen(shared: Network) -> None:
    made = await _made(shared, SECRET)
    address = f"{KEYS}/{made['id']}"
    for who in (await shared.local("IT-MILA-STA"), await shared.national("PL")):
        for method, path in (("GET", ""), ("POST", "/revoke")):
            await refused(shared, method, f"{address}{path}", status=404, headers=who)
        await refused(shared, "POST", f"{address}/rotate", status=404, headers={**who, "If-Match": '"1"'}, json={})
        assert made["id"] not in {item["id"] for item in (await shared.client.get(KEYS, headers=who)).json()["items"]}
    for who in (await shared.national(), await shared.token("operator")):
        assert (await shared.client.get(address, headers=who)).status_code == 200


async def test_keys_come_in_pages(shared: Network) -> None:
    who = await shared.local("PT-PORT-ESN")
    made = [(await _made(shared, {**SECRET, "section": "PT-PORT-ESN"}, who))["id"] for _ in range(3)]
    first = (await shared.client.get(f"{KEYS}?limit=2&section=PT-PORT-ESN", headers=who)).json()
    second = (await shared.client.get(first["next"], headers=who)).json()
    assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]
    assert second["next"] is None


async def test_a_known_key_costs_no_statement(shared: Network) -> None:
    headers = _by(await _made(shared, SECRET))
    address = f"{ACTIVITIES}/{(await shared.drafted())['id']}"
    local = await shared.local()
    for each in (headers, local):
        assert (await shared.client.get(address, headers=each)).status_code == 200
    running = shared.runtimes["activities"]
    await asyncio.gather(*running._beside)
    with recorded(running) as by_key:
        await shared.client.get(address, headers=headers)
    with recorded(running) as by_token:
        await shared.client.get(address, headers=local)
    assert len(by_key) == len(by_token)
    assert not [statement for statement in by_key if "access." in statement.text]


async def test_use_is_noted_once_a_minute(shared: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await _made(shared, SECRET)
    running = shared.runtimes["activities"]

    async def used() -> Any:
        await shared.client.get("/activities/v1/sections", headers=_by(made))
        await asyncio.gather(*running._beside)
        await asyncio.gather(*running._beside)
        return await value(shared.database_url, "SELECT last_used_at FROM access.keys WHERE id = $1", made["id"])

    first = await used()
    assert first is not None
    assert await used() == first
    await rows(
        shared.database_url, "UPDATE access.keys SET last_used_at = now() - interval '2 min' WHERE id = $1", made["id"]
    )
    assert await used() < first  # Noted in this minute already.
    _in_half_a_minute(monkeypatch, 61)
    assert await used() > first
