"""What is done about facts and exports: who may read which, and how an export is asked for, made and fetched."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import IMPACT
from services.impact.exports import rules, store, streaming
from services.impact.exports.rules import State
from services.impact.exports.schemas import Dataset, ExportIn, ExportOut, Format, LinkOut
from services.impact.exports.tables import Export
from services.impact.statistics.rules import Asked
from services.kernel.auth import Actor, Role
from services.kernel.consumers import read_up_to
from services.kernel.ids import new_id
from services.kernel.logs import logger
from services.kernel.runtime import Runtime

log = logger(__name__)


class _Lost(Exception):
    """Another worker makes this export by now."""


def within_reach(actor: Actor, asked: Asked) -> Asked:
    """What is asked for, narrowed to what the caller reaches; what lies beyond it is refused."""
    if actor.role is Role.LOCAL_COORDINATOR:
        raise rules.FactsOutOfReach
    if actor.role in {Role.INTERNATIONAL, Role.OPERATOR}:
        return asked
    for name, own in (("country", actor.country), ("section", actor.section)):
        if own is None:
            continue
        if any(code != own for code in asked.codes.get(name, ())):
            raise rules.FactsOutOfReach
        asked = asked.stated(**{name: (own,)})
    return asked


async def ask(session: AsyncSession, actor: Actor, wanted: ExportIn, asked: Asked) -> Export:
    """Let the worker make an export."""
    if await store.lock_caller(session, actor.id) >= rules.MOST_AT_ONCE:
        raise rules.TooManyExports
    made = Export(
        id=new_id(),
        asked_by=actor.id,
        dataset=wanted.dataset.value,
        shape=wanted.shape.value,
        filters=asked.filters(),
        state=State.WAITING.value,
    )
    return await store.add(session, made)


async def own(session: AsyncSession, actor: Actor, identity: UUID) -> Export:
    """An export of the caller's."""
    found = await store.export(session, identity)
    if found is None or found.asked_by != actor.id:
        raise rules.ExportNotFound
    return found


async def make_next(runtime: Runtime) -> int:
    """Make the export that waits for longest; answers how many were made.

    It is claimed for a minute at a time and made outside of any transaction that writes. Of a worker that was killed
    another one takes it up from the beginning, so that all of it is of one moment.
    """
    async with runtime.unit_of_work() as session:
        await store.give_up(session)
        mine = await store.claim(session)
    if mine is None:
        return 0
    try:
        await _make(runtime, mine)
    except _Lost:
        log.warning("export lost to another worker", export=str(mine.id))
    return 1


async def _make(runtime: Runtime, mine: Export) -> None:
    found = store.rows(Dataset(mine.dataset), _asked(mine.filters))
    async with runtime.unit_of_work() as session:
        # Read before the facts: they may be newer than what they are said to be, never older.
        as_of = await read_up_to(session, IMPACT) or await store.now(session)
        await _tell(session, mine, as_of=as_of, rows_expected=await store.count(session, found))
    about = {"as_of": as_of.isoformat(), "dataset": mine.dataset}
    waiting, number, rows, size = bytearray(), 0, 0, 0
    reading = streaming.pieces(runtime, found, Format(mine.shape), about)
    async with aclosing(reading):  # type: ignore[type-var]
        async for piece in reading:
            waiting += piece.data
            rows += piece.rows
            if len(waiting) >= rules.PIECE_BYTES:
                size += len(waiting)
                if size > rules.MOST_BYTES:
                    break
                await _keep(runtime, mine, number, bytes(waiting), rows, size)
                waiting.clear()
                number += 1
    async with runtime.unit_of_work() as session:
        until = await store.now(session) + rules.KEPT
        if size > rules.MOST_BYTES:
            reason = f"It would be larger than {rules.MOST_BYTES >> 20} MiB; choose fewer activities."
            await _tell(session, mine, state=State.FAILED, reason=reason, expires_at=until)
            return
        size += len(waiting)
        await store.keep_piece(session, mine, number, bytes(waiting))
        await _tell(session, mine, state=State.READY, rows_written=rows, size=size, expires_at=until)


async def _keep(runtime: Runtime, mine: Export, number: int, data: bytes, rows: int, size: int) -> None:
    async with runtime.unit_of_work() as session:
        await _tell(session, mine, rows_written=rows, size=size)
        await store.keep_piece(session, mine, number, data)


async def _tell(session: AsyncSession, mine: Export, **values: Any) -> None:
    if not await store.told(session, mine, **values):
        raise _Lost


def _asked(filters: dict[str, Any]) -> Asked:
    codes = {name: tuple(value) if isinstance(value, list) else (value,) for name, value in filters.items()}
    days = {name: date.fromisoformat(codes.pop(name)[0]) for name in ("from", "to") if name in codes}
    return replace(Asked((), ()), codes=codes, since=days.get("from"), until=days.get("to"))


def out(runtime: Runtime, export: Export) -> ExportOut:
    """An export as its caller is told of it."""
    link = None
    if export.state == State.READY and export.expires_at is not None:
        url = f"{runtime.settings.base_url}/impact/v1/links/exports/{_token(runtime, export)}"
        link = LinkOut(url=url, expires_at=export.expires_at)
    told = {name: getattr(export, name) for name in ExportOut.model_fields if name != "link"}
    return ExportOut(**told, link=link)


def _token(runtime: Runtime, export: Export) -> str:
    """The secret of a link: it opens this export alone, and only as long as it is kept."""
    assert export.expires_at is not None
    secret = hashlib.sha256(b"export link\0" + runtime.settings.secret.get_secret_value().encode()).digest()
    signed = hmac.digest(secret, export.id.bytes + export.expires_at.isoformat().encode(), "sha256")
    return base64.urlsafe_b64encode(export.id.bytes + signed).rstrip(b"=").decode()


async def linked(session: AsyncSession, runtime: Runtime, token: str) -> Export:
    """The export that a link leads to, while it is kept."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        raise rules.LinkNotFound from None
    found = await store.export(session, UUID(bytes=raw[:16])) if len(raw) == 48 else None
    if found is None or found.state != State.READY or found.expires_at is None:
        raise rules.LinkNotFound
    is_ours = hmac.compare_digest(_token(runtime, found).encode(), token.encode("utf-8", "replace"))
    if not is_ours or found.expires_at <= await store.now(session):
        raise rules.LinkNotFound
    return found


async def content(runtime: Runtime, identity: UUID) -> AsyncIterator[bytes]:
    """What was made, piece by piece; no connection is held while its reader takes its time."""
    number = 0
    while True:
        async with runtime.reading() as session:
            data = await store.piece(session, identity, number)
        if data is None:
            return
        yield data
        number += 1
