"""What in a report can't be, or is unlike everything before it: hints with their reasons, before anybody verifies.

A blocking hint asks for a second look: it stops the submission until the figures are corrected or it is acknowledged,
and the verifier sees which it was. A warning stops nothing. Each rule would rather miss a fault than cry wolf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from statistics import median
from typing import Final, NamedTuple

from services.impact.projections.rules import CheckedIn
from services.impact.reports import measures
from services.impact.reports.rules import Outcome, plain
from services.impact.reports.units import COUNTED

CAPACITY_WARNS, CAPACITY_BLOCKS = 2, 10
HOURS_A_DAY: Final = 24
DURATION_TIMES: Final = 3
"""Preparing and clearing up are volunteering too: only more than this is unlike the activity's duration."""
DURATION_PART: Final = 10
LONGEST_STAY: Final = timedelta(hours=12)
MOST_BENEFICIARIES: Final = 100_000
MOST_BENEFICIARIES_EACH: Final = 1_000
LEAST_REPORTS: Final = 5
LEAST_AMOUNTS: Final = 3
TIMES_THE_USUAL: Final = 100
FAR: Final = 3.5
LEAST_SPREAD: Final = 0.4
"""Of logarithms: a section that always reports 20 people may report 4 times as many and surprise nobody."""


NOBODY: Final = CheckedIn(0, 0, 0, None)


class Severity(StrEnum):
    """Whether a hint stops the submission until somebody acknowledges it."""

    WARNING = "warning"
    BLOCKING = "blocking"


class HintCode(StrEnum):
    """What is found."""

    PARTS_ARE_NOT_THE_TOTAL = "parts_are_not_the_total"
    PEOPLE_OVER_CAPACITY = "people_over_capacity"
    NOBODY_TOOK_PART = "nobody_took_part"
    FEWER_THAN_CHECKED_IN = "fewer_than_checked_in"
    CHECKED_IN_SINCE = "checked_in_since"
    CANCELLED_AND_CHECKED_IN = "cancelled_and_checked_in"
    HOURS_BEYOND_THE_CLOCK = "hours_beyond_the_clock"
    HOURS_UNLIKE_DURATION = "hours_unlike_duration"
    BENEFICIARIES_ABSURD = "beneficiaries_absurd"
    AMOUNT_ABSURD = "amount_absurd"
    AMOUNT_UNLIKE_BEFORE = "amount_unlike_before"
    MONEY_TO_NOBODY = "money_to_nobody"
    PEOPLE_UNLIKE_BEFORE = "people_unlike_before"
    HOURS_UNLIKE_BEFORE = "hours_unlike_before"
    DUPLICATE = "duplicate"


class Hint(NamedTuple):
    """What may be wrong: where, in words, and whether it has to be acknowledged."""

    code: HintCode
    pointer: str
    detail: str
    severity: Severity


class Amount(NamedTuple):
    """An amount as it is reported."""

    measure: str
    unit: str
    amount: Decimal
    given_to: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a report says. `people` are international, local, ESN volunteers and unclassified; None is not stated."""

    outcome: Outcome
    people: tuple[int | None, int | None, int | None, int | None] = (None, None, None, None)
    stated_total: int | None = None
    hours: Decimal | None = None
    beneficiaries: int | None = None
    amounts: tuple[Amount, ...] = ()
    checked_in: tuple[int, int, int] | None = None
    """Who was checked in when it was written."""

    @property
    def total(self) -> int | None:
        """Everybody, or None where no class is stated."""
        stated = [count for count in self.people if count is not None]
        return sum(stated) if stated else None


class Earlier(NamedTuple):
    """What another report of the same section says."""

    total: int | None
    hours: Decimal | None
    amounts: Mapping[tuple[str, str], Decimal]


class Twin(StrEnum):
    """Where another report says the same of the same section and day."""

    ANOTHER = "another"
    OF_ITS_SERIES = "of_its_series"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known apart from the report."""

    capacity: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    present: CheckedIn = NOBODY
    earlier: Sequence[Earlier] = field(default=())
    twin: Twin | None = None

    @property
    def duration(self) -> timedelta | None:
        """How long the activity lasted, where both ends are known."""
        if self.starts_at is None or self.ends_at is None or self.ends_at <= self.starts_at:
            return None
        return self.ends_at - self.starts_at


def hints(told: Told, situation: Situation) -> list[Hint]:
    """Everything that may be wrong, what blocks first."""
    rules = _OF_CANCELLED if told.outcome is Outcome.CANCELLED else _OF_HELD
    found = [hint for rule in rules for hint in rule(told, situation)]
    return sorted(found, key=lambda hint: hint.severity is not Severity.BLOCKING)


def unlike(value: float, before: Sequence[float]) -> bool:
    """Whether a value lies far outside of those before, which must be enough to say so.

    Median and median absolute deviation of logarithms: counts of people are skewed, and a single wrong report among
    those before moves neither. The spread has a floor, since many sections report the same number every time.

    >>> unlike(240, [20, 24, 30, 18, 24]), unlike(60, [20, 24, 30, 18, 24]), unlike(240, [20, 24, 30, 18])
    (True, False, False)
    """
    if len(before) < LEAST_REPORTS:
        return False
    logarithms = [math.log1p(each) for each in before]
    middle = median(logarithms)
    spread = max(1.4826 * median(abs(each - middle) for each in logarithms), LEAST_SPREAD)
    return abs(math.log1p(value) - middle) > FAR * spread


def _parts(told: Told, _: Situation) -> Iterator[Hint]:
    if told.stated_total is not None and told.total is not None and told.stated_total != told.total:
        detail = f"The classes add up to {told.total}, and {told.stated_total} are said to have taken part."
        yield Hint(HintCode.PARTS_ARE_NOT_THE_TOTAL, "#/participants/total", detail, Severity.BLOCKING)


def _capacity(told: Told, situation: Situation) -> Iterator[Hint]:
    if told.total is None or not situation.capacity or told.total <= CAPACITY_WARNS * situation.capacity:
        return
    is_absurd = told.total > CAPACITY_BLOCKS * situation.capacity
    detail = f"{told.total} people took part, and there were places for {situation.capacity}."
    severity = Severity.BLOCKING if is_absurd else Severity.WARNING
    yield Hint(HintCode.PEOPLE_OVER_CAPACITY, "#/participants", detail, severity)


def _nobody(told: Told, _: Situation) -> Iterator[Hint]:
    if told.total == 0:
        detail = "It was held and nobody took part; what did not take place is reported as cancelled."
        yield Hint(HintCode.NOBODY_TOOK_PART, "#/participants", detail, Severity.WARNING)


def _checked_in(told: Told, situation: Situation) -> Iterator[Hint]:
    present = situation.present
    by_class = (present.international, present.local, present.esn_volunteer)
    if told.total is not None and told.total < present.total:
        detail = f"{present.total} people were checked in, and {told.total} are reported."
        yield Hint(HintCode.FEWER_THAN_CHECKED_IN, "#/participants", detail, Severity.WARNING)
    if told.checked_in is not None and told.checked_in != by_class:
        detail = (
            f"The report was written when {sum(told.checked_in)} people were checked in; now it is {present.total}."
        )
        yield Hint(HintCode.CHECKED_IN_SINCE, "#/participants", detail, Severity.WARNING)


def _came_to_nothing(_: Told, situation: Situation) -> Iterator[Hint]:
    if situation.present.total:
        detail = f"It is reported as cancelled, and {situation.present.total} people were checked in."
        yield Hint(HintCode.CANCELLED_AND_CHECKED_IN, "#/outcome", detail, Severity.BLOCKING)


def _clock(told: Told, situation: Situation) -> Iterator[Hint]:
    if told.hours is None or told.total is None:
        return
    days = 1 if situation.duration is None else math.ceil(situation.duration / timedelta(days=1))
    # Where no end is known it may have lasted for weeks.
    is_known = situation.duration is not None or told.total == 0
    if is_known and told.hours > HOURS_A_DAY * told.total * days:
        detail = (
            f"{told.total} people can't give {plain(told.hours)} hours in {days} day{'s' * (days > 1)}: each would "
            f"have helped for more than {HOURS_A_DAY} hours a day."
        )
        yield Hint(HintCode.HOURS_BEYOND_THE_CLOCK, "#/hours", detail, Severity.BLOCKING)


def _duration(told: Told, situation: Situation) -> Iterator[Hint]:
    if not told.hours or not told.total or situation.duration is None:
        return
    each = told.hours / told.total
    lasted = Decimal(situation.duration.total_seconds()) / 3600
    is_long = each > DURATION_TIMES * lasted
    # People come to what lasts long, and go; and what is known by its days seems to last from midnight to midnight.
    is_short = each < lasted / DURATION_PART and situation.duration <= LONGEST_STAY
    if is_long or is_short:
        detail = (
            f"That is {plain(round(each, 2))} hours for each of {told.total} people, and the activity lasted "
            f"{plain(round(lasted, 2))} hours."
        )
        yield Hint(HintCode.HOURS_UNLIKE_DURATION, "#/hours", detail, Severity.WARNING)


def _beneficiaries(told: Told, _: Situation) -> Iterator[Hint]:
    if told.beneficiaries is None:
        return
    if told.beneficiaries > MOST_BENEFICIARIES:
        detail = f"More than {MOST_BENEFICIARIES:,} people would have benefited from one activity."
        yield Hint(HintCode.BENEFICIARIES_ABSURD, "#/beneficiaries", detail, Severity.BLOCKING)
    elif told.total and told.beneficiaries > MOST_BENEFICIARIES_EACH * told.total:
        detail = f"{told.beneficiaries:,} people would have benefited from what {told.total} people did."
        yield Hint(HintCode.BENEFICIARIES_ABSURD, "#/beneficiaries", detail, Severity.WARNING)


def _amounts(told: Told, situation: Situation) -> Iterator[Hint]:
    for number, each in enumerate(told.amounts):
        place = f"#/quantities/{number}"
        if each.amount > (most := measures.most_of(each.measure, each.unit)):
            detail = f"More than {_in_words(most, each)} by one activity."
            yield Hint(HintCode.AMOUNT_ABSURD, f"{place}/amount", detail, Severity.BLOCKING)
        key = (each.measure, each.unit)
        before = [report.amounts[key] for report in situation.earlier if key in report.amounts]
        if len(before) >= LEAST_AMOUNTS and each.amount >= TIMES_THE_USUAL * (usual := Decimal(median(before))):
            detail = f"{TIMES_THE_USUAL} times what the section usually reports ({_in_words(usual, each)}) and more."
            yield Hint(HintCode.AMOUNT_UNLIKE_BEFORE, f"{place}/amount", detail, Severity.WARNING)
        if each.measure == measures.MONEY and each.given_to is None:
            detail = "Say to whom the money was given."
            yield Hint(HintCode.MONEY_TO_NOBODY, f"{place}/given_to", detail, Severity.WARNING)


def _in_words(amount: Decimal, kind: Amount) -> str:
    number = f"{Decimal(plain(round(amount, 2))):,f}"
    return number if kind.unit == COUNTED else f"{number} {kind.unit}"


def _before(told: Told, situation: Situation) -> Iterator[Hint]:
    people = [report.total for report in situation.earlier if report.total is not None]
    if told.total is not None and unlike(told.total, people):
        detail = (
            f"{told.total} people, where {len(people)} reports of the section say {plain_median(people)} in the middle."
        )
        yield Hint(HintCode.PEOPLE_UNLIKE_BEFORE, "#/participants", detail, Severity.WARNING)
    hours = [float(report.hours) for report in situation.earlier if report.hours is not None]
    if told.hours is not None and unlike(float(told.hours), hours):
        usual = f"{len(hours)} reports of the section say {plain_median(hours)} in the middle"
        detail = f"{plain(told.hours)} hours, where {usual}."
        yield Hint(HintCode.HOURS_UNLIKE_BEFORE, "#/hours", detail, Severity.WARNING)


def plain_median(values: Sequence[float]) -> str:
    """The value in the middle, to be read.

    >>> plain_median([1, 2, 4, 8])
    '3'
    """
    return f"{median(values):.10g}"


def _twin(told: Told, situation: Situation) -> Iterator[Hint]:
    if situation.twin is None or not told.total:
        return
    if situation.twin is Twin.OF_ITS_SERIES:
        detail = "Another date of the series, on the same day, is reported with the same figures."
        yield Hint(HintCode.DUPLICATE, "#/participants", detail, Severity.WARNING)
    else:
        detail = "Another activity of the section, on the same day, is reported with the same figures."
        yield Hint(HintCode.DUPLICATE, "#/participants", detail, Severity.BLOCKING)


_Rule = Callable[[Told, Situation], Iterator[Hint]]
_OF_HELD: Final[tuple[_Rule, ...]] = (
    _parts, _capacity, _nobody, _checked_in, _clock, _duration, _beneficiaries, _amounts, _before, _twin,
)  # fmt: skip
_OF_CANCELLED: Final[tuple[_Rule, ...]] = (_came_to_nothing,)
