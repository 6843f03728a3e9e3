"""Reading CSV import files as rows: lines, faults of single rows, files that cannot be read at all."""

import csv
import io
import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.imports import LONGEST_LINE, CsvRows, Refused, Remark, Repeats, Row, UnreadableFile, parsed


def read(content: bytes | str, *required: str) -> list[Row]:
    raw = content.encode() if isinstance(content, str) else content
    return list(CsvRows(io.BytesIO(raw), required=required or ("a", "b")))


def faults(rows: list[Row]) -> dict[int, str]:
    return {row.line: str(row.fault) for row in rows if row.fault}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_rows_have_the_line_they_begin_on_and_their_bytes(end: str, mark: bytes) -> None:
    content = mark + end.join(["a,b", '1,"two', 'lines"', "", "3,Łódź"]).encode()

    first, second = read(content)

    assert (first.line, first.values) == (2, {"a": "1", "b": f"two{end}lines"})
    assert first.raw == f'1,"two{end}lines"{end}'.encode()
    assert (second.line, second.values, second.raw) == (5, {"a": "3", "b": "Łódź"}, "3,Łódź".encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "line 1: the file is empty"),
        (b"a,c\n1,2\n", "line 1: columns missing: b"),
        (b"a;b\n1;2\n", "columns missing: a, b; the file seems to be separated by semicolons"),
        (b"a,b,a\n", "columns named twice: 'a'"),
        (b"a,b\xe9\n", "the header cannot be read: is not UTF-8"),
        (b"a,b\0\n", "the header cannot be read: contains NUL"),
        (b'a,"b\n', "the header cannot be read: a quoted field"),
        ("a,b\n1,2\n".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (b"a,b\r1,2\r", "the header cannot be read: a lone carriage return"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile) as error:
        read(content)

    assert reason in str(error.value)


def test_a_column_that_nobody_knows_is_named_once() -> None:
    rows = CsvRows(io.BytesIO(b"a,b,c,d\n1,2,3,4\n"), required=("a", "b"), optional=("c",))

    assert rows.remarks == [Remark("d", "the column is not known and was left out")]
    assert rows.columns == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1", "1 fields instead of 2"),
        (b"1,2,3", "3 fields instead of 2"),
        (b"1,\xe9", "b: is not UTF-8"),
        (b"1,x\0y", "b: contains NUL"),
        (b"1," + b"x" * 20_001, "b: longer than 20,000 characters"),
        (b'1,"x"y', "text follows the closing quote of a field"),
        (b"1,x\ry", "a lone carriage return stands in an unquoted field"),
        (b'1,"x', "a quoted field that begins here is never closed"),
        (b"1," + b"x," * LONGEST_LINE, "fields instead of 2"),
    ],
)
def test_a_row_that_cannot_be_read_does_not_take_the_next_with_it(line: bytes, reason: str) -> None:
    rows = read(b"a,b\n0,0\n" + line + b"\n7,8\n")

    assert [row.values for row in rows if not row.fault] == [{"a": "0", "b": "0"}, {"a": "7", "b": "8"}]
    assert list(faults(rows)) == [3]
    assert reason in faults(rows)[3]


def test_a_line_beyond_the_limit_is_cut_and_refused() -> None:
    rows = read(b'a,b\n1,"' + b"x," * LONGEST_LINE + b'"\n7,8\n')

    assert list(faults(rows)) == [2]
    assert len(rows[0].raw) == LONGEST_LINE + 1
    assert rows[1].values == {"a": "7", "b": "8"}


def test_a_broken_row_is_kept_as_it_stood() -> None:
    assert read(b'a,b\r\n1,"x"\xe9\r\n')[0].raw == b'1,"x"\xe9\r\n'


def test_an_unclosed_quote_gives_back_every_line_it_swallowed() -> None:
    rows = read("a,b\n" + '1,"open\n' + "".join(f"{number},x\n" for number in range(20_000)))

    assert list(faults(rows)) == [2]
    assert [row.line for row in rows] == list(range(2, 20_003))


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(cells, cells), max_size=10))
def test_what_was_written_as_csv_is_read_again(records: list[tuple[str, str]]) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *records])

    assert [tuple(row.values.values()) for row in read(target.getvalue())] == records


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_faults_and_no_line_is_lost(content: bytes) -> None:
    rows = read(b"a,b\n" + content)

    assert b"".join(row.raw for row in rows).split() == content.split()


class Endless(io.RawIOBase):
    """A CSV file that is made up while it is read."""

    def __init__(self, rows: int) -> None:
        self._lines = itertools.chain([b"a,b\n"], itertools.repeat(b'"some text","more text"\n', rows))

    def readline(self, size: int | None = -1, /) -> bytes:  # noqa: ARG002
        return next(self._lines, b"")


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        count = sum(1 for _ in CsvRows(Endless(rows), required=("a", "b")))  # type: ignore[arg-type,misc]
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == rows
        return size

    assert peak(20_000) < peak(200) + 20_000


MARKED = b"refused_line,refused_column,refused_reason,"


def test_a_file_of_refused_rows_is_read_as_the_rows_that_it_holds() -> None:
    content = MARKED + b'a,b\n7,a,"is ""odd"", or not",1,"two\nlines"\n"9","","",3,4\n10,,3 fields,5\n'
    rows = CsvRows(io.BytesIO(content), required=("a", "b"))
    first, second, third = rows

    assert (rows.columns, rows.header, rows.remarks) == (("a", "b"), b"a,b\n", [])
    assert (first.line, first.values, first.raw) == (2, {"a": "1", "b": "two\nlines"}, b'1,"two\nlines"\n')
    assert (second.line, second.values, second.raw) == (4, {"a": "3", "b": "4"}, b"3,4\n")
    assert (third.raw, str(third.fault)) == (b"5\n", "1 fields instead of 2")


def numbers(contents: str) -> Iterator[tuple[Row, int]]:
    def parse(row: Any) -> tuple[int, list[Remark]]:
        if not row["a"].isdigit():
            raise Refused("a", "is no number")
        return int(row["a"]), [Remark("b", "odd")] if row["b"] else []

    for row in read(contents):
        yield row, parsed(row, parse)[0]


def test_parsing_a_row_passes_on_its_own_fault_or_that_of_its_values() -> None:
    assert [value for _, value in numbers("a,b\n1,\n2,x\n")] == [1, 2]
    with pytest.raises(Refused, match="a: is no number"):
        list(numbers("a,b\nx,\n"))
    with pytest.raises(Refused, match="fields instead of 2"):
        list(numbers("a,b\nx\n"))


def test_a_key_that_comes_twice_is_a_remark_or_a_refusal() -> None:
    repeats = Repeats()
    lines = [Row(line, {}, b"") for line in (2, 3, 4)]

    assert repeats.check(lines[0], column="code", key="A", content=("x", 1)) is None
    remark = repeats.check(lines[1], column="code", key="A", content=("x", 1))
    assert remark == Remark("code", "A stands on line 2 already, with the same content")
    with pytest.raises(Refused, match="A stands on line 2 already, with other content"):
        repeats.check(lines[2], column="code", key="A", content=("x", 2))
