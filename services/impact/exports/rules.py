"""What is exported: a cube of figures, the shapes it can have, which one a reader likes, and an export's states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from services.kernel.problems import Conflict, Forbidden, NotFound, Problem

QUANTITIES: Final = "quantities"
BEFORE: Final = "_previous"
GROWN: Final = "_growth"
GROWN_BY: Final = "_growth_ratio"
"""What a measure's name ends with where it is of the period before, and where it is its growth."""

_OF_AMOUNTS: Final = tuple(f"{QUANTITIES}{ending}" for ending in ("", BEFORE, GROWN, GROWN_BY))
_FORMULA: Final = tuple("=+-@\t\r")

KEPT: Final = timedelta(hours=24)
"""How long a finished export can be fetched."""
LEASE: Final = timedelta(seconds=60)
"""How long a worker that gives no sign of life keeps an export to itself."""
MOST_ATTEMPTS: Final = 3
MOST_AT_ONCE: Final = 5
"""How many exports of one caller are kept or made at once."""
MOST_BYTES: Final = 2**30
PIECE_BYTES: Final = 2**20


class NotAcceptable(Problem):
    """The answer has none of the media types in Accept; the description of the route names those it has."""

    status = 406
    title = "Not acceptable"


class ExportNotFound(NotFound):
    """There is no export with this id, or it is somebody else's."""


class LinkNotFound(NotFound):
    """This link leads nowhere: it has expired, or was never given out. Read the export for a new one."""


class FactsOutOfReach(Forbidden):
    """Facts are read by machines, and by coordinators of a country or of all, each as far as they reach."""


class TooManyExports(Conflict):
    """As many exports of yours as may be are made or kept; wait until one is ready, or has expired."""


class State(StrEnum):
    """How far an export is."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


class Shape(NamedTuple):
    """A format: how an address asks for it, and its media type."""

    extension: str
    media_type: str
    title: str


JSON: Final = Shape("json", "application/json", "JSON, as without an extension")
CSV: Final = Shape("csv", "text/csv", "CSV (RFC 4180, UTF-8)")
CSV_METADATA: Final = Shape("csv-metadata.json", "application/csvm+json", "What the columns of the CSV are (CSVW)")
PARQUET: Final = Shape("parquet", "application/vnd.apache.parquet", "Apache Parquet")
JSON_STAT: Final = Shape("jsonstat", "application/vnd.json-stat+json", "JSON-stat 2.0")
SDMX_CSV: Final = Shape("sdmx.csv", "application/vnd.sdmx.data+csv", "SDMX-CSV 2.0")
XLSX: Final = Shape("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "A workbook for Excel")
RENDERED: Final = (SDMX_CSV, CSV_METADATA, CSV, PARQUET, JSON_STAT, XLSX)
"""Every shape of a cube beside JSON; one whose extension ends like another's stands before it."""


class Absent(StrEnum):
    """Why there is no number."""

    SUPPRESSED = "suppressed"
    NOT_APPLICABLE = "not_applicable"


Value = int | float | Absent


class Category(NamedTuple):
    """A code that a dimension can have, in words."""

    code: str
    label: str


TOTAL: Final = Category("_T", "All")
UNSTATED: Final = Category("_U", "Not stated")


@dataclass(frozen=True, slots=True)
class Dimension:
    """What figures are split by; `unstated` stands for null where a code must stand."""

    code: str
    categories: tuple[Category, ...]
    unstated: Category = UNSTATED


@dataclass(frozen=True, slots=True)
class Counted:
    """What figures count."""

    code: str
    title: str
    unit: str
    definition: str
    is_whole: bool = True


class Amount(NamedTuple):
    """A quantity of a row, and where it is compared what it was and by how much and what part of that it grew."""

    measure: str
    unit: str
    amount: Decimal | None
    previous: Decimal | None = None
    growth: Decimal | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one combination of codes."""

    key: tuple[str | None, ...]
    values: Mapping[str, Value]
    amounts: tuple[Amount, ...] = ()

    @property
    def absent(self) -> list[str]:
        """The measures that have no number, in their order."""
        return [code for code, value in self.values.items() if isinstance(value, Absent)]


@dataclass(frozen=True, slots=True)
class Cube:
    """Figures with all that is said of them, from which every shape is made."""

    name: str
    title: str
    dimensions: tuple[Dimension, ...]
    measures: tuple[Counted, ...]
    rows: tuple[Row, ...]
    total: Row | None = None
    as_of: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    """Source, completeness, filters and the like, in words."""

    is_compared: bool = False
    """Whether each quantity stands beside that of the period before."""

    @property
    def counts(self) -> tuple[Counted, ...]:
        """The measures that have a column of their own: all but the quantities, which have rows of their own."""
        return tuple(each for each in self.measures if each.code not in _OF_AMOUNTS)

    @property
    def has_amounts(self) -> bool:
        """Whether quantities were asked for."""
        return any(each.code == QUANTITIES for each in self.measures)


class Column(NamedTuple):
    """A column of a table."""

    name: str
    title: str
    unit: str
    definition: str
    kind: str
    """text, codes, whole, number, exact, amount, day or id."""


_AMOUNTS: Final = (
    Column("measure", "Quantity", "", "What the amount of this row is of.", "text"),
    Column("unit", "Unit", "", 'UCUM; "1" for what is counted; ISO 4217 for money.', "text"),
    Column("amount", "Amount", "", "Amounts of different units or currencies are never to be added.", "amount"),
)
_COMPARED_AMOUNTS: Final = (
    Column(f"amount{BEFORE}", "Amount before", "", "The amount of the period before.", "amount"),
    Column(f"amount{GROWN}", "Growth", "", "By how much it grew, in its own unit.", "amount"),
    Column(f"amount{GROWN_BY}", "Growth in parts", "1", "By what part of what it was it grew.", "number"),
)
_SUPPRESSED: Final = Column("suppressed", "Suppressed", "", "The measures of this row that have no number.", "codes")

Cell = str | int | float | Decimal | None


def columns(cube: Cube) -> list[Column]:
    """The columns of a cube as a table: dimensions, measures, quantities, and what has no number."""
    return [
        *(Column(each.code, words(each.code), "", "", "text") for each in cube.dimensions),
        *(
            Column(each.code, each.title, each.unit, each.definition, "whole" if each.is_whole else "number")
            for each in cube.counts
        ),
        *_amounts(cube),
        _SUPPRESSED,
    ]


def _amounts(cube: Cube) -> tuple[Column, ...]:
    if not cube.has_amounts:
        return ()
    return (*_AMOUNTS, *_COMPARED_AMOUNTS) if cube.is_compared else _AMOUNTS


def table(cube: Cube) -> Iterator[list[Cell]]:
    """The rows of a cube as a table; each quantity has a row of its own, in which no other figure is repeated."""
    counts, width = [each.code for each in cube.counts], len(_amounts(cube))
    for row in cube.rows:
        values = [row.values[code] for code in counts]
        figures = [None if isinstance(value, Absent) else value for value in values]
        yield [*row.key, *figures, *([None] * width), " ".join(row.absent)]
        for amount in row.amounts:
            yield [*row.key, *([None] * len(counts)), *amount[:width], ""]


class Observation(NamedTuple):
    """One figure by itself; `quantity` is None but for amounts, of which the unit is the amount's own."""

    key: tuple[str | None, ...]
    measure: str
    quantity: str | None
    unit: str
    value: int | float | Decimal | Absent


def observations(cube: Cube) -> Iterator[Observation]:
    """Every figure of a cube by itself."""
    units = {each.code: each.unit for each in cube.measures}
    for row in cube.rows:
        for code, figure in row.values.items():
            yield Observation(row.key, code, None, units[code], figure)
        for amount in row.amounts:
            told = (amount.amount, amount.previous, amount.growth, amount.ratio)
            for code, value in zip(_OF_AMOUNTS, told, strict=True):
                if value is not None:
                    yield Observation(row.key, code, amount.measure, amount.unit, value)


def plain(value: float | Decimal) -> str:
    """A number without an exponent.

    >>> plain(1e21), plain(977.5), plain(Decimal("130"))
    ('1000000000000000000000', '977.5', '130')
    """
    return str(value) if isinstance(value, int) else format(Decimal(str(value)), "f").removesuffix(".0")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    >>> harmless("=1+1"), harmless("culture")
    ("'=1+1", 'culture')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def words(code: str) -> str:
    """A code as a title.

    >>> words("academic_year")
    'Academic year'
    """
    return code.replace("_", " ").capitalize()


def chosen(liked: Mapping[str, float], shapes: tuple[Shape, ...]) -> Shape:
    """The shape that a reader likes best, the first of several; raises `NotAcceptable` where it likes none.

    >>> chosen({"text/csv": 1.0, "*/*": 0.1}, (JSON, CSV)).extension
    'csv'
    """
    found = [(_weight(liked, shape.media_type), -place, shape) for place, shape in enumerate(shapes)]
    weight, _, shape = max(found)
    if weight <= 0:
        raise NotAcceptable
    return shape


def _weight(liked: Mapping[str, float], media_type: str) -> float:
    if not liked:
        return 1.0
    alternatives = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((liked[each] for each in alternatives if each in liked), 0.0)


def file_name(*parts: str) -> str:
    """A name that every file system takes and no header is broken by.

    >>> file_name("socialerasmus", "statistics", "by 2026/27")
    'socialerasmus-statistics-by-2026-27'
    """
    return re.sub(r"[^A-Za-z0-9._]+", "-", "-".join(parts)).strip("-.")[:100]
