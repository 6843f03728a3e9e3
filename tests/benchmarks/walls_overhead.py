"""What the second wall costs: signing up and the organisers' list, without and with it, in turn.

Run it against servers that nobody else uses: `DATABASE_URL=… REDIS_URL=… python -m tests.benchmarks.walls_overhead`.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from services.kernel import logs, reach
from tests.harness.databases import Databases, rows, settings
from tests.harness.network import Network, running
from tests.harness.sign_ups import wanted

PEOPLE: Final = 2000
TIMES: Final = 60
ROUNDS: Final = 3
_WALLED = """SELECT c.relname FROM pg_class c JOIN pg_policies p ON p.tablename = c.relname
WHERE c.relnamespace = 'registration'::regnamespace AND p.policyname = 'reach'"""
_FILL = """
INSERT INTO registration.participants (id, email, email_key)
SELECT md5('p' || n)::uuid, n || '@x.example', n || '@x.example' FROM generate_series(1, $PEOPLE) AS n;
INSERT INTO registration.registrations (id, activity_id, participant_id, state, participant_class, given_name,
    family_name, language, answers, code, attendance_key, confirmed_at)
SELECT md5('r' || n)::uuid, '$ACTIVITY', md5('p' || n)::uuid, 'confirmed', 'local', 'A', 'B', 'en', '{}',
    lpad(n::text, 8, '0'), md5('a' || n)::uuid, now() FROM generate_series(1, $PEOPLE) AS n;
ANALYZE;
"""


@asynccontextmanager
async def _without(network: Network) -> AsyncIterator[None]:
    """The services as they were before the wall."""
    tables = [row["relname"] for row in await rows(network.database_url, _WALLED)]
    kept = reach.take, reach.show
    await _each(network, tables, "DISABLE")

    async def nothing(*_: object) -> None:
        """Say nothing."""

    reach.take, reach.show = nothing, nothing
    try:
        yield
    finally:
        reach.take, reach.show = kept
        await _each(network, tables, "ENABLE")


async def _each(network: Network, tables: list[str], what: str) -> None:
    for table in tables:
        await rows(network.database_url, f"ALTER TABLE registration.{table} {what} ROW LEVEL SECURITY")


async def _measure(network: Network, activity_id: str, who: dict[str, str], name: str) -> tuple[float, float]:
    """Medians in milliseconds: of a sign-up, and of a page of 200 of the list."""
    sign_up, listing = [], []
    for number in range(TIMES):
        body = wanted(activity_id, f"{name}{number}")
        begun = time.perf_counter()
        reply = await network.client.post("/registration/v1/registrations", json=body, headers=network.key())
        sign_up.append(time.perf_counter() - begun)
        assert reply.status_code == 201, reply.text
        begun = time.perf_counter()
        address = f"/registration/v1/activities/{activity_id}/registrations?limit=200"
        assert (await network.client.get(address, headers=who)).status_code == 200
        listing.append(time.perf_counter() - begun)
    return statistics.median(sign_up) * 1000, statistics.median(listing) * 1000


async def main() -> None:
    """Measure and tell."""
    logs.configure("WARNING", service="benchmark")
    databases = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await databases.make_template()
    try:
        async with databases.fresh() as url:
            told = settings(url, os.environ["REDIS_URL"], mailbox=Path(tempfile.mkdtemp()))
            async with running(told, url) as network:
                activity_id, who = (await network.published(capacity=50_000))["id"], await network.local()
                filled = _FILL.replace("$PEOPLE", str(PEOPLE)).replace("$ACTIVITY", activity_id)
                connection = await network.observer()
                await connection.execute(filled)
                await _measure(network, activity_id, who, "warm")
                found: dict[str, list[tuple[float, float]]] = {"without": [], "with": []}
                for turn in range(ROUNDS):
                    async with _without(network):
                        found["without"].append(await _measure(network, activity_id, who, f"a{turn}x"))
                    found["with"].append(await _measure(network, activity_id, who, f"b{turn}x"))
                for place, what in enumerate(("sign-up", "list of 200")):
                    before, after = (statistics.median(each[place] for each in found[how]) for how in found)
                    print(f"{what}: {before:.2f} ms without, {after:.2f} ms with, ratio {after / before:.3f}")
    finally:
        await databases.drop_template()


if __name__ == "__main__":
    asyncio.run(main())
