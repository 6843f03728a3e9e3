"""Idempotency-Key: a repeated request has one effect and one answer."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.harness.databases import eventually, rows, value
from tests.harness.network import DRAFT, Network

ADDRESS = "/activities/v1/activities"


async def _post(network: Network, headers: dict[str, str], key: str | None, **changes: Any) -> httpx.Response:
    told = headers if key is None else {**headers, "Idempotency-Key": key}
    return await network.client.post(ADDRESS, json={**DRAFT, **changes}, headers=told)


async def _count(network: Network) -> object:
    return await value(network.database_url, "SELECT count(*) FROM activities.activities")


async def test_the_same_request_again_is_answered_alike_and_done_once(network: Network) -> None:
    local = await network.local()
    first, again = [await _post(network, local, '"a"') for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    for name in ("location", "etag", "content-type"):
        assert first.headers[name] == again.headers[name]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert first.headers["location"] == f"{ADDRESS}/{first.json()['id']}"
    assert await _count(network) == 1


async def test_the_key_with_another_body_is_a_422(network: Network) -> None:
    local = await network.local()
    await _post(network, local, '"a"')
    other = await _post(network, local, '"a"', capacity=1)
    assert (other.status_code, other.json()["type"]) == (422, "/activities/problems/idempotency-key-reused")
    assert await _count(network) == 1


async def test_the_key_at_another_address_is_a_422(network: Network) -> None:
    local = await network.local()
    first = await _post(network, local, '"a"')
    other = await network.client.post(
        f"{ADDRESS}/{first.json()['id']}/duplicate", headers={**local, "Idempotency-Key": '"a"'}
    )
    assert other.status_code == 422
    assert await _count(network) == 1


async def test_the_same_request_at_the_same_time_is_done_once(network: Network) -> None:
    local = await network.local()
    replies = await asyncio.gather(*(_post(network, local, '"a"') for _ in range(8)))
    done = [reply for reply in replies if reply.status_code == 201]
    assert {reply.status_code for reply in replies} <= {201, 409}
    assert len({reply.json()["id"] for reply in done}) == 1
    assert sum("idempotency-replayed" not in reply.headers for reply in done) == 1
    assert await _count(network) == 1
    assert await value(network.database_url, "SELECT count(*) FROM activities.idempotency_keys") == 1


async def test_a_request_still_being_carried_out_is_a_409(network: Network) -> None:
    local = await network.local()
    async with network.runtimes["activities"].engine.connect() as blocker:
        await blocker.exec_driver_sql("LOCK TABLE activities.activities IN EXCLUSIVE MODE")
        first = asyncio.create_task(_post(network, local, '"a"'))

        async def holds_the_key() -> None:
            # From before it waits for the table; tests beside this one hold locks in databases of their own.
            assert await value(
                network.database_url,
                "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
                " WHERE locktype = 'advisory' AND datname = current_database()",
            )

        await eventually(holds_the_key, every=0.02)
        second = await _post(network, local, '"a"')
        await blocker.rollback()
    assert (second.status_code, second.json()["type"]) == (409, "/activities/problems/request-in-flight")
    assert (await first).status_code == 201
    assert await _count(network) == 1


async def test_without_the_key_nothing_is_created(network: Network) -> None:
    reply = await _post(network, await network.local(), None)
    assert (reply.status_code, reply.json()["type"]) == (400, "/activities/problems/idempotency-key-missing")
    assert await _count(network) == 0


async def test_a_key_is_its_callers_own(network: Network) -> None:
    first = await _post(network, await network.local(), '"a"')
    other = await _post(network, await network.local(), '"a"')
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json()["id"] != other.json()["id"]


@pytest.mark.parametrize(
    ("first", "again"), [('"a b"', "a b"), ("a-1", '"a-1"'), ('"a\\"b"', '"a\\"b"'), (" a ", '"a"')]
)
async def test_a_key_is_the_same_quoted_and_bare(network: Network, first: str, again: str) -> None:
    local = await network.local()
    replies = [await _post(network, local, key) for key in (first, again)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert await _count(network) == 1


async def test_a_refusal_is_not_kept(network: Network) -> None:
    local = await network.local()
    refused = await _post(network, local, '"a"', capacity=-1)
    forbidden = await _post(network, local, '"a"', organisers=[{"code": "PL-WARS-UKS"}])
    mended = await _post(network, local, '"a"')
    assert [reply.status_code for reply in (refused, forbidden, mended)] == [422, 403, 201]


async def test_a_failure_on_our_side_is_not_kept(network: Network) -> None:
    local = await network.local()
    await rows(network.database_url, "ALTER TABLE activities.activity_history RENAME TO gone")
    failed = await _post(network, local, '"a"')
    await rows(network.database_url, "ALTER TABLE activities.gone RENAME TO activity_history")
    again = await _post(network, local, '"a"')
    assert (failed.status_code, again.status_code) == (500, 201)
    assert await _count(network) == 1


async def test_a_step_repeated_with_its_key_is_no_wrong_step(network: Network) -> None:
    drafted, local = await network.drafted(), await network.local()
    address = f"{ADDRESS}/{drafted['id']}/submit"
    first, again, without = [
        await network.client.post(address, headers=told)
        for told in ({**local, "Idempotency-Key": "s"}, {**local, "Idempotency-Key": "s"}, local)
    ]
    assert [reply.status_code for reply in (first, again, without)] == [200, 200, 409]
    assert first.json() == again.json()


async def test_a_key_is_forgotten_after_two_days(network: Network) -> None:
    local = await network.local()
    await _post(network, local, '"a"')
    await network.sweep()
    assert (await _post(network, local, '"a"', capacity=1)).status_code == 422
    await rows(network.database_url, "UPDATE activities.idempotency_keys SET answered_at = now() - interval '49 hours'")
    await network.sweep()
    assert (await _post(network, local, '"a"', capacity=1)).status_code == 201
