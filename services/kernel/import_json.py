"""Reading of JSON import files, an array or one record a line, as the same rows that CSV files give."""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from services.kernel.imports import LONGEST_LINE, Lines, Refused, Row, UnreadableFile, text_flaw

_INSIDE = re.compile(r'["\\{}]')
_OUTSIDE = re.compile(r"\S")


class JsonRows:
    """The records of a JSON array of objects, or of one object a line (NDJSON), UTF-8, one record in memory at a time.

    `Row.raw` is the record as one quoted CSV field, so that a file of refused records has the same shape for every
    input. A record that cannot be read is yielded with its `fault`; raises UnreadableFile where the rest of an array
    cannot be found any more.
    """

    header = b"record\r\n"

    def __init__(self, stream: BinaryIO) -> None:
        """Read from a stream opened in binary mode."""
        self._lines = Lines(stream)
        self.remarks: list[Any] = []

    @property
    def bytes_read(self) -> int:
        """How much of the stream was read, in bytes, for a progress line."""
        return self._lines.bytes_read

    def __iter__(self) -> Iterator[Row]:
        """Yield the records in the order of the file, each with the line it begins on."""
        for number, text in self._numbered():
            if not text.strip():
                continue
            if text.lstrip().startswith("["):
                yield from self._array(number, text)
                return
            yield _row(number, text.strip())

    def _numbered(self) -> Iterator[tuple[int, str]]:
        for text in self._lines:
            line = self._lines.taken[-1]
            self._lines.begin()
            if line.is_cut:
                raise UnreadableFile(line.number, f"the line is longer than {LONGEST_LINE:,} bytes")
            yield line.number, text

    def _array(self, number: int, text: str) -> Iterator[Row]:
        """Walk over an array: between records only commas and the closing bracket may stand."""
        lines = self._numbered()
        position = text.index("[") + 1
        may_begin = True
        while True:
            mark = _OUTSIDE.search(text, position)
            if mark is None:
                following = next(lines, None)
                if following is None:
                    yield _faulty(number, "", "the file ends before its array is closed; it may have been cut off")
                    return
                (number, text), position = following, 0
                continue
            position = mark.end()
            if mark[0] == "{" and may_begin:
                first, (record, is_whole, number, text, position) = number, _record(number, text, mark.start(), lines)
                if not is_whole:
                    yield _faulty(first, record, "the file ends inside this record; it may have been cut off")
                    return
                yield _row(first, record)
                may_begin = False
            elif mark[0] == "," and not may_begin:
                may_begin = True
            elif mark[0] == "]":
                break
            else:
                raise UnreadableFile(number, f"an object was expected, not {mark[0]!r}")
        for place, beyond in [(number, text[position:]), *lines]:
            if beyond.strip():
                raise UnreadableFile(place, "something follows the end of the array")


def _record(number: int, text: str, start: int, lines: Iterator[tuple[int, str]]) -> tuple[str, bool, int, str, int]:
    """Collect one object from its opening brace; return it, whether it is whole, and where reading goes on."""
    first, pieces, size, depth, is_in_string, position = number, [], 0, 0, False, start
    while True:
        mark = _INSIDE.search(text, position)
        if mark is None:
            pieces.append(text[start:])
            size += len(pieces[-1])
            if size > LONGEST_LINE:
                raise UnreadableFile(first, f"a record begins here that is longer than {LONGEST_LINE:,} characters")
            following = next(lines, None)
            if following is None:
                return "".join(pieces), False, number, "", 0
            # A backslash before a line end escapes nothing that matters here, so `position` starts anew.
            (number, text), start, position = following, 0, 0
            continue
        position = mark.end()
        if is_in_string:
            if mark[0] == "\\":
                position += 1
            elif mark[0] == '"':
                is_in_string = False
        elif mark[0] == '"':
            is_in_string = True
        elif mark[0] == "{":
            depth += 1
        elif mark[0] == "}":
            depth -= 1
            if depth == 0:
                pieces.append(text[start:position])
                return "".join(pieces), True, number, text, position


def _row(number: int, text: str) -> Row:
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        return _faulty(number, text, "the record is nested too deeply")
    except ValueError as error:
        return _faulty(number, text, f"the record is not JSON: {error}")
    if not isinstance(value, dict):
        return _faulty(number, text, "an object was expected")
    for column, inner in value.items():
        if reason := text_flaw(column) or _deep_flaw(inner):
            return Row(number, {}, _quoted(text), Refused(column if text_flaw(column) is None else None, reason))
    return Row(number, value, _quoted(text))


def _faulty(number: int, text: str, reason: str) -> Row:
    return Row(number, {}, _quoted(text), Refused(None, reason))


def _deep_flaw(value: object) -> str | None:
    if isinstance(value, str):
        return text_flaw(value)
    if isinstance(value, dict):
        return next((flaw for pair in value.items() for part in pair if (flaw := _deep_flaw(part))), None)
    if isinstance(value, list):
        return next((flaw for part in value if (flaw := _deep_flaw(part))), None)
    return None


def _quoted(text: str) -> bytes:
    return b'"' + text.encode("utf-8", "surrogateescape").replace(b'"', b'""') + b'"\r\n'


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a name comes twice in one object")
    return record


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")
