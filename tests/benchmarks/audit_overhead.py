"""What the audit costs a sign-up and a change: `python -m tests.benchmarks.audit_overhead`, with DATABASE_URL.

Requests are made in blocks, with the audit as it is and with it switched off: routes that open no act, and no trigger.
A sign-up opens no act either way; what it pays is that sleeping triggers are asked. The ratio of the medians counts.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from services.kernel import logs, routes
from services.kernel.audit.installing import TRIGGER
from tests.harness import databases as harness
from tests.harness import sign_ups
from tests.harness.databases import Databases
from tests.harness.network import Network, running

TIMES = 150
BLOCK = 10
_NOTED = f"SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = '{TRIGGER}'"
_audited = routes._may_be_an_actor


async def _switch(network: Network, *, is_on: bool) -> None:
    routes._may_be_an_actor = _audited if is_on else lambda _: False
    connection = await network.observer()
    for table in await connection.fetch(_NOTED):
        await connection.execute(f"ALTER TABLE {table['name']} {'ENABLE' if is_on else 'DISABLE'} TRIGGER {TRIGGER}")


async def _compared(network: Network, name: str, once: Callable[[int], Awaitable[None]]) -> None:
    taken: dict[bool, list[float]] = {True: [], False: []}
    is_on = True
    for turn in range(2 * TIMES + 20):
        if turn % BLOCK == 0:
            is_on = not is_on
            await _switch(network, is_on=is_on)
            # The first request after that plans its statements anew.
            await once(-turn - 1)
        begun = time.perf_counter()
        await once(turn)
        if turn >= 2 * BLOCK:
            taken[is_on].append((time.perf_counter() - begun) * 1000)
    await _switch(network, is_on=True)
    with_it, without = statistics.median(taken[True]), statistics.median(taken[False])
    late = [statistics.quantiles(taken[each], n=20)[18] for each in (True, False)]
    print(
        f"  {name:<10} with {with_it:6.2f} ms (p95 {late[0]:6.2f})   without {without:6.2f} ms (p95 {late[1]:6.2f})   "
        f"ratio {with_it / without:.3f}"
    )


async def _measure(network: Network) -> None:
    activity = await network.published(capacity=100_000)
    local = await network.local()
    address = f"/activities/v1/activities/{activity['id']}"

    async def change(turn: int) -> None:
        tag = (await network.client.get(address, headers=local)).headers["etag"]
        reply = await network.client.patch(
            address, json={"capacity": 50_000 + turn}, headers={**local, "If-Match": tag}
        )
        assert reply.status_code == 200, reply.text

    async def sign_up(turn: int) -> None:
        reply = await network.client.post(
            "/registration/v1/registrations",
            json=sign_ups.wanted(activity["id"], name=f"Somebody{turn + 1000}"),
            headers=network.key(),
        )
        assert reply.status_code == 201, reply.text

    print(f"{TIMES} requests each, in turns; a change is a GET and a PATCH")
    await _compared(network, "change", change)
    await _compared(network, "sign-up", sign_up)
    connection = await asyncpg.connect(network.database_url)
    entries, size = await connection.fetchrow(
        "SELECT count(*), pg_total_relation_size('activities.audit_entries') "
        "+ pg_total_relation_size('activities.audit_changes') FROM activities.audit_entries"
    )
    await connection.close()
    print(f"  {entries} entries with their changes take {size / entries:.0f} bytes each, indexes included")


async def main() -> None:
    """Measure both and print how they compare."""
    logs.configure("ERROR", service="benchmark")
    made = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await made.make_template()
    try:
        async with made.fresh() as url:
            with tempfile.TemporaryDirectory() as folder:
                told = harness.settings(url, os.environ["REDIS_URL"], mailbox=Path(folder))
                async with running(told, url) as network:
                    await _measure(network)
    finally:
        await made.drop_template()


if __name__ == "__main__":
    asyncio.run(main())
