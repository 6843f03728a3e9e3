"""How long after "publish" students can sign up: `python -m tests.benchmarks.publish_to_open [ROUNDS]`.

Three APIs and three workers as processes, a durable Postgres, everything over loopback. The clock starts when the
request to publish is sent and stops when registration answers that the activity is open. The control is the same with
arq's own worker, which asks for jobs every half second.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

from deploy import places, postgres, valkey
from tests.harness import databases as harness
from tests.harness import processes
from tests.harness.databases import Databases
from tests.harness.processes import Processes

ROUNDS = 60
ARQ_DEFAULT = """
import arq.worker
import services.kernel.worker as worker
worker.WakingWorker = arq.worker.Worker
from services.__main__ import main
main()
"""


async def measure(made: Processes, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the request, and from its answer, until registration says "open"."""
    network, client = made.network, made.client
    local, national = await network.local(), await network.national()
    from_request, from_answer = [], []
    for _ in range(rounds):
        identity = (await network.drafted())["id"]
        address = f"/activities/v1/activities/{identity}"
        for verb, who in (("submit", local), ("approve", national)):
            (await client.post(f"{address}/{verb}", headers=who)).raise_for_status()
        sent = time.perf_counter()
        (await client.post(f"{address}/publish", headers=local)).raise_for_status()
        answered = time.perf_counter()
        while True:
            reply = await client.get(f"/registration/v1/activities/{identity}/availability")
            if reply.status_code == 200 and reply.json()["open"]:
                break
            await asyncio.sleep(0.002)
        is_open = time.perf_counter()
        from_request.append((is_open - sent) * 1000)
        from_answer.append((is_open - answered) * 1000)
    return from_request, from_answer


def told(name: str, found: list[float]) -> str:
    """Median, 95th percentile and worst."""
    p95 = statistics.quantiles(found, n=20)[-1]
    return f"{name:<34} median {statistics.median(found):6.1f} ms   p95 {p95:6.1f} ms   worst {max(found):6.1f} ms"


async def run(rounds: int, folder: Path, database: postgres.Server, queue: valkey.Server) -> None:
    """Measure ours, then the control."""
    made = Databases(database.superuser_url, queue.url)
    await made.make_template()
    medians = []
    for name, program in (("ours", ("-m", "services")), ("control: arq's poll_delay 0.5", ("-c", ARQ_DEFAULT))):
        async with made.fresh() as url:
            started = Processes(folder, harness.settings(url, queue.url), url, SOCIALERASMUS_MAILBOX=str(folder))
            for worker in started.workers.values():
                worker.program = program
            async with processes.running(started):
                await measure(started, 5)
                from_request, from_answer = await measure(started, rounds)
        medians.append(statistics.median(from_request))
        print(told(f"{name}, from the request", from_request))
        print(told(f"{name}, from its answer", from_answer))
    print(f"{rounds} rounds; the control takes {medians[1] / medians[0]:.1f} times as long")


def main() -> None:
    """Run it on servers of its own."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with places.thrown_away() as folder, postgres.running(durable=True) as database, valkey.running() as queue:
        asyncio.run(run(rounds, folder, database, queue))


if __name__ == "__main__":
    main()
