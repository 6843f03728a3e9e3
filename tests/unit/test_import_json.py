"""Reading JSON import files as rows: arrays and one record a line, what is no record, files that end too early."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.import_json import JsonRows
from services.kernel.imports import LONGEST_LINE, Row, UnreadableFile


def read(content: bytes | str, *, by_line: bool = False) -> list[Row]:
    return list(JsonRows(io.BytesIO(content.encode() if isinstance(content, str) else content), by_line=by_line))


def until_it_stops(content: str) -> tuple[list[Row], UnreadableFile]:
    rows: list[Row] = []
    with pytest.raises(UnreadableFile) as stopped:
        rows.extend(JsonRows(io.BytesIO(content.encode())))
    return rows, stopped.value


def faults(rows: list[Row]) -> dict[int, str]:
    return {row.line: str(row.fault) for row in rows if row.fault}


ARRAY = '[\n {"code": "A", "name": "x } ] \\" {"},\n {"code": "B",\n  "inner": {"deep": ["]"]}}\n]\n'


def test_an_array_is_read_record_by_record_with_its_lines() -> None:
    first, second = read("\ufeff" + ARRAY)

    assert (first.line, first.values) == (2, {"code": "A", "name": 'x } ] " {'})
    assert (second.line, second.values) == (3, {"code": "B", "inner": {"deep": ["]"]}})
    assert second.raw == b'{"code": "B",\n  "inner": {"deep": ["]"]}}'


def test_one_record_a_line_is_read_and_a_bad_line_stays_alone() -> None:
    rows = read('{"code": "A"}\n\n{"code": \n{"code": "B"}\n[1]\n')

    assert [(row.line, dict(row.values)) for row in rows if not row.fault] == [(1, {"code": "A"}), (4, {"code": "B"})]
    assert list(faults(rows)) == [3, 5]


def test_a_file_of_lines_may_begin_with_an_array_that_is_no_record() -> None:
    rows = read('[1]\n{"code": "A"}\n', by_line=True)

    assert faults(rows) == {1: "an object was expected, not an array"}
    assert rows[1].values == {"code": "A"}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"a": NaN}', "NaN is not a JSON value"),
        ('{"a": 1, "a": 2}', "a name comes twice"),
        ('{"a": "\\u0000"}', "a: contains NUL"),
        ('{"a": {"b": ["\\ud800"]}}', "a: is not UTF-8"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"a": ' + "1" * 5_000 + "}", "is not JSON"),
        ("{'a': 1}", "is not JSON: Expecting property name enclosed in double quotes at its character 2"),
    ],
)
@pytest.mark.parametrize("shape", ["{}", "[{}]"])
def test_a_record_that_cannot_be_stored_is_refused_as_it_stands(record: str, reason: str, shape: str) -> None:
    (row,) = read(shape.replace("{}", record))

    assert reason in str(row.fault)
    assert row.raw == record.encode()


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ('"some, text ]"', "an object was expected, not a text"),
        ("17", "not a number"),
        ("null", "not null"),
        ("true", "not true or false"),
        ('[{"a": 1}, {"a": 2}]', "not an array"),
        ("{} {}", "is not JSON: Extra data"),
        ('{"a": 1}}', "is not JSON: Extra data"),
        ('{"a": 1]}', "is not JSON"),
        ('{"a": "never closed}', "is not JSON"),
        ('{"a": "a backslash at the end of its line\\', "is not JSON"),
        ("", "no record stands before this comma"),
    ],
)
def test_what_is_no_object_is_refused_and_the_rest_goes_on(element: str, reason: str) -> None:
    broken = element + "\n}" if element.count('"') % 2 else element
    rows = read(f'[{{"a": 1}},\n{broken},\n{{"a": 2}}]')

    assert [row.values for row in rows if not row.fault] == [{"a": 1}, {"a": 2}]
    ((_, told),) = faults(rows).items()
    assert reason in told
    assert rows[1].raw == broken.encode()


@pytest.mark.parametrize(
    ("content", "taken", "line", "reason"),
    [
        ('[{"a": 1}', 1, 1, "before its array is closed; it may have been cut off"),
        ('[{"a": 1},\n', 1, 1, "before its array is closed; it may have been cut off"),
        ('[{"a": 1},\n {"b":\n "}', 1, 2, "the record that begins here has no end; the file may have been cut off"),
        ("[", 0, 1, "cut off"),
        ('[{"a": 1}]\n\n {}', 1, 3, "something follows the end of the array"),
    ],
)
def test_where_a_file_ends_too_early_or_too_late_is_told(content: str, taken: int, line: int, reason: str) -> None:
    rows, stopped = until_it_stops(content)

    assert [row.values for row in rows] == [{"a": 1}] * taken
    assert stopped.line == line
    assert reason in stopped.reason


def test_an_array_in_one_line_of_any_length_is_read_in_little_memory() -> None:
    class Generated(io.RawIOBase):
        """`[{…},{…},…]` without a line end, made up while it is read."""

        def __init__(self, records: int) -> None:
            record = b'{"a": "' + "Łódź \\\\ \\".encode() + b'" ", "b": [1, {"c": "]' + b"x" * 500 + b'"}]}'
            self._left = iter([b"[", *[record + b","] * (records - 1), record, b"]"])
            self._held = b""

        def readline(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            while len(self._held) < size and (more := next(self._left, b"")):
                self._held += more
            piece, self._held = self._held[:size], self._held[size:]
            return piece

    tracemalloc.start()
    rows: Iterator[Row] = iter(JsonRows(Generated(5_000)))  # type: ignore[arg-type]
    expected = {"a": 'Łódź \\ " ', "b": [1, {"c": "]" + "x" * 500}]}
    assert sum(row.line == 1 and row.values == expected for row in rows) == 5_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000  # of 3 million bytes


def test_a_record_beyond_the_limit_is_cut_and_refused_and_the_rest_goes_on() -> None:
    long = '{"a": "' + "x" * LONGEST_LINE + '"}'
    for rows in (read(f'[{long},\n{{"a": 1}}]'), read(f'{long}\n{{"a": 1}}')):
        assert faults(rows) == {1: "the record is longer than 1,048,576 bytes; only its beginning is kept"}
        assert len(rows[0].raw) == LONGEST_LINE
        assert (rows[1].line, rows[1].values) == (2, {"a": 1})


def test_a_record_that_never_ends_does_not_fill_the_memory() -> None:
    content = b'[\n{"a": [' + (b"x" * 500 + b"\n,") * 20_000
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match="line 2: the record that begins here has no end"):
        list(JsonRows(io.BytesIO(content)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * LONGEST_LINE


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
values = st.recursive(st.none() | st.booleans() | st.integers() | cells, lambda inner: st.lists(inner, max_size=3))


@given(st.lists(st.dictionaries(cells, values, max_size=3), max_size=4), st.sampled_from([None, 1]))
def test_what_was_written_as_json_is_read_again(records: list[dict[str, Any]], indent: int | None) -> None:
    array = read(json.dumps(records, indent=indent, ensure_ascii=False))
    lines = read("\n".join(json.dumps(record) for record in records))

    assert [row.values for row in array] == [row.values for row in lines] == records


@given(
    st.lists(st.dictionaries(cells, values, max_size=3), max_size=4), st.integers(1, 9), st.sampled_from([None, "\t"])
)
def test_where_the_pieces_of_a_line_are_cut_does_not_matter(
    records: list[dict[str, Any]], size: int, indent: str | None
) -> None:
    class Small(io.BytesIO):
        def readline(self, _: int | None = -1, /) -> bytes:
            return super().readline(size)

    content = json.dumps(records, indent=indent, ensure_ascii=False).encode()
    rows = list(JsonRows(Small(content)))
    assert [row.values for row in rows] == records
    assert [row.line for row in rows] == [row.line for row in read(content)]
