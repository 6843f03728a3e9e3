"""The columns of a table of activities: they follow from the fields of a draft, so that a new field has its column.

A field of a part is a column such as `place.city`. A list stands in one cell, its values parted by `|`; of organisers
and causes the code is given, of partners the name, and the first one leads.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from services.activities.catalogue.drafts import ActivityDraft

EXTERNAL_ID: Final = "external_id"
PARTED_BY: Final = "|"

# A truth value is a number to Python, so it comes first.
_SCALARS: Final = {bool: "flag", int: "number", float: "number", Decimal: "amount", datetime: "time", str: "text"}
_FLAGS: Final = {"true": True, "yes": True, "false": False, "no": False}
_NUMBER: Final = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{1,15})?")
_WALL_CLOCK: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d.*)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column, the place of its value in a draft, and how a cell is read; a part is given by its field `of`."""

    path: tuple[str, ...]
    kind: str
    is_list: bool = False
    of: str | None = None

    @property
    def name(self) -> str:
        """What it is called in the header."""
        return ".".join(self.path)

    def value(self, cell: str) -> Any:
        """The JSON value that a cell stands for, None where it is empty; what can't be read stays text."""
        if not self.is_list:
            return self._scalar(cell.strip())
        parts = [self._scalar(part.strip()) for part in cell.split(PARTED_BY) if part.strip()]
        return [{self.of: part} for part in parts] if self.of else parts

    def _scalar(self, text: str) -> Any:
        if not text:
            return None
        if self.kind == "flag":
            return _FLAGS.get(text.casefold(), text)
        if self.kind == "number" and _NUMBER.fullmatch(text):
            plain = text.replace(",", ".")
            return float(plain) if "." in plain else int(plain)
        if self.kind == "amount" and _NUMBER.fullmatch(text):
            return text.replace(",", ".")
        if self.kind == "time" and (found := _WALL_CLOCK.fullmatch(text)):
            return f"{found[1]}T{found[2]}"
        return text


def _plain(annotation: Any) -> Any:
    """A type without its constraints and without None."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in {Union, UnionType}:
            others = [choice for choice in get_args(annotation) if choice is not NoneType]
            if len(others) != 1:
                return None
            annotation = others[0]
        else:
            return annotation


def _kind(annotation: Any) -> str | None:
    if not isinstance(annotation, type):
        return None
    return next((kind for of, kind in _SCALARS.items() if issubclass(annotation, of)), None)


def _columns(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Column]:
    for name, field in model.model_fields.items():
        here, annotation = (*path, name), _plain(field.annotation)
        if kind := _kind(annotation):
            yield Column(here, kind)
        elif get_origin(annotation) is list:
            yield from _list_column(here, _plain(get_args(annotation)[0]))
        elif not path and isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _columns(annotation, here)


def _list_column(path: tuple[str, ...], item: Any) -> Iterator[Column]:
    if kind := _kind(item):
        yield Column(path, kind, is_list=True)
    elif isinstance(item, type) and issubclass(item, BaseModel):
        fields = item.model_fields
        # Whatever is needed; else the name, by which everything that has one can be given.
        needed = {name: field for name, field in fields.items() if field.is_required()} or {
            name: fields[name] for name in ("name",) if name in fields
        }
        # What takes more than one value to describe does not go into a cell.
        for name, field in needed.items():
            if len(needed) == 1 and (kind := _kind(_plain(field.annotation))):
                yield Column(path, kind, is_list=True, of=name)


COLUMNS: Final[Mapping[str, Column]] = {column.name: column for column in _columns(ActivityDraft)}
"""Every column but the one that names the row, in the order of the draft's fields."""

EXAMPLE: Final[Mapping[str, str]] = {
    EXTERNAL_ID: "beach-2027-05",
    "title": "Cleaning Porto Ferro beach",
    "summary": "We comb the bay for plastic in groups of four. Gloves, bags and water are there.",
    "language": "en",
    "kind": "volunteering",
    "areas": "environment|animals",
    "causes": "environmental-sustainability",
    "sdgs": "13|14",
    "starts_at": "2027-05-08T10:00",
    "ends_at": "2027-05-08T13:00",
    "place.name": "Porto Ferro",
    "place.city": "Sassari",
    "place.country": "IT",
    "place.latitude": "40.68",
    "place.longitude": "8.2",
    "capacity": "40",
    "takes_sign_ups": "true",
    "requirements.languages": "en|it",
    "cost.amount": "0.00",
    "cost.currency": "EUR",
    "partners": "Bonga Surf School",
    "label_checklist.action_modes": "action",
    "label_checklist.for_a_cause": "true",
    "label_checklist.community_impact": "The bay is free of plastic before the summer.",
    "label_checklist.student_part": "They collect, sort and weigh the litter.",
}


def template() -> str:
    """A table with every column and one row as an example."""
    target = io.StringIO()
    writer = csv.DictWriter(target, (EXTERNAL_ID, *COLUMNS), restval="")
    writer.writeheader()
    writer.writerow(EXAMPLE)
    return target.getvalue()


def laid_over(base: Mapping[str, Any], cells: Mapping[str, str]) -> dict[str, Any]:
    """A description with the cells of a row over it: an empty cell is the field's default, a missing column stays."""
    found = dict(base)
    for name, cell in cells.items():
        column = COLUMNS[name]
        value = column.value(cell)
        target = found
        if len(column.path) > 1:
            target = found[column.path[0]] = dict(found.get(column.path[0]) or {})
        if value is None or value == []:
            target.pop(column.path[-1], None)
        else:
            target[column.path[-1]] = value
    parts = {name.partition(".")[0] for name in cells if "." in name}
    for part in parts:
        if not any(value is not None for value in found[part].values()):
            del found[part]
    return found


def column_of(pointer: str) -> str | None:
    """The column in which a fault of a draft lies: that of the field, or the first one of its part."""
    path = pointer.removeprefix("#/").split("/")
    for length in range(len(path), 0, -1):
        if (name := ".".join(path[:length])) in COLUMNS:
            return name
    return next((name for name in COLUMNS if name.startswith(f"{path[0]}.")), None)
