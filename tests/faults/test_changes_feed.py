"""The delta feed loses nothing while many transactions write at once (F-23), and a naive cursor does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy import ports
from services.activities.catalogue.tables import Activity
from services.kernel.ids import new_id
from tests.harness.databases import SECRET, UNLIMITED, rows
from tests.harness.harvester import Harvester
from tests.harness.network import Network
from tests.harness.processes import REPOSITORY, Process

WRITERS = 16
SECONDS = 6.0

_SEEN = "state IN ('published', 'held', 'cancelled')"
_COLUMNS = ", ".join(column.name for column in Activity.__table__.columns if column.computed is None)
_COPY = f"""
INSERT INTO activities.activities ({_COLUMNS}) SELECT {_COLUMNS} FROM (
    SELECT (jsonb_populate_record(original, jsonb_build_object(
        'id', $2::text, 'document', jsonb_set(document::jsonb, '{{id}}', to_jsonb($2::text))::text))).*
    FROM activities.activities original WHERE id = $1
) AS copy
"""
_REVISE = """
UPDATE activities.activities SET document = jsonb_set(document::jsonb, '{capacity}', to_jsonb($2::int))::text
WHERE id = $1
"""
_NAIVE = """
SELECT changes.xid::text, changes.id, (activities.document::jsonb ->> 'capacity')::int
FROM activities.changes LEFT JOIN activities.activities ON activities.id = changes.id AND state = 'published'
WHERE (changes.xid, changes.id) > ($1::text::xid8, $2::uuid) ORDER BY changes.xid, changes.id LIMIT 500
"""


@pytest.fixture
async def address(network: Network, tmp_path: Path) -> AsyncIterator[str]:
    """The address of the feed of a running service, on the network's database."""
    port = ports.free()
    base_url = f"http://{ports.LOOPBACK}:{port}"
    environment = {
        "DATABASE_URL": network.database_url,
        "REDIS_URL": network.settings.redis_url,
        **{f"SOCIALERASMUS_{name.upper()}": str(value) for name, value in UNLIMITED.items()},
        "SOCIALERASMUS_ENVIRONMENT": "test",
        "SOCIALERASMUS_SECRET": SECRET,
        "SOCIALERASMUS_BASE_URL": base_url,
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"),
    }
    process = Process(["api", "activities", "--port", str(port)], environment, tmp_path / "api.log")
    try:
        await process.start()
        yield f"{base_url}/activities/v1/changes"
    finally:
        process.kill()


class _Naive:
    """A reader that trusts the order of transaction ids without asking which ones still run."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._read_up_to: tuple[str, Any] = ("0", UUID(int=0))
        self.copy: dict[str, int] = {}

    async def catch_up(self) -> None:
        while found := await rows(self._database_url, _NAIVE, *self._read_up_to):
            for _, identity, capacity in found:
                self.copy.pop(str(identity), None)
                if capacity is not None:
                    self.copy[str(identity)] = capacity
            self._read_up_to = (found[-1][0], found[-1][1])


async def _write(database_url: str, original: UUID, seed: int, until: float) -> int:
    """Copy, revise, hide, show and delete activities in transactions of any length; answers how many."""
    chance, mine, written = random.Random(seed), [original], 0
    connection = await asyncpg.connect(database_url)
    now = asyncio.get_running_loop().time
    try:
        while now() < until:
            async with connection.transaction():
                if chance.random() < 0.5:
                    # An early number and a late write: the transaction is older than others that are long committed.
                    await connection.execute("SELECT pg_current_xact_id()")
                    await asyncio.sleep(chance.random() * 0.08)
                chosen = chance.choice(mine)
                match chance.choice(("copy", "revise", "revise", "revise", "hide", "delete")):
                    case "copy":
                        mine.append(new_id())
                        await connection.execute(_COPY, original, str(mine[-1]))
                    case "hide":
                        state = chance.choice(("draft", "published"))
                        statement = "UPDATE activities.activities SET state = $2 WHERE id = $1"
                        await connection.execute(statement, mine[-1], state)
                    case "delete" if chosen != original:
                        mine.remove(chosen)
                        await connection.execute("DELETE FROM activities.activities WHERE id = $1", chosen)
                    case _:
                        await connection.execute(_REVISE, chosen, chance.randrange(1_000_000))
                await asyncio.sleep(chance.random() * 0.03)
            written += 1
    finally:
        await connection.close()
    return written


async def test_a_harvester_has_the_table_after_sixteen_writers_and_a_naive_one_does_not(
    network: Network, address: str
) -> None:
    originals = [UUID((await network.published(title=f"Original {number}"))["id"]) for number in range(WRITERS // 2)]
    harvester, naive = Harvester(f"{address}?limit=50"), _Naive(network.database_url)
    until = asyncio.get_running_loop().time() + SECONDS
    # Two writers share an original, so that their revisions wait for each other.
    writers = [
        asyncio.create_task(_write(network.database_url, originals[number % len(originals)], number, until))
        for number in range(WRITERS)
    ]

    async def follow() -> None:
        while not all(writer.done() for writer in writers):
            await asyncio.to_thread(harvester.catch_up)

    async def follow_naively() -> None:
        while not all(writer.done() for writer in writers):
            await naive.catch_up()

    written, _, _ = await asyncio.gather(asyncio.gather(*writers), follow(), follow_naively())

    public = f"SELECT id, (document::jsonb ->> 'capacity')::int FROM activities.activities WHERE {_SEEN}"
    table = {str(identity): capacity for identity, capacity in await rows(network.database_url, public)}
    await asyncio.to_thread(harvester.catch_up)
    await naive.catch_up()
    assert sum(written) > 500
    assert harvester.seen_deleted, "the writers deleted nothing"
    assert {key: data["maximumAttendeeCapacity"] for key, data in harvester.copy.items()} == table
    assert naive.copy != table, "the control lost nothing: the test proves nothing"


async def test_a_transaction_that_began_early_and_ends_late_is_not_missed(network: Network, address: str) -> None:
    early, late = await network.published(title="Early"), await network.published(title="Late")
    harvester, naive = Harvester(address), _Naive(network.database_url)
    await asyncio.to_thread(harvester.catch_up)
    await naive.catch_up()
    slow = await asyncpg.connect(network.database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(_REVISE, UUID(early["id"]), 11)
    await rows(network.database_url, _REVISE, UUID(late["id"]), 22)
    await asyncio.to_thread(harvester.catch_up)
    await naive.catch_up()
    assert harvester.copy[late["id"]]["maximumAttendeeCapacity"] == 40, "what may yet change its order is not told"
    await transaction.commit()
    await slow.close()
    await asyncio.to_thread(harvester.catch_up)
    await naive.catch_up()
    found = [harvester.copy[activity["id"]]["maximumAttendeeCapacity"] for activity in (early, late)]
    assert found == [11, 22]
    assert naive.copy[early["id"]] == 40, "the control did not miss it"


async def test_a_transaction_in_another_database_holds_nothing_back(network: Network, address: str) -> None:
    await network.published()
    elsewhere = await asyncpg.connect(network.database_url.rpartition("/")[0] + "/postgres")
    transaction = elsewhere.transaction()
    await transaction.start()
    await elsewhere.execute("SELECT pg_current_xact_id()")
    activity = await network.published(title="Not held back")
    harvester = Harvester(address)
    await asyncio.to_thread(harvester.catch_up)
    await transaction.rollback()
    await elsewhere.close()
    assert activity["id"] in harvester.copy
