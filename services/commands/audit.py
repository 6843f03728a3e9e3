"""The command that follows the chains of the audit."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated

import sqlalchemy as sa
import typer
from sqlalchemy.ext.asyncio import AsyncSession

from services.commands.alone import as_owner
from services.commands.running import chosen
from services.kernel.audit import chain
from services.kernel.audit.chain import Finding
from services.kernel.audit.tables import Audit, audit_in
from services.kernel.failures import Stop
from services.kernel.settings import Settings
from services.registry import HISTORIES, SERVICES

app = typer.Typer()
audits = typer.Typer(no_args_is_help=True, help="Who did what.")
app.add_typer(audits, name="audit")
_HEAD = re.compile(r"([1-9]\d{0,17}):([0-9a-f]{64})")


@audits.callback()
def audit_group() -> None:
    """Who did what."""


@audits.command("check")
def check_audit(
    name: Annotated[str | None, typer.Argument(help="A service; without it, all of them.")] = None,
    holds: Annotated[str | None, typer.Option(help="POSITION:HASH, a head of one service, as noted before.")] = None,
) -> None:
    """Say what was changed, deleted or slipped in since it was written; the exit status is 1 if anything was."""
    names = [service.name for service in chosen(name)] if name else list(SERVICES)
    head = _HEAD.fullmatch(holds) if holds else None
    if holds is not None and (name is None or head is None):
        raise Stop("--holds goes with the name of one service and is POSITION:HASH.")
    noted = (int(head[1]), head[2]) if head else None
    settings, is_whole = Settings.load(), True
    for each in names:
        audit = audit_in(HISTORIES[each].metadata)
        found = as_owner(partial(_checked, settings=settings, audit=audit, holds=noted), audited=None)
        print("\n".join(found.lines()))
        is_whole = is_whole and not found.faults
    if not is_whole:
        raise typer.Exit(1)


async def _checked(
    session: AsyncSession, *, settings: Settings, audit: Audit, holds: tuple[int, str] | None
) -> Finding:
    await session.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    return await chain.check(session, settings, audit, holds=holds)
