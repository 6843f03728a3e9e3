"""The three services in the test's own process: one HTTP client, the workers turned by hand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from services import registry
from services.activities import main as activities
from services.kernel import consumers, db
from services.kernel.application import combine, create_app
from services.kernel.auth import Role
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.worker import Worker

DRAFT: dict[str, Any] = {
    "title": "Cleaning Porto Ferro beach",
    "summary": "We clean the beach with the surf school. Gloves are there.",
    "areas": ["environment"],
    "causes": [{"code": "environmental-sustainability", "main": True}],
    "organisers": [{"code": "IT-SASS-ESN", "lead": True}],
    "starts_at": "2027-05-08T10:00",
    "ends_at": "2027-05-08T13:00",
    "capacity": 40,
    "place": {"name": "Porto Ferro", "city": "Sassari", "country": "IT", "latitude": 40.68, "longitude": 8.2},
    "label_checklist": {
        "action_modes": ["action"],
        "for_a_cause": True,
        "community_impact": "The bay is free of plastic before the summer.",
        "student_part": "They collect, sort and weigh the litter.",
    },
}


class Network:
    """The services of one test, with its own database."""

    def __init__(
        self, settings: Settings, database_url: str, runtimes: dict[str, Runtime], client: httpx.AsyncClient
    ) -> None:
        self.settings = settings
        self.database_url = database_url
        self.runtimes = runtimes
        self.client = client
        self._keys = itertools.count(1)
        self._observer: asyncpg.Connection | None = None

    async def observer(self) -> asyncpg.Connection:
        """A connection that sees everything, as the database's owner; it closes with the network."""
        if self._observer is None:
            self._observer = await asyncpg.connect(self.database_url)
        return self._observer

    async def close(self) -> None:
        """Let go of the database."""
        if self._observer is not None:
            await self._observer.close()
        for runtime in self.runtimes.values():
            await runtime.close()

    def key(self) -> dict[str, str]:
        """A fresh Idempotency-Key header."""
        return {"Idempotency-Key": f'"key-{next(self._keys)}"'}

    async def token(self, role: str, *, section: str | None = None, country: str | None = None) -> dict[str, str]:
        """The Authorization header of a caller with a role."""
        engine = db.create_engine(self.settings, role=None, pool_size=1)
        try:
            async with db.session_factory(engine).begin() as session:
                token = await activities.issue_token(
                    session, role=Role(role), section=section, country=country, label="test", lasts=timedelta(days=1)
                )
        finally:
            await engine.dispose()
        return {"Authorization": f"Bearer {token}"}

    async def local(self, section: str = "IT-SASS-ESN") -> dict[str, str]:
        """The header of a section's coordinator."""
        return await self.token("local_coordinator", section=section)

    async def national(self, country: str = "IT") -> dict[str, str]:
        """The header of a country's coordinator."""
        return await self.token("national_coordinator", country=country)

    async def drafted(self, **changes: Any) -> dict[str, Any]:
        """An activity as a draft of ESN Sassari."""
        reply = await self.client.post(
            "/activities/v1/activities", json={**DRAFT, **changes}, headers={**await self.local(), **self.key()}
        )
        assert reply.status_code == 201, reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def published(self, **changes: Any) -> dict[str, Any]:
        """An activity that students can sign up for; the other services have heard of it."""
        drafted = await self.drafted(**changes)
        local, national = await self.local(), await self.national()
        for verb, who in (("submit", local), ("approve", national), ("publish", local)):
            reply = await self.client.post(f"/activities/v1/activities/{drafted['id']}/{verb}", headers=who)
            assert reply.status_code == 200, reply.text
        await self.settle()
        found: dict[str, Any] = reply.json()
        return found

    async def settle(self) -> None:
        """Let every worker carry out what there is, and what follows from it, until all is quiet.

        A transaction anywhere on the server, in another test's database too, may hold events back for a moment.
        """
        workers = [Worker(service, self.runtimes[name]) for name, service in registry.SERVICES.items()]
        deadline = asyncio.get_running_loop().time() + 30
        while sum([await worker.catch_up() for worker in workers]) or await self._unread():
            assert asyncio.get_running_loop().time() < deadline, "the workers do not come to rest"
            await asyncio.sleep(0)

    async def _unread(self) -> int:
        found = 0
        for name, service in registry.SERVICES.items():
            async with self.runtimes[name].reading() as session:
                found += (await consumers.backlog(session, service.consumer))[0]
        return found

    async def sweep(self) -> None:
        """Do all the work that is due by time, mail included."""
        for name, service in registry.SERVICES.items():
            for sweep in service.sweeps:
                while True:
                    async with self.runtimes[name].unit_of_work() as session:
                        if not await sweep.work(session, self.runtimes[name]):
                            break

    def mails(self) -> list[Path]:
        """The mails written so far, oldest first."""
        assert self.settings.mailbox is not None
        return sorted(self.settings.mailbox.glob("*.eml"))


@asynccontextmanager
async def running(settings: Settings, database_url: str) -> AsyncIterator[Network]:
    """The services on one database, for as long as the block runs."""
    runtimes = {name: Runtime(settings, role=name) for name in registry.SERVICES}
    app = combine({name: create_app(service, runtimes[name]) for name, service in registry.SERVICES.items()})
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=settings.base_url) as client:
        network = Network(settings, database_url, runtimes, client)
        try:
            yield network
        finally:
            await network.close()
