"""Webhooks: kept by a section, a country or International for itself, with secrets that are shown once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused
from tests.harness.webhooks import ACTIVITIES, deliveries, entered, given_secret, patched, tagged

URL = "https://hooks.example.org/esn"
SERVICES = ("activities", "registration", "impact")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_webhook_is_entered_changed_and_deleted_in_every_service(shared: Network, service: str) -> None:
    local = await shared.local()
    address = await entered(shared, local, URL, f"/{service}/v1/webhooks", contact_email="web@esn.example.org")
    row = (await shared.client.get(address, headers=local)).json()
    assert (row["section"], row["country"], row["state"]) == ("IT-SASS-ESN", "IT", "active")
    assert (row["has_secret"], row["kinds"]) == (False, None)
    changed = await patched(shared, local, address, is_enabled=False, description="Our app")
    assert (changed.json()["state"], changed.json()["disabled_because"]) == ("disabled", "owner")
    changed = await patched(shared, local, address, is_enabled=True)
    assert (changed.json()["state"], changed.json()["description"]) == ("active", "Our app")
    gone = await shared.client.delete(address, headers=await tagged(shared, local, address))
    assert gone.status_code == 204
    assert (await shared.client.get(address, headers=local)).status_code == 404


@pytest.mark.parametrize(
    ("role", "scope", "sees"),
    [
        ("local_coordinator", {"section": "IT-SASS-ESN"}, 200),
        ("local_coordinator", {"section": "IT-MILA-STA"}, 404),
        ("national_coordinator", {"country": "IT"}, 200),
        ("national_coordinator", {"country": "PL"}, 404),
        ("international", {}, 200),
        ("machine", {}, 403),
    ],
)
async def test_nobody_learns_of_the_webhooks_of_others(
    shared: Network, role: str, scope: dict[str, str], sees: int
) -> None:
    local = await shared.local()
    address = await entered(shared, local, URL)
    who = await shared.token(role, **scope)
    headers = {**who, "If-Match": '"1"'}
    for path in (address, f"{address}/deliveries"):
        assert (await shared.client.get(path, headers=who)).status_code == sees
    listed = await shared.client.get(ACTIVITIES, headers=who, params={"limit": 200})
    assert listed.status_code == (403 if sees == 403 else 200)
    if sees != 403:
        assert (address in {f"{ACTIVITIES}/{each['id']}" for each in listed.json()["items"]}) == (sees == 200)
    if sees != 200:
        for method, path, body in (
            ("PATCH", address, {"description": "x"}), ("DELETE", address, None), ("POST", f"{address}/secret", {}),
            ("POST", f"{address}/ping", None),
        ):  # fmt: skip
            await refused(shared, method, path, status=sees, headers=headers, json=body)
    await shared.client.delete(address, headers=await tagged(shared, local, address))


@pytest.mark.parametrize(
    ("role", "scope", "owner"),
    [
        ("local_coordinator", {"section": "PT-PORT-ESN"}, ("PT-PORT-ESN", "PT")),
        ("national_coordinator", {"country": "PT"}, (None, "PT")),
        ("international", {}, (None, None)),
    ],
)
async def test_a_webhook_belongs_to_whoever_enters_it(
    shared: Network, role: str, scope: dict[str, str], owner: tuple[str | None, str | None]
) -> None:
    who = await shared.token(role, **scope)
    row = (await shared.client.get(await entered(shared, who, URL), headers=who)).json()
    assert (row["section"], row["country"]) == owner


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/url"),
        ({"url": MARKER}, "#/url"),
        ({"url": "http://hooks.example.org/"}, "#/url"),
        ({"url": "file:///etc/passwd"}, "#/url"),
        ({"url": "https://127.0.0.1:5432/"}, "#/url"),
        ({"url": "https://[::1]/"}, "#/url"),
        ({"url": "https://0x7f000001/"}, "#/url"),
        ({"url": "https://2130706433/"}, "#/url"),
        ({"url": "https://169.254.169.254/latest/"}, "#/url"),
        ({"url": "https://[::ffff:127.0.0.1]/"}, "#/url"),
        ({"url": f"https://{MARKER}@hooks.example.org/"}, "#/url"),
        ({"url": "https://localhost/"}, "#/url"),
        ({"url": "https://db.internal/"}, "#/url"),
        ({"url": "https://hooks.example.org:25/"}, "#/url"),
        ({"url": "https://hooks.example.org/#a"}, "#/url"),
        ({"url": "https://hooks.example.org\\@db.internal/"}, "#/url"),
        ({"url": "https://hooks.example.org/\r\nHost: db.internal"}, "#/url"),
        ({"url": URL, "kinds": ["activity.published", "report.verified"]}, "#/kinds/1"),
        ({"url": URL, "kinds": []}, "#/kinds"),
        ({"url": URL, "kinds": ["activity.held", "activity.held"]}, "#/kinds"),
        ({"url": URL, "contact_email": MARKER}, "#/contact_email"),
        ({"url": URL, "secret": MARKER}, "#/secret"),
    ],
)  # fmt: skip
async def test_what_is_no_webhook_is_refused_at_its_place(shared: Network, body: dict[str, Any], pointer: str) -> None:
    headers = {**await shared.local("PL-WARS-UKS"), **shared.key()}
    await refused(shared, "POST", ACTIVITIES, status=422, pointers=[pointer], headers=headers, json=body)


async def test_an_owner_has_ten_at_most(shared: Network) -> None:
    local = await shared.local("PL-WARS-UKS")
    for _ in range(10):
        await entered(shared, local, URL)
    headers = {**local, **shared.key()}
    problem = await refused(shared, "POST", ACTIVITIES, status=409, headers=headers, json={"url": URL})
    assert problem["type"] == "/activities/problems/too-many-endpoints"
    first = await shared.client.get(ACTIVITIES, headers=local, params={"limit": 4})
    second = await shared.client.get(first.json()["next"], headers=local)
    ids = [each["id"] for reply in (first, second) for each in reply.json()["items"]]
    assert len(set(ids)) == len(ids) == 8


async def test_a_change_needs_the_present_state(shared: Network) -> None:
    local = await shared.local()
    address = await entered(shared, local, URL)
    for method, path, body in (
        ("PATCH", address, {"description": "x"}), ("DELETE", address, None), ("POST", f"{address}/secret", {}),
    ):  # fmt: skip
        await refused(shared, method, path, status=428, headers=local, json=body)
        await refused(shared, method, path, status=412, headers={**local, "If-Match": '"7"'}, json=body)
    told = {**local, "If-Match": '"1"'}
    await refused(shared, "PATCH", address, status=422, pointers=["#"], headers=told, json={})
    await refused(
        shared, "POST", f"{address}/secret", status=422, pointers=["#/overlap_hours"], headers=told,
        json={"overlap_hours": 169},
    )  # fmt: skip


async def test_a_secret_is_shown_once_and_kept_nowhere(network: Network) -> None:
    local = await network.local()
    address = await entered(network, local, URL)
    secret = await given_secret(network, local, address)
    assert secret.startswith("whsec_")
    after = await network.client.get(address, headers=local)
    assert after.json()["has_secret"] is True
    assert secret[6:] not in after.text
    kept = [
        await rows(network.database_url, f"SELECT row_to_json(each)::text FROM activities.{table} AS each")
        for table in ("webhook_endpoints", "idempotency_keys", "webhook_deliveries")
    ]
    assert kept
    assert secret[6:] not in str(kept)


async def test_nothing_is_sent_without_a_secret_or_to_who_is_disabled(network: Network) -> None:
    local = await network.local()
    address = await entered(network, local, URL)
    problem = await refused(network, "POST", f"{address}/ping", status=409, headers=local)
    assert problem["type"] == "/activities/problems/secret-needed"
    await network.published()
    assert await deliveries(network, local, address) == []
    await given_secret(network, local, address)
    await patched(network, local, address, is_enabled=False)
    problem = await refused(network, "POST", f"{address}/ping", status=409, headers=local)
    assert problem["type"] == "/activities/problems/endpoint-disabled"
    nobodys = f"{address}/deliveries/01890000-0000-7000-8000-000000000000/replay"
    await patched(network, local, address, is_enabled=True)
    await refused(network, "POST", nobodys, status=404, headers=local)
