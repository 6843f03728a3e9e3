"""Fixtures of the tests of the public API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.harness import databases as harness
from tests.harness.databases import Databases
from tests.harness.network import Network, running


@pytest.fixture(scope="module")
async def shared(
    databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """One network for all tests of a file: for tests that write nothing, or look at nothing but what they wrote."""
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, mailbox=tmp_path_factory.mktemp("mailbox"))
        async with running(told, url) as made:
            yield made
