"""The sync commands: a list of ESN Accounts from a file or an address, what it would change, and changing it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx

from services.activities.directory import rules, syncing
from services.activities.directory.difference import Changes
from services.contracts import ACTIVITIES
from services.kernel import outbound
from services.kernel.failures import Stop
from services.kernel.import_json import JsonRows
from services.kernel.imports import Row, UnreadableFile
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.trace import new_trace_id, traced

LARGEST: Final = 32 << 20
"""Bytes of a list that are read."""
PATIENCE_SECONDS: Final = 30.0


async def sections(settings: Settings, source: str, *, digest: str | None, transport: Any = None) -> Changes:
    """What a list of all sections would change; with the digest of a report that was seen, it is changed.

    Raises Stop with one sentence for a list that can't be read to its end, and for one that would change other things.
    """
    records = await _records(source, transport)
    held = Runtime(settings, role=ACTIVITIES)
    try:
        with traced(new_trace_id()):
            if digest is None:
                async with held.reading() as session:
                    return await syncing.report(session, records)
            async with held.unit_of_work() as session:
                return await syncing.carry_out(session, records, digest=digest)
    except rules.DifferenceChanged:
        raise Stop(
            "Nothing was changed: the list or the directory is not what that report was made of. Look at a new one."
        ) from None
    finally:
        await held.close()


async def _records(source: str, transport: Any) -> list[Row]:
    if source.startswith(("http://", "https://")):
        return _read(io.BytesIO(await _fetched(source, transport)), by_line=False)
    path = Path(source)
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise Stop(f"{path} can't be read: {error.strerror}.") from None
    return _read(io.BytesIO(content), by_line=path.suffix.lower() in {".ndjson", ".jsonl"})


def _read(stream: BinaryIO, *, by_line: bool) -> list[Row]:
    # Unlike an import, a list that ends too early changes nothing: what is missing would count as gone.
    try:
        rows = list(JsonRows(stream, by_line=by_line))
    except UnreadableFile as error:
        raise Stop(f"The list can't be read: {error.reason} (line {error.line}).") from None
    if not rows:
        raise Stop("The list holds no record.")
    return rows


async def _fetched(address: str, transport: Any) -> bytes:
    found = bytearray()
    try:
        async with (
            outbound.client(address, seconds=PATIENCE_SECONDS, follow_redirects=True, transport=transport) as client,
            client.stream("GET", address, headers={"Accept": "application/json"}) as reply,
        ):
            if reply.status_code != httpx.codes.OK:
                raise Stop(f"The address answered {reply.status_code}.")
            async for piece in reply.aiter_bytes():
                found += piece
                if len(found) > LARGEST:
                    raise Stop(f"The list is larger than {LARGEST >> 20} MiB.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Stop(f"The address can't be read: {type(error).__name__}.") from None
    return bytes(found)


def text(changes: Changes, *, applied: bool) -> str:
    """The report for a terminal, totals and digest last; what could steer it is shown as escapes."""
    report = changes.report
    lines = [f"  new        {each['code']}  {each['name']}  {each['state']}" for each in report["new"]]
    for kind in ("changed", "kept"):
        for each in report[kind]:
            lines += [f"  {kind:<9}  {each['code']}  {_field(change)}" for change in each["fields"]]
    lines += [f"  merged     {code}" for code in report["merged"]]
    lines += [
        f"  gone       {each['code']}  {each['name']}: {each['proposed'] or 'kept, a refused record may be its own'}"
        for each in report["gone"]
    ]
    lines += [
        f"  renamed?   {each['old']} -> {each['new']}: {', '.join(each['reasons'])}" for each in report["suspected"]
    ]
    lines += [f"  refused    {_told(each)}" for each in report["refused"]]
    lines += [f"  remark     {_told(each)}" for each in report["remarks"]]
    counts = ", ".join(f"{len(report[kind])} {kind}" for kind in ("new", "changed", "gone", "refused"))
    lines.append(f"{counts}, {report['unchanged']} unchanged")
    if changes.is_empty:
        lines.append("nothing to change")
    else:
        lines.append("changed" if applied else f"to change exactly this: --apply --report {changes.digest}")
    return "\n".join("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) for line in lines)


def _field(change: Mapping[str, Any]) -> str:
    return f"{change['field']}: {_value(change['now'])} -> {_value(change['source'])}"


def _value(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _told(each: Mapping[str, Any]) -> str:
    place = f"record {each['record']}" + (f" {each['code']}" if each["code"] else "")
    return f"{place}, {each['field']}: {each['reason']}" if each["field"] else f"{place}: {each['reason']}"
