"""Who may do what: every route as everybody, against a table in the tree."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness import authorisation
from tests.harness.attempts import ATTEMPTS, Trier, route_of
from tests.harness.authorisation import CALLERS, World
from tests.harness.databases import Databases
from tests.harness.databases import settings as settings_of
from tests.harness.network import running
from tests.harness.openapi import OPERATIONS, Operation

TABLE = Path(__file__).with_name("authorisation.csv")
with TABLE.open(newline="") as _file:
    HEADER, *_ROWS = csv.reader(_file)
EXPECTED = {row[0]: dict(zip(HEADER[1:], row[1:], strict=True)) for row in _ROWS}


@pytest.fixture(scope="module")
async def world(databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Everybody and everything, made once; what a request changes is undone."""
    async with databases.fresh() as url:
        told = settings_of(url, redis_url, mailbox=tmp_path_factory.mktemp("mailbox"))
        async with running(told, url) as network:
            made = await authorisation.build(network)
            with pytest.MonkeyPatch.context() as patch:
                authorisation.undo_everything(patch)
                yield made


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    routes = [route_of(operation) for operation in OPERATIONS]
    assert (HEADER[1:], list(EXPECTED)) == (list(CALLERS), sorted(routes, key=lambda route: route.split()[::-1]))
    assert ATTEMPTS.keys() <= set(routes)


@pytest.mark.parametrize("operation", OPERATIONS, ids=route_of)
async def test_everybody_may_do_what_the_table_says_and_no_more(world: World, operation: Operation) -> None:
    trier = Trier(world)
    found = {}
    for caller in CALLERS:
        status = (await trier.send(operation, caller)).status_code
        found[caller] = "2xx" if 200 <= status < 300 else str(status)
    assert found == EXPECTED[route_of(operation)]
