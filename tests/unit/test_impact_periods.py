"""Which period comes before another, and which lies where from today."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.impact.statistics import periods
from services.impact.statistics.periods import Compare, EditionDays, Relative

DAYS = st.dates(date(1950, 1, 1), date(2150, 1, 1))
KNOWN = [
    EditionDays(code, series, None, None)
    for code, series in (
        ("2017-autumn", "Social Inclusion Days"),
        ("2017-spring", "SocialErasmus Week"),
        ("2016-autumn", "SocialErasmus Week"),
        ("secm-2016", "SECM"),
        ("secm-2012", "SECM"),
    )
]


@pytest.mark.parametrize(
    ("code", "before", "a_year_before"),
    [
        ("2017-autumn", "2017-spring", "2016-autumn"),
        ("2017-spring", "2016-autumn", None),
        ("2016-autumn", None, None),
        ("secm-2016", "secm-2012", None),
        ("2030-spring", None, None),
    ],
)
def test_an_edition_follows_the_one_before_it_whatever_its_series_is_called(
    code: str, before: str | None, a_year_before: str | None
) -> None:
    assert periods.edition_before(code, KNOWN, Compare.PREVIOUS) == before
    assert periods.edition_before(code, KNOWN, Compare.LAST_YEAR) == a_year_before


@given(DAYS, st.integers(min_value=0, max_value=800))
def test_the_span_before_is_as_long_and_ends_the_day_before(first: date, length: int) -> None:
    span = (first, first + timedelta(days=length))
    start, end = periods.span_before(span, Compare.PREVIOUS)
    assert (end - start, end + timedelta(days=1)) == (span[1] - span[0], first)


def test_a_leap_day_has_a_day_a_year_before() -> None:
    assert periods.year_before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert periods.year_before(date(2024, 3, 1)) == date(2023, 3, 1)


@given(DAYS)
def test_a_semester_begins_within_the_half_year_before(day: date) -> None:
    first = periods.semester_begins(day)
    assert (first.month in {2, 8}, first.day, 0 <= (day - first).days < 184) == (True, 1, True)


@pytest.mark.parametrize(
    ("today", "this", "last"),
    [
        (date(2026, 5, 3), None, None),
        (date(2026, 5, 4), "2026-spring", None),
        (date(2026, 5, 10), "2026-spring", None),
        (date(2026, 5, 11), None, "2026-spring"),
        (date(2026, 11, 9), "2026-autumn", "2026-spring"),
        (date(2026, 12, 1), None, "2026-autumn"),
    ],
)
def test_an_edition_is_under_way_on_its_days_and_then_it_is_the_last(
    today: date, this: str | None, last: str | None
) -> None:
    known = [
        EditionDays("2026-autumn", "Days", date(2026, 11, 9), date(2026, 11, 15)),
        EditionDays("2026-spring", "Days", date(2026, 5, 4), date(2026, 5, 10)),
        EditionDays("2025-autumn", "Days", None, None),
        EditionDays("secm-2026", "SECM", date(2026, 1, 1), date(2026, 12, 31)),
    ]
    found = [periods.edition_at(which, today, known) for which in (Relative.THIS_EDITION, Relative.LAST_EDITION)]
    assert [each and each.code for each in found] == [this, last]
