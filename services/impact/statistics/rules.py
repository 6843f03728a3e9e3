"""What can be asked for at once, and how groups are added up, split by class and told."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from services.impact.facts.rules import Figures, Quantity
from services.impact.reports.rules import plain
from services.impact.statistics.measures import ALWAYS_TOUCHING, CLASS, MAY_TOUCH, MEASURES, QUANTITIES, SDG
from services.kernel.problems import FieldError, Invalid

MOST_GROUPS: Final = 20_000
MOST_FACTS: Final = 100_000
"""Of so many activities the touches of several labels are looked for one by one."""

CLASSES: Final = ("international", "local", "esn_volunteer")
UNCLASSIFIED: Final = "unclassified"


class Counting(StrEnum):
    """Whether an activity counts at its main area and cause, or at each that it has."""

    MAIN = "main"
    TOUCHES = "touches"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: by which dimensions, which measures, and of which activities."""

    by: tuple[str, ...]
    measures: tuple[str, ...]
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    since: date | None = None
    until: date | None = None
    counting: Counting = Counting.MAIN

    def filters(self) -> dict[str, Any]:
        """The filters in the words of the request: one value as itself, several as a list."""
        told: dict[str, Any] = {
            name: codes[0] if len(codes) == 1 else list(codes) for name, codes in self.codes.items()
        }
        if SDG in told:
            goals = [int(code) for code in self.codes[SDG]]
            told[SDG] = goals[0] if len(goals) == 1 else goals
        days = {"from": self.since, "to": self.until}
        return told | {name: day.isoformat() for name, day in days.items() if day is not None}

    @property
    def touching(self) -> tuple[str, ...]:
        """The dimensions of the question at which an activity can count several times."""
        may = ALWAYS_TOUCHING | (MAY_TOUCH if self.counting is Counting.TOUCHES else frozenset())
        return tuple(name for name in dict.fromkeys((*self.by, *self.codes)) if name in may)

    @property
    def scheme(self) -> str | None:
        """The dimension at which this question counts touches; of several the first."""
        return next(iter(self.touching), None)

    @property
    def is_of_facts(self) -> bool:
        """Whether no totals can answer: those of labels share activities, and each must count once."""
        several = any(len(self.codes.get(name, ())) > 1 for name in self.touching if name not in self.by)
        return several or len(self.touching) > 1

    @property
    def stored_by(self) -> tuple[str, ...]:
        """The dimensions that the totals know; the classes are columns of theirs."""
        return tuple(name for name in self.by if name != CLASS)

    def of_all(self) -> Asked:
        """The same question without any dimension; of touches, each activity once."""
        return replace(self, by=())

    def stated(self, **codes: tuple[str, ...]) -> Asked:
        """The same question about other codes."""
        return replace(self, codes={**self.codes, **codes})


class Reports(NamedTuple):
    """How many activities were to be reported, and how many of them have a verified report."""

    due: int = 0
    verified: int = 0

    def plus(self, other: Reports) -> Reports:
        """Both together."""
        return Reports(self.due + other.due, self.verified + other.verified)


NO_REPORTS: Final = Reports()


@dataclass(frozen=True, slots=True)
class Group:
    """The activities that share a value of each dimension asked for, and what they add up to."""

    key: tuple[Any, ...]
    figures: Figures
    quantities: tuple[tuple[Quantity, Decimal], ...]
    reports: Reports = NO_REPORTS


def names(parameter: str, values: Sequence[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """The names in a parameter that may be repeated and may hold several, separated by commas; none twice."""
    known = tuple(allowed)
    found = [name for value in values for name in value.split(",")]
    faults = []
    for number, name in enumerate(found):
        if name not in known:
            near = difflib.get_close_matches(name[:60].lower(), known, n=1)
            hint = f"Perhaps {near[0]}? " if near else ""
            faults.append(f"Name {number + 1} is not known. {hint}Names must be among: {', '.join(known)}.")
        elif name in found[:number]:
            faults.append(f"Name {number + 1} was given before: {name}.")
    if faults:
        raise Invalid(errors=[FieldError(pointer=f"query/{parameter}", detail=detail) for detail in faults])
    return tuple(found)


def check(asked: Asked, *, named: Iterable[str] = ()) -> None:
    """Refuse a question that has no answer: measures that were named and can't be split so.

    Measures that nobody named are left empty instead, with the reason.
    """
    faults = []
    for name in named:
        reason = unsplittable(name, asked)
        if reason is not None:
            can = [each for each in MEASURES if unsplittable(each, asked) is None]
            hint = f" These can: {', '.join(can)}." if can else ""
            faults.append(FieldError(pointer="query/measures", detail=f"{name}: {reason}{hint}"))
    if faults:
        raise Invalid(errors=faults)


def unsplittable(measure: str, asked: Asked) -> str | None:
    """Why a measure can't be told by the dimensions and filters of a question, or None where it can."""
    asked_for = {*asked.by, *asked.codes} | ({"touches"} if asked.scheme else set())
    splits = MEASURES[measure].splits
    if CLASS in asked_for and CLASS not in splits:
        return "It belongs to whole activities or to one class, and can't be split by participant_class."
    beyond = [name for name in (*asked.by, *asked.codes) if name not in splits]
    if not beyond and "touches" in asked_for and MEASURES[measure].splits.isdisjoint(ALWAYS_TOUCHING):
        beyond = list(asked.touching)
    return f"It is counted in the catalogue, where it can't be split by {', '.join(beyond)}." if beyond else None


def nulls(asked: Asked) -> dict[str, str]:
    """The measures asked for that are empty in the answer, each with the reason."""
    found = {name: unsplittable(name, asked) for name in asked.measures}
    return {name: reason for name, reason in found.items() if reason is not None}


def total(groups: Iterable[Group]) -> Group:
    """The sum of the groups: no activity lies in two of them."""
    figures, quantities, reports = Figures(), dict[Quantity, Decimal](), NO_REPORTS
    for group in groups:
        figures, reports = figures.plus(group.figures), reports.plus(group.reports)
        for quantity, amount in group.quantities:
            quantities[quantity] = quantities.get(quantity, Decimal(0)) + amount
    return Group((), figures, tuple(sorted(quantities.items())), reports)


def of_classes(groups: Iterable[Group], asked: Asked) -> list[Group]:
    """The groups as they were asked for: with the classes of people as a dimension, or only some of the classes.

    Nobody knows more of those without a class, so that theirs is the null of the dimension.
    """
    wanted = asked.codes.get(CLASS, (*CLASSES, UNCLASSIFIED))
    found = []
    for group in groups:
        parts = {name: _of_class(group.figures, name) for name in wanted}
        if CLASS not in asked.by:
            whole = Figures()
            for part in parts.values():
                whole = whole.plus(part)
            found.append(replace(group, figures=whole))
            continue
        place = asked.by.index(CLASS)
        for name, part in parts.items():
            if name == UNCLASSIFIED and not any(part) and CLASS not in asked.codes:
                continue
            code = None if name == UNCLASSIFIED else name
            found.append(Group((*group.key[:place], code, *group.key[place:]), part, ()))
    return sorted(found, key=lambda group: order(group.key))


def _of_class(figures: Figures, name: str) -> Figures:
    kept = {field: value for field, value in figures._asdict().items() if field.endswith(f"_{name}")}
    return Figures(**kept)


def order(key: Iterable[Any]) -> tuple[tuple[bool, Any], ...]:
    """The order of groups: by the bytes of their codes, numbers by their size, what is not stated last."""
    return tuple((code is None, "" if code is None else code) for code in key)


def row(group: Group, by: Sequence[str], measures: Iterable[str], empty: Iterable[str] = ()) -> dict[str, Any]:
    """A group as it is told: its dimensions, its measures, and the names of those that are null."""
    told: dict[str, Any] = dict(zip(by, group.key, strict=True))
    without, suppressed = set(empty), []
    for name in measures:
        told[name] = None if name in without else _value(group, name)
        if told[name] is None:
            suppressed.append(name)
    return told | {"suppressed": suppressed}


def _value(group: Group, name: str) -> Any:
    if name == QUANTITIES:
        return [
            {"measure": quantity.measure, "unit": quantity.unit, "amount": plain(amount)}
            for quantity, amount in group.quantities
        ]
    measure = MEASURES[name]
    if measure.numerator is not None and measure.denominator is not None:
        below = _exact(group, measure.denominator)
        return round(float(_exact(group, measure.numerator) / below), 4) if below else None
    figure = _exact(group, name)
    return float(figure) if isinstance(figure, Decimal) else figure


def _exact(group: Group, name: str) -> int | Decimal:
    measure = MEASURES[name]
    if measure.reports is not None:
        return int(getattr(group.reports, measure.reports))
    figure: int | Decimal = sum(getattr(group.figures, column) for column in measure.columns)
    return figure
