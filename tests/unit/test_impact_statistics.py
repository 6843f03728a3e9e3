"""How a question for figures is read, and where a fact counts."""

from __future__ import annotations

from datetime import date

import pytest

from services.impact.facts.academic_years import academic_year_of
from services.impact.facts.rules import Cell, Figures, month_of
from services.impact.statistics.rules import (
    DEFAULT_MEASURES,
    DIMENSIONS,
    MEASURES,
    QUANTITIES,
    Asked,
    Group,
    names,
    row,
)
from services.kernel.problems import Invalid


@pytest.mark.parametrize(
    ("day", "month", "year"),
    [
        (date(2016, 7, 31), "2016-07", "2015/16"),
        (date(2016, 8, 1), "2016-08", "2016/17"),
        (date(2016, 12, 31), "2016-12", "2016/17"),
        (date(1999, 9, 1), "1999-09", "1999/00"),
    ],
)
def test_a_day_lies_in_its_month_and_academic_year(day: date, month: str, year: str) -> None:
    assert (month_of(day), academic_year_of(day)) == (month, year)


def test_names_may_be_repeated_or_separated_by_commas() -> None:
    assert names("by", ["country,area", "month", "country"], DIMENSIONS) == ("country", "area", "month")


@pytest.mark.parametrize("value", ["", "home_country", "country,", "country;area", "COUNTRY"])
def test_an_unknown_name_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        names("by", [value], DIMENSIONS)
    assert [fault.pointer for fault in refusal.value.errors] == ["query/by"]
    assert "home_country" not in refusal.value.errors[0].detail


def test_filters_are_told_in_the_words_of_the_request() -> None:
    asked = Asked((), DEFAULT_MEASURES, {"edition": ("2026-autumn",), "country": ("IT", "ES")}, until=date(2026, 1, 2))
    assert asked.filters() == {"edition": "2026-autumn", "country": ["IT", "ES"], "to": "2026-01-02"}


def test_what_is_not_stated_is_null() -> None:
    told = row(Group((None,), Figures(activities=1), ()), ("edition",), ("activities", QUANTITIES))
    assert told == {"edition": None, "activities": 1, "quantities": [], "suppressed": []}


def test_every_dimension_and_column_of_a_measure_is_one_of_the_totals() -> None:
    assert set(DIMENSIONS) < set(Cell._fields)
    assert {column for measure in MEASURES.values() for column in measure.columns} < set(Figures._fields)
    assert set(DEFAULT_MEASURES) <= set(MEASURES)
