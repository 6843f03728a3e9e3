"""What everything needs while nobody asks for anything: `python -m tests.benchmarks.idle_memory`.

PSS shares out what several processes have in common, so its sum is what the machine really gives; RSS counts that
again for each of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from deploy import places, ports, postgres, valkey
from services import registry
from tests.harness import databases as harness
from tests.harness import processes
from tests.harness.databases import Databases, eventually
from tests.harness.processes import Process, Processes

IDLE_SECONDS = 10.0


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def memory(pid: int) -> tuple[float, float]:
    """RSS and PSS of a process and all below it, in MB."""
    rss = pss = 0
    for each in family(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            name, _, amount = line.partition(":")
            if name == "Rss":
                rss += int(amount.split()[0])
            elif name == "Pss":
                pss += int(amount.split()[0])
    return rss / 1000, pss / 1000


def report(title: str, pids: Mapping[str, int]) -> None:
    """A line for each process, and their sum."""
    print(title)
    total = [0.0, 0.0]
    for name, pid in pids.items():
        rss, pss = memory(pid)
        total = [total[0] + rss, total[1] + pss]
        print(f"  {name:<28} RSS {rss:6.1f} MB   PSS {pss:6.1f} MB")
    print(f"  {'together':<28} RSS {total[0]:6.1f} MB   PSS {total[1]:6.1f} MB")


@asynccontextmanager
async def one_process(made: Processes, folder: Path) -> AsyncIterator[Process]:
    """The form that `python -m services up` has."""
    port = ports.free()
    process = Process(["up", "--port", str(port)], made.environment, folder / "up.log")
    process.launch()
    try:
        async with httpx.AsyncClient(base_url=f"http://{ports.LOOPBACK}:{port}") as client:

            async def answers() -> None:
                assert process.is_running
                try:
                    replies = [await client.get(f"/{name}/readyz") for name in registry.SERVICES]
                except httpx.TransportError:
                    raise AssertionError("it does not listen yet") from None
                assert all(reply.status_code == 200 for reply in replies)

            await eventually(answers, seconds=60)
        yield process
    finally:
        process.kill()


async def run(folder: Path, database: postgres.Server, queue: valkey.Server) -> None:
    """Measure both forms, each on a database of its own."""
    assert database.process is not None
    assert queue.process is not None
    servers = {"Postgres": database.process.pid, "Valkey": queue.process.pid}
    databases = Databases(database.superuser_url, queue.url)
    await databases.make_template()
    async with databases.fresh() as url:
        made = Processes(folder, harness.settings(url, queue.url), url, SOCIALERASMUS_MAILBOX=str(folder))
        async with processes.running(made):
            await made.healthy()
            await asyncio.sleep(IDLE_SECONDS)
            apart = {" ".join(process.arguments[:2]): process.pid for process in made.all}
            report("Three APIs and three workers, a process each", servers | apart)
    async with databases.fresh() as url:
        made = Processes(folder, harness.settings(url, queue.url), url, SOCIALERASMUS_MAILBOX=str(folder))
        async with one_process(made, folder) as process:
            await asyncio.sleep(IDLE_SECONDS)
            report("One process: python -m services up", servers | {"services up": process.pid})


def main() -> None:
    """Run it on servers of its own."""
    with places.thrown_away() as folder, postgres.running(durable=True) as database, valkey.running() as queue:
        asyncio.run(run(folder, database, queue))


if __name__ == "__main__":
    main()
