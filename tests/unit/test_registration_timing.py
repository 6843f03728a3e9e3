"""When people are written to: what counts as a move, and the hour of a reminder."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.cards import checkers
from services.registration.cards import rules as cards
from services.registration.cards.rules import Outcome
from services.registration.places import rules, timing
from services.registration.places.timing import Whereabouts

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HERE = Whereabouts(NOON, NOON + 3 * HOUR, "Porto Ferro, Sassari")


@pytest.mark.parametrize("module", [timing, cards])
def test_the_examples_in_the_docstrings_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("there", "moved"),
    [
        (HERE, False),
        (Whereabouts(NOON, NOON + 3 * HOUR + 29 * MINUTE, "porto ferro  Sassari"), False),
        (Whereabouts(NOON, None, HERE.location), False),
        (Whereabouts(NOON + MINUTE, HERE.ends_at, HERE.location), True),
        (Whereabouts(None, HERE.ends_at, HERE.location), True),
        (Whereabouts(NOON, NOON + 2 * HOUR, HERE.location), True),
        (Whereabouts(NOON, HERE.ends_at, "Alghero"), True),
        (Whereabouts(NOON, HERE.ends_at, None), True),
    ],
)
def test_another_start_or_place_is_a_move_and_other_words_for_it_are_none(there: Whereabouts, moved: bool) -> None:
    assert HERE.moved_to(there) is there.moved_to(HERE) is moved


@given(
    st.integers(0, 60 * 24 * 1000).map(lambda minutes: NOON + minutes * MINUTE),
    st.sampled_from(["Europe/Rome", "Atlantic/Azores", "Pacific/Kiritimati", "America/St_Johns", "Europe/Dublin"]),
)
def test_a_reminder_is_sent_the_day_before_when_people_are_awake(starts_at: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    at = timing.reminded_at(starts_at, zone)
    assert at is not None
    local = at.astimezone(zone)
    assert local.date() == starts_at.astimezone(zone).date() - timedelta(days=1)
    assert timing.FIRST_HOUR <= local.time() <= timing.LAST_HOUR
    assert timing.reminded_at(None, zone) is None


def test_a_move_settles_unless_it_is_of_something_that_begins_soon() -> None:
    assert timing.told_at(NOON, None) == timing.told_at(NOON, NOON + 24 * HOUR) == NOON + timing.SETTLES
    assert timing.told_at(NOON, NOON + HOUR) == NOON


def test_an_offer_stands_to_the_date_of_confirmation_and_never_less_than_its_hours_or_past_the_start() -> None:
    def until(by: datetime | None, starts_at: datetime | None = None) -> datetime:
        return rules.offered_until(NOON, hours=24, starts_at=starts_at, ends_at=None, by=by)

    assert until(None) == until(NOON + HOUR) == NOON + 24 * HOUR
    assert until(NOON + 100 * HOUR) == NOON + 100 * HOUR
    assert until(NOON + 100 * HOUR, NOON + 50 * HOUR) == NOON + 50 * HOUR


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ([], Outcome.INVALID),
        ([{"code": "ABC123", "status": "active"}], Outcome.VALID),
        ([{"code": "ABC123", "status": "active", "expiration-date": "2026-11-14"}], Outcome.VALID),
        ([{"code": "ABC123", "status": "active", "expiration-date": "2026-11-13T00:00:00"}], Outcome.INVALID),
        ([{"code": "ABC123", "status": "expired"}], Outcome.INVALID),
        ([{"code": "ABC123", "status": "available"}], Outcome.INVALID),
        ([{"code": "XYZ999", "status": "active"}], Outcome.INVALID),
        ([{"code": {"value": "abc123 "}, "status": {"value": "active"}, "expiration-date": None}], Outcome.VALID),
    ],
)
def test_a_card_is_valid_if_it_is_active_and_not_over(told: Any, outcome: Outcome) -> None:
    assert checkers.read(told, "ABC123", today=date(2026, 11, 14)) is outcome


@pytest.mark.parametrize("told", [None, {}, {"error": "x"}, ["ABC123"], [None]])
def test_what_is_no_answer_says_nothing_of_a_card(told: Any) -> None:
    with pytest.raises(checkers.NotAnswered):
        checkers.read(told, "ABC123", today=date(2026, 11, 14))
