"""Cubes as a workbook for the office: a sheet of figures and one that says what they are; no cell is a formula."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import xlsxwriter

from services.impact.exports.rules import Cell, Cube, columns, plain, table, words

_WRITTEN: Final = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""Said by every workbook: with the present time no two of the same figures would be the same."""
_LONGEST_EXACT: Final = 15
"""As many digits as a spreadsheet keeps of a number."""


def written(cube: Cube) -> bytes:
    """The workbook."""
    sink = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(sink, options) as book:
        book.set_properties({"title": cube.title, "created": _WRITTEN})
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        _figures(book, cube, bold)
        _definitions(book, cube, bold)
    return sink.getvalue()


def _figures(book: Any, cube: Cube, bold: Any) -> None:
    sheet = book.add_worksheet("Figures")
    told = columns(cube)
    sheet.freeze_panes(1, len(cube.dimensions))
    sheet.set_column(0, len(told) - 1, 18)
    for place, column in enumerate(told):
        sheet.write_string(0, place, column.name, bold)
    number = 0
    for number, row in enumerate(table(cube), start=1):
        for place, cell in enumerate(row):
            _write(sheet, number, place, cell)
    sheet.autofilter(0, 0, number, len(told) - 1)


def _write(sheet: Any, row: int, column: int, cell: Cell) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif isinstance(cell, Decimal) and len(cell.as_tuple().digits) > _LONGEST_EXACT:
        # Rather a text than another number.
        sheet.write_string(row, column, plain(cell))
    else:
        sheet.write_number(row, column, cell)


def _definitions(book: Any, cube: Cube, bold: Any) -> None:
    sheet = book.add_worksheet("Definitions")
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 1, 28)
    sheet.set_column(2, 2, 12)
    sheet.set_column(3, 3, 90)
    about = {"as_of": cube.as_of or "", **cube.notes}
    lines = [
        (cube.title, "", "", ""),
        *((words(name), "", "", text) for name, text in about.items()),
        ("Column", "Title", "Unit", "Definition"),
        *((each.name, each.title, each.unit, each.definition) for each in columns(cube)),
    ]
    heads = {0, len(about) + 1}
    for number, line in enumerate(lines):
        for place, text in enumerate(line):
            if text:
                sheet.write_string(number, place, text, bold if number in heads else wrapped)
