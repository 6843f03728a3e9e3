"""A worker rests while nothing is written, and is there within a moment when something is, were every wake-up lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy import places, postgres
from services import registry
from services.kernel import stillness, worker
from tests.harness import databases
from tests.harness.databases import Databases, eventually
from tests.harness.network import Network, running
from tests.harness.statements import Statement, recorded

QUIET_SECONDS = 1.0


@pytest.fixture
async def network(redis_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    """The services on a Postgres of their own: on a shared one other tests write all the time."""
    with places.thrown_away(in_memory=True) as place, postgres.running(place) as server:
        made = Databases(server.superuser_url, redis_url)
        await made.make_template()
        async with (
            made.fresh() as url,
            running(databases.settings(url, redis_url, mailbox=tmp_path / "mailbox"), url) as network,
        ):
            yield network


async def _deaf() -> None:
    await asyncio.Event().wait()


async def test_it_only_looks_whether_anything_was_written(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "STILL_SECONDS", 600.0)
    workers = [worker.Worker(service, network.runtimes[name]) for name, service in registry.SERVICES.items()]
    for each in workers:
        monkeypatch.setattr(each, "_listen", _deaf)
    tasks = [asyncio.create_task(each.run()) for each in workers]
    with contextlib.ExitStack() as recording:
        asked: list[list[Statement]] = [
            recording.enter_context(recorded(runtime)) for runtime in network.runtimes.values()
        ]

        async def they_rest() -> None:
            for statements in asked:
                statements.clear()
            await asyncio.sleep(QUIET_SECONDS)
            found = [statement.text for statements in asked for statement in statements]
            assert found
            assert set(found) == {str(stillness._WRITERS)}

        await eventually(they_rest, every=0)
        await network.drafted()

        async def all_is_looked_at() -> None:
            texts = {statement.text for statements in asked for statement in statements}
            for table in ("outgoing_mail", "webhook_deliveries", "events.cursors"):
                assert any(table in text for text in texts), table

        await eventually(all_is_looked_at, seconds=2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
