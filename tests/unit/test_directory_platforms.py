"""Days in a platform: which one a day falls into, and what a list of them may not hold."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.directory.platforms import Membership, flaws_of, platform_on

DAYS = st.dates(date(2010, 1, 1), date(2010, 2, 10))


def member(platform: str, start: date | None, end: date | None) -> Membership:
    return Membership(platform, start, end, "stated", None)


MOVED = [member("CEP", None, date(2019, 1, 1)), member("NEP", date(2023, 1, 1), None)]


@pytest.mark.parametrize(
    ("day", "platform"),
    [("1990-01-01", "CEP"), ("2018-12-31", "CEP"), ("2019-01-01", None), ("2022-12-31", None), ("2023-01-01", "NEP")],
)
def test_a_membership_holds_from_its_first_day_until_the_day_before_its_end(day: str, platform: str | None) -> None:
    assert platform_on(MOVED, date.fromisoformat(day)) == platform


@pytest.mark.parametrize(
    ("second", "flaws"),
    [
        ((date(2019, 1, 1), None), []),
        ((date(2018, 12, 31), None), [(1, "from")]),
        ((None, date(2000, 1, 1)), [(1, "from")]),
        ((date(2020, 1, 1), date(2020, 1, 1)), [(1, "until")]),
        ((date(2020, 1, 2), date(2020, 1, 1)), [(1, "until")]),
        ((None, None), [(1, "from")]),
    ],
)
def test_a_country_is_in_one_platform_at_a_time(second: tuple[date | None, date | None], flaws: list[object]) -> None:
    found = flaws_of([MOVED[0], member("NEP", *second)])

    assert [(flaw.number, flaw.field) for flaw in found] == flaws


@given(st.lists(st.tuples(st.none() | DAYS, st.none() | DAYS), max_size=4))
def test_a_list_without_flaws_has_at_most_one_platform_on_any_day(
    ranges: list[tuple[date | None, date | None]],
) -> None:
    listed = [member(f"P{number}", *each) for number, each in enumerate(ranges)]
    days = [date(2009, 12, 1) + timedelta(days=number) for number in range(110)]
    most = max(sum(platform_on([each], day) is not None for each in listed) for day in days)

    if not flaws_of(listed):
        assert most <= 1
    elif all(start is None or end is None or start < end for start, end in ranges):
        assert most > 1
