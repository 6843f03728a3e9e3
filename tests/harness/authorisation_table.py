"""Tries every route as everybody and writes the table of who may do what anew; what changes in it is to be judged.

Run it with servers as for the tests: `python -m tests.harness.authorisation_table`.
"""

from __future__ import annotations

import asyncio
import csv
import os
import tempfile
from pathlib import Path

import pytest

from services.kernel import logs
from tests.harness import authorisation
from tests.harness.attempts import Trier, route_of
from tests.harness.authorisation import CALLERS
from tests.harness.databases import Databases, settings
from tests.harness.network import running
from tests.harness.openapi import OPERATIONS

TABLE = Path(__file__).parents[1] / "api" / "authorisation.csv"


async def found() -> list[list[str]]:
    """The rows, in their order."""
    databases = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await databases.make_template()
    try:
        async with databases.fresh() as url:
            told = settings(url, os.environ["REDIS_URL"], mailbox=Path(tempfile.mkdtemp()))
            async with running(told, url) as network:
                trier = Trier(await authorisation.build(network))
                with pytest.MonkeyPatch.context() as patch:
                    authorisation.undo_everything(patch)
                    return [
                        [route_of(operation), *[await trier.outcome(operation, caller) for caller in CALLERS]]
                        for operation in sorted(OPERATIONS, key=lambda each: route_of(each).split()[::-1])
                    ]
    finally:
        await databases.drop_template()


if __name__ == "__main__":
    logs.configure("WARNING", service="test")
    rows = asyncio.run(found())
    with TABLE.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([["route", *CALLERS], *rows])
