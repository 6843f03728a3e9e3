"""Postgres itself keeps the services apart: each role reaches its own schema, and of the shared ones what it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.kernel.audit.tables import APPEND_ONLY
from services.registry import HISTORIES
from tests.harness.databases import Databases

OWNERS = [history.schema for history in HISTORIES.values() if history.owner]
CROSSINGS = [
    (owner, table.fullname)
    for owner in OWNERS
    for history in HISTORIES.values()
    if history.owner and history.owner != owner
    for table in history.metadata.sorted_tables
]
WRITES = {
    "INSERT": "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE": "UPDATE {table} SET {column} = NULL",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table}",
}
REFUSED = {
    "events.count": ["INSERT", "UPDATE", "DELETE", "TRUNCATE"],
    "events.log": ["UPDATE", "DELETE", "TRUNCATE"],
    "access.tokens": ["INSERT", "UPDATE", "DELETE", "TRUNCATE"],
    "access.keys": ["DELETE", "TRUNCATE"],
    "events.cursors": ["DELETE", "TRUNCATE"],
    "events.dead_letters": ["TRUNCATE"],
}


@pytest.fixture(scope="module")
async def connection(databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the owner, who may act as any of the roles."""
    async with databases.fresh() as url:
        made = await asyncpg.connect(url)
        yield made
        await made.close()


async def _refused(connection: asyncpg.Connection, role: str, statement: str) -> str:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f'SET LOCAL ROLE "{role}"')
        with pytest.raises(asyncpg.InsufficientPrivilegeError) as refusal:
            await connection.execute(statement)
    finally:
        await transaction.rollback()
    return str(refusal.value)


async def _allowed(connection: asyncpg.Connection, role: str, statement: str) -> None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f'SET LOCAL ROLE "{role}"')
        await connection.execute(statement)
    finally:
        await transaction.rollback()


def _column(table: str) -> str:
    schema = table.partition(".")[0]
    return str(HISTORIES[schema].metadata.tables[table].columns.keys()[0])


@pytest.mark.parametrize("statement", ["SELECT * FROM {table}", *WRITES.values()], ids=["SELECT", *WRITES])
@pytest.mark.parametrize(("role", "table"), CROSSINGS)
async def test_no_service_reads_or_writes_the_schema_of_another(
    connection: asyncpg.Connection, role: str, table: str, statement: str
) -> None:
    told = await _refused(connection, role, statement.format(table=table, column=_column(table)))
    assert told == f"permission denied for schema {table.partition('.')[0]}"


@pytest.mark.parametrize(("table", "verb"), [(table, verb) for table, verbs in REFUSED.items() for verb in verbs])
@pytest.mark.parametrize("role", OWNERS)
async def test_the_log_is_append_only_and_tokens_are_read_only(
    connection: asyncpg.Connection, role: str, table: str, verb: str
) -> None:
    told = await _refused(connection, role, WRITES[verb].format(table=table, column=_column(table)))
    assert told == f"permission denied for table {table.partition('.')[2]}"


@pytest.mark.parametrize("role", OWNERS)
async def test_a_service_reaches_what_is_its_own(connection: asyncpg.Connection, role: str) -> None:
    for name in HISTORIES[role].metadata.tables:
        await _allowed(connection, role, f"SELECT * FROM {name}")
        if name.partition(".")[2] not in APPEND_ONLY:
            await _allowed(connection, role, f"DELETE FROM {name} WHERE false")
    for shared in REFUSED:
        await _allowed(connection, role, f"SELECT * FROM {shared}")


@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("role", OWNERS)
async def test_a_service_only_adds_to_its_audit(
    connection: asyncpg.Connection, role: str, table: str, verb: str
) -> None:
    name = f"{role}.{table}"
    told = await _refused(connection, role, WRITES[verb].format(table=name, column="at"))
    assert told == f"permission denied for table {table}"


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE {schema}.x (y int)", "DROP TABLE {table}", "ALTER TABLE {table} ADD x int"]
)
@pytest.mark.parametrize("role", OWNERS)
async def test_no_service_changes_the_shape_of_anything(
    connection: asyncpg.Connection, role: str, statement: str
) -> None:
    table = next(iter(HISTORIES[role].metadata.tables))
    await _refused(connection, role, statement.format(schema=role, table=table))
    await _refused(connection, role, "CREATE TABLE public.x (y int)")


@pytest.mark.parametrize("role", OWNERS)
async def test_a_role_cannot_log_in_and_is_nobody_special(connection: asyncpg.Connection, role: str) -> None:
    found = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", role)
    rights = ("rolsuper", "rolinherit", "rolcreaterole", "rolcreatedb", "rolcanlogin", "rolreplication", "rolbypassrls")
    assert {name for name in rights if found[name]} <= {"rolinherit"}
    member_of = await connection.fetchval("SELECT count(*) FROM pg_auth_members WHERE member = $1::regrole", role)
    assert member_of == 0


@pytest.mark.parametrize("role", sorted({*OWNERS} - {"activities"}))
async def test_one_service_alone_makes_and_ends_keys(connection: asyncpg.Connection, role: str) -> None:
    for statement in ("INSERT INTO access.keys DEFAULT VALUES", "UPDATE access.keys SET revoked_at = NULL"):
        assert await _refused(connection, role, statement) == "permission denied for table keys"
    await _allowed(connection, role, "UPDATE access.keys SET last_used_at = now()")
    await _allowed(connection, "activities", "UPDATE access.keys SET revoked_at = now()")
