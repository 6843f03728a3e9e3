"""Tries every route as everybody and writes anew who may do what, and who sees which field; a change is to be judged.

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
FIELDS = TABLE.with_name("fields.csv")


async def found() -> tuple[list[list[str]], list[list[str]]]:
    """The rows of both tables, in their order."""
    may, sees = list[list[str]](), list[list[str]]()
    databases = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await databases.make_template()
    try:
        async with databases.fresh() as url:
            told = settings(url, os.environ["REDIS_URL"], mailbox=Path(tempfile.mkdtemp()))
            async with running(told, url) as network:
                world = await authorisation.build(network)
                with pytest.MonkeyPatch.context() as patch:
                    authorisation.undo_everything(patch)
                    for operation in sorted(OPERATIONS, key=lambda each: route_of(each).split()[::-1]):
                        trier, route = Trier(world), route_of(operation)
                        may.append([route, *[await trier.outcome(operation, caller) for caller in CALLERS]])
                        sees += [[route, *row] for row in trier.fields_apart().items()]
                return may, sees
    finally:
        await databases.drop_template()


if __name__ == "__main__":
    logs.configure("WARNING", service="test")
    rights, fields = asyncio.run(found())
    for path, header, rows in ((TABLE, ["route", *CALLERS], rights), (FIELDS, ["route", "field", "shown to"], fields)):
        with path.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
