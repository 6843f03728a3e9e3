"""Reads every shape of the figures as foreign clients do, into one dictionary: cell by cell, None where withheld."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import csvw
import openpyxl
import pyarrow.parquet as pq
from pyjstat import pyjstat
from pysdmx.io import read_sdmx

Cells = dict[tuple[Any, ...], Decimal | None]
_NULLS = {"_U": None, "_O": None}


def number(value: Any) -> Decimal | None:
    return None if value is None or value == "" else Decimal(str(value)).normalize()


def _of_quantity(figure: str, measure: str, unit: str) -> tuple[str, ...]:
    return (measure, unit) if figure == "quantities" else (figure, measure, unit)


def of_statistics(answer: dict[str, Any]) -> Cells:
    """What the JSON of the statistics says."""
    cells: Cells = {}
    for item in answer["items"]:
        key = tuple(None if item[name] is None else str(item[name]) for name in answer["by"])
        for measure in answer["measures"]:
            if isinstance(item[measure], list):
                cells |= {(*key, each["measure"], each["unit"]): number(each["amount"]) for each in item[measure]}
            else:
                cells[*key, measure] = number(item[measure])
    return cells


ENDINGS = ("", "_previous", "_growth", "_growth_ratio")


def of_compared(answer: dict[str, Any], by: Sequence[str]) -> Cells:
    """What the JSON says of figures beside those of the period before, and of their growth."""
    cells: Cells = {}
    for item in answer["items"]:
        key = tuple(None if item[name] is None else str(item[name]) for name in by)
        was, grown = item["previous"] or {}, item["growth"]
        for name in answer["measures"]:
            if name != "quantities":
                told = (item[name], was.get(name), grown[name]["absolute"], grown[name]["ratio"])
                cells |= {(*key, f"{name}{end}"): number(each) for end, each in zip(ENDINGS, told, strict=True)}
                continue
            for end, found, what in (
                ("", item[name], "amount"), ("_previous", was.get(name), "amount"),
                ("_growth", grown[name], "absolute"), ("_growth_ratio", grown[name], "ratio"),
            ):  # fmt: skip
                for each in found or ():
                    if each[what] is not None:
                        quantity = _of_quantity(f"{name}{end}", each["measure"], each["unit"])
                        cells[*key, *quantity] = number(each[what])
    return cells


def of_ranking(answer: dict[str, Any], measures: Sequence[str]) -> Cells:
    """What the JSON of a ranking says."""
    return {
        (item["country"], item["section"], name): number(item[name]) for item in answer["items"] for name in measures
    }


def of_table(answer: dict[str, Any]) -> Cells:
    """What the JSON of a table of people says."""
    cells: Cells = {}
    for item in answer["items"]:
        key = (item["academic_year"], item["row"])
        cells[*key, "_T", "people"] = number(item["people"])
        cells |= {(*key, each["label"], "people"): number(each["people"]) for each in item["counts"]}
    return cells


def _of_rows(rows: Iterable[dict[str, Any]], by: Sequence[str], measures: Sequence[str]) -> Cells:
    """What a table says: a row is of figures, or of a quantity."""
    cells: Cells = {}
    for row in rows:
        key = tuple(row[name] or None for name in by)
        if row.get("measure"):
            for end in ENDINGS:
                if row.get(f"amount{end}") not in {None, ""}:
                    quantity = _of_quantity(f"quantities{end}", row["measure"], row["unit"])
                    cells[*key, *quantity] = number(row[f"amount{end}"])
            continue
        suppressed = row["suppressed"] or []
        suppressed = suppressed.split() if isinstance(suppressed, str) else suppressed
        for measure in measures:
            if measure == "quantities":
                cells |= {(*key, measure): None} if measure in suppressed else {}
                continue
            cells[*key, measure] = number(row[measure])
            assert (cells[*key, measure] is None) == (measure in suppressed)
    return cells


def of_csv(content: bytes, by: Sequence[str], measures: Sequence[str]) -> Cells:
    text = content.decode("utf-8")
    assert text.count("\n") == text.count("\r\n")
    return _of_rows(csv.DictReader(io.StringIO(text, newline=""), strict=True), by, measures)


def of_csvw(content: bytes, metadata: bytes, by: Sequence[str], measures: Sequence[str], folder: Path) -> Cells:
    """By the metadata alone, which name the columns, their types and what is null."""
    told = json.loads(metadata)
    (folder / "figures.csv").write_bytes(content)
    (folder / "figures.csv-metadata.json").write_text(json.dumps({**told, "url": "figures.csv"}))
    table = csvw.Table.from_file(folder / "figures.csv-metadata.json")
    return _of_rows(table.iterdicts(strict=True), by, measures)


def of_parquet(content: bytes, by: Sequence[str], measures: Sequence[str]) -> Cells:
    return _of_rows(pq.read_table(io.BytesIO(content)).to_pylist(), by, measures)


def of_xlsx(content: bytes, by: Sequence[str], measures: Sequence[str]) -> Cells:
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Figures"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    header, *rows = sheet.iter_rows(values_only=True)
    return _of_rows((dict(zip(header, row, strict=True)) for row in rows), by, measures)


def of_sdmx(content: bytes, by: Sequence[str]) -> tuple[Cells, set[str]]:
    """The cells and the CONF_STATUS of those without a number."""
    (dataset,) = read_sdmx(content.decode()).data
    cells: Cells = {}
    confidential = set()
    for row in dataset.data.to_dict("records"):
        key = tuple(_NULLS.get(row[name.upper()], row[name.upper()]) for name in by)
        what = _of_quantity(row["MEASURE"], row["QUANTITY"], row["UNIT_MEASURE"])
        what = (row["MEASURE"],) if row["QUANTITY"] == "_Z" else what
        has_none = row["OBS_STATUS"] in {"Q", "M"}
        cells[*key, *what] = None if has_none else number(row["OBS_VALUE"])
        if has_none:
            confidential.add(row["CONF_STATUS"])
    return cells, confidential


def of_json_stat(content: bytes, by: Sequence[str]) -> tuple[Cells, set[str]]:
    """The numbers as pyjstat reads them; which cells are withheld, and the statuses, by their place."""
    told = json.loads(content)
    assert [*by, "measure"] == told["id"]
    with warnings.catch_warnings():
        # It warns of itself.
        warnings.simplefilter("ignore", DeprecationWarning)
        frame = pyjstat.Dataset.read(content.decode()).write("dataframe", naming="id")
    status = {int(place): code for place, code in told.get("status", {}).items()}
    cells: Cells = {}
    for place, row in enumerate(frame.to_dict("records")):
        key = tuple(_NULLS.get(row[name], row[name]) for name in by)
        what = tuple(str(row["measure"]).removeprefix("quantities:").split(":"))
        if place in status:
            assert row["value"] is None or row["value"] != row["value"]
            cells[*key, *what] = None
        elif row["value"] is not None and row["value"] == row["value"]:
            cells[*key, *what] = number(row["value"])
    return cells, set(status.values())
