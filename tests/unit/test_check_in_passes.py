"""For how long a door is lent: by the clock of the activity, over midnight and over changes of the clock."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.kernel.problems import Invalid
from services.registration.door.rules import Span, span

LISBON, ROME = ZoneInfo("Europe/Lisbon"), ZoneInfo("Europe/Rome")


def at(text: str, zone: ZoneInfo = ROME) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def made(on: date | None, starts: str, ends: str, *, now: str, zone: ZoneInfo = ROME) -> Span:
    return span(on, zone=zone, starts_at=at(starts, zone), ends_at=at(ends, zone), now=at(now, zone))


@pytest.mark.parametrize(
    ("on", "starts", "ends", "now", "begins", "over"),
    [
        # Lent days before, for the day of the activity.
        (None, "2027-05-08T10:00", "2027-05-08T13:00", "2027-05-01T09:00", "2027-05-07T12:00", "2027-05-09T00:00"),
        # A night of it.
        (None, "2027-05-08T22:00", "2027-05-09T02:00", "2027-05-08T09:00", "2027-05-07T12:00", "2027-05-09T02:00"),
        # A weekend: each day is one of its own, and a long night ends at noon.
        (None, "2027-05-08T10:00", "2027-05-10T13:00", "2027-05-01T09:00", "2027-05-07T12:00", "2027-05-09T12:00"),
        (None, "2027-05-08T10:00", "2027-05-10T13:00", "2027-05-10T09:00", "2027-05-09T12:00", "2027-05-11T00:00"),
        # The clocks change in the night before.
        (None, "2027-03-28T10:00", "2027-03-28T13:00", "2027-03-01T09:00", "2027-03-27T12:00", "2027-03-29T00:00"),
        # Another day, and one after the end.
        ("2027-05-07", "2027-05-08T10:00", "2027-05-08T13:00", "2027-05-01T09:00", "2027-05-06T12:00", "2027-05-08T00:00"),  # noqa: E501
        (None, "2027-05-08T10:00", "2027-05-08T13:00", "2027-05-09T09:00", "2027-05-08T12:00", "2027-05-10T00:00"),
    ],
)  # fmt: skip
def test_a_pass_lasts_for_a_day_of_the_activity(
    on: str | None, starts: str, ends: str, now: str, begins: str, over: str
) -> None:
    for zone in (ROME, LISBON):
        found = made(date.fromisoformat(on) if on else None, starts, ends, now=now, zone=zone)
        assert found == Span(at(begins, zone), at(over, zone))


def test_where_no_day_is_known_it_is_today() -> None:
    found = span(None, zone=ROME, starts_at=None, ends_at=None, now=at("2027-05-08T23:59"))
    assert found == Span(at("2027-05-07T12:00"), at("2027-05-09T00:00"))


@pytest.mark.parametrize("on", [date(2027, 4, 30), date(2028, 5, 1), date(1900, 1, 1), date(2200, 1, 1)])
def test_no_pass_is_for_a_day_that_is_over_or_far_away(on: date) -> None:
    with pytest.raises(Invalid) as refused:
        made(on, "2027-05-08T10:00", "2027-05-08T13:00", now="2027-05-01T00:00")
    assert [fault.pointer for fault in refused.value.errors] == ["#/on"]
