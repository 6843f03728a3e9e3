"""What the audit costs a sign-up and a change: `python -m tests.benchmarks.audit_overhead`, with DATABASE_URL.

Each request is made in turns with the audit as it is, and with it switched off: routes that open no act, so that
triggers sleep. The ratio of the medians is what counts; a sign-up opens none either way, and shows the noise.
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
from tests.harness import databases as harness
from tests.harness import sign_ups
from tests.harness.databases import Databases
from tests.harness.network import Network, running

TIMES = 150
_audited = routes._may_be_an_actor


async def _compared(name: str, once: Callable[[int], Awaitable[None]]) -> None:
    taken: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * TIMES + 20):
        is_on = turn % 2 == 0
        routes._may_be_an_actor = _audited if is_on else lambda _: False
        begun = time.perf_counter()
        await once(turn)
        if turn >= 20:
            taken[is_on].append((time.perf_counter() - begun) * 1000)
    routes._may_be_an_actor = _audited
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
            json=sign_ups.wanted(activity["id"], name=f"Somebody{turn}"),
            headers=network.key(),
        )
        assert reply.status_code == 201, reply.text

    print(f"{TIMES} requests each, in turns; a change is a GET and a PATCH")
    await _compared("change", change)
    await _compared("sign-up", sign_up)
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
