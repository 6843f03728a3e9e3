"""What an import took, left unchanged, warned about and refused, for the terminal and in files beside the input."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from services.kernel.import_files import RefusedRecords, RefusedRows, SideFile, WarningsFile
from services.kernel.imports import Refused, Remark, Row, UnreadableFile

MESSAGES_KEPT = 200
"""Messages held in memory; the files hold all of them."""


class Message(NamedTuple):
    """One line of a report: where it belongs in the input, the column or None, why, and whether the row was refused."""

    line: int
    column: str | None
    reason: str
    is_refusal: bool


class Report:
    """Counts of rows and messages; used as a context, its files are kept at the end and dropped on an exception.

    `taken`, `unchanged` and `refused` count rows and add up to `rows`; `warned` counts the rows with at least one
    of the `warnings`. At most MESSAGES_KEPT messages stay in memory, refusals before warnings. `stopped` says why the
    rest of the input was not read, if it was not.
    """

    def __init__(self, name: str) -> None:
        """Report on the input called `name`, in memory only."""
        self.name = name
        self.taken = self.unchanged = self.refused = self.warned = self.warnings = 0
        self.stopped: UnreadableFile | None = None
        self._unlisted = 0
        self._refusals: list[Message] = []
        self._remarks: list[Message] = []
        self._refused_rows: RefusedRows | RefusedRecords | None = None
        self._warnings_file: WarningsFile | None = None

    @classmethod
    def beside(cls, source: Path, header: bytes | None) -> "Report":
        """Report on the file `source` with files beside it; `header` is that of its rows, None for JSON."""
        report = cls(source.name)
        report._refused_rows = RefusedRecords(source) if header is None else RefusedRows(source, header)
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

    def warn(self, row: Row, remarks: Iterable[Remark], *, is_listed: bool = True) -> None:
        """Note the remarks on a row; whether it is taken, unchanged or refused is counted apart.

        Remarks that are not listed were listed before; they are counted and stand in the file only.
        """
        before = self.warnings
        for remark in remarks:
            self.warnings += 1
            if not is_listed:
                self._unlisted += 1
            elif len(self._refusals) + len(self._remarks) < MESSAGES_KEPT:
                self._remarks.append(Message(row.line, remark.column, remark.reason, is_refusal=False))
            if self._warnings_file:
                self._warnings_file.warn(row.line, remark)
        self.warned += self.warnings > before

    def refuse(self, row: Row, refused: Refused) -> None:
        """Count a row that was not taken and write it beside the input."""
        self.refused += 1
        if len(self._refusals) < MESSAGES_KEPT:
            if len(self._refusals) + len(self._remarks) >= MESSAGES_KEPT:
                self._remarks.pop()
            self._refusals.append(Message(row.line, refused.column, refused.reason, is_refusal=True))
        if self._refused_rows:
            self._refused_rows.refuse(row, refused)

    def stop(self, error: UnreadableFile) -> None:
        """Note that the input could not be read any further; what was decided so far stands."""
        self.stopped = error
        if self._warnings_file:
            reason = f"stopped here, what follows was not read: {error.reason}"
            self._warnings_file.warn(error.line, Remark(None, reason))

    def text(self) -> str:
        """Return the report for a terminal, totals last; characters that could steer it are shown as escapes."""
        rows = f"{_count(self.rows, 'row')}: {self.taken} taken, {self.unchanged} unchanged, {self.refused} refused"
        warnings = f"{_count(self.warnings, 'warning')} on {_count(self.warned, 'row')}"
        lines = []
        for message in self.messages:
            kind = "refused" if message.is_refusal else "warning"
            place = f"line {message.line}" + (f", {message.column}" if message.column else "")
            lines.append(f"  {kind}  {place}: {message.reason}")
        kept = len(self._refusals) + len(self._remarks)
        if left := self.refused + self.warnings - self._unlisted - kept:
            lines.append(f"  and {_count(left, 'message')} more")
        if self._unlisted:
            lines.append(f"  {_count(self._unlisted, 'warning')} on unchanged rows not listed")
        if self.refused and self._refused_rows:
            rest = "".join(f", reasons: {file.path}" for file in self._refused_rows.files[1:])
            lines.append(f"  refused rows: {self._refused_rows.files[0].path}{rest}")
        if self._warnings_file and (self.warnings or self.stopped):
            lines.append(f"  all warnings: {self._warnings_file.path}")
        if self.stopped:
            lines.append(f"stopped at {self.stopped}")
        lines.append(f"{self.name}: {rows}; {warnings}")
        return "\n".join(_printable(line) for line in lines)

    def __enter__(self) -> Self:
        """Begin; files are opened when there is something to write."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep the files of a run that came to its end, drop those of one that did not."""
        files: list[SideFile] = [*(self._refused_rows.files if self._refused_rows else ())]
        if self._warnings_file:
            files.append(self._warnings_file)
        for file in files:
            if kind is None:
                file.keep()
            else:
                file.discard()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
