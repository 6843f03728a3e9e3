"""Reading of JSON import files, an array or one record a line, as the same rows that CSV files give."""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from services.kernel.imports import BOM, LONGEST_LINE, Refused, Row, UnreadableFile, other_encoding, text_flaw

_PIECE = 1 << 16
_OUTSIDE = re.compile(rb'["{}\[\],]')
_IN_STRING = re.compile(rb'\\[^\n]?|["\n]')

_Pieces = Iterator[tuple[int, bytes]]


class JsonRows:
    """The records of a JSON array of objects, or of one object a line (NDJSON), UTF-8, one record in memory at a time.

    Lines may be of any length, records of up to LONGEST_LINE bytes; `Row.raw` is the record as it stands in the file.
    What stands in a record's place and is none is yielded with its `fault`, and reading goes on behind it. Raises
    UnreadableFile where the file ends inside an array or goes on behind it.
    """

    header = None

    def __init__(self, stream: BinaryIO, *, by_line: bool = False) -> None:
        """Read from a stream opened in binary mode; `by_line` takes each line for a record whatever it begins with."""
        self._stream = stream
        self._by_line = by_line
        self.bytes_read = 0
        self.remarks: list[Any] = []

    def __iter__(self) -> Iterator[Row]:
        """Yield the records in the order of the file, each with the line it begins on."""
        pieces = self._pieces()
        for number, piece in pieces:
            text = piece.lstrip()
            if not text:
                continue
            if text.startswith(b"[") and not self._by_line:
                yield from _array(number, text[1:], pieces)
            else:
                yield from _lines(number, text, pieces)

    def _pieces(self) -> _Pieces:
        """Give the file in pieces of lines, each with the number of its line, so that no line is held as a whole."""
        number = 1
        while piece := self._stream.readline(_PIECE):
            if self.bytes_read == 0 and (encoding := other_encoding(piece)):
                raise UnreadableFile(1, f"the file is {encoding}; save it as UTF-8")
            yield number, piece if self.bytes_read else piece.removeprefix(BOM)
            self.bytes_read += len(piece)
            number += piece.endswith(b"\n")


class _Record:
    """What was read of one record: its first LONGEST_LINE bytes and the line it begins on."""

    def __init__(self) -> None:
        self.line = 0
        self._kept = bytearray()
        self._size = 0

    def __bool__(self) -> bool:
        return self._size > 0

    def add(self, number: int, piece: bytes) -> None:
        """Add bytes of the line `number`; blanks before the record are no part of it."""
        if not self:
            self.line, piece = number, piece.lstrip()
        if self._size <= LONGEST_LINE:
            self._kept += piece[: LONGEST_LINE - self._size]
        self._size += len(piece)

    def row(self) -> Row:
        """Make the row."""
        raw = bytes(self._kept.rstrip())
        if self._size > LONGEST_LINE:
            reason = f"the record is longer than {LONGEST_LINE:,} bytes; only its beginning is kept"
            return _faulty(self.line, raw, reason)
        return _row(self.line, raw)


def _lines(number: int, piece: bytes, pieces: _Pieces) -> Iterator[Row]:
    record = _Record()
    for place, more in _with_first(number, piece, pieces):
        record.add(place, more.rstrip(b"\r\n"))
        if more.endswith(b"\n"):
            if record:
                yield record.row()
            record = _Record()
    if record:
        yield record.row()


def _array(number: int, piece: bytes, pieces: _Pieces) -> Iterator[Row]:
    """Walk over an array: a record is what stands between two commas that are in no string, object or array.

    No JSON string contains a line end, so one that is not closed ends there and spoils its own record only.
    """
    record, depth, is_in_string, is_escaped = _Record(), 0, False, False
    for number, piece in _with_first(number, piece, pieces):  # noqa: B020, PLR1704 - the first goes before the others
        start, position = 0, int(is_escaped and piece != b"\n")
        is_escaped = False
        while mark := (_IN_STRING if is_in_string else _OUTSIDE).search(piece, position):
            position, sign = mark.end(), mark[0]
            if is_in_string:
                is_escaped = sign == b"\\" and position == len(piece)
                is_in_string = sign not in (b'"', b"\n")
            elif sign == b'"':
                is_in_string = True
            elif sign in b"{[":
                depth += 1
            elif depth:
                depth -= sign != b","
            elif sign != b"}":
                record.add(number, piece[start : mark.start()])
                if record:
                    yield record.row()
                elif sign == b",":
                    yield _faulty(number, b"", "no record stands before this comma")
                if sign == b"]":
                    _assert_nothing_follows(number, piece[position:], pieces)
                    return
                record, start = _Record(), position
        record.add(number, piece[start:])
    if record and (depth or is_in_string):
        raise UnreadableFile(record.line, "the record that begins here has no end; the file may have been cut off")
    if record:
        yield record.row()
    raise UnreadableFile(number, "the file ends before its array is closed; it may have been cut off")


def _assert_nothing_follows(number: int, rest: bytes, pieces: _Pieces) -> None:
    for place, beyond in _with_first(number, rest, pieces):
        if beyond.strip():
            raise UnreadableFile(place, "something follows the end of the array")


def _with_first(number: int, piece: bytes, pieces: _Pieces) -> _Pieces:
    yield number, piece
    yield from pieces


def _row(number: int, raw: bytes) -> Row:
    try:
        text = raw.decode("utf-8", "surrogateescape")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        return _faulty(number, raw, "the record is nested too deeply")
    except json.JSONDecodeError as error:
        return _faulty(number, raw, f"the record is not JSON: {error.msg} at its character {error.pos + 1:,}")
    except ValueError as error:
        return _faulty(number, raw, f"the record is not JSON: {error}")
    if not isinstance(value, dict):
        return _faulty(number, raw, f"an object was expected, not {_KINDS.get(type(value), 'a number')}")
    return _checked(number, value, raw)


def _checked(number: int, value: dict[str, Any], raw: bytes) -> Row:
    for column, inner in value.items():
        if reason := text_flaw(column) or _deep_flaw(inner):
            # Its values stay, so that a reader may still see whose record it is.
            return Row(number, value, raw, Refused(column if text_flaw(column) is None else None, reason))
    return Row(number, value, raw)


def row_of(number: int, value: dict[str, Any]) -> Row:
    """The row of a record that came in a request."""
    return _checked(number, value, b"")


_KINDS = {str: "a text", list: "an array", bool: "true or false", type(None): "null"}


def _faulty(number: int, raw: bytes, reason: str) -> Row:
    return Row(number, {}, raw, Refused(None, reason))


def _deep_flaw(value: object) -> str | None:
    if isinstance(value, str):
        return text_flaw(value)
    if isinstance(value, dict):
        return next((flaw for pair in value.items() for part in pair if (flaw := _deep_flaw(part))), None)
    if isinstance(value, list):
        return next((flaw for part in value if (flaw := _deep_flaw(part))), None)
    return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a name comes twice in one object")
    return record


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")
