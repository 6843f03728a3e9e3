"""Cursors: they come back as they were made, and hold for nothing that we did not make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.paging import LONGEST_CURSOR, decode, encode
from services.kernel.problems import Invalid

SECRET = "s" * 32
VALUES = st.one_of(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(-(2**60), 2**60), st.none())
POSITIONS = st.lists(VALUES, min_size=1, max_size=3)


@given(POSITIONS, st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_cursor_comes_back_as_it_was_made(position: list[object], scope: str) -> None:
    assert decode(SECRET, scope, encode(SECRET, scope, position)) == position


@given(POSITIONS, st.data())
def test_any_flipped_bit_is_refused(position: list[object], data: st.DataObject) -> None:
    cursor = encode(SECRET, "scope", position)
    place = data.draw(st.integers(0, len(cursor) - 1))
    flipped = cursor[:place] + chr(ord(cursor[place]) ^ (1 << data.draw(st.integers(0, 6)))) + cursor[place + 1 :]
    with pytest.raises(Invalid):
        decode(SECRET, "scope", flipped)


@given(POSITIONS, st.data())
def test_anything_put_in_or_left_out_is_refused(position: list[object], data: st.DataObject) -> None:
    cursor = encode(SECRET, "scope", position)
    place = data.draw(st.integers(0, len(cursor) - 1))
    more = data.draw(st.sampled_from(["=", "!", " ", "\n", "A", "é", "-", "=="]))
    for changed in (cursor[:place] + more + cursor[place:], cursor + more, cursor[:place] + cursor[place + 1 :]):
        if changed != cursor:
            with pytest.raises(Invalid):
                decode(SECRET, "scope", changed)


@given(st.text(max_size=100))
def test_any_text_that_is_no_cursor_is_refused_as_one(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        decode(SECRET, "scope", text)
    assert [fault.pointer for fault in refusal.value.errors] == ["query/cursor"]


@pytest.mark.parametrize(("secret", "scope"), [("t" * 32, "scope"), (SECRET, "Scope"), (SECRET, "scope ")])
def test_a_cursor_holds_for_its_own_secret_and_scope_only(secret: str, scope: str) -> None:
    with pytest.raises(Invalid):
        decode(secret, scope, encode(SECRET, "scope", ["a"]))


def test_a_cursor_of_a_start_and_an_id_fits() -> None:
    position = ["2027-05-08T10:00:00.123456+00:00", "01890000-0000-7000-8000-000000000000"]
    assert len(encode(SECRET, "scope", position)) < LONGEST_CURSOR / 5
