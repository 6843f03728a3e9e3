"""Bringing the directory into line with ESN Accounts: a report first, and then exactly what it said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.directory import actions, difference, rules, store
from services.activities.directory.difference import Changes, Listed
from services.activities.directory.section_rows import FIELDS_IN_ACCOUNTS
from services.activities.directory.tables import DirectorySync, Section
from services.kernel.auth import Actor
from services.kernel.ids import new_id
from services.kernel.import_json import row_of
from services.kernel.imports import Row


async def report(session: AsyncSession, records: Iterable[Row]) -> Changes:
    """What a list would change now; nothing is written."""
    return _compare(await store.every_section(session), difference.listed(records))


async def carry_out(session: AsyncSession, records: Iterable[Row], *, digest: str) -> Changes:
    """Write exactly what a report said; a list that changes nothing any more is done.

    Raises DifferenceChanged where the directory or the list is not what it was.
    """
    await store.hold_syncing(session)
    await store.hold_naming(session)
    entries = await store.lock_sections(session)
    changes = _compare(entries, difference.listed(records))
    if changes.is_empty:
        return changes
    if changes.digest != digest:
        raise rules.DifferenceChanged
    by_code = {entry.code: entry for entry in entries}
    for row in changes.new:
        await actions.record_section(session, row)
    for code, found in changes.changed.items():
        await actions.change_section(session, by_code[code], {each.column: each.listed for each in found})
    for code in changes.gone:
        await actions.change_section(session, by_code[code], {"state": "withdrew"})
    return changes


async def propose(session: AsyncSession, actor: Actor, records: Sequence[Mapping[str, Any]]) -> DirectorySync:
    """Keep a list that was sent, with what it would change."""
    actions.check_network(actor)
    await store.forget_old_syncs(session)
    kept = [{name: record[name] for name in FIELDS_IN_ACCOUNTS if name in record} for record in records]
    changes = await report(session, _rows(kept))
    sync = DirectorySync(
        id=new_id(), digest=changes.digest, records=json.dumps(kept), report=changes.report, applied_at=None,
        created_at=await store.now(session),
    )  # fmt: skip
    store.add(session, sync)
    return sync


async def find(session: AsyncSession, actor: Actor, identity: UUID) -> DirectorySync:
    """A list that was sent, or a 404."""
    actions.check_network(actor)
    sync = await store.sync(session, identity)
    if sync is None:
        raise rules.SyncNotFound
    return sync


async def apply(session: AsyncSession, actor: Actor, identity: UUID) -> DirectorySync:
    """Write what a list that was sent would change; once more is as good as once."""
    actions.check_network(actor)
    sync = await store.lock_sync(session, identity)
    if sync is None:
        raise rules.SyncNotFound
    if sync.applied_at is None:
        await carry_out(session, _rows(json.loads(sync.records)), digest=sync.digest)
        sync.applied_at = await store.now(session)
    return sync


def _rows(records: Iterable[Mapping[str, Any]]) -> list[Row]:
    return [row_of(number, dict(record)) for number, record in enumerate(records, 1)]


def _compare(entries: Iterable[Section], source: Listed) -> Changes:
    return difference.compare({entry.code: actions.values_of(entry) for entry in entries}, source)
