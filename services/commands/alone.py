"""How a command reaches the database on its own, beside the services, and the entry that it leaves in the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from uvicorn.loops.auto import auto_loop_factory

from services.contracts import ACTIVITIES
from services.kernel import db
from services.kernel.audit import noting
from services.kernel.audit.noting import Act
from services.kernel.settings import Settings

Answer = TypeVar("Answer")


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Do something and end."""
    # uvicorn would choose the quicker loop itself, if it were the one to start it.
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        return runner.run(work)


@dataclass(frozen=True)
class Audited:
    """What a command enters in the audit, and in that of which service."""

    verb: str
    details: Mapping[str, Any] | None = None
    schema: str = ACTIVITIES


def as_owner(work: Callable[[AsyncSession], Awaitable[Answer]], *, audited: Audited | None) -> Answer:
    """Do something in one transaction with the rights of the login; `audited` is None for what only looks."""
    settings = Settings.load()

    async def alone() -> Answer:
        engine = db.create_engine(settings, role=None, pool_size=1)
        try:
            async with db.session_factory(engine).begin() as session:
                if audited is None:
                    return await work(session)
                act = Act()
                await noting.begin(session, act)
                answer = await work(session)
                await noting.write_command(
                    session, act, schema=audited.schema, verb=audited.verb, details=audited.details
                )
                return answer
        finally:
            await engine.dispose()

    return run(alone())


def enter(audited: Audited) -> None:
    """Enter what is about to be done in many transactions, or what came of it."""
    as_owner(_nothing, audited=audited)


async def _nothing(_: AsyncSession) -> None:
    """Change nothing but the audit."""
