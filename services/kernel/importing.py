"""Carrying an import out: each row passes the stages of one or more services, and what fails is reported and kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.import_json import JsonRows
from services.kernel.import_report import Report
from services.kernel.imports import CsvRows, Refused, Remark, Repeats, Row, UnreadableFile, parsed
from services.kernel.runtime import Runtime

CHUNK = 200
JSON = frozenset({".json", ".ndjson", ".jsonl"})
"""How the names of JSON files end; in the latter two each line is a record."""

Parse = Callable[[Mapping[str, Any]], tuple[Any, Sequence[Remark]]]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a row: whether anything changed, and the object, for the stages after this one."""

    changed: bool
    handle: Any = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One service's part in an import.

    `column` names the key column and `key` finds the key in a parsed row: another row with the same key is refused.
    `write` may raise Refused; it gets the handle of the stage before, whose transaction is committed by then.
    """

    runtime: Runtime
    column: str
    key: Callable[[Any], str]
    parse: Parse
    write: Callable[[AsyncSession, Runtime, Any, Any], Awaitable[Written]]


class Rows(Protocol):
    """A file's records, one after the other."""

    remarks: list[Any]

    @property
    def header(self) -> bytes | None:
        """The first line of a CSV file."""

    @property
    def bytes_read(self) -> int:
        """How much of the file was read."""

    def __iter__(self) -> Iterator[Row]:
        """The records."""


@dataclass(slots=True)
class _Candidate:
    row: Row
    values: list[Any]
    remarks: list[Remark]
    changed: bool = False
    handle: Any = None
    refused: Refused | None = field(default=None)


def open_rows(stream: BinaryIO, path: Path, *, required: Iterable[str], optional: Iterable[str]) -> Rows:
    """The records of a CSV file with these columns, or of a JSON file."""
    suffix = path.suffix.lower()
    if suffix in JSON:
        return JsonRows(stream, by_line=suffix != ".json")
    return CsvRows(stream, required=tuple(required), optional=tuple(optional))


async def carry_out(
    rows: Rows, stages: Sequence[Stage], report: Report, *, progress: Callable[[int, int], None] = lambda _, __: None
) -> None:
    """Take every row of a file through the stages, some hundred in a transaction, and report on each.

    A row that any stage cannot read is written by none. Running it again writes only what differs.
    `progress` is told the number of rows and of bytes so far. Where the file cannot be read any further, what was read
    is carried out and reported; UnreadableFile is raised only where that is nothing.
    """
    records, repeats = _as_far_as_possible(rows, report), [Repeats() for _ in stages]
    while chunk := [_read(row, stages, repeats) for row in islice(records, CHUNK)]:
        for number, stage in enumerate(stages):
            going = [candidate for candidate in chunk if candidate.refused is None]
            async with stage.runtime.unit_of_work() as session:
                for candidate in going:
                    await _write(session, stage, candidate, number)
        for candidate in chunk:
            _tell(report, candidate)
        progress(report.rows, rows.bytes_read)
    is_listed = report.taken + report.refused > 0
    for remark in rows.remarks:
        report.warn(Row(1, {}, b""), [remark], is_listed=is_listed)
    if report.stopped and not report.rows:
        raise report.stopped


def _as_far_as_possible(rows: Rows, report: Report) -> Iterator[Row]:
    line = 1
    try:
        for row in rows:
            line = row.line
            yield row
    except UnreadableFile as error:
        report.stop(error)
    except OSError as error:
        report.stop(UnreadableFile(line, f"the file can't be read behind this row: {error.strerror}"))


def _read(row: Row, stages: Sequence[Stage], repeats: Sequence[Repeats]) -> _Candidate:
    candidate = _Candidate(row, [], [])
    try:
        for stage, seen in zip(stages, repeats, strict=True):
            value, remarks = parsed(row, stage.parse)
            if repeat := seen.check(row, column=stage.column, key=stage.key(value), content=value):
                remarks.append(repeat)
            candidate.values.append(value)
            candidate.remarks += [remark for remark in remarks if remark not in candidate.remarks]
    except Refused as refused:
        candidate.refused = refused
    return candidate


async def _write(session: AsyncSession, stage: Stage, candidate: _Candidate, number: int) -> None:
    try:
        async with session.begin_nested():
            written = await stage.write(session, stage.runtime, candidate.values[number], candidate.handle)
    except Refused as refused:
        candidate.refused = refused
        return
    candidate.changed |= written.changed
    candidate.handle = written.handle if written.handle is not None else candidate.handle


def _tell(report: Report, candidate: _Candidate) -> None:
    is_unchanged = candidate.refused is None and not candidate.changed
    report.warn(candidate.row, candidate.remarks, is_listed=not is_unchanged)
    if candidate.refused is not None:
        report.refuse(candidate.row, candidate.refused)
    elif candidate.changed:
        report.take()
    else:
        report.leave()
