"""The event log under late commits, two workers, poison events, failing commits and replay; races with a control."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from deploy import postgres
from services.kernel import consumers, dead_letters, replay
from services.kernel.consumers import Consumer
from services.kernel.parking import MOST_TRIES
from services.kernel.runtime import Runtime
from tests.harness import databases as harness
from tests.harness.databases import Databases, rows
from tests.harness.log_reading import CONSUMER, EFFECTS, Handler, Murmured, Reading, Told, reading, record, write_down

WRITERS = 16
SUBJECTS = 12
TRANSACTIONS = 40


@pytest.fixture(scope="module")
async def databases(redis_url: str) -> AsyncIterator[Databases]:
    """Databases on a server of their own: a transaction in any database of a server holds the horizon back."""
    with postgres.running(settings={"autovacuum": "off"}) as server:
        made = Databases(server.superuser_url, redis_url)
        await made.make_template()
        yield made


@pytest.fixture
async def log(database_url: str, redis_url: str) -> AsyncIterator[Reading]:
    """A log of the test's own. Twenty connections, for every writer holds one."""
    async with reading(database_url, harness.settings(database_url, redis_url, pool_size=20)) as made:
        yield made


def consumer(handler: Handler = write_down) -> Consumer:
    return Consumer(CONSUMER, {Told: handler})


class Naive:
    """How the log would be read by anybody: what is past the highest number seen, perhaps below the horizon only."""

    def __init__(self, connection: asyncpg.Connection, *, horizon: bool) -> None:
        self._connection = connection
        self._below = "AND xid < pg_snapshot_xmin(pg_current_snapshot())" if horizon else ""
        self._cursor = 0
        self.seen: list[int] = []

    async def read_on(self) -> None:
        found = await self._connection.fetch(
            f"SELECT number FROM events.log WHERE number > $1 {self._below} ORDER BY number", self._cursor
        )
        self.seen += [row[0] for row in found]
        self._cursor = max([self._cursor, *self.seen[-1:]])

    async def close(self) -> None:
        await self._connection.close()


async def number_of(url: str, step: int) -> int:
    found = await rows(url, "SELECT number FROM events.log WHERE payload ->> 'step' = $1", str(step))
    number: int = found[0][0]
    return number


async def test_an_event_that_took_its_number_early_and_committed_late_is_carried_out(log: Reading) -> None:
    naive, ours = Naive(await asyncpg.connect(log.url), horizon=False), consumer()
    async with log.runtime.unit_of_work() as late:
        await record(late, 1, 1)
        await log.tell(2, 2)
        await naive.read_on()
        await log.read_on(ours)
        assert await log.effects() == []
    await naive.read_on()
    await log.read_on(ours)
    await naive.close()
    assert await log.effects() == [("subject 1", 1), ("subject 2", 2)]
    assert naive.seen == [await number_of(log.url, 2)], "the control lost nothing, so this shows nothing"


async def test_an_event_of_a_later_transaction_with_an_earlier_number_is_carried_out(log: Reading) -> None:
    naive, ours = Naive(await asyncpg.connect(log.url), horizon=True), consumer()
    async with log.runtime.unit_of_work() as later:
        async with log.runtime.unit_of_work() as earlier:
            await earlier.execute(sa.text("SELECT pg_current_xact_id()"))
            await record(later, 1, 1)
            await record(earlier, 2, 2)
        await naive.read_on()
        await log.read_on(ours)
    await naive.read_on()
    await log.read_on(ours)
    await naive.close()
    assert await log.effects() == [("subject 2", 2), ("subject 1", 1)]
    assert naive.seen == [await number_of(log.url, 2)], "the control lost nothing, so this shows nothing"


@pytest.mark.parametrize("seed", [20261121])
async def test_many_writers_lose_no_event_and_keep_each_subjects_order(log: Reading, seed: int) -> None:
    """Writers lock their subject before their first write, and take their time before they commit."""
    dice = random.Random(seed)
    steps = {about: itertools.count(1) for about in range(SUBJECTS)}
    committed: list[tuple[str, int]] = []

    async def write(plan: list[tuple[int, float, float, bool]]) -> None:
        for about, before, after, gives_up in plan:
            async with log.runtime.engine.connect() as connection, AsyncSession(connection) as session:
                subject = f"subject {about}"
                await session.execute(
                    sa.text("SELECT 1 FROM activities.subjects WHERE about = :about FOR UPDATE"), {"about": subject}
                )
                await asyncio.sleep(before)
                step = next(steps[about])
                await record(session, about, step)
                await asyncio.sleep(after)
                if gives_up:
                    await session.rollback()
                else:
                    await session.commit()
                    committed.append((subject, step))

    # Half of them take their number early and commit late, half the other way round.
    pauses = [(0.0, 0.02), (0.02, 0.0)]
    plans = [
        [(dice.randrange(SUBJECTS), *dice.choice(pauses), dice.random() < 0.1) for _ in range(TRANSACTIONS)]
        for _ in range(WRITERS)
    ]
    naive = [Naive(await asyncpg.connect(log.url), horizon=horizon) for horizon in (False, True)]
    ours, writing = consumer(), asyncio.gather(*(write(plan) for plan in plans))

    async def poll(read_on: Callable[[], Awaitable[object]]) -> None:
        while not writing.done():
            await read_on()

    await asyncio.gather(
        writing, *(poll(each) for each in (naive[0].read_on, naive[1].read_on, lambda: log.read_on(ours)))
    )

    while await log.read_on(ours):
        pass
    for control in naive:
        await control.read_on()
        await control.close()
    carried_out = await log.effects()
    assert Counter(carried_out) == Counter(committed)
    for about in steps:
        told = [step for subject, step in carried_out if subject == f"subject {about}"]
        assert told == sorted(told)
    by_number, below_horizon = (len(committed) - len(set(control.seen)) for control in naive)
    lost = {"number > cursor": by_number, "the same below the horizon": below_horizon}
    print(f"seed {seed}: of {len(committed)} events lost: ours 0, {lost}")
    assert min(lost.values()) > 0, f"a control lost nothing, so this shows nothing: {lost}"


async def test_a_writer_that_wrote_before_it_locked_may_be_heard_before_an_earlier_one(log: Reading) -> None:
    """The order of a subject's events is that of its lock only for writers whose first write comes after it.

    Others (a sign-up inserts first and counts last) are sorted by where they began: that is why what they tell carries
    a revision, and the higher one wins.
    """
    lock = sa.text("SELECT 1 FROM activities.subjects WHERE about = 'subject 1' FOR UPDATE")
    async with log.runtime.unit_of_work() as second:
        await second.execute(sa.text("SELECT pg_current_xact_id()"))
        async with log.runtime.unit_of_work() as first:
            await first.execute(lock)
            await record(first, 1, 1)
        await second.execute(lock)
        await record(second, 1, 2)
    await log.read_on(consumer())
    assert await log.effects() == [("subject 1", 2), ("subject 1", 1)]


class Unlocked(Consumer):
    """The control of the next test: a consumer that does not lock its cursor."""

    async def _lock_cursor(self, session: AsyncSession) -> Any:
        await session.execute(
            sa.text("INSERT INTO events.cursors (consumer) VALUES (:me) ON CONFLICT DO NOTHING"), {"me": CONSUMER}
        )
        await session.commit()
        found = await session.execute(sa.text("SELECT xid::text, number FROM events.cursors"))
        return consumers._Cursor(*found.one(), is_stale=False)


async def test_two_workers_of_a_kind_carry_each_event_out_once(log: Reading) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slowly(session: AsyncSession, event: Told, runtime: Runtime) -> None:
        await write_down(session, event, runtime)
        begun.set()
        await may_end.wait()

    await log.read_on(consumer())
    await log.tell(1, 1)
    slow = asyncio.create_task(log.read_on(consumer(slowly)))
    await begun.wait()
    beside = (await log.read_on(consumer()), await log.retry(consumer()))
    may_end.set()
    assert (await slow, beside) == (1, (None, 0))
    assert await log.read_on(consumer()) == 0
    assert await log.effects() == [("subject 1", 1)]


async def test_without_the_lock_two_workers_would_carry_an_event_out_twice(log: Reading) -> None:
    both = asyncio.Barrier(2)

    async def together(session: AsyncSession, event: Told, runtime: Runtime) -> None:
        await write_down(session, event, runtime)
        await both.wait()

    async def read_on() -> None:
        async with log.runtime._sessions() as session:
            await Unlocked(CONSUMER, {Told: together}).read_on(session, log.runtime)
            await session.commit()

    await log.tell(1, 1)
    await asyncio.wait_for(asyncio.gather(read_on(), read_on()), 10)
    assert await log.effects() == [("subject 1", 1)] * 2


class Poison:
    """A handler that refuses some steps for as long as it is told to."""

    def __init__(self, *steps: int) -> None:
        self.steps = set(steps)
        self.tried: list[int] = []

    async def __call__(self, session: AsyncSession, event: Told, runtime: Runtime) -> None:
        self.tried.append(event.step)
        await write_down(session, event, runtime)
        if event.step in self.steps:
            raise ValueError("this event can't be swallowed")


async def test_a_poison_event_is_parked_with_its_subject_and_the_others_go_on_at_once(log: Reading) -> None:
    poison = Poison(1)
    ours = consumer(poison)
    for about, step in ((1, 1), (2, 2), (1, 3), (2, 4)):
        await log.tell(about, step)
    await log.read_on(ours)
    await log.tell(1, 5)
    await log.tell(2, 6)
    await log.read_on(ours)
    assert await log.effects() == [("subject 2", 2), ("subject 2", 4), ("subject 2", 6)]
    assert await log.parked() == [("subject 1", 1, 1, True), ("subject 1", 3, 0, True), ("subject 1", 5, 0, True)]
    failed = [line for line in log.lines if line["log_level"] == "error"]
    assert [(line["event"], line["event_name"], line["consumer"]) for line in failed] == [
        ("event failed", Told.name, CONSUMER)
    ]
    assert 3 not in poison.tried
    assert await log.retry(ours) == 0, "it was tried again before its pause was over"
    assert poison.tried.count(1) == 1
    poison.steps.clear()
    await log.let_time_pass()
    assert await log.retry(ours) == 3
    assert (await log.effects())[3:] == [("subject 1", 1), ("subject 1", 3), ("subject 1", 5)]
    assert await log.parked() == []


async def test_an_event_that_failed_at_one_of_those_that_waited_keeps_the_rest_waiting(log: Reading) -> None:
    poison = Poison(1, 2)
    ours = consumer(poison)
    for step in (1, 2, 3):
        await log.tell(1, step)
    await log.read_on(ours)
    poison.steps.remove(1)
    await log.let_time_pass()
    assert await log.retry(ours) == 1
    assert await log.effects() == [("subject 1", 1)]
    assert await log.parked() == [("subject 1", 2, 1, True), ("subject 1", 3, 0, True)]


async def test_tries_are_bounded_with_growing_pauses_and_then_only_a_person_decides(log: Reading) -> None:
    poison = Poison(1)
    ours = consumer(poison)
    await log.tell(1, 1)
    await log.tell(1, 2)
    await log.read_on(ours)
    pauses = []
    while (await log.parked())[0][3]:
        found = await rows(
            log.url, "SELECT extract(epoch FROM next_try_at - now()) FROM events.dead_letters WHERE tries > 0"
        )
        pauses.append(float(found[0][0]))
        await log.let_time_pass()
        await log.retry(ours)
    assert poison.tried == [1] * MOST_TRIES
    assert pauses == sorted(pauses)
    assert pauses[0] > 1
    poison.steps.clear()
    await log.let_time_pass()
    assert await log.retry(ours) == 0
    assert poison.tried == [1] * MOST_TRIES
    async with log.runtime.unit_of_work() as session:
        letters = await dead_letters.listed(session, consumer=CONSUMER)
        assert [(letter.error, letter.tries) for letter in letters] == [("ValueError", MOST_TRIES), (None, 0)]
        assert await dead_letters.retry(session, consumer="impact") == 0
        assert await dead_letters.retry(session, consumer=CONSUMER) == 2
    assert await log.retry(ours) == 2
    assert await log.effects() == [("subject 1", 1), ("subject 1", 2)]


async def test_what_waits_behind_a_discarded_event_goes_on(log: Reading) -> None:
    ours = consumer(Poison(1))
    for step in (1, 2, 3):
        await log.tell(1, step)
    await log.read_on(ours)
    async with log.runtime.unit_of_work() as session:
        assert await dead_letters.discard(session) == 0, "it still has tries left"
    for _ in range(MOST_TRIES):
        await log.let_time_pass()
        await log.retry(ours)
    async with log.runtime.unit_of_work() as session:
        assert await dead_letters.discard(session) == 1
    assert await log.retry(ours) == 2
    assert await log.effects() == [("subject 1", 2), ("subject 1", 3)]


async def test_a_parked_event_that_is_no_longer_heard_of_stops_nobody(log: Reading) -> None:
    await log.tell(1, 1, kind=Murmured)
    await log.tell(1, 2)
    before = Consumer(CONSUMER, {Told: write_down, Murmured: Poison(1)})
    await log.read_on(before)
    await log.let_time_pass()
    assert await log.retry(consumer()) == 2
    assert await log.effects() == [("subject 1", 2)]


async def test_an_effect_that_fails_at_its_commit_leaves_the_cursor_where_it_was(log: Reading) -> None:
    ours = consumer()
    await log.tell(1, 1)
    await log.read_on(ours)
    before = await log.cursor()
    await rows(log.url, "DELETE FROM activities.effects")
    await rows(log.url, "DELETE FROM activities.subjects WHERE about = 'subject 2'")
    await log.tell(2, 2)
    with pytest.raises(IntegrityError):
        await log.read_on(ours)
    assert (await log.cursor(), await log.effects()) == (before, [])
    await rows(log.url, "INSERT INTO activities.subjects VALUES ('subject 2')")
    await log.read_on(ours)
    assert await log.effects() == [("subject 2", 2)]
    assert await log.cursor() > before


async def test_a_lost_connection_parks_nothing_and_the_batch_is_carried_out_once(log: Reading) -> None:
    cuts = itertools.count()

    async def cut_off_once(session: AsyncSession, event: Told, runtime: Runtime) -> None:
        await write_down(session, event, runtime)
        if event.step == 2 and next(cuts) == 0:
            pid = (await session.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
            await rows(log.url, "SELECT pg_terminate_backend($1)", pid)
            await session.execute(sa.text("SELECT 1"))

    for step in (1, 2, 3):
        await log.tell(1, step)
    worker = log.worker(consumer(cut_off_once))
    with pytest.raises(sa.exc.DBAPIError):
        await worker.catch_up()
    assert (await log.effects(), await log.parked()) == ([], [])
    await worker.catch_up()
    assert (await log.effects(), await log.parked()) == ([("subject 1", 1), ("subject 1", 2), ("subject 1", 3)], [])


async def test_a_consumer_that_hears_little_does_not_read_the_same_events_again_and_again(log: Reading) -> None:
    ours = consumer()
    await log.read_on(ours)
    before = await log.cursor()
    for step in range(20):
        await log.tell(1, step, kind=Murmured)
    assert await log.read_on(ours) == 0
    assert await log.cursor() == before, "a cursor that moved at every turn would write at every turn"
    await rows(
        log.url,
        "UPDATE events.cursors SET moved_at = now() - make_interval(secs => $1)",
        consumers.STALE_AFTER_SECONDS + 1,
    )

    await log.read_on(ours)
    found = await rows(log.url, "SELECT max(xid::text::bigint) FROM events.log")
    assert await log.cursor() > (found[0][0], 0)
    await log.tell(1, 99)
    await log.read_on(ours)
    assert await log.effects() == [("subject 1", 99)]


async def test_more_news_than_a_batch_is_read_to_its_end_in_order(
    log: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "BATCH", 3)
    async with log.runtime.unit_of_work() as session:
        for step in range(8):
            await record(session, 1, step, Murmured if step == 4 else Told)
    ours = consumer()
    passed = [await log.read_on(ours) for _ in range(4)]
    assert passed == [3, 3, 1, 0]
    assert [step for _, step in await log.effects()] == [0, 1, 2, 3, 5, 6, 7]


async def set_down(session: AsyncSession, event: Told, runtime: Runtime) -> None:
    """A handler as the services' are: the same effect however often it hears of it."""
    known = sa.select(EFFECTS.c.step).where(EFFECTS.c.about == event.about, EFFECTS.c.step >= event.step)
    if (await session.execute(known)).first() is None:
        await write_down(session, event, runtime)


async def test_a_replay_from_the_beginning_changes_nothing(log: Reading) -> None:
    ours = consumer(set_down)
    for about, step in ((1, 1), (2, 2), (1, 3)):
        await log.tell(about, step)
    await log.read_on(ours)
    before = await log.effects()
    since = (await rows(log.url, "SELECT min(recorded_at) FROM events.log"))[0][0]
    async with log.runtime.unit_of_work() as session:
        assert await replay.set_back(session, consumer=CONSUMER, since=since) == 3
    assert await log.read_on(ours) == 3
    assert await log.effects() == before


async def test_a_replay_begins_at_its_instant_and_never_skips_what_is_unread(log: Reading) -> None:
    ours = consumer()
    for step in (1, 2, 3):
        await log.tell(1, step)
    since = (await rows(log.url, "SELECT recorded_at FROM events.log ORDER BY number OFFSET 1"))[0][0]
    await log.read_on(ours)
    await log.tell(1, 4)
    async with log.runtime.unit_of_work() as session:
        assert await replay.set_back(session, consumer=CONSUMER, since=since) == 3
    await log.read_on(ours)
    assert [step for _, step in await log.effects()] == [1, 2, 3, 2, 3, 4]
    await log.tell(1, 5)
    soon = (await rows(log.url, "SELECT now() + interval '1 hour'"))[0][0]
    async with log.runtime.unit_of_work() as session:
        assert await replay.set_back(session, consumer=CONSUMER, since=soon) == 1
    await log.read_on(ours)
    assert [step for _, step in await log.effects()][-1] == 5


async def test_a_replay_over_a_parked_event_leaves_it_parked_once(log: Reading) -> None:
    poison = Poison(2)
    ours = consumer(poison)
    for step in (1, 2, 3):
        await log.tell(1, step)
    await log.read_on(ours)
    since = (await rows(log.url, "SELECT min(recorded_at) FROM events.log"))[0][0]
    async with log.runtime.unit_of_work() as session:
        await replay.set_back(session, consumer=CONSUMER, since=since)
    await log.read_on(ours)
    assert [(step, tries) for _, step, tries, _ in await log.parked()] == [(1, 0), (2, 1), (3, 0)]
    poison.steps.clear()
    await log.retry(ours)
    assert [step for _, step in await log.effects()] == [1, 1, 2, 3]
    assert await log.parked() == []
