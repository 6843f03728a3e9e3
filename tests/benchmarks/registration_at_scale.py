"""What an activity costs with many registrations: `python -m tests.benchmarks.registration_at_scale [ROUNDS]`.

The same steps on an activity with 50 registrations and 10 who wait, and on one with 5,000 and 1,000; the services and
their client share one process, Postgres is durable. What is flat costs the same on both: the ratio says it.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from deploy import places, postgres, valkey
from services.kernel import logs
from services.kernel.auth import hashed
from services.kernel.reach import EVERYTHING
from services.registration.people.rules import new_token
from services.registration.waiting import actions as waiting
from tests.harness import databases as harness
from tests.harness.databases import Databases, rows
from tests.harness.network import Network, running
from tests.harness.sign_ups import Students, students, wanted

ROUNDS = 40
SIZES = ((50, 10), (5_000, 1_000))
FILL = """
WITH people AS (
  INSERT INTO registration.participants (id, email, email_key)
  SELECT gen_random_uuid(), 'p' || n || '@' || $1 || '.example', 'p' || n || '@' || $1 || '.example'
  FROM generate_series(1, $2::int + $3::int) AS n RETURNING id, email
)
INSERT INTO registration.registrations (id, activity_id, participant_id, state, participant_class, given_name,
  family_name, language, answers, code, attendance_key, confirmed_at, waiting_since)
SELECT gen_random_uuid(), $1::text::uuid, id, CASE WHEN seated THEN 'confirmed' ELSE 'waitlisted' END, 'international',
  'Ada', 'Lovelace', 'en', '{}', upper(substr(md5(email), 1, 8)), gen_random_uuid(),
  CASE WHEN seated THEN now() END, CASE WHEN NOT seated THEN now() - interval '1 day' END
FROM (SELECT id, email, substr(split_part(email, '@', 1), 2)::int <= $2::int AS seated FROM people) AS them
ON CONFLICT DO NOTHING
"""
COUNT = """
UPDATE registration.places SET taken = counted.seated, capacity = counted.seated, waiting = counted.waits,
  taken_international = counted.seated
FROM (SELECT count(*) FILTER (WHERE state = 'confirmed') AS seated,
        count(*) FILTER (WHERE state = 'waitlisted') AS waits
      FROM registration.registrations WHERE activity_id = $1) AS counted
WHERE activity_id = $1
"""
SOME = "SELECT id FROM registration.registrations WHERE activity_id = $1 AND state = $2 ORDER BY id LIMIT $3"
LINK = "INSERT INTO registration.links (token_hash, registration_id, purpose, expires_at) VALUES ($1, $2, 'manage', $3)"


async def fill(network: Network, many: int, waits: int) -> Students:
    """An activity of which every place is taken."""
    ours = await students(network, capacity=many)
    await rows(network.database_url, FILL, ours.activity_id, many, waits)
    await rows(network.database_url, COUNT, ours.activity_id)
    await rows(network.database_url, "ANALYZE")
    return ours


async def links(ours: Students, state: str, many: int) -> list[str]:
    """Addresses by which some of those in a state manage their registrations."""
    found = []
    for row in await rows(ours.network.database_url, SOME, UUID(ours.activity_id), state, many):
        token = new_token()
        expires_at = datetime.now(UTC) + timedelta(days=1)
        await rows(ours.network.database_url, LINK, hashed(token), row["id"], expires_at)
        found.append(f"/registration/v1/links/{token}")
    return found


async def timed(work: Callable[[int], Awaitable[object]], rounds: int) -> float:
    """The median of some rounds in milliseconds."""
    took = []
    for number in range(rounds):
        begun = time.perf_counter()
        await work(number)
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


async def measure(ours: Students, rounds: int) -> dict[str, float]:
    """What each step costs."""
    network, client = ours.network, ours.network.client
    local = await network.local()
    address = f"/registration/v1/activities/{ours.activity_id}/registrations"
    runtime = network.runtimes["registration"]
    # At most so many of the smaller activity have a place to give back, or wait.
    few = min(rounds, 8)
    mine, theirs = await links(ours, "waitlisted", few), await links(ours, "confirmed", few)

    async def sign_up(number: int) -> None:
        body = wanted(ours.activity_id, "Ada", email=f"new{number}@{ours.activity_id}.example", waiting_list=True)
        reply = await client.post("/registration/v1/registrations", json=body, headers=network.key())
        assert reply.status_code == 201, reply.text

    async def first_page(_: int) -> None:
        (await client.get(address, headers=local)).raise_for_status()

    async def a_later_page(_: int) -> None:
        (await client.get(later, headers=local)).raise_for_status()

    async def position(number: int) -> None:
        (await client.get(mine[number % few])).raise_for_status()

    async def availability(_: int) -> None:
        (await client.get(f"/registration/v1/activities/{ours.activity_id}/availability")).raise_for_status()

    async def cancel(number: int) -> None:
        (await client.post(f"{theirs[number]}/cancel")).raise_for_status()

    async def offer(_: int) -> None:
        async with runtime.unit_of_work(EVERYTHING) as session:
            await waiting.offer_due(session, runtime.settings)

    async def cancel_and_offer(number: int) -> None:
        await cancel(number)
        await offer(number)

    await offer(0)
    later = (await client.get(address, headers=local, params={"limit": 25})).json()["next"]
    return {
        "list, first page": await timed(first_page, rounds),
        "list, next page": await timed(a_later_page, rounds),
        "availability": await timed(availability, rounds),
        "page of somebody who waits": await timed(position, rounds),
        "cancel, and offer to the next": await timed(cancel_and_offer, few),
        "sign up to wait": await timed(sign_up, rounds),
    }


async def run(rounds: int, folder: Path, database: postgres.Server, queue: valkey.Server) -> None:
    """Measure both and compare."""
    made = Databases(database.superuser_url, queue.url)
    await made.make_template()
    async with made.fresh() as url, running(harness.settings(url, queue.url, mailbox=folder), url) as network:
        small, large = [await fill(network, *size) for size in SIZES]
        await measure(small, 3)
        found = [await measure(each, rounds) for each in (small, large)]
    print(f"{'median of ' + str(rounds) + ' rounds, ms':<34}" + "".join(f"{many + waits:>9,}" for many, waits in SIZES))
    for name in found[0]:
        few, many = (each[name] for each in found)
        print(f"{name:<34}{few:9.1f}{many:9.1f}   ratio {many / few:.2f}")


def main() -> None:
    """Run it on servers of its own."""
    logs.configure("WARNING", service="benchmark")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with places.thrown_away() as folder, postgres.running(durable=True) as database, valkey.running() as queue:
        asyncio.run(run(rounds, folder, database, queue))


if __name__ == "__main__":
    main()
