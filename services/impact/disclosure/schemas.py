"""What goes over the wire about tables of people."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from services.kernel.texts import Sent


class TableOut(Sent):
    """A table that was declared beforehand."""

    code: str
    title: str
    definition: str
    by: list[str] = Field(description="What its rows are, and what of their people it tells.")
    reason: str = Field(description="Why this is told nowhere else.")
    threshold: int = Field(description="Counts of fewer people are withheld, and others beside them that would tell.")
    academic_years: list[str] = Field(description="Of which it was released.")


class TableList(Sent):
    """Every table."""

    items: list[TableOut]
    next: None


class CountOut(Sent):
    """How many of a row's people have a label; null, and named in `suppressed`, where it is withheld."""

    label: str
    people: int | None
    suppressed: list[str]


class RowOut(Sent):
    """A row. Labels that are not in it are withheld in the whole table, whether anybody has them or not."""

    academic_year: str
    row: str | None = Field(description="null: whoever is in no other row, because they are small or not stated.")
    people: int = Field(description="Each counted once.")
    counts: list[CountOut]


class TableRows(TableOut):
    """A table with its rows."""

    as_of: dict[str, datetime] = Field(description="By academic year: what was recorded up to then is counted.")
    items: list[RowOut]
    next: str | None
