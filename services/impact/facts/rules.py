"""What a verified report amounts to, and what must be added to the totals when that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import add
from typing import NamedTuple
from uuid import UUID


class Cell(NamedTuple):
    """Where a fact counts: one value of every dimension, None where it is not stated. Nothing here is a person's."""

    section: str | None
    country: str | None
    edition: str | None
    starts_on: date | None
    month: str | None
    academic_year: str | None
    area: str | None
    cause: str | None
    kind: str
    programme: str
    source: str


class Figures(NamedTuple):
    """What is counted of an activity, and what its cell adds up to."""

    activities: int = 0
    cancelled: int = 0
    participants_international: int = 0
    participants_local: int = 0
    participants_esn_volunteer: int = 0
    participants_unclassified: int = 0
    attendances: int = 0
    hours: Decimal = Decimal(0)

    def plus(self, other: Figures) -> Figures:
        """Figure by figure."""
        return Figures._make(map(add, self, other))

    def negative(self) -> Figures:
        """What takes these figures away again."""
        return Figures._make(-figure for figure in self)


class Quantity(NamedTuple):
    """What an amount is an amount of; amounts of different quantities are never added."""

    measure: str
    unit: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A verified report with what is known of its activity."""

    activity_id: UUID
    section: str | None
    country: str | None
    edition: str | None
    starts_on: date | None
    areas: Sequence[str]
    causes: Sequence[str]
    kind: str
    programme: str
    source: str
    outcome: str
    international: int | None
    local: int | None
    esn_volunteer: int | None
    unclassified: int | None
    attendances: int
    hours: Decimal | None
    quantities: Mapping[Quantity, Decimal]
    stands_for_its_series: bool = True
    """False for all occurrences of a series but one: the series is one activity, and its people and hours add up."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one activity contributes to the totals."""

    cell: Cell
    figures: Figures
    quantities: Mapping[Quantity, Decimal]


@dataclass(frozen=True, slots=True)
class Delta:
    """What to add to the totals, cell by cell; nothing in it is zero."""

    figures: dict[Cell, Figures] = field(default_factory=dict)
    quantities: dict[tuple[Cell, Quantity], Decimal] = field(default_factory=dict)


def facts_of(report: Verified) -> Facts:
    """The facts of a verified report; one that says "cancelled" counts as that and as nothing else."""
    cell = Cell(
        section=report.section,
        country=report.country,
        edition=report.edition,
        starts_on=report.starts_on,
        month=month_of(report.starts_on) if report.starts_on else None,
        academic_year=academic_year_of(report.starts_on) if report.starts_on else None,
        area=next(iter(report.areas), None),
        cause=next(iter(report.causes), None),
        kind=report.kind,
        programme=report.programme,
        source=report.source,
    )
    if report.outcome == "cancelled":
        return Facts(cell, Figures(cancelled=int(report.stands_for_its_series)), {})
    figures = Figures(
        activities=int(report.stands_for_its_series),
        participants_international=report.international or 0,
        participants_local=report.local or 0,
        participants_esn_volunteer=report.esn_volunteer or 0,
        participants_unclassified=report.unclassified or 0,
        attendances=report.attendances,
        hours=report.hours or Decimal(0),
    )
    return Facts(cell, figures, dict(report.quantities))


def difference(before: Facts | None, after: Facts | None) -> Delta:
    """What turns totals that hold `before` into totals that hold `after`."""
    delta = Delta()
    for facts, sign in ((before, -1), (after, 1)):
        if facts is None:
            continue
        figures = facts.figures if sign > 0 else facts.figures.negative()
        delta.figures[facts.cell] = delta.figures.get(facts.cell, Figures()).plus(figures)
        for quantity, amount in facts.quantities.items():
            key = (facts.cell, quantity)
            delta.quantities[key] = delta.quantities.get(key, Decimal(0)) + sign * amount
    return Delta(
        {cell: figures for cell, figures in delta.figures.items() if any(figures)},
        {key: amount for key, amount in delta.quantities.items() if amount},
    )


def month_of(day: date) -> str:
    """The calendar month.

    >>> month_of(date(2016, 11, 7))
    '2016-11'
    """
    return day.isoformat()[:7]


def academic_year_of(day: date) -> str:
    """The academic year, from 1 August to 31 July.

    >>> academic_year_of(date(2016, 8, 1)), academic_year_of(date(2017, 7, 31))
    ('2016/17', '2016/17')
    """
    first = day.year if day.month >= 8 else day.year - 1
    return f"{first:04}/{(first + 1) % 100:02}"
