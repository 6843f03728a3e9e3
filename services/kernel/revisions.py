"""Which revision a database has and which this code was written for, told without loading what migrates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.kernel.failures import Stop

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
_REVISION = re.compile(r"^(revision|down_revision)\b[^=\n]*= *['\"]([^'\"]+)['\"]", re.MULTILINE)


@dataclass(frozen=True)
class History:
    """A schema that migrates on its own.

    `grants` says what every service's role may do with a table, `grants_to` what one role may besides. To those of
    its own tables that are `append_only` an owner may only add.
    """

    schema: str
    metadata: sa.MetaData
    owner: str | None = None
    grants: tuple[tuple[str, str], ...] = ()
    grants_to: tuple[tuple[str, str, str], ...] = ()
    append_only: tuple[str, ...] = ()


def head(schema: str, folder: Path = FOLDER) -> str | None:
    """The revision that no other follows, read from the files: importing them all costs more than a service's start."""
    found: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for path in (folder / schema).glob("*.py"):
        for name, value in _REVISION.findall(path.read_text(encoding="utf-8")):
            found[name].add(value)
    ends = found["revision"] - found["down_revision"]
    if len(ends) > 1:
        raise ValueError(f"the history of {schema} has {len(ends)} ends")
    return next(iter(ends), None)


async def revision_of(connection: AsyncConnection, schema: str) -> str | None:
    """The revision that a schema has; None where it was never migrated."""
    table = sa.table("alembic_version", sa.column("version_num", sa.Text), schema=schema)
    is_there = sa.select(sa.func.to_regclass(f'"{schema}".alembic_version').is_not(None))
    if not await connection.scalar(is_there):
        return None
    found: str | None = await connection.scalar(sa.select(table.c.version_num))
    return found


async def refuse_unless_current(engine: AsyncEngine, histories: Iterable[History]) -> None:
    """Raise Stop with one sentence when a service would meet other tables than it was written for."""
    async with engine.connect() as connection:
        for history in histories:
            if await revision_of(connection, history.schema) != head(history.schema):
                raise Stop(
                    f"The schema {history.schema} of the database is not at this version's revision; "
                    "run `python -m services migrate` with this version first."
                )
