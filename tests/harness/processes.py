"""The services as the processes they are in production, and a client that sends each request to the right one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy import ports
from deploy import processes as children
from services import registry
from services.kernel.settings import Settings
from tests.harness.databases import SECRET, UNLIMITED, eventually, rows
from tests.harness.network import Network

REPOSITORY = Path(__file__).resolve().parents[2]
BASE_URL = "http://socialerasmus.test"
START_SECONDS = 60.0


class Process:
    """One `python -m services …`, which the kernel ends should the test end first."""

    def __init__(
        self,
        arguments: Iterable[str],
        environment: dict[str, str],
        log: Path,
        *,
        program: Sequence[str] = ("-m", "services"),
    ) -> None:
        self.program = tuple(program)
        self.arguments = tuple(arguments)
        self.environment = environment
        self.log = log
        self._child: subprocess.Popen[bytes] | None = None
        self._began_at = 0

    @property
    def pid(self) -> int:
        """The number of the process that runs now."""
        assert self._child is not None
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        return self._child is not None and self._child.poll() is None

    def launch(self) -> None:
        """Start without waiting."""
        assert not self.is_running
        self._began_at = self.log.stat().st_size if self.log.exists() else 0
        command = [sys.executable, *self.program, *self.arguments]
        self._child = children.spawn(command, cwd=REPOSITORY, environment=self.environment, log=self.log)

    @property
    def is_ready(self) -> bool:
        """Whether it has said so."""
        return self.is_running and any(line.get("event") == "ready" for line in self.lines(since=self._began_at))

    async def ready(self) -> None:
        """Return once it says that it is ready."""

        async def says_so() -> None:
            assert self.is_running, f"{self.arguments} ended: {children.last_line(self.log)}"
            assert self.is_ready, self.arguments

        await eventually(says_so, seconds=START_SECONDS)

    async def start(self) -> None:
        """Start and wait."""
        self.launch()
        await self.ready()

    def kill(self) -> None:
        """End it as a power cut would, and what it started with it."""
        if self._child is not None:
            children.kill(self._child)

    def terminate(self) -> None:
        """Ask it to end, as a deployment does."""
        assert self._child is not None
        self._child.send_signal(signal.SIGTERM)

    async def ended(self, *, seconds: float = 30.0) -> tuple[int, float]:
        """Wait for its end; answers its code and how long that took."""
        assert self._child is not None
        begun = time.monotonic()
        while self._child.poll() is None:
            assert time.monotonic() < begun + seconds, f"{self.arguments} still runs after {seconds} s"
            await asyncio.sleep(0.02)
        return self._child.returncode, time.monotonic() - begun

    def lines(self, *, since: int = 0) -> list[dict[str, Any]]:
        """Its log: every line is an object, whatever happened."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(since)
            written = file.read()
        whole, _, _ = written.rpartition(b"\n")
        return [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]


class _ByService(httpx.AsyncBaseTransport):
    """What the proxy does in production: the first part of the path names the service."""

    def __init__(self, ports_of: dict[str, int]) -> None:
        self._ports_of = ports_of
        self._network = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=200))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        service = request.url.path.split("/")[1]
        request.url = request.url.copy_with(scheme="http", host=ports.LOOPBACK, port=self._ports_of[service])
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


_UNREAD = """
    SELECT {consumer}::text, count(*) FROM events.log WHERE name = ANY({names}::text[]) AND NOT EXISTS (
        SELECT FROM events.cursors
        WHERE consumer = {consumer} AND (log.xid, log.number) <= (cursors.xid, cursors.number))
"""


def numbered(redis_url: str, service: str) -> str:
    """The Redis database of one service's worker, where APIs and workers are kept apart."""
    return f"{redis_url.rpartition('/')[0]}/{[*registry.SERVICES].index(service) + 1}"


class Processes:
    """An API and a worker for each service, on one database."""

    def __init__(
        self, folder: Path, settings: Settings, database_url: str, *, apart: bool = False, **environment: str
    ) -> None:
        """With `apart`, each worker has a Redis database of its own, where no API's wake-up reaches it."""
        self.database_url = database_url
        self.ports_of = {name: ports.free() for name in registry.SERVICES}
        self.environment = told = {
            "DATABASE_URL": database_url,
            "REDIS_URL": settings.redis_url,
            "SOCIALERASMUS_ENVIRONMENT": "test",
            "SOCIALERASMUS_SECRET": SECRET,
            "SOCIALERASMUS_BASE_URL": BASE_URL,
            **{f"SOCIALERASMUS_{name.upper()}": str(value) for name, value in UNLIMITED.items()},
            "PYTHONPATH": str(REPOSITORY),
            # Compiled once for all of them, and never into the tree.
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
            "PATH": os.environ["PATH"],
            **environment,
        }
        self.apis = {
            name: Process(["api", name, "--port", str(port)], told, folder / f"api-{name}.log")
            for name, port in self.ports_of.items()
        }
        self.workers = {
            name: Process(
                ["worker", name],
                told | {"REDIS_URL": numbered(settings.redis_url, name) if apart else settings.redis_url},
                folder / f"worker-{name}.log",
            )
            for name in registry.SERVICES
        }
        self.client = httpx.AsyncClient(transport=_ByService(self.ports_of), base_url=BASE_URL, timeout=30)
        self.network = Network(settings, database_url, {}, self.client)

    @property
    def all(self) -> list[Process]:
        """Every process."""
        return [*self.apis.values(), *self.workers.values()]

    async def start(self) -> None:
        """Start all; the first one alone, for it compiles the code for the others."""
        await self.all[0].start()
        for process in self.all[1:]:
            process.launch()
        for process in self.all[1:]:
            await process.ready()

    async def close(self) -> None:
        """End all at once: nothing may be lost by that."""
        await self.client.aclose()
        for process in self.all:
            process.kill()

    async def backlog(self) -> dict[str, int]:
        """What each consumer has yet to read, what is parked and which mails are due, in one snapshot."""
        parts, values = [], list[object]()
        for name, service in registry.SERVICES.items():
            values += [name, [kind.name for kind in service.consumer.handlers]]
            parts.append(_UNREAD.format(consumer=f"${len(values) - 1}", names=f"${len(values)}"))
        parts += [
            "SELECT 'parked', count(*) FROM events.dead_letters",
            "SELECT 'mails', count(*) FROM registration.outgoing_mail WHERE due_at IS NOT NULL",
        ]
        found = await rows(self.database_url, " UNION ALL ".join(parts), *values)
        return {row[0]: row[1] for row in found}

    async def settle(self, *, seconds: float = 60.0) -> None:
        """Wait until every event had its effects and every mail was sent, with no human action."""

        async def is_quiet() -> None:
            backlog = await self.backlog()
            assert not any(backlog.values()), backlog

        await eventually(is_quiet, seconds=seconds)

    async def command(self, *arguments: str) -> str:
        """Run a command to its end, as an operator beside the running services; answers what it printed."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services", *arguments, cwd=REPOSITORY, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        printed, said = await child.communicate()
        assert child.returncode == 0, said.decode()
        return printed.decode()

    async def published(self, **changes: Any) -> str:
        """Publish an activity; answers its id as soon as that is acknowledged."""
        drafted = await self.network.drafted(**changes)
        local, national = await self.network.local(), await self.network.national()
        for verb, who in (("submit", local), ("approve", national), ("publish", local)):
            reply = await self.client.post(f"/activities/v1/activities/{drafted['id']}/{verb}", headers=who)
            assert reply.status_code == 200, reply.text
        identity: str = drafted["id"]
        return identity

    async def opened(self, activity_id: str, *, seconds: float = 15.0) -> None:
        """Wait until students can sign up for an activity."""

        async def is_open() -> None:
            reply = await self.client.get(f"/registration/v1/activities/{activity_id}/availability")
            assert (reply.status_code, reply.json().get("open")) == (200, True)

        await eventually(is_open, seconds=seconds, every=0.02)

    async def readiness(self) -> dict[str, tuple[int, dict[str, Any]]]:
        """What each API says of itself."""
        replies = {name: await self.client.get(f"/{name}/readyz") for name in self.apis}
        return {name: (reply.status_code, reply.json()) for name, reply in replies.items()}

    async def healthy(self, *, seconds: float = 15.0) -> None:
        """Wait until each API says that all is well."""
        well = {"status": "ok", "database": "ok", "queue": "ok", "unread_events": 0, "parked_events": 0}

        async def all_is_well() -> None:
            assert await self.readiness() == dict.fromkeys(self.apis, (200, well))

        await eventually(all_is_well, seconds=seconds)


@asynccontextmanager
async def running(made: Processes) -> AsyncIterator[Processes]:
    """The processes for as long as the block runs."""
    try:
        await made.start()
        yield made
    finally:
        await made.close()
