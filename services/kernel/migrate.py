"""Brings a database up to date: a schema, a role and a linear Alembic history for each part, under one lock."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.kernel.failures import Stop
from services.kernel.revisions import FOLDER, History, revision_of

PARTITION = re.compile(r"_part_\d+$")
"""What the name of a partition ends in: migrations make them, and no table in code is one."""
LOCK = 7_300_614_471  # Any number, as long as nobody else takes an advisory lock of it in this database.


def config(history: History, connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration of one history."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    made.set_main_option("path_separator", "newline")
    made.set_main_option("version_locations", str(FOLDER / history.schema).replace("%", "%%"))
    made.attributes.update(connection=connection, schema=history.schema, metadata=history.metadata)
    return made


async def upgrade(engine: AsyncEngine, histories: Mapping[str, History]) -> list[str]:
    """Bring every history to its head, in one transaction; answers which ones moved.

    A second process that migrates at the same time waits, then finds nothing to do.
    """
    moved = []
    async with engine.begin() as connection:
        await connection.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
        await connection.execute(sa.text("SET LOCAL statement_timeout = '10min'"))
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        roles = [history.owner for history in histories.values() if history.owner]
        for role in roles:
            await _make_role(connection, role)
        for history in histories.values():
            await connection.execute(sa.text(f'CREATE SCHEMA IF NOT EXISTS "{history.schema}"'))
            before = await revision_of(connection, history.schema)
            _check_known(history, before)
            await connection.run_sync(_upgrade, history)
            if before != await revision_of(connection, history.schema):
                moved.append(history.schema)
            await _grant(connection, history, roles)
    return moved


def _upgrade(connection: sa.Connection, history: History) -> None:
    command.upgrade(config(history, connection), "head")


def _check_known(history: History, revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config(history)).walk_revisions()}
    if revision is not None and revision not in known:
        raise Stop(
            f"The schema {history.schema} of this database is at revision {revision}, unknown to this version; "
            "start the version of SocialErasmus that migrated it, or a newer one."
        )


async def _make_role(connection: AsyncConnection, role: str) -> None:
    # Roles belong to the whole cluster, where another database's migration may make the same one at this moment.
    await connection.execute(
        sa.text(
            f'DO $$ BEGIN CREATE ROLE "{role}" NOLOGIN; '
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    )
    member = sa.text("SELECT pg_has_role(current_user, :role, 'MEMBER')")
    if not (await connection.execute(member, {"role": role})).scalar_one():
        await connection.execute(sa.text(f'GRANT "{role}" TO CURRENT_USER'))


async def _grant(connection: AsyncConnection, history: History, roles: list[str]) -> None:
    schema = history.schema
    rights = [("ALL TABLES IN SCHEMA", "SELECT, INSERT, UPDATE, DELETE", history.owner)] if history.owner else []
    statements = [f'GRANT {what} ON {kind} "{schema}" TO "{role}"' for kind, what, role in rights]
    for role in [history.owner] if history.owner else roles:
        statements.append(f'GRANT USAGE ON SCHEMA "{schema}" TO "{role}"')
        statements += [f'GRANT {what} ON "{schema}"."{table}" TO "{role}"' for table, what in history.grants]
    for table in history.append_only:
        statements.append(f'REVOKE UPDATE, DELETE ON "{schema}"."{table}" FROM "{history.owner}"')
    statements += [f'GRANT {what} ON "{schema}"."{table}" TO "{role}"' for role, table, what in history.grants_to]
    for statement in statements:
        await connection.execute(sa.text(statement))
