"""Events that are carried out together: one reaction for many, in order, and a poison event is parked alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.consumers import BATCH, Consumer, Together
from services.kernel.runtime import Runtime
from tests.harness import databases as harness
from tests.harness.log_reading import CONSUMER, EFFECTS, Murmured, Reading, Told, reading, record, write_down


@pytest.fixture
async def log(database_url: str, redis_url: str) -> AsyncIterator[Reading]:
    async with reading(database_url, harness.settings(database_url, redis_url)) as made:
        yield made


class Sums:
    """A reaction to many events that refuses some of them, once it has written all."""

    def __init__(self, *poison: int) -> None:
        self.poison = set(poison)
        self.batches: list[int] = []

    async def __call__(self, session: AsyncSession, events: Sequence[Told], _: Runtime) -> None:
        self.batches.append(len(events))
        values = [{"about": event.about, "step": event.step} for event in events]
        await session.execute(sa.insert(EFFECTS), values)
        if self.poison & {event.step for event in events}:
            raise ValueError("one of these can't be swallowed")


async def test_a_backlog_of_such_events_is_one_batch_and_in_order(log: Reading) -> None:
    sums = Sums()
    ours = Consumer(CONSUMER, {Told: Together(sums)})
    many = 2 * BATCH + 7
    async with log.runtime.unit_of_work() as session:
        for step in range(many):
            await record(session, step % 3, step)
    assert await log.read_on(ours) == many
    assert sums.batches == [many]
    assert [step for _, step in await log.effects()] == list(range(many))
    assert await log.read_on(ours) == 0


async def test_others_end_the_batch_where_it_would_become_too_long(log: Reading) -> None:
    sums = Sums()
    ours = Consumer(CONSUMER, {Told: Together(sums), Murmured: write_down})
    async with log.runtime.unit_of_work() as session:
        for step in range(BATCH + 5):
            await record(session, 1, step)
        await record(session, 2, BATCH + 5, Murmured)
        await record(session, 1, BATCH + 6)
    assert await log.read_on(ours) == BATCH + 5
    assert await log.read_on(ours) == 2
    assert sums.batches == [BATCH + 5, 1]
    assert [step for _, step in await log.effects()] == list(range(BATCH + 7))


async def test_a_poison_event_is_parked_alone_and_the_others_of_its_batch_go_on(log: Reading) -> None:
    sums = Sums(2)
    ours = Consumer(CONSUMER, {Told: Together(sums)})
    for about, step in ((1, 1), (2, 2), (3, 3), (2, 4), (1, 5)):
        await log.tell(about, step)
    await log.read_on(ours)
    assert sums.batches == [5, 1, 1, 1, 1]
    assert await log.effects() == [("subject 1", 1), ("subject 3", 3), ("subject 1", 5)]
    assert await log.parked() == [("subject 2", 2, 1, True), ("subject 2", 4, 0, True)]
    sums.poison.clear()
    await log.let_time_pass()
    assert await log.retry(ours) == 2
    assert (await log.effects())[3:] == [("subject 2", 2), ("subject 2", 4)]


async def test_events_of_one_subject_keep_their_order_whatever_they_are_carried_out_with(log: Reading) -> None:
    sums = Sums()
    ours = Consumer(CONSUMER, {Told: Together(sums), Murmured: write_down})
    for about, step, kind in ((1, 1, Told), (2, 2, Told), (3, 3, Murmured), (1, 4, Murmured), (1, 5, Told)):
        await log.tell(about, step, kind=kind)
    await log.read_on(ours)
    # Of the third subject nothing was waiting, so it need not wait for the others.
    assert await log.effects() == [
        ("subject 3", 3), ("subject 1", 1), ("subject 2", 2), ("subject 1", 4), ("subject 1", 5)
    ]  # fmt: skip
    assert sums.batches == [2, 1]
