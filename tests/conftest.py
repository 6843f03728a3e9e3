"""Fixtures that every test may use: a server, a fresh database, the services on it."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.kernel import logs
from tests.harness import compiling
from tests.harness import databases as harness
from tests.harness.databases import Databases
from tests.harness.network import Network, running


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end which tests were left out for want of what, and how to get it.

    It stands here since the process that reports reads no conftest below, where tests run in processes of their own.
    """
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("left out", yellow=True, bold=True)
        for reason, many in sorted(reasons.items()):
            terminalreporter.line(f"{many} tests: {reason}.", yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders whose modules take longest, so that no process waits at the end for the other's last."""
    items.sort(key=lambda item: item.path.parent.name not in _LONGEST)


_LONGEST = ("flows", "faults", "browser", "contracts", "properties")


def pytest_collection_finish() -> None:
    """What was imported and collected lives until the end: the garbage collector need not look through it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _quiet_logs() -> None:
    """Keep what goes well out of the output of a test that fails."""
    logs.configure("WARNING", service="test")


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The queue that `deploy test` started."""
    return os.environ["REDIS_URL"]


@pytest.fixture(scope="session")
async def databases(redis_url: str) -> AsyncIterator[Databases]:
    """Databases on the server that `deploy test` started."""
    url = os.environ["DATABASE_URL"]
    made = Databases(url, redis_url)
    await made.make_template()
    async with compiling.shared(url):
        yield made
    await made.drop_template()


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A database of the test's own, migrated, with a small network of sections."""
    async with databases.fresh() as url:
        yield url


@pytest.fixture
async def network(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    """The three services in this process on a fresh database."""
    told = harness.settings(database_url, redis_url, mailbox=tmp_path / "mailbox")
    async with running(told, database_url) as made:
        yield made


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the data that must not be copied into the project."""
    folder = os.environ.get("SOCIALERASMUS_SHARED_DATA")
    if not folder:
        pytest.skip("needs SOCIALERASMUS_SHARED_DATA: the sections and countries, which are not ours to ship")
    return Path(folder)
