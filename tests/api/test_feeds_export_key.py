"""ESN's export as the scripts of today fetch it: page by page, with a key in a header."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.kernel.auth import Role, issue
from services.kernel.db import create_engine, session_factory
from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused

EXPORT = "/activities/v1/export"


async def key_of(network: Network, role: str = "machine") -> dict[str, str]:
    told = await network.token(role, country="IT" if role == "national_coordinator" else None)
    return {"X-Api-Key": told["Authorization"].removeprefix("Bearer ")}


async def test_a_script_that_counts_pages_gets_everything_once(network: Network) -> None:
    published = [(await network.published(title=f"Number {number}"))["id"] for number in range(5)]
    headers, seen = await key_of(network), list[str]()
    for page in range(10):
        reply = await network.client.get(EXPORT, params={"limit": 2, "page": page}, headers=headers)
        if not reply.json()["data"]:
            break
        seen += [record["uuid"] for record in reply.json()["data"]]
    assert (seen, page) == (published, 3)
    for wrong in ({"page": -1}, {"limit": 0}, {"limit": 201}, {"page": 10**20}):
        assert (await network.client.get(EXPORT, params=wrong)).status_code == 422


@pytest.mark.parametrize("role", ["machine", "international", "national_coordinator"])
async def test_a_key_changes_nothing_of_what_is_read(network: Network, role: str) -> None:
    await network.published()
    without = await network.client.get(EXPORT)
    key = await key_of(network, role)
    bearer = {"Authorization": f"Bearer {key['X-Api-Key']}"}
    for headers in (key, bearer):
        reply = await network.client.get(EXPORT, headers=headers)
        assert (reply.status_code, reply.content) == (200, without.content)


@pytest.mark.parametrize("key", [MARKER.encode(), f"set_{MARKER}".encode(), b"", b" ", b"\xfc", b"a" * 5000])
async def test_a_key_that_nobody_has_is_refused(shared: Network, key: bytes) -> None:
    problem = await refused(shared, "GET", EXPORT, status=401, headers={b"X-Api-Key": key})
    assert "valid" in problem["detail"]


async def test_a_key_that_was_revoked_or_has_expired_is_refused(network: Network) -> None:
    revoked = await key_of(network)
    await rows(network.database_url, "UPDATE access.tokens SET revoked_at = now()")
    await refused(network, "GET", EXPORT, status=401, headers=revoked)
    engine = create_engine(network.settings, role=None, pool_size=1)
    async with session_factory(engine).begin() as session:
        expired = await issue(
            session, role=Role.MACHINE, section=None, country=None, label="test", lasts=timedelta(seconds=-1)
        )
    await engine.dispose()
    await refused(network, "GET", EXPORT, status=401, headers={"X-Api-Key": expired})


async def test_two_tokens_are_one_too_many(network: Network) -> None:
    key = await key_of(network)
    bearer = {"Authorization": f"Bearer {key['X-Api-Key']}"}
    await refused(network, "GET", EXPORT, status=401, headers={**key, **bearer})
    twice = await network.client.get(EXPORT, headers=[*key.items(), *key.items()])
    assert twice.status_code == 401


async def test_no_other_route_takes_the_key_for_a_token(network: Network) -> None:
    drafted = await network.drafted()
    address = f"/activities/v1/activities/{drafted['id']}"
    reply = await network.client.get(address, headers=await key_of(network, "international"))
    assert reply.status_code == 404
