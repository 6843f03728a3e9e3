"""What a process remembers: bounded, never older than the last change, and nothing unless somebody vouches for it."""

from __future__ import annotations

import time

import pytest

from services.kernel.answers import LARGEST_BYTES, Answers, Entry, Reply

FOR_EVER = float("inf")


def _entry(size: int = 10, *, etag: bytes = b'"1"', until: float = FOR_EVER, status: int = 200) -> Entry:
    reply = Reply(status, [(b"trace-id", b"")], 0, None, b"x" * size, "", [])
    is_whole = status == 200
    return Entry(etag, 10, until, full=reply if is_whole else None, unchanged=None if is_whole else reply)


@pytest.fixture
def answers() -> Answers:
    made = Answers(most_bytes=40_000)
    made.vouch(FOR_EVER)
    return made


def test_what_was_asked_before_a_change_is_not_kept_after_it(answers: Answers) -> None:
    generation = answers.generation
    answers.forget()
    answers.keep("a", generation, _entry())
    assert answers.find("a", 0.0) is None
    answers.keep("a", answers.generation, _entry())
    assert answers.find("a", 0.0) is not None


def test_nothing_is_kept_or_found_unless_somebody_vouches(answers: Answers) -> None:
    answers.keep("a", answers.generation, _entry())
    answers.vouch(100.0)
    assert answers.find("a", 99.0) is not None
    assert answers.find("a", 100.0) is None
    answers.distrust()
    answers.keep("a", answers.generation, _entry())
    answers.vouch(FOR_EVER)
    assert answers.find("a", 0.0) is None


def test_what_passes_with_time_does(answers: Answers) -> None:
    until = time.monotonic() + 100
    answers.keep("a", answers.generation, _entry(until=until))
    assert answers.find("a", until - 1) is not None
    assert answers.find("a", until) is None


def test_bytes_are_bounded_and_what_is_asked_for_stays(answers: Answers) -> None:
    for number in range(20):
        answers.keep(number, answers.generation, _entry(4000))
        answers.find(0, 0.0)
    assert len(answers) == 3
    assert answers.bytes <= 40_000
    assert answers.find(0, 0.0) is not None
    assert answers.find(19, 0.0) is not None
    assert answers.find(17, 0.0) is None
    answers.keep(19, answers.generation, _entry(1))
    answers.keep("large", answers.generation, _entry(LARGEST_BYTES))
    assert answers.find("large", 0.0) is None
    answers.forget()
    assert (len(answers), answers.bytes) == (0, 0)


def test_the_two_replies_of_one_etag_are_kept_together(answers: Answers) -> None:
    answers.keep("a", answers.generation, _entry(100))
    answers.keep("a", answers.generation, _entry(0, status=304))
    found = answers.find("a", 0.0)
    assert found is not None
    assert found.full is not None
    assert found.unchanged is not None
    answers.keep("a", answers.generation, _entry(0, etag=b'"2"', status=304))
    found = answers.find("a", 0.0)
    assert found is not None
    assert found.full is None


async def test_who_asks_after_a_change_does_not_wait_for_what_was_asked_before(answers: Answers) -> None:
    flight = answers.take_off("a")
    assert answers.flight("a") is flight
    answers.forget()
    assert answers.flight("a") is None
    later = answers.take_off("a")
    answers.land("a", flight)
    assert flight.done()
    assert answers.flight("a") is later
    answers.land("a", later)
    assert answers.flight("a") is None
