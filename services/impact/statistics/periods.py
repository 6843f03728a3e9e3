"""Days, months, academic years and editions: which one comes before another, and what "the last one" is today."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from services.impact.facts import academic_years

PERIODS: Final = ("edition", "academic_year", "month")
CAMPAIGN: Final = "campaign"
_SEASONS: Final = {"spring": 0, "autumn": 1}

Span = tuple[date, date]
"""The first and the last day."""


class Relative(StrEnum):
    """A period by where it lies from today."""

    THIS_EDITION = "this_edition"
    LAST_EDITION = "last_edition"
    THIS_ACADEMIC_YEAR = "this_academic_year"
    LAST_ACADEMIC_YEAR = "last_academic_year"
    LAST_12_MONTHS = "last_12_months"
    LAST_30_DAYS = "last_30_days"


class Compare(StrEnum):
    """With what a period is compared."""

    PREVIOUS = "previous"
    LAST_YEAR = "last_year"


class EditionDays(NamedTuple):
    """An edition and when it is; days that are not known are None."""

    code: str
    series: str
    starts_on: date | None
    ends_on: date | None

    @property
    def line(self) -> str:
        """What it has in common with the editions that it is compared with.

        The campaigns of a spring and an autumn take each other's place, so that there is one of them at a time,
        whatever its name; of anything else only its own series.
        """
        return CAMPAIGN if _season(self.code) else self.series

    @property
    def position(self) -> tuple[int, int, str]:
        """Its place in time, also where its days are not known."""
        season = _season(self.code)
        if season:
            return season
        year = re.search(r"[0-9]{4}", self.code)
        return (self.starts_on.year if self.starts_on else int(year[0]) if year else 0), 0, self.code


def _season(code: str) -> tuple[int, int, str] | None:
    found = re.fullmatch(r"([0-9]{4})-(spring|autumn)", code)
    return (int(found[1]), _SEASONS[found[2]], "") if found else None


def line_of(code: str, editions: Iterable[EditionDays]) -> list[EditionDays]:
    """The editions that one is compared with and itself, the first first; nothing where it is not known."""
    known = list(editions)
    mine = next((each for each in known if each.code == code), None)
    if mine is None:
        return []
    return sorted((each for each in known if each.line == mine.line), key=lambda each: each.position)


def edition_before(code: str, editions: Iterable[EditionDays], how: Compare) -> str | None:
    """The edition before, or the one of the same season a year before.

    >>> known = [EditionDays(code, "Days", None, None) for code in ("2025-autumn", "2026-spring", "2026-autumn")]
    >>> [edition_before("2026-autumn", known, how) for how in Compare]
    ['2026-spring', '2025-autumn']
    """
    line = line_of(code, editions)
    place = next((number for number, each in enumerate(line) if each.code == code), 0)
    if how is Compare.PREVIOUS:
        return line[place - 1].code if place else None
    year, season, _ = line[place].position if line else (0, 0, "")
    return next((each.code for each in line if each.position[:2] == (year - 1, season)), None)


def month_before(month: str, how: Compare) -> str:
    """The month before, or the same month a year before.

    >>> [month_before("2026-01", how) for how in Compare]
    ['2025-12', '2025-01']
    """
    year, number = int(month[:4]), int(month[5:])
    if how is Compare.PREVIOUS:
        year, number = (year - 1, 12) if number == 1 else (year, number - 1)
        return f"{year:04}-{number:02}"
    return f"{year - 1:04}-{number:02}"


def academic_year_before(code: str) -> str:
    """The academic year before.

    >>> academic_year_before("2000/01")
    '1999/00'
    """
    first = int(code[:4]) - 1
    return f"{first:04}/{(first + 1) % 100:02}"


def before(dimension: str, code: str, editions: Iterable[EditionDays], how: Compare) -> str | None:
    """What a month, an academic year or an edition is compared with."""
    if dimension == "month":
        return month_before(code, how)
    return academic_year_before(code) if dimension == "academic_year" else edition_before(code, editions, how)


def span_before(span: Span, how: Compare) -> Span:
    """As many days just before, or the same days of the year before.

    >>> span_before((date(2026, 3, 1), date(2026, 3, 10)), Compare.PREVIOUS)
    (datetime.date(2026, 2, 19), datetime.date(2026, 2, 28))
    """
    first, last = span
    if how is Compare.LAST_YEAR:
        return year_before(first), year_before(last)
    before_it = first - timedelta(days=1)
    return before_it - (last - first), before_it


def year_before(day: date) -> date:
    """The same day a year before; 28 February for the 29th."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def days_of_month(month: str) -> Span:
    """The days of a month.

    >>> days_of_month("2024-02")
    (datetime.date(2024, 2, 1), datetime.date(2024, 2, 29))
    """
    first = date(int(month[:4]), int(month[5:]), 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def academic_year(code: str) -> Span:
    """The days of an academic year, as they are listed.

    >>> academic_year("2026/27")
    (datetime.date(2026, 8, 1), datetime.date(2027, 7, 31))
    """
    # Wherever it begins, an academic year holds the first day of its second calendar year.
    year = academic_years.year_of(date(int(code[:4]) + 1, 1, 1))
    return year.starts_on, year.ends_on


def semester_begins(day: date) -> date:
    """The first day of the semester that a day lies in: 1 August or 1 February.

    >>> semester_begins(date(2027, 1, 31)), semester_begins(date(2027, 2, 1))
    (datetime.date(2026, 8, 1), datetime.date(2027, 2, 1))
    """
    if day.month == 1:
        return date(day.year - 1, 8, 1)
    return date(day.year, 8 if day.month >= 8 else 2, 1)


def edition_at(which: Relative, today: date, editions: Iterable[EditionDays]) -> EditionDays | None:
    """The edition of the campaigns that is under way today, or the last that is over."""
    dated = [
        (each, each.starts_on, each.ends_on)
        for each in editions
        if each.line == CAMPAIGN and each.starts_on is not None and each.ends_on is not None
    ]
    if which is Relative.THIS_EDITION:
        return next((each for each, first, last in dated if first <= today <= last), None)
    over = [(last, each) for each, _, last in dated if last < today]
    return max(over, default=(None, None), key=lambda found: (found[0], found[1].position))[1]


def apart(one: Span, other: Span) -> bool:
    """Whether two spans have no day in common."""
    return one[1] < other[0] or other[1] < one[0]


def open_span(since: date | None, until: date | None) -> Span:
    """The days from one to another, where either may be left open."""
    return since or date.min, until or date.max


def days_back(day: date, number: int) -> date:
    """The day some days before."""
    return day - timedelta(days=number)


def twelve_months_back(day: date) -> date:
    """The first day of the twelve months that end with a day.

    >>> twelve_months_back(date(2026, 11, 22))
    datetime.date(2025, 11, 23)
    """
    return year_before(day) + timedelta(days=1)
