"""What an import took, left unchanged, warned about and refused, for the terminal and in files beside the input."""

import csv
import io
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from services.kernel.imports import Refused, Remark, Row

MESSAGES_KEPT = 200
"""Messages held in memory; the files hold all of them."""


class Message(NamedTuple):
    """One line of a report: where it belongs in the input, the column or None, why, and whether the row was refused."""

    line: int
    column: str | None
    reason: str
    is_refusal: bool


class SideFile:
    """A file beside the input that appears whole or not at all; it exists after a run only if that run wrote to it."""

    def __init__(self, path: Path, header: bytes) -> None:
        """Open nothing yet; `header` is the first line, with its line end."""
        self.path = path
        self._header = header
        self._draft_path = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
        self._draft: BinaryIO | None = None

    def write(self, record: bytes) -> None:
        """Append one record; a missing line end is added. Raises OSError where the folder cannot be written."""
        if self._draft is None:
            self._draft = self._draft_path.open("xb")
            self._draft.write(self._header if self._header.endswith(b"\n") else self._header + b"\r\n")
        self._draft.write(record if record.endswith(b"\n") else record + b"\r\n")

    def keep(self) -> None:
        """Put the finished file in place of the last run's, or remove that where this run wrote nothing."""
        if self._draft is None:
            self.path.unlink(missing_ok=True)
            return
        self._draft.flush()
        os.fsync(self._draft.fileno())
        self._draft.close()
        self._draft = None
        self._draft_path.replace(self.path)

    def discard(self) -> None:
        """Drop what this run wrote and leave the last run's file alone."""
        if self._draft is not None:
            self._draft.close()
            self._draft = None
            self._draft_path.unlink(missing_ok=True)


class RefusedFile(SideFile):
    """`<name>.refused.csv`: every refused record verbatim, behind its line, column and reason."""

    def __init__(self, source: Path, header: bytes) -> None:
        """Stand beside `source`, whose own header is `header`."""
        super().__init__(source.with_suffix(".refused.csv"), b"refused_line,refused_column,refused_reason," + header)

    def refuse(self, row: Row, refused: Refused) -> None:
        """Append the row as it stood in the input."""
        self.write(_csv_record(row.line, refused.column or "", refused.reason).removesuffix(b"\r\n") + b"," + row.raw)


class WarningsFile(SideFile):
    """`<name>.warnings.csv`: every warning with its line, column and reason."""

    def __init__(self, source: Path) -> None:
        """Stand beside `source`."""
        super().__init__(source.with_suffix(".warnings.csv"), b"line,column,reason\r\n")

    def warn(self, row: Row, remark: Remark) -> None:
        """Append one warning."""
        self.write(_csv_record(row.line, remark.column or "", remark.reason))


class Report:
    """Counts of rows and messages; used as a context, its files are kept at the end and dropped on an exception.

    `taken`, `unchanged` and `refused` count rows and add up to `rows`; `warned` counts the rows with at least one
    of the `warnings`. At most MESSAGES_KEPT messages stay in memory, refusals before warnings.
    """

    def __init__(self, name: str) -> None:
        """Report on the input called `name`, in memory only."""
        self.name = name
        self.taken = self.unchanged = self.refused = self.warned = self.warnings = 0
        self._refusals: list[Message] = []
        self._remarks: list[Message] = []
        self._refused_file: RefusedFile | None = None
        self._warnings_file: WarningsFile | None = None

    @classmethod
    def beside(cls, source: Path, header: bytes) -> "Report":
        """Report on the file `source` with files beside it; `header` is the `header` of its rows."""
        report = cls(source.name)
        report._refused_file = RefusedFile(source, header)
        report._warnings_file = WarningsFile(source)
        return report

    @property
    def rows(self) -> int:
        """How many rows were decided so far."""
        return self.taken + self.unchanged + self.refused

    @property
    def messages(self) -> list[Message]:
        """The messages kept, in the order of the input."""
        return sorted(self._refusals + self._remarks, key=lambda message: message.line)

    def take(self) -> None:
        """Count a row that was written, new or changed."""
        self.taken += 1

    def leave(self) -> None:
        """Count a row that says what is known already."""
        self.unchanged += 1

    def warn(self, row: Row, remarks: Iterable[Remark]) -> None:
        """Note the remarks on a row; whether it is taken, unchanged or refused is counted apart."""
        before = self.warnings
        for remark in remarks:
            self.warnings += 1
            if len(self._refusals) + len(self._remarks) < MESSAGES_KEPT:
                self._remarks.append(Message(row.line, remark.column, remark.reason, is_refusal=False))
            if self._warnings_file:
                self._warnings_file.warn(row, remark)
        self.warned += self.warnings > before

    def refuse(self, row: Row, refused: Refused) -> None:
        """Count a row that was not taken and write it beside the input."""
        self.refused += 1
        if len(self._refusals) < MESSAGES_KEPT:
            if len(self._refusals) + len(self._remarks) >= MESSAGES_KEPT:
                self._remarks.pop()
            self._refusals.append(Message(row.line, refused.column, refused.reason, is_refusal=True))
        if self._refused_file:
            self._refused_file.refuse(row, refused)

    def text(self) -> str:
        """Return the report for a terminal; characters that could steer it are shown as escapes."""
        rows = f"{_count(self.rows, 'row')}: {self.taken} taken, {self.unchanged} unchanged, {self.refused} refused"
        warnings = f"{_count(self.warnings, 'warning')} on {_count(self.warned, 'row')}"
        lines = [f"{self.name}: {rows}; {warnings}"]
        for message in self.messages:
            kind = "refused" if message.is_refusal else "warning"
            place = f"line {message.line}" + (f", {message.column}" if message.column else "")
            lines.append(f"  {kind}  {place}: {message.reason}")
        if left := self.refused + self.warnings - len(self._refusals) - len(self._remarks):
            lines.append(f"  and {_count(left, 'message')} more")
        if self.refused and self._refused_file:
            lines.append(f"  refused rows: {self._refused_file.path}")
        if self.warnings and self._warnings_file:
            lines.append(f"  all warnings: {self._warnings_file.path}")
        return "\n".join(_printable(line) for line in lines)

    def __enter__(self) -> Self:
        """Begin; files are opened when there is something to write."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep the files of a run that came to its end, drop those of one that did not."""
        for file in (self._refused_file, self._warnings_file):
            if file and kind is None:
                file.keep()
            elif file:
                file.discard()


def _csv_record(*fields: object) -> bytes:
    target = io.StringIO()
    csv.writer(target).writerow(fields)
    return target.getvalue().encode("utf-8", "backslashreplace")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
