"""The academic years, as `academic_years.csv` lists them."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_suffix(".csv")


class AcademicYear(NamedTuple):
    """A year of studies and its first and last day."""

    starts_on: date
    ends_on: date
    code: str


@cache
def listed() -> Sequence[AcademicYear]:
    """The years of the file in their order. Whoever changes it has the figures made anew by `rebuild impact`."""
    with _FILE.open(encoding="utf-8", newline="") as rows:
        return sorted(
            AcademicYear(date.fromisoformat(row["starts_on"]), date.fromisoformat(row["ends_on"]), row["code"])
            for row in csv.DictReader(rows)
        )


def year_of(day: date) -> AcademicYear:
    """The academic year of a day; what the file does not list begins on 1 August.

    >>> year_of(date(2016, 8, 1)).code, year_of(date(2017, 7, 31)).code, year_of(date(1999, 9, 1)).code
    ('2016/17', '2016/17', '1999/00')
    """
    years = listed()
    at = bisect_right(years, (day, date.max, "")) - 1
    if at >= 0 and day <= years[at].ends_on:
        return years[at]
    first = day.year if day.month >= 8 else day.year - 1
    return AcademicYear(date(first, 8, 1), date(first + 1, 7, 31), f"{first:04}/{(first + 1) % 100:02}")


def academic_year_of(day: date) -> str:
    """The code of the academic year of a day."""
    return year_of(day).code
