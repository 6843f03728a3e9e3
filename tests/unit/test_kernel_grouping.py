"""Requests that are done together: each is answered for itself, and what one does to the others is nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from services.kernel import grouping
from services.kernel.grouping import AGAIN, Again, Group
from services.kernel.problems import Conflict, Problem, Unavailable


class Doing:
    """Something that can be done together, and remembers how it was."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.alone: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def together(self, wanted: Sequence[int]) -> Sequence[str | Problem | None]:
        await self.gate.wait()
        self.groups.append(list(wanted))
        if self.failure is not None:
            raise self.failure
        return [None if each % 10 == 9 else Conflict() if each % 10 == 8 else f"{each} done" for each in wanted]

    async def by_itself(self, wanted: int) -> str:
        self.alone.append(wanted)
        if wanted == 19:
            raise Conflict
        return f"{wanted} alone"


class Refusal(Exception):
    """What the driver raises, with its SQLSTATE."""

    def __init__(self, state: str) -> None:
        self.sqlstate = state


async def test_whoever_comes_first_goes_at_once_and_the_others_go_together() -> None:
    doing = Doing()
    group = Group(doing.together, doing.by_itself)
    doing.gate.clear()
    asked = [asyncio.create_task(group.ask(0))]
    await asyncio.sleep(0)
    asked += [asyncio.create_task(group.ask(number)) for number in range(1, 6)]
    await asyncio.sleep(0)
    doing.gate.set()
    assert await asyncio.gather(*asked) == [f"{number} done" for number in range(6)]
    assert sorted(map(len, doing.groups)) == [1, 5]


async def test_each_is_answered_refused_and_sent_on_for_itself() -> None:
    doing = Doing()
    group = Group(doing.together, doing.by_itself)
    answers = await asyncio.gather(*(group.ask(number) for number in (7, 8, 9, 19, 10)), return_exceptions=True)
    assert [str(type(each).__name__) if isinstance(each, Exception) else each for each in answers] == [
        "7 done", "Conflict", "9 alone", "Conflict", "10 done",
    ]  # fmt: skip
    assert doing.alone == [9, 19]
    await group.close()


@pytest.mark.parametrize("state", ["23505", "55P03", "40P01", "22001"])
async def test_what_postgres_refuses_to_a_group_is_done_one_by_one(state: str) -> None:
    doing = Doing()
    doing.failure = DBAPIError("INSERT", None, Refusal(state))
    group = Group(doing.together, doing.by_itself)
    assert await asyncio.gather(group.ask(1), group.ask(2)) == ["1 alone", "2 alone"]


@pytest.mark.parametrize(
    "failure",
    [OperationalError("BEGIN", None, ConnectionError()), TimeoutError(), DBAPIError("SELECT", None, Refusal("42703"))],
)
async def test_nobody_is_tried_again_where_the_database_is_away_or_the_code_is_wrong(failure: Exception) -> None:
    doing = Doing()
    doing.failure = failure
    group = Group(doing.together, doing.by_itself)
    answers = await asyncio.gather(group.ask(1), group.ask(2), return_exceptions=True)
    assert answers == [failure, failure]
    assert not doing.alone


async def test_what_a_group_decides_for_the_next_is_asked_again_before_those_who_came_later() -> None:
    groups: list[list[int]] = []
    begun = asyncio.Event()

    async def together(wanted: Sequence[int]) -> Sequence[str | Again]:
        groups.append(list(wanted))
        begun.set()
        await asyncio.sleep(0)
        return [AGAIN if each in {2, 3} and len(groups) == 1 else "done" for each in wanted]

    async def never(wanted: int) -> str:
        raise AssertionError(wanted)

    group = Group(together, never)
    asked = [asyncio.create_task(group.ask(number)) for number in (1, 2, 3)]
    await begun.wait()
    asked.append(asyncio.create_task(group.ask(4)))
    assert await asyncio.gather(*asked) == ["done"] * 4
    assert [each for later in groups[1:] for each in later] == [2, 3, 4]


async def test_whoever_goes_away_ends_nothing_for_the_others() -> None:
    doing = Doing()
    doing.gate.clear()
    group = Group(doing.together, doing.by_itself)
    first, second = asyncio.create_task(group.ask(1)), asyncio.create_task(group.ask(2))
    await asyncio.sleep(0)
    first.cancel()
    doing.gate.set()
    assert await second == "2 done"
    assert [1, 2] in doing.groups, "what was asked for is done all the same"


async def test_a_queue_that_is_too_long_is_a_503_and_closing_finishes_what_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grouping, "MOST_WAITING", 2)
    doing = Doing()
    doing.gate.clear()
    group = Group(doing.together, doing.by_itself)
    waiting = [asyncio.create_task(group.ask(number)) for number in (1, 9)]
    await asyncio.sleep(0)
    more = [asyncio.create_task(group.ask(number)) for number in (3, 4, 5)]
    await asyncio.sleep(0)
    doing.gate.set()
    await group.close()
    assert await asyncio.gather(*waiting) == ["1 done", "9 alone"]
    answers = await asyncio.gather(*more, return_exceptions=True)
    assert answers[:2] == ["3 done", "4 done"]
    assert isinstance(answers[2], Unavailable)
