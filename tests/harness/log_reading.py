"""A log, a consumer of the test's own and its effects, on a fresh database: the kernel alone, without a service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import asyncpg
import sqlalchemy as sa
import structlog.testing
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import events
from services.kernel.consumers import Consumer
from services.kernel.facts import Event
from services.kernel.runtime import Runtime
from services.kernel.service import Service
from services.kernel.settings import Settings
from services.kernel.worker import Worker
from tests.harness.databases import rows

CONSUMER = "activities"


class Told(Event):
    """Something happened to something: the step of a story that is told in order."""

    name: ClassVar[str] = "test.told.v1"
    heard_by: ClassVar[tuple[str, ...]] = (CONSUMER,)

    about: str
    step: int

    def aggregate(self) -> str:
        return self.about


class Murmured(Told):
    """What the consumer under test does not listen to."""

    name: ClassVar[str] = "test.murmured.v1"


EFFECTS = sa.table("effects", sa.column("about"), sa.column("step"), schema="activities")
DDL = """
CREATE TABLE activities.effects (
    nth bigint GENERATED ALWAYS AS IDENTITY, about text NOT NULL, step int NOT NULL,
    CONSTRAINT at_commit FOREIGN KEY (about) REFERENCES activities.subjects DEFERRABLE INITIALLY DEFERRED
);
GRANT SELECT, INSERT ON activities.effects, activities.subjects TO activities;
"""
SUBJECTS = """
CREATE TABLE activities.subjects (about text PRIMARY KEY);
INSERT INTO activities.subjects SELECT 'subject ' || number FROM generate_series(0, 99) AS number;
GRANT UPDATE ON activities.subjects TO activities;
"""


async def write_down(session: AsyncSession, event: Told, runtime: Runtime) -> None:
    """The plainest handler: a row for each event, so that twice is seen."""
    await session.execute(sa.insert(EFFECTS).values(about=event.about, step=event.step))


async def record(session: AsyncSession, about: int, step: int, kind: type[Told] = Told) -> None:
    """Record one event in the caller's transaction."""
    await events.record(session, kind(about=f"subject {about}", step=step))


Handler = Callable[[AsyncSession, Told, Runtime], Awaitable[None]]


class Reading:
    """The log of one database, and what a consumer made of it."""

    def __init__(self, url: str, runtime: Runtime, lines: list[MutableMapping[str, Any]]) -> None:
        self.url = url
        self.runtime = runtime
        self.lines = lines

    async def tell(self, about: int, step: int, *, kind: type[Told] = Told) -> None:
        """Record one event in a transaction of its own."""
        async with self.runtime.unit_of_work() as session:
            await record(session, about, step, kind)

    async def read_on(self, consumer: Consumer) -> int | None:
        """One batch."""
        async with self.runtime.unit_of_work() as session:
            return await consumer.read_on(session, self.runtime)

    async def retry(self, consumer: Consumer) -> int:
        """One round of what is parked and due."""
        async with self.runtime.unit_of_work() as session:
            return await consumer.retry_parked(session, self.runtime)

    def worker(self, consumer: Consumer) -> Worker:
        """A worker of this consumer and nothing else."""
        return Worker(Service(CONSUMER, CONSUMER, CONSUMER, (), consumer), self.runtime)

    async def effects(self) -> list[tuple[str, int]]:
        """What was carried out, in the order in which it was."""
        return [
            (row[0], row[1]) for row in await rows(self.url, "SELECT about, step FROM activities.effects ORDER BY nth")
        ]

    async def parked(self) -> list[tuple[str, int, int, bool]]:
        """Subject, step, tries so far and whether another try is planned, oldest first."""
        found = await rows(
            self.url,
            """SELECT letter.aggregate, (log.payload ->> 'step')::int, letter.tries, letter.next_try_at IS NOT NULL
               FROM events.dead_letters AS letter JOIN events.log USING (xid, number) ORDER BY xid, number""",
        )
        return [tuple(row) for row in found]

    async def let_time_pass(self) -> None:
        """Make every planned try due, as if its pause were over."""
        await rows(
            self.url,
            "UPDATE events.dead_letters SET next_try_at = now() WHERE next_try_at IS NOT NULL AND error IS NOT NULL",
        )

    async def cursor(self) -> tuple[int, int]:
        """Where the consumer stands."""
        found = await rows(self.url, "SELECT xid::text, number FROM events.cursors WHERE consumer = $1", CONSUMER)
        return (int(found[0][0]), found[0][1]) if found else (0, 0)


@asynccontextmanager
async def reading(url: str, settings: Settings) -> AsyncIterator[Reading]:
    """Prepare a fresh database for a consumer of the test's own."""
    connection = await asyncpg.connect(url)
    await connection.execute(SUBJECTS)
    await connection.execute(DDL)
    await connection.close()
    runtime = Runtime(settings, role=CONSUMER)
    with structlog.testing.capture_logs() as lines:
        try:
            yield Reading(url, runtime, lines)
        finally:
            await runtime.close()
