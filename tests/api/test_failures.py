"""Failures on our side: they reveal nothing, they are logged without values, and they pass."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from services.kernel import db
from tests.harness import databases as harness
from tests.harness.databases import rows, value
from tests.harness.network import DRAFT, Network, running
from tests.harness.openapi import DOCUMENTS
from tests.harness.refusals import MARKER, check_problem, refused

LIST = "/activities/v1/activities"
FAILING = (
    f"""CREATE FUNCTION activities.fail() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the title {MARKER} is %', NEW.title; END $$""",
    "CREATE TRIGGER fail BEFORE INSERT ON activities.activities FOR EACH ROW EXECUTE FUNCTION activities.fail()",
)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process logs meanwhile."""
    handler = next(
        each
        for each in logging.getLogger().handlers
        if isinstance(each, logging.StreamHandler) and isinstance(each.formatter, structlog.stdlib.ProcessorFormatter)
    )
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


@pytest.fixture
async def narrow(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Network]:
    """A network of two connections a service that does not wait long for a lock."""
    monkeypatch.setattr(db, "LOCK_TIMEOUT", "200ms")
    told = harness.settings(database_url, redis_url, mailbox=tmp_path / "mailbox", pool_size=1)
    async with running(told, database_url) as made:
        yield made


async def _post(network: Network) -> None:
    document = await refused(
        network, "POST", LIST, status=500, headers={**await network.local(), **network.key()},
        json={**DRAFT, "title": MARKER}, hidden=[MARKER, "trigger", "activities.activities", "asyncpg", "sqlalchemy"],
    )  # fmt: skip
    assert document["type"] == "/activities/problems/internal-error"


async def test_a_failure_reveals_nothing_of_its_cause(network: Network) -> None:
    for statement in FAILING:
        await rows(network.database_url, statement)
    await _post(network)


async def test_who_is_refused_is_one_line_of_the_log(shared: Network, log: io.StringIO) -> None:
    drafted = await shared.drafted(title=MARKER)
    others = await shared.local("PL-WARS-UKS")
    address = f"{LIST}/{drafted['id']}/submit"
    await refused(shared, "POST", f"{address}", status=403, headers=others)
    lines = [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == "refused"]
    actor = await value(shared.database_url, "SELECT id FROM access.tokens WHERE section = 'PL-WARS-UKS'")
    assert len(lines) == 1
    assert (lines[0]["route"], lines[0]["actor"]) == ("/v1/activities/{activity_id}/submit", str(actor))
    assert (lines[0]["why"], len(lines[0]["trace_id"])) == ("out-of-reach", 32)
    assert MARKER not in log.getvalue()
    assert others["Authorization"].split()[1] not in log.getvalue()


async def test_a_failure_is_one_log_line_without_a_value(network: Network, log: io.StringIO) -> None:
    for statement in FAILING:
        await rows(network.database_url, statement)
    await _post(network)
    assert MARKER not in log.getvalue()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    failure = next(line for line in lines if line["event"] == "request failed")
    assert (failure["level"], failure["route"]) == ("error", "/v1/activities")
    assert any(each.get("sqlstate") == "P0001" for each in failure["failure"])
    assert any("actions.py" in frame for each in failure["failure"] for frame in each["frames"])
    assert len(failure["trace_id"]) == 32


async def test_a_failure_can_be_read_by_the_page_that_asked(network: Network) -> None:
    await rows(network.database_url, "ALTER TABLE activities.sections RENAME TO gone")
    reply = await network.client.get("/activities/v1/sections", headers={"Origin": "https://section.example"})
    check_problem(reply, status=500, hidden=["sections", "relation"])
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "Trace-Id" in reply.headers["access-control-expose-headers"]


async def test_what_we_stored_wrongly_is_our_failure_and_not_the_callers(network: Network) -> None:
    await rows(network.database_url, "UPDATE activities.sections SET cities = '{NULL}'")
    check_problem(await network.client.get("/activities/v1/sections"), status=500)


async def test_a_pool_that_is_exhausted_is_a_503_and_passes(narrow: Network) -> None:
    activities, address = narrow.runtimes["activities"], "/activities/v1/sections"
    for sessions, read in ((activities.unit_of_work, address), (activities.glancing, LIST)):
        async with AsyncExitStack() as stack:
            for _ in range(2):
                session = await stack.enter_async_context(sessions())
                await session.execute(sa.text("SELECT 1"))
            begun = asyncio.get_running_loop().time()
            reply = await narrow.client.get(read)
            assert asyncio.get_running_loop().time() - begun < 3
            check_problem(reply, status=503)
            assert int(reply.headers["retry-after"]) > 0
            assert (await narrow.client.get("/activities/healthz")).status_code == 200
        assert (await narrow.client.get(read)).status_code == 200


async def test_a_lock_held_by_another_is_a_503_and_passes(narrow: Network) -> None:
    drafted, local = await narrow.drafted(), await narrow.local()
    address = f"{LIST}/{drafted['id']}/submit"
    engine = db.create_engine(narrow.settings, role=None, pool_size=1)
    async with engine.connect() as other:
        await other.execute(sa.text("SELECT 1 FROM activities.activities FOR UPDATE"))
        document = await refused(narrow, "POST", address, status=503, headers=local)
        assert document["type"] == "/activities/problems/unavailable"
    await engine.dispose()
    assert (await narrow.client.post(address, headers=local)).status_code == 200


async def test_connections_that_were_cut_are_replaced(network: Network) -> None:
    assert (await network.client.get(LIST)).status_code == 200
    await rows(
        network.database_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    assert (await network.client.get(LIST)).status_code == 200


@pytest.mark.parametrize("service", sorted(DOCUMENTS))
async def test_without_its_queue_a_service_is_ready_but_degraded(
    database_url: str, tmp_path: Path, service: str
) -> None:
    told = harness.settings(database_url, "redis://127.0.0.1:1/0", mailbox=tmp_path)
    async with running(told, database_url) as network:
        ready = await network.client.get(f"/{service}/readyz")
        assert (ready.status_code, ready.json()["status"], ready.json()["queue"]) == (200, "degraded", "away")
        drafted = await network.drafted()
    assert await value(database_url, "SELECT id::text FROM activities.activities") == drafted["id"]


@pytest.mark.parametrize("service", sorted(DOCUMENTS))
async def test_without_its_database_a_service_lives_and_is_not_ready(
    redis_url: str, tmp_path: Path, service: str
) -> None:
    told = harness.settings("postgresql://nobody@127.0.0.1:1/none", redis_url, mailbox=tmp_path)
    async with running(told, "") as network:
        assert (await network.client.get(f"/{service}/healthz")).json() == {"status": "ok"}
        ready = await network.client.get(f"/{service}/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
        assert "127.0.0.1" not in ready.text
        reply = await network.client.get(LIST)
        check_problem(reply, status=503, hidden=["127.0.0.1", "nobody", "refused"])
        assert reply.headers["retry-after"]
