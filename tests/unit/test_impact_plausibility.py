"""Hints about reports: each rule finds what it is for and leaves alone what only looks like it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.impact.projections.rules import CheckedIn
from services.impact.reports.plausibility import (
    LEAST_REPORTS,
    Amount,
    Earlier,
    HintCode,
    Severity,
    Situation,
    Told,
    Twin,
    hints,
    unlike,
)
from services.impact.reports.rules import Outcome

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
HELD, CANCELLED = Outcome.HELD, Outcome.CANCELLED
PEOPLE = (12, 5, 3, 0)


def told(**changes: Any) -> Told:
    usual = Told(outcome=HELD, people=PEOPLE, hours=Decimal(60), beneficiaries=40, amounts=(kg(130),))
    return replace(usual, **changes)


def around(hours: float = 3, **changes: Any) -> Situation:
    usual = Situation(capacity=20, starts_at=NOON, ends_at=NOON + timedelta(hours=hours))
    return replace(usual, **changes)


def kg(amount: float | str, **changes: Any) -> Amount:
    return Amount("waste", "kg", Decimal(str(amount)))._replace(**changes)


def before(*totals: int, hours: int | None = 60, waste: int = 100) -> list[Earlier]:
    known = None if hours is None else Decimal(hours)
    return [Earlier(total, known, {("waste", "kg"): Decimal(waste)}) for total in totals]


USUAL = (20, 24, 18, 22, 20)
BLOCKING, WARNING = Severity.BLOCKING, Severity.WARNING


def test_an_ordinary_report_gives_no_hint() -> None:
    assert hints(told(), around(earlier=before(*USUAL))) == []


@pytest.mark.parametrize(
    ("report", "situation", "expected"),
    [
        (told(stated_total=21), around(), [("parts_are_not_the_total", "#/participants/total", BLOCKING)]),
        (told(stated_total=20), around(), []),
        (told(people=(40, 0, 0, 0), hours=Decimal(120)), around(), []),
        (
            told(people=(41, 0, 0, 0), hours=Decimal(120)),
            around(),
            [("people_over_capacity", "#/participants", WARNING)],
        ),
        (told(people=(200, 0, 0, 0), hours=None), around(), [("people_over_capacity", "#/participants", WARNING)]),
        (told(people=(201, 0, 0, 0), hours=None), around(), [("people_over_capacity", "#/participants", BLOCKING)]),
        (told(people=(201, 0, 0, 0), hours=None), around(capacity=None), []),
        (told(people=(201, 0, 0, 0), hours=None), around(capacity=0), []),
        (told(people=(0, 0, 0, 0), hours=None), around(), [("nobody_took_part", "#/participants", WARNING)]),
        (told(people=(None, None, None, None), hours=None), around(), []),
        # The clock: 20 people can give 480 hours in a day, and not a minute more.
        (told(hours=Decimal(480)), around(24), []),
        (told(hours=Decimal("480.01")), around(24), [("hours_beyond_the_clock", "#/hours", BLOCKING)]),
        (told(hours=Decimal("480.01")), around(25), []),
        (told(hours=Decimal(100_000)), around(ends_at=None), []),
        (
            told(people=(0, 0, 0, 0), hours=Decimal(1)),
            around(ends_at=None),
            [("hours_beyond_the_clock", "#/hours", BLOCKING), ("nobody_took_part", "#/participants", WARNING)],
        ),
        # The duration: three hours and twenty people.
        (told(hours=Decimal(180)), around(), []),
        (told(hours=Decimal(181)), around(), [("hours_unlike_duration", "#/hours", WARNING)]),
        (told(hours=Decimal(6)), around(), []),
        (told(hours=Decimal(5)), around(), [("hours_unlike_duration", "#/hours", WARNING)]),
        (told(hours=Decimal(0)), around(), []),
        (told(hours=Decimal(20)), around(12), [("hours_unlike_duration", "#/hours", WARNING)]),
        (told(hours=Decimal(20)), around(24), []),
        (told(hours=Decimal(40)), around(120 * 24), []),
        (told(hours=Decimal(40)), around(-1), []),
        # Beneficiaries.
        (told(beneficiaries=20_000), around(), []),
        (told(beneficiaries=20_001), around(), [("beneficiaries_absurd", "#/beneficiaries", WARNING)]),
        (told(beneficiaries=100_001), around(), [("beneficiaries_absurd", "#/beneficiaries", BLOCKING)]),
        # Amounts.
        (told(amounts=(kg(100_000),)), around(), []),
        (told(amounts=(kg(100_001),)), around(), [("amount_absurd", "#/quantities/0/amount", BLOCKING)]),
        (told(amounts=(kg(1), kg(101, unit="t"))), around(), [("amount_absurd", "#/quantities/1/amount", BLOCKING)]),
        (told(amounts=(kg("1e9", unit="g"),)), around(), [("amount_absurd", "#/quantities/0/amount", BLOCKING)]),
        (told(amounts=(Amount("money", "HUF", Decimal(500_000), "A shelter"),)), around(), []),
        (
            told(amounts=(Amount("money", "EUR", Decimal(500_000), "A shelter"),)),
            around(),
            [("amount_absurd", "#/quantities/0/amount", BLOCKING)],
        ),
        (
            told(amounts=(Amount("money", "EUR", Decimal(50)),)),
            around(),
            [("money_to_nobody", "#/quantities/0/given_to", WARNING)],
        ),
        (
            told(amounts=(Amount("other:benches", "1", Decimal(2_000_000)),)),
            around(),
            [("amount_absurd", "#/quantities/0/amount", BLOCKING)],
        ),
        # What the section reported before.
        (told(amounts=(kg(9_999),)), around(earlier=before(20, 20, 20)), []),
        (
            told(amounts=(kg(10_000),)),
            around(earlier=before(20, 20, 20)),
            [("amount_unlike_before", "#/quantities/0/amount", WARNING)],
        ),
        (told(amounts=(kg(10_000),)), around(earlier=before(20, 20)), []),
        (told(amounts=(kg(10_000, unit="g"),)), around(earlier=before(20, 20, 20)), []),
        (
            told(people=(300, 0, 0, 0), hours=None),
            around(capacity=None, earlier=before(*USUAL)),
            [("people_unlike_before", "#/participants", WARNING)],
        ),
        (told(people=(300, 0, 0, 0), hours=None), around(capacity=None, earlier=before(*USUAL[1:])), []),
        (
            told(hours=Decimal(600)),
            around(30, earlier=before(*USUAL)),
            [("hours_unlike_before", "#/hours", WARNING)],
        ),
        (told(hours=Decimal(600)), around(30, earlier=before(*USUAL, hours=None)), []),
        # Check-ins.
        (told(), around(present=CheckedIn(12, 5, 3, None)), []),
        (
            told(),
            around(present=CheckedIn(12, 5, 4, None)),
            [("fewer_than_checked_in", "#/participants", WARNING)],
        ),
        (
            told(checked_in=(12, 5, 2)),
            around(present=CheckedIn(12, 5, 3, None)),
            [("checked_in_since", "#/participants", WARNING)],
        ),
        (told(checked_in=(12, 5, 3)), around(present=CheckedIn(12, 5, 3, None)), []),
        # The same twice.
        (told(), around(twin=Twin.ANOTHER), [("duplicate", "#/participants", BLOCKING)]),
        (told(), around(twin=Twin.OF_ITS_SERIES), [("duplicate", "#/participants", WARNING)]),
        (told(people=(None, None, None, None)), around(twin=Twin.ANOTHER), []),
        # What did not take place.
        (Told(CANCELLED), around(), []),
        (
            Told(CANCELLED),
            around(present=CheckedIn(1, 0, 0, None)),
            [("cancelled_and_checked_in", "#/outcome", BLOCKING)],
        ),
    ],
)
def test_each_rule_says_where_and_how_sure_it_is(
    report: Told, situation: Situation, expected: list[tuple[str, str, Severity]]
) -> None:
    found = hints(report, situation)
    assert [(hint.code.value, hint.pointer, hint.severity) for hint in found] == expected
    assert all(hint.detail.endswith((".", ".)")) for hint in found)


def test_every_code_is_found_by_a_rule_above() -> None:
    [marker] = [each for each in test_each_rule_says_where_and_how_sure_it_is.pytestmark if each.name == "parametrize"]  # type: ignore[attr-defined]
    found = {code for _, _, expected in marker.args[1] for code, _, _ in expected}
    assert found == {code.value for code in HintCode}


def test_a_wrong_report_among_those_before_moves_the_usual_little() -> None:
    assert unlike(400, [20, 24, 18, 22, 20, 900])
    assert not unlike(26, [20, 24, 18, 22, 20, 900])


@given(st.lists(st.integers(1, 500), min_size=LEAST_REPORTS), st.integers(0, 10**6))
def test_what_lies_among_those_before_is_never_unlike_them(values: list[int], value: int) -> None:
    middle = sorted(values)[len(values) // 2]
    assert not unlike(middle, values)
    assert unlike(value, values) is unlike(value, list(reversed(values)))


_COUNTS = st.none() | st.integers(0, 10**6)
_AMOUNT = st.decimals("0.000001", 10**12, places=6, allow_nan=False)


@given(
    outcome=st.sampled_from(Outcome),
    people=st.tuples(_COUNTS, _COUNTS, _COUNTS, _COUNTS),
    stated_total=_COUNTS,
    hours=st.none() | st.decimals(0, 10**7, places=2, allow_nan=False),
    beneficiaries=_COUNTS,
    amount=_AMOUNT,
    unit=st.sampled_from(["kg", "1", "EUR", "h", "kW.h"]),
    minutes=st.none() | st.integers(-10, 10**6),
    capacity=_COUNTS,
    earlier=st.lists(st.tuples(_COUNTS, _AMOUNT), max_size=8),
)
def test_whatever_is_reported_is_judged(minutes: int | None, amount: Decimal, unit: str, **given_: Any) -> None:
    earlier = [Earlier(total, hours, {("waste", unit): hours}) for total, hours in given_.pop("earlier")]
    capacity = given_.pop("capacity")
    ends_at = None if minutes is None else NOON + timedelta(minutes=minutes)
    report = Told(amounts=(Amount("waste", unit, amount),), **given_)
    found = hints(report, around(ends_at=ends_at, capacity=capacity, earlier=earlier))
    severities = [hint.severity for hint in found]
    assert severities == sorted(severities)  # "blocking" stands before "warning".
