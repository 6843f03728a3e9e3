"""How a command reaches the database on its own, beside the services."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from uvicorn.loops.auto import auto_loop_factory

from services.kernel import db
from services.kernel.settings import Settings

Answer = TypeVar("Answer")


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Do something and end."""
    # uvicorn would choose the quicker loop itself, if it were the one to start it.
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        return runner.run(work)


def as_owner(work: Callable[[AsyncSession], Awaitable[Answer]]) -> Answer:
    """Do something in one transaction with the rights of the login."""
    settings = Settings.load()

    async def alone() -> Answer:
        engine = db.create_engine(settings, role=None, pool_size=1)
        try:
            async with db.session_factory(engine).begin() as session:
                return await work(session)
        finally:
            await engine.dispose()

    return run(alone())
