"""Each history goes up, down and up again, ends at the tables in code, and is safe from others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kernel import db, migrate, revisions
from services.kernel.failures import Stop
from services.kernel.migrate import PARTITION, config
from services.kernel.revisions import History
from services.registry import HISTORIES
from tests.harness import databases as harness
from tests.harness.databases import Databases, rows, value

STEPS = [
    (history, script.revision, script.down_revision or "base")
    for history in HISTORIES.values()
    for script in reversed(list(ScriptDirectory.from_config(config(history)).walk_revisions()))
]

# They change what lies in the tables, or what keeps it; tests of their own show how.
OF_ROWS = {
    ("access", "0003"),
    *(("activities", revision) for revision in ("0010", "0012", "0013", "0022")),
}

# Columns with how they are stored, indexes, constraints, policies and statistics of a schema, one a line.
SHAPE = """
SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
FROM information_schema.columns WHERE table_schema = :schema AND table_name <> 'alembic_version'
UNION ALL SELECT concat_ws(' ', attrelid::regclass, attname, attstorage) FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid AND relkind IN ('r', 'p') AND relname <> 'alembic_version'
WHERE relnamespace = to_regnamespace(:schema) AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxnamespace = to_regnamespace(:schema)
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = :schema AND tablename <> 'alembic_version'
UNION ALL SELECT concat_ws(' ', conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE connamespace = cast(:schema AS regnamespace) AND conrelid <> cast(:schema || '.alembic_version' AS regclass)
UNION ALL SELECT concat_ws(' ', tablename, policyname, cmd, qual) FROM pg_policies WHERE schemaname = :schema
"""


@pytest.fixture
async def empty(databases: Databases) -> AsyncIterator[str]:
    """A database without a table."""
    async with databases.fresh(template="template0") as url:
        yield url


@pytest.fixture
async def engine(empty: str, redis_url: str) -> AsyncIterator[AsyncEngine]:
    """The owner's engine on an empty database."""
    made = db.create_engine(harness.settings(empty, redis_url), role=None, pool_size=2)
    yield made
    await made.dispose()


def _schema_of(connection: sa.Connection, schema: str) -> list[str]:
    statement = sa.text(SHAPE).bindparams(sa.bindparam("schema", schema, literal_execute=True))
    found = connection.execute(statement)
    return sorted(found.scalars())


@pytest.mark.parametrize(
    ("history", "revision", "before"), STEPS, ids=[f"{step[0].schema}-{step[1]}" for step in STEPS]
)
async def test_every_revision_goes_up_down_and_up_again(
    engine: AsyncEngine, history: History, revision: str, before: str
) -> None:
    def stairs(connection: sa.Connection) -> None:
        told = config(history, connection)
        connection.execute(sa.text(f'CREATE SCHEMA "{history.schema}"'))
        command.upgrade(told, before) if before != "base" else None
        command.upgrade(told, revision)
        first = _schema_of(connection, history.schema)
        command.downgrade(told, before)
        below = _schema_of(connection, history.schema)
        command.upgrade(told, revision)
        assert _schema_of(connection, history.schema) == first
        assert (below != first) is ((history.schema, revision) not in OF_ROWS)
        if before == "base":
            assert below == []

    async with engine.begin() as connection:
        await connection.run_sync(stairs)


@pytest.mark.parametrize("history", HISTORIES.values(), ids=list(HISTORIES))
async def test_a_migrated_schema_is_what_the_tables_in_code_say(
    database_url: str, redis_url: str, history: History
) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table_schema": history.schema,
                "include_schemas": True,
                "include_name": lambda name, kind, _: (
                    name == history.schema if kind == "schema" else PARTITION.search(name or "") is None
                ),
                "compare_server_default": True,
            },
        )
        return list(compare_metadata(context, history.metadata))

    engine = db.create_engine(harness.settings(database_url, redis_url), role=None, pool_size=1)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.mark.parametrize("history", HISTORIES.values(), ids=list(HISTORIES))
def test_a_history_is_one_line(history: History) -> None:
    assert ScriptDirectory.from_config(config(history)).get_heads() == [revisions.head(history.schema)]


@pytest.mark.parametrize("history", HISTORIES.values(), ids=list(HISTORIES))
def test_a_history_stays_in_its_own_schema(history: History) -> None:
    assert {table.schema for table in history.metadata.tables.values()} == {history.schema}
    for table in history.metadata.tables.values():
        assert {key.column.table.schema for key in table.foreign_keys} <= {history.schema}


async def test_migrating_again_changes_nothing(engine: AsyncEngine) -> None:
    assert await migrate.upgrade(engine, HISTORIES) == list(HISTORIES)
    assert await migrate.upgrade(engine, HISTORIES) == []
    await revisions.refuse_unless_current(engine, HISTORIES.values())


async def test_of_two_migrators_at_once_one_migrates_and_the_other_waits(empty: str, redis_url: str) -> None:
    engines = [db.create_engine(harness.settings(empty, redis_url), role=None, pool_size=1) for _ in range(3)]
    moved = await asyncio.gather(*(migrate.upgrade(engine, HISTORIES) for engine in engines))
    for engine in engines:
        await engine.dispose()
    assert sorted(moved) == [[], [], list(HISTORIES)]


@pytest.mark.parametrize("schema", list(HISTORIES))
async def test_a_schema_of_a_newer_version_is_refused_in_one_sentence_and_left_alone(
    database_url: str, redis_url: str, schema: str
) -> None:
    await rows(database_url, f"UPDATE \"{schema}\".alembic_version SET version_num = '9999'")
    engine = db.create_engine(harness.settings(database_url, redis_url), role=None, pool_size=1)
    with pytest.raises(Stop) as refusal:
        await migrate.upgrade(engine, HISTORIES)
    with pytest.raises(Stop, match=f"The schema {schema} of the database is not at this version's revision"):
        await revisions.refuse_unless_current(engine, [HISTORIES[schema]])
    await engine.dispose()
    sentence = str(refusal.value)
    assert sentence.startswith(f"The schema {schema} of this database is at revision 9999")
    assert (sentence.count("."), "\n" in sentence) == (1, False)
    assert await value(database_url, f'SELECT version_num FROM "{schema}".alembic_version') == "9999"


async def test_a_migration_that_fails_leaves_no_history_moved(
    engine: AsyncEngine, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = list(HISTORIES)[-1]
    real = migrate._upgrade

    def fail_at_the_last(connection: sa.Connection, history: History) -> None:
        real(connection, history)
        if history.schema == last:
            raise ConnectionError("killed midway")

    monkeypatch.setattr(migrate, "_upgrade", fail_at_the_last)
    with pytest.raises(ConnectionError):
        await migrate.upgrade(engine, HISTORIES)
    assert await value(empty, "SELECT count(*) FROM pg_tables WHERE schemaname = ANY($1)", list(HISTORIES)) == 0
    monkeypatch.setattr(migrate, "_upgrade", real)
    assert await migrate.upgrade(engine, HISTORIES) == list(HISTORIES)
