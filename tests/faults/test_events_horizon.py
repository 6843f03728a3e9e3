"""What holds events back and what does not: writers of this database do, strangers on the same server do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.kernel.events import HORIZON
from tests.harness.databases import Databases, eventually


async def horizon(url: str) -> int:
    """The horizon as the least of our roles sees it."""
    connection = await asyncpg.connect(url, server_settings={"role": "impact"})
    try:
        return int(await connection.fetchval(HORIZON.text))
    finally:
        await connection.close()


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[int]:
    """A transaction that has its number and does not end."""
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield int(await connection.fetchval("SELECT pg_current_xact_id()::text"))
    finally:
        await transaction.rollback()
        await connection.close()


async def reaches(url: str, number: int) -> None:
    """The horizon comes to a number: a stranger that ends just as we look is counted for that moment."""

    async def there() -> None:
        assert await horizon(url) >= number

    await eventually(there)


async def test_a_writer_of_this_database_holds_the_horizon(database_url: str) -> None:
    async with writing(database_url) as number:
        async with writing(database_url):
            await reaches(database_url, number)
            assert await horizon(database_url) <= number
        assert await horizon(database_url) <= number
    await reaches(database_url, number + 1)


async def test_a_writer_of_another_database_does_not(databases: Databases, database_url: str) -> None:
    async with databases.fresh() as other, writing(other) as stranger:
        async with writing(database_url) as ours:
            assert stranger < ours
            await reaches(database_url, ours)
            assert await horizon(database_url) <= ours
        await reaches(database_url, ours + 1)


async def test_a_reader_holds_nothing(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.fetchval("SELECT count(*) FROM events.log")
        async with writing(database_url) as number:
            pass
        await reaches(database_url, number + 1)
    await connection.close()


async def test_what_is_committed_is_below_the_horizon(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    number = int(await connection.fetchval("SELECT pg_current_xact_id()::text"))
    await reaches(database_url, number + 1)
    await connection.close()
