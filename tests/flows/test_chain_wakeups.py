"""The whole chain with every wake-up lost, doubled or late: a relay stands between the APIs and the workers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy import valkey
from tests.flows.chain import END, Chain
from tests.flows.disturbances import Relay
from tests.harness import databases as harness
from tests.harness import processes
from tests.harness.mail_server import MailServer
from tests.harness.processes import Processes, numbered


@pytest.fixture(scope="module")
async def relayed(
    flows_database: str, queue: valkey.Server, mails: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Processes]:
    """The APIs on one Redis database, each worker on another."""
    folder = tmp_path_factory.mktemp("relayed")
    settings = harness.settings(flows_database, queue.url)
    made = Processes(folder, settings, flows_database, apart=True, SMTP_URL=mails.url)
    async with processes.running(made):
        yield made


@pytest.mark.parametrize(("how", "country"), [("lost", "FI"), ("doubled", "FR"), ("late", "GR")])
async def test_no_wake_up_needs_to_arrive_once_and_in_time(
    relayed: Processes, mails: MailServer, queue: valkey.Server, how: str, country: str
) -> None:
    urls = {"api": queue.url, **{name: numbered(queue.url, name) for name in relayed.workers}}
    assert await Chain(relayed, mails, country, Relay(urls, how)).run() == END
