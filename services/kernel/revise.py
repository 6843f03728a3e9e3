"""Writes a new migration from the difference between the tables in code and those of an up-to-date database."""

from __future__ import annotations

from alembic import command
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kernel.migrate import config
from services.kernel.revisions import History


async def revise(engine: AsyncEngine, history: History, message: str, revision: str) -> None:
    """Write `migrations/{schema}/{revision}_{message}.py`, to be read and mended by its author."""
    async with engine.connect() as connection:
        await connection.run_sync(
            lambda sync: command.revision(
                config(history, sync),
                message=message,
                rev_id=revision,
                autogenerate=True,
                version_path=config(history).get_main_option("version_locations"),
            )
        )
