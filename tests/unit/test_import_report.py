"""The report of an import and the files that it leaves beside the input."""

import io
from pathlib import Path

import pytest

from services.kernel.import_report import MESSAGES_KEPT, Report
from services.kernel.importing import open_rows
from services.kernel.imports import CsvRows, Refused, Remark, Row, UnreadableFile


def row(line: int, raw: bytes = b"x,y\r\n") -> Row:
    return Row(line, {}, raw)


def run(source: Path, refusals: int, warnings: int = 0) -> Report:
    with Report.beside(source, b"a,b\r\n") as report:
        for line in range(2, 2 + refusals):
            report.refuse(row(line), Refused("a", "is wrong"))
        for line in range(2, 2 + warnings):
            report.warn(row(line), [Remark("b", "is odd")])
            report.take()
    return report


def test_the_counts_add_up_and_the_text_names_line_column_and_reason() -> None:
    report = Report("input.csv")
    report.take()
    report.warn(row(2), [Remark("b", "is odd"), Remark(None, "twice")])
    report.leave()
    report.refuse(row(4), Refused(None, "has no fields"))

    assert report.rows == 3
    assert report.text() == (
        "  warning  line 2, b: is odd\n"
        "  warning  line 2: twice\n"
        "  refused  line 4: has no fields\n"
        "input.csv: 3 rows: 1 taken, 1 unchanged, 1 refused; 2 warnings on 1 row"
    )


def test_only_some_messages_are_kept_and_refusals_come_first() -> None:
    report = Report("input.csv")
    for line in range(2, 502):
        report.warn(row(line), [Remark("b", "is odd")])
        report.take()
    for line in range(502, 552):
        report.refuse(row(line), Refused("a", "is wrong"))

    assert (report.taken, report.warnings, report.warned, report.refused) == (500, 500, 500, 50)
    assert len(report.messages) == MESSAGES_KEPT
    assert sum(message.is_refusal for message in report.messages) == 50
    assert f"and {550 - MESSAGES_KEPT} messages more" in report.text()


def test_refused_rows_stand_beside_the_input_as_they_were(tmp_path: Path) -> None:
    content = b'a,b\r\n1,"two\r\nlines"\r\n3,\xe9\r\n4'
    source = tmp_path / "input.csv"
    rows = CsvRows(io.BytesIO(content), required=("a", "b"))

    with Report.beside(source, rows.header) as report:
        for found in rows:
            report.refuse(found, found.fault or Refused("a", 'is "wrong"'))

    assert (tmp_path / "input.refused.csv").read_bytes() == (
        b"refused_line,refused_column,refused_reason,a,b\r\n"
        b'2,a,"is ""wrong""",1,"two\r\nlines"\r\n'
        b"4,b,is not UTF-8,3,\xe9\r\n"
        b"5,,1 fields instead of 2,4\r\n"
    )
    assert str(tmp_path / "input.refused.csv") in report.text()


def test_the_totals_are_the_last_line_and_what_is_not_listed_is_counted(tmp_path: Path) -> None:
    source = tmp_path / "input.csv"
    with Report.beside(source, b"a,b\r\n") as report:
        for line in range(2, 302):
            report.warn(row(line), [Remark("b", "is odd")], is_listed=False)
            report.leave()

    assert report.text().splitlines() == [
        "  300 warnings on unchanged rows not listed",
        f"  all warnings: {tmp_path / 'input.warnings.csv'}",
        "input.csv: 300 rows: 0 taken, 300 unchanged, 0 refused; 300 warnings on 300 rows",
    ]
    assert len((tmp_path / "input.warnings.csv").read_bytes().splitlines()) == 301


def test_where_reading_stopped_is_told_and_kept(tmp_path: Path) -> None:
    with Report.beside(tmp_path / "input.json", None) as report:
        report.take()
        report.stop(UnreadableFile(7, "the file was cut off"))

    *_, stopped, totals = report.text().splitlines()
    assert stopped == "stopped at line 7: the file was cut off"
    assert totals.startswith("input.json: 1 row: 1 taken")
    kept = (tmp_path / "input.warnings.csv").read_text()
    assert '7,,"stopped here, what follows was not read: the file was cut off"' in kept


def refuse_everything(source: Path) -> Report:
    with source.open("rb") as stream:
        rows = open_rows(stream, source, required=("a", "b"), optional=())
        with Report.beside(source, rows.header) as report:
            for found in rows:
                report.refuse(found, found.fault or Refused("a", 'is "wrong", as ever'))
    return report


def test_refused_rows_that_are_refused_again_are_marked_once(tmp_path: Path) -> None:
    source = tmp_path / "input.csv"
    source.write_bytes(b'a,b\r\n1,"two\r\nlines"\r\n3,\xe9\r\n4\r\n')
    refuse_everything(source)
    again = refuse_everything(tmp_path / "input.refused.csv")

    assert (again.refused, again.warnings) == (3, 0)
    first, second = (tmp_path / "input.refused.csv", tmp_path / "input.refused.refused.csv")
    assert second.read_bytes() == first.read_bytes()


def test_refused_json_records_can_be_imported_again(tmp_path: Path) -> None:
    source = tmp_path / "input.json"
    source.write_bytes(b'[{"code": "A,B",\n  "name": "\xc5\x81"}, "text",\n[1], ]')
    refuse_everything(source)

    refused = tmp_path / "input.refused.ndjson"
    assert refused.read_bytes() == b'{"code": "A,B",   "name": "\xc5\x81"}\n"text"\n[1]\n'
    assert (tmp_path / "input.refused.csv").read_bytes() == (
        b"refused_line,refused_column,refused_reason\r\n"
        b'1,a,"is ""wrong"", as ever"\r\n'
        b'2,,"an object was expected, not a text"\r\n'
        b'3,,"an object was expected, not an array"\r\n'
    )
    refuse_everything(refused)
    assert (tmp_path / "input.refused.refused.ndjson").read_bytes() == refused.read_bytes()
    with refused.open("rb") as stream:
        rows = list(open_rows(stream, refused, required=(), optional=()))
    assert rows[0].values == {"code": "A,B", "name": "Ł"}
    assert [row.fault is None for row in rows] == [True, False, False]


def test_every_warning_is_in_its_file(tmp_path: Path) -> None:
    run(tmp_path / "input.csv", refusals=0, warnings=MESSAGES_KEPT + 100)

    lines = (tmp_path / "input.warnings.csv").read_bytes().splitlines()
    assert lines[0] == b"line,column,reason"
    assert lines[-1] == b"301,b,is odd"
    assert len(lines) == 1 + MESSAGES_KEPT + 100


def test_a_run_without_refusals_removes_the_file_of_the_last_one(tmp_path: Path) -> None:
    run(tmp_path / "input.csv", refusals=2, warnings=1)
    assert {path.name for path in tmp_path.iterdir()} == {"input.refused.csv", "input.warnings.csv"}

    run(tmp_path / "input.csv", refusals=0)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_breaks_off_leaves_the_last_ones_files(tmp_path: Path) -> None:
    run(tmp_path / "input.csv", refusals=1)
    before = (tmp_path / "input.refused.csv").read_bytes()

    def break_off() -> None:
        with Report.beside(tmp_path / "input.csv", b"a,b\r\n") as report:
            report.refuse(row(9), Refused("a", "is wrong"))
            raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        break_off()

    assert [path.name for path in tmp_path.iterdir()] == ["input.refused.csv"]
    assert (tmp_path / "input.refused.csv").read_bytes() == before


def test_text_from_the_file_cannot_steer_the_terminal() -> None:
    report = Report("in\x1b[2Jput.csv")
    report.refuse(row(2), Refused("a\r", "\x1b]0;owned\x07 and \u202e Łódź"))

    assert report.text().splitlines() == [
        "  refused  line 2, a\\r: \\x1b]0;owned\\x07 and \\u202e Łódź",
        "in\\x1b[2Jput.csv: 1 row: 0 taken, 0 unchanged, 1 refused; 0 warnings on 0 rows",
    ]
