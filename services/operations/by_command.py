"""What commands do in one transaction with the rights of the login, and the entry in the audit that they leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ACTIVITIES
from services.kernel import db
from services.kernel.audit import noting
from services.kernel.audit.noting import Act
from services.kernel.import_report import Report
from services.kernel.settings import Settings

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Audited:
    """What a command enters in the audit, and in that of which service."""

    verb: str
    details: Mapping[str, Any] | None = None
    schema: str = ACTIVITIES


def as_owner(work: Callable[[AsyncSession], Awaitable[Answer]], *, audited: Audited | None) -> Answer:
    """Do something in one transaction; `audited` is None for what changes nothing only."""
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

    return asyncio.run(alone())


def enter(audited: Audited) -> None:
    """Enter what is about to be done in many transactions, or what came of it."""
    as_owner(_nothing, audited=audited)


async def _nothing(_: AsyncSession) -> None:
    """Change nothing but the audit."""


def begun(kind: str, path: Path) -> Audited:
    """The entry of an import that begins; the file's name may be somebody's, its digest is nobody's."""
    with path.open("rb") as stream:
        return Audited(f"import {kind}", {"sha256": file_digest(stream, "sha256").hexdigest()})


def ended(kind: str, report: Report) -> Audited:
    """The entry of an import that ended."""
    totals = {"taken": report.taken, "unchanged": report.unchanged, "refused": report.refused}
    return Audited(f"imported {kind}", {**totals, "was_read_to_its_end": report.stopped is None})
