"""A dump restored into a cluster that counts from its own beginning: nobody misses anything and nothing comes twice."""

from __future__ import annotations

import asyncio
from uuid import UUID

from services.activities.main import CHANGED
from services.kernel import db, renumber
from tests.harness.databases import rows
from tests.harness.network import Network

FEED = "/activities/v1/changes"
FEED_URL = f"http://socialerasmus.test{FEED}"
OLD = 5_000_000_000
"""How much further the old cluster had counted."""
_ADD = "(({column}::text::bigint) + {old})::text::xid8"


async def restored(network: Network) -> None:
    """Make the database what a restored dump is: its numbers are those of a cluster that had counted further."""
    for table in ("events.log", "events.cursors", "events.dead_letters", "activities.changes"):
        await rows(network.database_url, f"UPDATE {table} SET xid = {_ADD.format(column='xid', old=OLD)}")


async def renumbered(network: Network) -> int:
    """What the command does."""
    engine = db.create_engine(network.settings, role=None, pool_size=1)
    try:
        async with db.session_factory(engine).begin() as session:
            return await renumber.go_on(session, [*renumber.NUMBERED, CHANGED])
    finally:
        await engine.dispose()


async def read(network: Network, address: str = FEED) -> tuple[list[str], str]:
    """The ids of every change after an address in their order, and where to read on."""
    found: list[str] = []
    while True:
        page = (await network.client.get(address)).json()
        found += [item["id"] for item in page["items"]]
        if not page["items"]:
            return found, page["next"]
        address = page["next"]


async def revise(network: Network, identity: str, title: str) -> None:
    address = f"/activities/v1/activities/{identity}"
    who = await network.local()
    etag = (await network.client.get(address)).headers["etag"]
    reply = await network.client.patch(address, json={"title": title}, headers={**who, "If-Match": etag})
    assert reply.status_code == 200, reply.text


async def test_without_it_everybody_misses_what_comes_next(network: Network) -> None:
    activity = await network.published(title="Before")
    await restored(network)
    assert await read(network) == ([], FEED_URL), "what the dump holds lies above this cluster's horizon"
    await revise(network, activity["id"], "After")
    place = f"{FEED}?afterTimestamp={OLD}&afterId={activity['id']}"
    assert (await read(network, place))[0] == [], "the change is numbered below what a harvester has read"
    assert await network._unread() == 0, "and its event below every cursor"


async def test_harvesters_and_consumers_go_on_where_they_were(network: Network) -> None:
    first, second = await network.published(title="First"), await network.published(title="Second")
    before, _ = await read(network)
    await restored(network)
    cursors = await rows(network.database_url, "SELECT consumer, xid::text, number FROM events.cursors ORDER BY 1")
    assert await renumbered(network) > OLD
    assert await renumbered(network) == 0, "once is enough"
    again, place = await read(network)
    assert again == before == [first["id"], second["id"]], "every change once, and in its order"
    now = await rows(network.database_url, "SELECT consumer, xid::text, number FROM events.cursors ORDER BY 1")
    assert now == cursors
    assert await network._unread() == 0
    await revise(network, first["id"], "Renamed")
    third = await network.published(title="Third")
    reply = await network.client.get(f"/registration/v1/activities/{third['id']}/availability")
    assert reply.json()["open"] is True, "registration heard of it"
    after, place = await read(network, place)
    assert after == [first["id"], third["id"]], "a harvester reads on at its old place"
    assert await read(network, place) == ([], place)
    order = await rows(network.database_url, "SELECT id FROM events.log ORDER BY xid, number")
    recorded = await rows(network.database_url, "SELECT id FROM events.log ORDER BY recorded_at, number")
    assert order == recorded


async def test_what_the_dump_did_not_hold_takes_no_number_of_somebody_elses(network: Network) -> None:
    activity = await network.published()
    await restored(network)
    ((last,),) = await rows(network.database_url, "SELECT max(xid::text::bigint) FROM activities.changes")
    # The old cluster wrote on after the dump, and a harvester read that.
    place = f"{FEED}?afterTimestamp={last + 1_000_000}&afterId={UUID(int=2**128 - 1)}"
    await renumbered(network)
    await revise(network, activity["id"], "After the restore")
    found, _ = await read(network, place)
    assert found == [activity["id"]]


async def test_where_nothing_was_restored_it_does_nothing_though_everybody_writes(network: Network) -> None:
    activity = await network.published()
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            await rows(
                network.database_url,
                "UPDATE activities.activities SET updated_at = now() WHERE id = $1",
                UUID(activity["id"]),
            )

    writers = [asyncio.create_task(write()) for _ in range(3)]
    try:
        assert [await renumbered(network) for _ in range(10)] == [0] * 10
    finally:
        done.set()
        await asyncio.gather(*writers)
