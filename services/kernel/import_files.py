"""The files that an import leaves beside its input; those of refused records can be mended and imported."""

import csv
import io
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from services.kernel.imports import MARKS, Refused, Remark, Row


class SideFile:
    """A file beside the input that appears whole or not at all; it exists after a run only if that run wrote to it."""

    def __init__(self, path: Path, header: bytes) -> None:
        """Open nothing yet; `header` is the first line, with its line end, or nothing."""
        self.path = path
        self._header = header
        self._draft_path = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
        self._draft: BinaryIO | None = None

    def write(self, record: bytes) -> None:
        """Append one record; a missing line end is added. Raises OSError where the folder cannot be written."""
        if self._draft is None:
            self._draft = self._draft_path.open("xb")
            self._draft.write(_ended(self._header) if self._header else b"")
        self._draft.write(_ended(record))

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


class RefusedRows:
    """`<name>.refused.csv`: every refused row of a CSV file verbatim, behind the columns MARKS."""

    def __init__(self, source: Path, header: bytes) -> None:
        """Stand beside `source`, whose own header is `header`."""
        self._file = SideFile(source.with_suffix(".refused.csv"), ",".join(MARKS).encode() + b"," + header)
        self.files = (self._file,)

    def refuse(self, row: Row, refused: Refused) -> None:
        """Append the row as it stood in the input."""
        self._file.write(_marks(row.line, refused.column, refused.reason).removesuffix(b"\r\n") + b"," + row.raw)


class RefusedRecords:
    """`<name>.refused.ndjson`: every refused record of a JSON file, one a line; their reasons are in a CSV file.

    A record that stood on several lines stands on one, otherwise it is verbatim. `<name>.refused.csv` names the line of
    the input and the reason, in the same order.
    """

    def __init__(self, source: Path) -> None:
        """Stand beside `source`."""
        self._records = SideFile(source.with_suffix(".refused.ndjson"), b"")
        self._reasons = SideFile(source.with_suffix(".refused.csv"), ",".join(MARKS).encode())
        self.files = (self._records, self._reasons)

    def refuse(self, row: Row, refused: Refused) -> None:
        """Append the record and its reason."""
        self._records.write(b" ".join(row.raw.splitlines()) + b"\n")
        self._reasons.write(_marks(row.line, refused.column, refused.reason))


class WarningsFile(SideFile):
    """`<name>.warnings.csv`: every warning with its line, column and reason, and where reading stopped, if it did."""

    def __init__(self, source: Path) -> None:
        """Stand beside `source`."""
        super().__init__(source.with_suffix(".warnings.csv"), b"line,column,reason")

    def warn(self, line: int, remark: Remark) -> None:
        """Append one warning."""
        self.write(_marks(line, remark.column, remark.reason))


def _ended(record: bytes) -> bytes:
    return record if record.endswith(b"\n") else record + b"\r\n"


def _marks(line: int, column: str | None, reason: str) -> bytes:
    target = io.StringIO()
    csv.writer(target).writerow((line, column or "", reason))
    return target.getvalue().encode("utf-8", "backslashreplace")
