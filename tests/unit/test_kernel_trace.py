"""Trace ids: taken from a valid traceparent, made anew otherwise, the same for all that is done inside."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.trace import current_trace_id, from_traceparent, new_trace_id, traced

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header",
    [f"00-{ID}-{SPAN}-01", f"00-{ID}-{SPAN}-00", f"  00-{ID}-{SPAN}-01 ", f"cc-{ID}-{SPAN}-01-what-comes-later"],
)
def test_a_valid_header_gives_its_trace_id(header: str) -> None:
    assert from_traceparent(header) == ID


@pytest.mark.parametrize(
    "header",
    [
        None, "", ID, f"00-{ID}", f"00-{ID}-{SPAN}", f"ff-{ID}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01", f"00-{ID.upper()}-{SPAN}-01", f"00-{ID}x-{SPAN}-01", f"00-{ID[:-1]}-{SPAN}-01",
        f"00-{ID}-{SPAN}-0", f"0-{ID}-{SPAN}-01",
        f"00-{ID}-{SPAN}-01\n00-{ID}-{SPAN}-01", f"00-{'٠' * 32}-{SPAN}-01",
    ],
)  # fmt: skip
def test_an_invalid_header_gives_none(header: str | None) -> None:
    assert from_traceparent(header) is None


@given(st.text(alphabet="0123456789abcdef-f ", max_size=60))
def test_whatever_is_sent_an_id_is_32_digits_or_none(header: str) -> None:
    found = from_traceparent(header)
    assert found is None or re.fullmatch("[0-9a-f]{32}", found)


def test_new_ids_are_32_digits_and_differ() -> None:
    made = {new_trace_id() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in made)


def test_what_is_done_inside_carries_the_id_and_what_comes_after_does_not() -> None:
    with traced("a" * 32):
        with traced("b" * 32):
            assert current_trace_id() == "b" * 32
        assert current_trace_id() == "a" * 32
    assert current_trace_id() not in {"a" * 32, "b" * 32}


async def test_a_task_begun_inside_carries_the_id_on() -> None:
    async def ask() -> str:
        await asyncio.sleep(0)
        return current_trace_id()

    with traced("a" * 32):
        task = asyncio.create_task(ask())
    assert await task == "a" * 32
