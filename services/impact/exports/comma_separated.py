"""Cubes as CSV (RFC 4180), and as the CSVW metadata that say what its columns are."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any, Final

from services.impact.exports.rules import Cell, Column, Cube, columns, harmless, plain, table

_DATATYPES: Final = {"text": "string", "codes": "string", "whole": "integer", "number": "decimal", "amount": "decimal"}


def written(cube: Cube) -> bytes:
    """The table with a header line, in UTF-8 and with CRLF."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in columns(cube)])
    writer.writerows([_field(cell) for cell in row] for row in table(cube))
    return text.getvalue().encode()


def _field(cell: Cell) -> str:
    if cell is None:
        return ""
    return plain(cell) if isinstance(cell, (int, float, Decimal)) else harmless(cell)


def metadata(cube: Cube, url: str) -> dict[str, Any]:
    """The metadata of the CSV at an address, as W3C's CSV on the Web has it."""
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": url,
        "dc:title": cube.title,
        **({"dc:issued": {"@value": cube.as_of, "@type": "xsd:dateTime"}} if cube.as_of else {}),
        "notes": [{"@id": f"#{name}", "dc:description": text} for name, text in cube.notes.items()],
        "dialect": {"header": True, "encoding": "utf-8", "lineTerminators": ["\r\n"]},
        "tableSchema": {"columns": [_column(each) for each in columns(cube)]},
    }


def _column(column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": column.name,
        "titles": column.name,
        "dc:title": column.title,
        "datatype": _DATATYPES[column.kind],
        "null": "",
    }
    if column.definition:
        told["dc:description"] = column.definition
    if column.unit:
        told["schema:unitText"] = column.unit
    if column.kind == "codes":
        told["separator"] = " "
    return told
