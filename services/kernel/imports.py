"""Reading of import files as streams of rows, each with its line, its bytes and, if it is unreadable, the reason."""

import csv
import hashlib
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, TypeVar

LONGEST_LINE = 1 << 20
"""Bytes of one physical line of a CSV file, and of one JSON record, that are kept in memory."""
LONGEST_FIELD = 20_000
"""Characters of one field."""

BOM = b"\xef\xbb\xbf"
MARKS = ("refused_line", "refused_column", "refused_reason")
"""The columns before a refused row that say what was wrong with it; passed over when the mended file is imported."""

_MARK_FIELDS = re.compile(rb'(?:(?:"(?:[^"]|"")*"|[^",\r\n]*),){3}')
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_CSV_FLAWS = {
    "unexpected end of data": "a quoted field that begins here is never closed",
    "field larger than field limit": "a quoted field that begins here is not closed within 131,072 characters",
    "expected after": "text follows the closing quote of a field",
    "new-line character seen": "a lone carriage return stands in an unquoted field",
}

Value = TypeVar("Value")


class Remark(NamedTuple):
    """What a reader should know about a row that was taken: the column, or None for the whole row, and the reason."""

    column: str | None
    reason: str


class Refused(Exception):
    """A row cannot be taken; `column` is None where the whole row is at fault."""

    def __init__(self, column: str | None, reason: str) -> None:
        """Keep the column and the reason apart, for the report."""
        super().__init__(reason if column is None else f"{column}: {reason}")
        self.column = column
        self.reason = reason


class UnreadableFile(Exception):
    """The file as a whole cannot be read; nothing that follows `line` (1-based) was looked at."""

    def __init__(self, line: int, reason: str) -> None:
        """Say where reading stopped and why."""
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the physical line it begins on (1-based), its values by column, its bytes, why it is unreadable."""

    line: int
    values: Mapping[str, Any]
    raw: bytes
    fault: Refused | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line with its line end; `is_cut` says that bytes beyond LONGEST_LINE were left out."""

    number: int
    raw: bytes
    is_cut: bool


class Lines:
    """The physical lines of a binary stream as text; bytes that are not UTF-8 stay recognisable as lone surrogates."""

    def __init__(self, stream: BinaryIO) -> None:
        """Start at the stream's present position, taken as line 1."""
        self._stream = stream
        self._number = 0
        self._given_back: deque[Line] = deque()
        self.taken: list[Line] = []
        self.bytes_read = 0

    def __iter__(self) -> "Lines":
        """Return itself: an iterator that can go on after its end when lines were given back."""
        return self

    def __next__(self) -> str:
        """Return the next line and remember it in `taken` until `begin`."""
        line = self._given_back.popleft() if self._given_back else self._read()
        self.taken.append(line)
        return line.raw.decode("utf-8", "surrogateescape")

    def begin(self) -> None:
        """Forget the lines taken so far: a new record begins."""
        self.taken = []

    def give_back_all_but_first(self) -> None:
        """Let the lines that a broken record swallowed be read again as records of their own."""
        self._given_back.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def _read(self) -> Line:
        raw = self._stream.readline(LONGEST_LINE + 1)
        if not raw:
            raise StopIteration
        self._number += 1
        self.bytes_read += len(raw)
        if self._number == 1:
            if encoding := other_encoding(raw):
                raise UnreadableFile(1, f"the file is {encoding}; save it as UTF-8")
            raw = raw.removeprefix(BOM)
        is_cut = len(raw) > LONGEST_LINE
        rest = raw
        while is_cut and not rest.endswith(b"\n"):
            rest = self._stream.readline(LONGEST_LINE)
            self.bytes_read += len(rest)
            if not rest:
                break
        return Line(self._number, raw[:LONGEST_LINE] + b"\n" if is_cut else raw, is_cut)


class CsvRows:
    """The records of a CSV file (RFC 4180, UTF-8 with or without a byte order mark) in constant memory.

    `required` and `optional` name the columns; others are left out and named in `remarks`. A row that cannot be read is
    yielded with its `fault`. Raises UnreadableFile for a header without a required column or with one named twice.
    Where a file begins with the columns MARKS, its rows and their bytes are those of the file that they came from.
    """

    def __init__(
        self, stream: BinaryIO, *, required: Collection[str], optional: Collection[str] = (), delimiter: str = ","
    ) -> None:
        """Read the header from a stream opened in binary mode."""
        self._lines = Lines(stream)
        self._reader = csv.reader(self._lines, strict=True, delimiter=delimiter)
        names = self._read_columns(required)
        self._marks = len(MARKS) if names[: len(MARKS)] == MARKS else 0
        self.columns = names[self._marks :]
        self.header = self._without_marks(b"".join(line.raw for line in self._lines.taken))
        unknown = [name for name in self.columns if name not in required and name not in optional]
        self.remarks = [Remark(name, "the column is not known and was left out") for name in unknown]

    @property
    def bytes_read(self) -> int:
        """How much of the stream was read, in bytes, for a progress line."""
        return self._lines.bytes_read

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in the order of the file; blank lines carry nothing and are passed over."""
        while True:
            self._lines.begin()
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._lines.give_back_all_but_first()
                yield self._row({}, Refused(None, _csv_flaw(error)))
                continue
            if not b"".join(line.raw for line in self._lines.taken).strip():
                continue
            count = len(fields) - self._marks
            if count != len(self.columns):
                self._lines.give_back_all_but_first()
                yield self._row({}, Refused(None, f"{max(count, 0)} fields instead of {len(self.columns)}"))
                continue
            values = dict(zip(self.columns, fields[self._marks :], strict=True))
            yield self._row(values, self._flaw(values))

    def _row(self, values: Mapping[str, str], fault: Refused | None) -> Row:
        taken = self._lines.taken
        raw = self._without_marks(b"".join(line.raw for line in taken))
        return Row(taken[0].number, values, raw, fault)

    def _without_marks(self, raw: bytes) -> bytes:
        found = _MARK_FIELDS.match(raw) if self._marks else None
        return raw[found.end() :] if found else raw

    def _flaw(self, values: Mapping[str, str]) -> Refused | None:
        if any(line.is_cut for line in self._lines.taken):
            return Refused(None, f"a line is longer than {LONGEST_LINE:,} bytes; only its beginning is kept")
        for column, value in values.items():
            if reason := text_flaw(value):
                return Refused(column, reason)
        return None

    def _read_columns(self, required: Collection[str]) -> tuple[str, ...]:
        try:
            names = [name.strip() for name in next(self._reader)]
        except StopIteration:
            raise UnreadableFile(1, "the file is empty") from None
        except csv.Error as error:
            raise UnreadableFile(1, f"the header cannot be read: {_csv_flaw(error)}") from None
        for name in names:
            if reason := text_flaw(name):
                raise UnreadableFile(1, f"the header cannot be read: {reason}")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UnreadableFile(1, f"columns named twice: {', '.join(map(repr, twice))}")
        if missing := [name for name in required if name not in names]:
            separated = "; the file seems to be separated by semicolons" if len(names) == 1 and ";" in names[0] else ""
            raise UnreadableFile(1, f"columns missing: {', '.join(missing)}{separated}")
        return tuple(names)


class Repeats:
    """Finds a key that comes twice in one file; keeps some 300 bytes for each different key."""

    def __init__(self) -> None:
        """Start with no key seen."""
        self._seen: dict[str, tuple[int, bytes]] = {}

    def check(self, row: Row, *, column: str, key: str, content: object) -> Remark | None:
        """Return a remark for a repetition with the same content (compared by its repr); raise Refused for another."""
        digest = hashlib.blake2b(repr(content).encode("utf-8", "backslashreplace"), digest_size=16).digest()
        line, known = self._seen.setdefault(key, (row.line, digest))
        if line == row.line:
            return None
        if known != digest:
            raise Refused(column, f"{key} stands on line {line} already, with other content")
        return Remark(column, f"{key} stands on line {line} already, with the same content")


def text_flaw(text: str) -> str | None:
    """Return why a text from outside cannot be stored, or None."""
    if len(text) > LONGEST_FIELD:
        return f"longer than {LONGEST_FIELD:,} characters"
    if "\0" in text:
        return "contains NUL"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "is not UTF-8"
    return None


def other_encoding(raw: bytes) -> str | None:
    """Return the name of the encoding that the first bytes of a file show where it is none that is read here."""
    return _OTHER_ENCODINGS.get(raw[:2])


def parsed(
    row: Row, parse: Callable[[Mapping[str, Any]], tuple[Value, Sequence[Remark]]]
) -> tuple[Value, list[Remark]]:
    """Return what `parse` makes of a row, with its remarks; raise Refused where it cannot be read or accepted."""
    if row.fault is not None:
        raise row.fault
    value, remarks = parse(row.values)
    return value, list(remarks)


def _csv_flaw(error: csv.Error) -> str:
    return next((reason for sign, reason in _CSV_FLAWS.items() if sign in str(error)), str(error))
