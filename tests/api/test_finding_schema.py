"""The schema that finding needs: made by a database's owner without being a superuser, undone, and made again."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services import registry
from services.kernel import db, migrate
from tests.harness.databases import at, settings, value

HISTORY = registry.HISTORIES["activities"]


async def test_a_database_owner_migrates_without_being_a_superuser(database_url: str, redis_url: str) -> None:
    name, password = f"owner_{secrets.token_hex(4)}", secrets.token_hex(8)
    server = await asyncpg.connect(database_url)
    await server.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{password}'")
    await server.execute(
        f"GRANT {', '.join(history.owner for history in registry.HISTORIES.values() if history.owner)} TO {name}"
    )
    try:
        await server.execute(f"CREATE DATABASE {name} OWNER {name}")
        address = urlsplit(at(database_url, name))
        url = urlunsplit(address._replace(netloc=f"{name}:{password}@{address.hostname}:{address.port}"))
        engine = db.create_engine(settings(url, redis_url), role=None, pool_size=1)
        assert "activities" in await migrate.upgrade(engine, registry.HISTORIES)
        await engine.dispose()
        assert await value(url, "SELECT activities.plain_text('Ærø')") == "aero"
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await server.execute(f"DROP OWNED BY {name}")
        await server.execute(f"DROP ROLE {name}")
        await server.close()


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index:UserWarning")
async def test_the_tables_are_those_of_the_code_and_can_be_undone(database_url: str, redis_url: str) -> None:
    engine = db.create_engine(settings(database_url, redis_url), role=None, pool_size=1)

    def differences(connection: sa.Connection) -> list[object]:
        options = {
            "version_table_schema": HISTORY.schema,
            "include_schemas": True,
            "include_name": lambda name, kind, _: name == HISTORY.schema if kind == "schema" else True,
        }
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, HISTORY.metadata))

    async with engine.begin() as connection:
        assert await connection.run_sync(differences) == []
    async with engine.begin() as connection:
        await connection.run_sync(lambda held: command.downgrade(migrate.config(HISTORY, held), "0003-1"))
    async with engine.begin() as connection:
        await connection.run_sync(lambda held: command.upgrade(migrate.config(HISTORY, held), "head"))
        assert await connection.run_sync(differences) == []
    await engine.dispose()
