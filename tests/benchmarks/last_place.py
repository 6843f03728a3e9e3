"""How long 200 people wait who want the last place at once: `python -m tests.benchmarks.last_place [ROUNDS]`.

Three APIs and three workers as processes, a durable Postgres, each person on a connection of their own over loopback,
all on the machine's own clock and with nothing else to do: from sending the request until there is an answer that
stands. A 503 is none: it is asked again with the same key, as a good client does, and its time counts. Those who want
to wait are measured, too.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from deploy import places, ports, postgres, valkey
from tests.harness import databases as harness
from tests.harness import processes
from tests.harness.databases import Databases, eventually, value
from tests.harness.processes import Processes
from tests.harness.sign_ups import wanted

ADDRESS = "/registration/v1/registrations"
ROUNDS = 5
MANY = 200
PATIENCE_SECONDS = 2.0
WAITING = "SELECT count(*) FROM registration.outgoing_mail WHERE sent_at IS NULL"
SEATED = """
SELECT count(*) FROM registration.registrations WHERE activity_id = $1::uuid AND state IN ('unconfirmed', 'confirmed')
"""


async def posted(port: int, body: bytes, key: dict[str, str]) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Send a sign-up on a connection of its own; answers the status, the headers and the body of the reply.

    Written out: of 200 requests at once httpx's pool of connections takes most of the time that is measured here.
    """
    reader, writer = await asyncio.open_connection(ports.LOOPBACK, port)
    try:
        told = {"Host": ports.LOOPBACK, "Content-Type": "application/json", "Content-Length": str(len(body)), **key}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        writer.write(f"POST {ADDRESS} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        first, *others = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in others)}
        reply = json.loads(await reader.readexactly(int(headers["content-length"])))
        return int(first.split()[1]), headers, reply
    finally:
        writer.close()


async def answered(made: Processes, body: dict[str, Any]) -> tuple[str, float]:
    """What somebody's sign-up came to, and after how many seconds."""
    key, written = made.network.key(), json.dumps(body).encode()
    sent = time.perf_counter()
    while True:
        status, headers, reply = await posted(made.ports_of["registration"], written, key)
        if status != httpx.codes.SERVICE_UNAVAILABLE:
            break
        await asyncio.sleep(float(headers["retry-after"]) / 10)
    took = time.perf_counter() - sent
    return reply.get("state") or f"{status} {reply['title']}", took


async def measure(made: Processes, *, waits: bool) -> tuple[Counter[str], list[float]]:
    """Let 200 want the one place of an activity of their own."""
    identity = await made.published(capacity=1)
    await made.opened(identity)
    bodies = [
        wanted(identity, "Ada", email=f"p{number}@{identity}.example", waiting_list=waits) for number in range(MANY)
    ]
    found = await asyncio.gather(*(answered(made, body) for body in bodies))
    seated = await value(made.database_url, SEATED, identity)
    assert seated == 1, f"{seated} have the one place"
    return Counter(state for state, _ in found), [took for _, took in found]


async def quiet(made: Processes) -> None:
    """Wait until the mails of those before are sent, which the same processors see to."""

    async def is_quiet() -> None:
        assert not await value(made.database_url, WAITING)

    await eventually(is_quiet, seconds=120.0, every=0.2)


async def run(rounds: int, folder: Path, database: postgres.Server, queue: valkey.Server) -> None:
    """Measure those who want the place or nothing, then those who would wait for it."""
    made = Databases(database.superuser_url, queue.url)
    await made.make_template()
    slowest = 0.0
    async with made.fresh() as url:
        started = Processes(folder, harness.settings(url, queue.url), url, SOCIALERASMUS_MAILBOX=str(folder / "mails"))
        async with processes.running(started):
            await measure(started, waits=True)
            for waits in (False, True):
                for number in range(1, rounds + 1):
                    await quiet(started)
                    states, took = await measure(started, waits=waits)
                    slowest = max(slowest, *took)
                    print(
                        f"{'or wait' if waits else 'or nothing':<12}{number}  median {statistics.median(took):5.2f} s"
                        f"  slowest {max(took):5.2f} s  {dict(states)}",
                        flush=True,
                    )
    told = "within" if slowest < PATIENCE_SECONDS else "NOT within"
    print(
        f"{MANY} at once, {2 * rounds} times: the slowest answer after {slowest:.2f} s, {told} {PATIENCE_SECONDS:g} s"
    )


def main() -> None:
    """Run it on servers of its own."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with places.thrown_away() as folder, postgres.running(durable=True) as database, valkey.running() as queue:
        asyncio.run(run(rounds, folder, database, queue))


if __name__ == "__main__":
    main()
