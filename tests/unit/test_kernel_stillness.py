"""A look at the numbers of writing transactions: when something may have been written, and when surely nothing was."""

from __future__ import annotations

import asyncio

import pytest

from services.kernel.stillness import Stillness


@pytest.mark.parametrize(
    ("looks", "turns"),
    [
        ([("7", "7"), ("7", "7"), ("7", "7")], [1, 1, 1]),
        ([("7", "7"), ("8", "8"), ("8", "8")], [1, 2, 2]),
        # Under way at two looks; what it wrote can be seen only after the second.
        ([("7", "7"), ("7", "8"), ("7", "8"), ("8", "8"), ("8", "8")], [1, 2, 3, 4, 4]),
    ],
    ids=["still", "written between", "under way"],
)
def test_a_turn_is_over_where_something_may_have_been_written(looks: list[tuple[str, str]], turns: list[int]) -> None:
    stillness = Stillness()
    found = []
    for look in looks:
        stillness.note(*look)
        found.append(stillness.turn)
    assert found == turns


async def test_who_waits_hears_of_it_at_once_or_goes_on_after_a_while() -> None:
    stillness = Stillness()
    stillness.note("7", "7")
    turn = stillness.turn
    waiting = asyncio.create_task(stillness.broken_within(60, turn))
    await asyncio.sleep(0)
    stillness.note("9", "9")
    assert await asyncio.wait_for(waiting, 1)
    assert await stillness.broken_within(60, turn), "what came before the wait counts, too"
    assert not await stillness.broken_within(0.01, stillness.turn)
    assert not await stillness.broken_within(0, stillness.turn)
