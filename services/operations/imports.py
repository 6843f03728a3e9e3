"""The import commands: which file goes through which services' stages, and how its progress and report are shown."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from services.activities.campaigns import imports as editions
from services.activities.directory import imports as sections
from services.activities.past import imports as activities
from services.contracts import ACTIVITIES, IMPACT
from services.impact.reports import imports as reports
from services.kernel import importing
from services.kernel.failures import Stop
from services.kernel.import_report import Report
from services.kernel.importing import Stage
from services.kernel.imports import UnreadableFile
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.trace import new_trace_id, traced
from services.operations.kinds import Kind


class Progress:
    """One line on a terminal that tells how far an import is; nothing when the output goes elsewhere."""

    def __init__(self, size: int) -> None:
        self._size = max(size, 1)
        self._shown_at = 0.0

    def __call__(self, rows: int, size: int) -> None:
        """Show the number of rows and the share of the file, at most ten times a second."""
        now = time.monotonic()
        if sys.stderr.isatty() and now - self._shown_at > 0.1:
            self._shown_at = now
            print(f"\r  {rows:,} rows, {min(100, 100 * size // self._size)} %", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the line."""
        if self._shown_at:
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)


async def run(settings: Settings, kind: Kind, path: Path, *, beside: bool = True) -> Report:
    """Import a file; refused rows and warnings are written beside it unless `beside` is False.

    Raises Stop with one sentence for a file that can't be read at all; where reading stops later, the report says so.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(traced(new_trace_id()))
        held = {}
        for name in (ACTIVITIES, IMPACT):
            held[name] = Runtime(settings, role=name)
            stack.push_async_callback(held[name].close)
        stages = _stages(kind, path, held)
        try:
            with path.open("rb") as stream:
                required, optional = _columns(kind)
                rows = importing.open_rows(stream, path, required=required, optional=optional)
                progress = Progress(os.fstat(stream.fileno()).st_size)
                with Report.beside(path, rows.header) if beside else Report(path.name) as report:
                    await importing.carry_out(rows, stages, report, progress=progress)
                progress.end()
        except UnreadableFile as error:
            raise Stop(f"{path.name} can't be imported: {error.reason} (line {error.line}).") from None
        except OSError as error:
            raise Stop(f"{path} can't be read or written beside: {error.strerror}.") from None
    return report


def _columns(kind: Kind) -> tuple[Sequence[str], Sequence[str]]:
    if kind is Kind.SECTIONS:
        return sections.COLUMNS, sections.OPTIONAL_COLUMNS
    if kind is Kind.EDITIONS:
        return editions.COLUMNS, editions.OPTIONAL_COLUMNS
    if kind is Kind.COUNTRIES:
        return sections.COUNTRY_COLUMNS, sections.OPTIONAL_COUNTRY_COLUMNS
    required = dict.fromkeys((*activities.COLUMNS, *reports.COLUMNS))
    return tuple(required), tuple(name for name in activities.OPTIONAL_COLUMNS if name not in required)


def _stages(kind: Kind, path: Path, held: dict[str, Runtime]) -> list[Stage]:
    if kind is Kind.SECTIONS:
        is_json = path.suffix.lower() in importing.JSON
        return [sections.stage(held[ACTIVITIES], from_accounts=is_json)]
    if kind is Kind.EDITIONS:
        return [editions.stage(held[ACTIVITIES])]
    if kind is Kind.COUNTRIES:
        return [sections.countries_stage(held[ACTIVITIES])]
    return [activities.stage(held[ACTIVITIES]), reports.stage(held[IMPACT])]
