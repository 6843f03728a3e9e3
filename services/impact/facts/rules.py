"""What a verified report and recorded presences amount to, and what must be added to the totals when that changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import add
from typing import Final, NamedTuple

from services.impact.facts.academic_years import academic_year_of
from services.impact.people.rules import Where

CHECK_IN: Final = "check_in"
"""The source of what is known of an activity by check-ins only."""


class Cell(NamedTuple):
    """Where a fact counts: one value of every dimension, None where it is not stated. Nothing here is a person's."""

    section: str | None
    country: str | None
    platform: str | None
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

    reports: int = 0
    activities: int = 0
    cancelled: int = 0
    participants_international: int = 0
    participants_local: int = 0
    participants_esn_volunteer: int = 0
    participants_unclassified: int = 0
    beneficiaries: int = 0
    hours: Decimal = Decimal(0)
    attendances_international: int = 0
    attendances_local: int = 0
    attendances_esn_volunteer: int = 0
    checked_in_hours: Decimal = Decimal(0)
    newcomers: int = 0
    returning: int = 0
    shrunk: int = 0

    @property
    def attendances(self) -> int:
        """Recorded presences of every class."""
        return self.attendances_international + self.attendances_local + self.attendances_esn_volunteer

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


class Label(NamedTuple):
    """A label of an activity, main or not, and the scheme that it belongs to: area, cause, sdg or objective."""

    scheme: str
    label: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verified report says."""

    stands_for_its_series: bool
    """False for all occurrences of a series but one: the series is one activity, and its people and hours add up."""
    quantities: Mapping[Quantity, Decimal]
    source: str
    outcome: str
    international: int | None
    local: int | None
    esn_volunteer: int | None
    unclassified: int | None
    hours: Decimal | None
    beneficiaries: int | None
    newcomers: int | None
    returning: int | None


@dataclass(frozen=True, slots=True)
class Present:
    """How often somebody was recorded as present at an activity, by class, and their recorded hours."""

    international: int = 0
    local: int = 0
    esn_volunteer: int = 0
    hours: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of an activity; `verified` is None while no report is, `present` where nobody was seen."""

    verified: Verified | None
    present: Present | None
    section: str | None
    country: str | None
    platform: str | None
    edition: str | None
    starts_on: date | None
    areas: Sequence[str]
    causes: Sequence[str]
    sdgs: Sequence[int]
    objectives: Sequence[str]
    kind: str
    programme: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What one activity contributes to the totals."""

    cell: Cell
    labels: frozenset[Label]
    figures: Figures
    quantities: Mapping[Quantity, Decimal]


@dataclass(frozen=True, slots=True)
class Delta:
    """What to add to the totals, cell by cell; nothing in it is zero."""

    figures: dict[Cell, Figures] = field(default_factory=dict)
    quantities: dict[tuple[Cell, Quantity], Decimal] = field(default_factory=dict)
    label_figures: dict[tuple[Cell, Label], Figures] = field(default_factory=dict)
    label_quantities: dict[tuple[Cell, Label, Quantity], Decimal] = field(default_factory=dict)


def facts_of(known: Known) -> Facts | None:
    """The facts of an activity; none of one without a verified report at which nobody was recorded as present.

    A report that says "cancelled" counts as that and as nothing else. Presences count as they are recorded, whatever a
    report says of people.
    """
    report, present = known.verified, known.present
    if report is None and present is None:
        return None
    cell = Cell(
        section=known.section,
        country=known.country,
        platform=known.platform,
        edition=known.edition,
        starts_on=known.starts_on,
        month=month_of(known.starts_on) if known.starts_on else None,
        academic_year=academic_year_of(known.starts_on) if known.starts_on else None,
        area=next(iter(known.areas), None),
        cause=next(iter(known.causes), None),
        kind=known.kind,
        programme=known.programme,
        source=report.source if report else CHECK_IN,
    )
    figures = _reported(report) if report else Figures()
    if present is not None:
        figures = figures._replace(
            attendances_international=present.international,
            attendances_local=present.local,
            attendances_esn_volunteer=present.esn_volunteer,
            checked_in_hours=present.hours,
        )
    is_counted = report is not None and report.outcome != "cancelled"
    return Facts(cell, _labels(known), figures, dict(report.quantities) if report and is_counted else {})


def _reported(report: Verified) -> Figures:
    once = int(report.stands_for_its_series)
    if report.outcome == "cancelled":
        return Figures(reports=1, cancelled=once)
    return Figures(
        reports=1,
        activities=once,
        participants_international=report.international or 0,
        participants_local=report.local or 0,
        participants_esn_volunteer=report.esn_volunteer or 0,
        participants_unclassified=report.unclassified or 0,
        beneficiaries=report.beneficiaries or 0,
        hours=report.hours or Decimal(0),
        newcomers=report.newcomers or 0,
        returning=report.returning or 0,
        # Not once a series: each of its dates may go as planned or not.
        shrunk=int(report.outcome == "shrunk"),
    )


def _labels(known: Known) -> frozenset[Label]:
    return frozenset(
        Label(scheme, str(label))
        for scheme, labels in (
            ("area", known.areas),
            ("cause", known.causes),
            ("sdg", known.sdgs),
            ("objective", known.objectives),
        )
        for label in labels
    )


def difference(before: Facts | None, after: Facts | None) -> Delta:
    """What turns totals that hold `before` into totals that hold `after`."""
    return differences([(before, after)])


def differences(changes: Iterable[tuple[Facts | None, Facts | None]]) -> Delta:
    """What all these changes together add to the totals: one entry for each cell that they move."""
    delta = Delta()
    for before, after in changes:
        for facts, sign in ((before, -1), (after, 1)):
            if facts is not None:
                _add(delta, facts, sign)
    return Delta(
        {cell: figures for cell, figures in delta.figures.items() if any(figures)},
        {key: amount for key, amount in delta.quantities.items() if amount},
        {key: figures for key, figures in delta.label_figures.items() if any(figures)},
        {key: amount for key, amount in delta.label_quantities.items() if amount},
    )


def _add(delta: Delta, facts: Facts, sign: int) -> None:
    cell, figures = facts.cell, facts.figures if sign > 0 else facts.figures.negative()
    delta.figures[cell] = delta.figures.get(cell, Figures()).plus(figures)
    for label in facts.labels:
        delta.label_figures[cell, label] = delta.label_figures.get((cell, label), Figures()).plus(figures)
    for quantity, amount in facts.quantities.items():
        added = sign * amount
        delta.quantities[cell, quantity] = delta.quantities.get((cell, quantity), Decimal(0)) + added
        for label in facts.labels:
            key = (cell, label, quantity)
            delta.label_quantities[key] = delta.label_quantities.get(key, Decimal(0)) + added


def where_of(facts: Facts) -> Where:
    """Where the people of an activity count."""
    return Where(facts.cell.section, facts.cell.country, facts.cell.edition, facts.cell.academic_year)


def month_of(day: date) -> str:
    """The calendar month.

    >>> month_of(date(2016, 11, 7))
    '2016-11'
    """
    return day.isoformat()[:7]
