"""The services as processes for the flows, on servers of their own that a flow may flush, stop and kill."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy import postgres, valkey
from tests.flows.chain import SECTIONS
from tests.harness import databases as harness
from tests.harness import mail_server, processes
from tests.harness.databases import Databases
from tests.harness.mail_server import MailServer
from tests.harness.processes import Processes


@pytest.fixture(scope="session")
def queue() -> Iterator[valkey.Server]:
    """A Redis that nobody else uses."""
    with valkey.running() as server:
        yield server


@pytest.fixture(scope="session")
def mails() -> Iterator[MailServer]:
    """Where every mail of the flows is really sent."""
    with mail_server.running() as server:
        yield server


@pytest.fixture(scope="session")
async def flows_database() -> AsyncIterator[str]:
    """A database on a Postgres that nobody else uses: what others do at length would hold our consumers back."""
    with postgres.running() as server:
        made = Databases(server.superuser_url, "redis://127.0.0.1:1/0")
        await made.make_template()
        async with made.fresh() as url:
            connection = await asyncpg.connect(url)
            await connection.execute(SECTIONS)
            await connection.close()
            yield url


@pytest.fixture(scope="module")
async def direct(
    flows_database: str, queue: valkey.Server, mails: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Processes]:
    """Three APIs and three workers on one Redis."""
    folder: Path = tmp_path_factory.mktemp("direct")
    settings = harness.settings(flows_database, queue.url)
    async with processes.running(Processes(folder, settings, flows_database, SMTP_URL=mails.url)) as made:
        yield made
