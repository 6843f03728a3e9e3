"""The pure rules of registration: windows, holds, codes, mailboxes and attendance."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import ActivityState, ParticipantClass
from services.kernel import mailboxes
from services.registration.attendance import rules as attendance
from services.registration.attendance.rules import Note, Reason
from services.registration.mail import languages
from services.registration.people import rules as people
from services.registration.places import rules as places
from services.registration.places.rules import State

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OPEN = {
    "state": ActivityState.PUBLISHED, "takes_sign_ups": True, "opens_at": None, "closes_at": NOON + HOUR,
    "now": NOON,
}  # fmt: skip


@pytest.mark.parametrize("module", [places, people, attendance, languages])
def test_the_examples_in_the_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"closes_at": None}, None),
        ({"takes_sign_ups": False}, places.ActivityNotOpen),
        ({"state": ActivityState.CANCELLED}, places.SignUpClosed),
        ({"state": ActivityState.HELD}, places.SignUpClosed),
        ({"closes_at": NOON}, places.SignUpClosed),
        ({"closes_at": NOON + timedelta(microseconds=1)}, None),
        ({"opens_at": NOON + timedelta(microseconds=1)}, places.SignUpNotYetOpen),
        ({"opens_at": NOON}, None),
    ],
)
def test_a_refused_sign_up_hears_the_reason_that_counts(changes: dict, refusal: type | None) -> None:
    assert places.refusal(**{**OPEN, **changes}) is refusal


def test_sign_up_closes_at_the_start_unless_the_organisers_say_otherwise_and_at_the_end_in_any_case() -> None:
    assert places.closes_at(None, NOON, NOON + HOUR) == NOON
    assert places.closes_at(NOON - HOUR, NOON, NOON + HOUR) == NOON - HOUR
    assert places.closes_at(NOON + 2 * HOUR, NOON, NOON + HOUR) == NOON + HOUR
    assert places.closes_at(None, None, None) is None


def test_a_hold_never_outlives_the_start() -> None:
    def held(starts_at: datetime | None, ends_at: datetime | None) -> datetime:
        return places.held_until(NOON, minutes=120, starts_at=starts_at, ends_at=ends_at)

    assert held(None, None) == NOON + 2 * HOUR
    assert held(NOON + HOUR, NOON + 3 * HOUR) == NOON + HOUR
    assert held(NOON - HOUR, NOON + HOUR) == NOON + HOUR


@pytest.mark.parametrize(
    ("capacity", "taken", "has"), [(None, 10**6, True), (0, 0, False), (1, 0, True), (1, 2, False)]
)
def test_a_place_is_left_below_the_capacity_only(capacity: int | None, taken: int, has: bool) -> None:
    assert places.Room(capacity, taken).has_places is has


@pytest.mark.parametrize(
    ("changes", "has"),
    [
        ({}, True),
        ({"waiting": 1}, False),
        ({"waiting": 1, "choosing": places.Choosing.APPROVAL}, True),
        ({"quotas": {"international": 1}}, True),
        ({"quotas": {"international": 0, "local": 0, "esn_volunteer": 0}}, False),
        ({"quotas": {"international": 2, "local": 0, "esn_volunteer": 0}}, True),
        ({"quotas": {"international": 1, "local": 0, "esn_volunteer": 0}}, False),
    ],
)
def test_there_are_places_for_whom_nobody_comes_before(changes: dict, has: bool) -> None:
    room = places.Room(capacity=5, taken=1, taken_by_class={"international": 1}, **changes)
    assert room.has_places is has


def test_room_after_a_group_has_come_and_gone_is_as_before() -> None:
    group = {ParticipantClass.INTERNATIONAL: 2, ParticipantClass.LOCAL: 1, ParticipantClass.ESN_VOLUNTEER: 0}
    room = places.Room(capacity=5, taken=2, quotas={ParticipantClass.LOCAL: 1}).after(
        dict.fromkeys(ParticipantClass, 0)
    )
    assert room.fits(group)
    full = room.after(group, waiting=3)
    assert (full.taken, full.waiting, full.fits({ParticipantClass.LOCAL: 1})) == (5, 3, False)
    assert full.after({each: -many for each, many in group.items()}, waiting=-3) == room


def test_every_code_is_read_back_however_it_is_written() -> None:
    for _ in range(100):
        code = places.new_code()
        assert not set("ILOU") & set(code)
        assert places.read_code(f" {places.show_code(code).lower()} ") == code


@pytest.mark.parametrize("address", ["Ada@Example.ORG", "o'brien+x@sub.example.org", "a@müller.de"])
def test_a_mailbox_is_one_however_it_is_spelt(address: str) -> None:
    assert mailboxes.mailbox(address).given == address
    assert mailboxes.mailbox(address).key == mailboxes.mailbox(address.upper()).key
    assert mailboxes.mailbox(address).reachable.isascii()


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "@example.com", "a b@example.org", "a@b.c\r\nBcc: x@y.z", "a@localhost", "ü@example.org"],
)
def test_what_is_no_address_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(ValueError, match=r"^(Must be|The part)") as refused:
        mailboxes.mailbox(address)
    assert not address or address not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"registration": State.UNCONFIRMED}, None),
        ({"registration": State.CANCELLED}, Reason.CANCELLED),
        ({"registration": State.EXPIRED}, Reason.NOT_CONFIRMED),
        ({"activity": ActivityState.CANCELLED}, Reason.ACTIVITY_CANCELLED),
        ({"at": NOON - timedelta(hours=24)}, None),
        ({"at": NOON - timedelta(hours=24, microseconds=1)}, Reason.TOO_EARLY),
        ({"at": NOON + HOUR + timedelta(days=30)}, None),
        ({"at": NOON + HOUR + timedelta(days=30, microseconds=1)}, Reason.TOO_LATE),
        ({"now": NOON - timedelta(minutes=10)}, None),
        ({"now": NOON - timedelta(minutes=11)}, Reason.IN_THE_FUTURE),
    ],
)
def test_who_may_be_checked_in_and_when(changes: dict, reason: Reason | None) -> None:
    told = {
        "registration": State.CONFIRMED, "activity": ActivityState.PUBLISHED, "starts_at": NOON,
        "ends_at": NOON + HOUR, "at": NOON, "now": NOON + timedelta(days=60),
    }  # fmt: skip
    assert attendance.refusal(**{**told, **changes}) is reason


def test_the_planned_duration_stands_in_for_hours_up_to_a_day() -> None:
    assert attendance.planned_hours(NOON, NOON + timedelta(minutes=100)) == Decimal("1.67")
    assert attendance.planned_hours(NOON, NOON + timedelta(days=3)) == Decimal(24)
    assert attendance.planned_hours(NOON, None) is None


_NOTES = st.lists(
    st.builds(
        Note,
        nonce=st.text("abc", min_size=1, max_size=3),
        at=st.integers(0, 3).map(lambda minutes: NOON + timedelta(minutes=minutes)),
        hours=st.none() | st.decimals(0, 24, places=2),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda note: note.nonce,
)


@given(notes=_NOTES, data=st.data())
def test_the_order_in_which_devices_tell_does_not_matter(notes: list[Note], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(notes))
    assert attendance.presence(shuffled, Decimal(3)) == attendance.presence(notes, Decimal(3))


@given(notes=_NOTES)
def test_telling_something_again_does_not_matter(notes: list[Note]) -> None:
    assert attendance.presence([*notes, *notes], None) == attendance.presence(notes, None)


def test_the_latest_hours_count_and_the_earliest_arrival() -> None:
    notes = [
        Note("b", NOON + HOUR, Decimal("2.5")),
        Note("a", NOON, Decimal(4)),
        Note("c", NOON + 2 * HOUR, None),
    ]
    assert attendance.presence(notes, Decimal(3)) == (NOON, Decimal("2.50"))
    assert attendance.presence(notes[2:], Decimal(3)) == (NOON + 2 * HOUR, Decimal(3))
