"""Folding under way: a rebuild beside a worker that goes on, and attendances that are not as the contract says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.contracts import ActivityPublished, ActivityRevised
from services.impact.facts import actions
from services.kernel import consumers, events, worker
from services.kernel.ids import new_id
from tests.harness import databases as harness
from tests.harness.databases import eventually, rows, value
from tests.harness.impact import Impact, activity, attendance, impact_alone

HERE, THERE = UUID(int=1, version=4), UUID(int=2, version=4)
SEEN = "SELECT coalesce(sum(attendances_international), 0)::int FROM impact.roll_ups WHERE grain = 'network'"


@pytest.fixture
async def impact(database_url: str, redis_url: str) -> AsyncIterator[Impact]:
    async with impact_alone(harness.settings(database_url, redis_url), database_url) as made:
        yield made


@pytest.mark.parametrize("many", [0, 1000])
async def test_a_rebuild_while_a_worker_folds_what_flows_in_counts_everything_once(
    impact: Impact, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MANY", many)
    await impact.tell(ActivityPublished(activity=activity(identity)) for identity in (HERE, THERE))
    worker, told, rebuilt = asyncio.create_task(impact.worker.run()), 0, list[actions.Rebuilt]()

    async def flow() -> None:
        nonlocal told
        while len(rebuilt) < 2:
            number = told
            person = UUID(int=1 + number % 7)
            at = (HERE, THERE)[number % 2]
            await impact.tell([attendance(at, UUID(int=1000 + number), person_key=person)], wakes=True)
            told += 1

    async def mend() -> None:
        for _ in range(2):
            await eventually(partial(_at_least, impact, told + 3))
            # Folding lost some of it, so that the rebuild has something to write while the worker goes on.
            await rows(impact.url, "UPDATE impact.totals SET attendances_international = attendances_international + 5")
            await rows(impact.url, "DELETE FROM impact.person_places")
            rebuilt.append(await impact.rebuild())

    try:
        await asyncio.gather(flow(), mend())
        await eventually(partial(_is, impact, told))
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    assert all(each.wrong_cells for each in rebuilt)
    assert (await impact.rebuild()).differences == 0
    people = "SELECT people FROM impact.people_scopes WHERE kind = 'network' AND period_kind = 'edition'"
    assert await value(impact.url, people) == min(told, 7)
    assert await value(impact.url, "SELECT sum(attendances_international)::int FROM impact.totals") == told


async def _at_least(impact: Impact, expected: int) -> None:
    assert await value(impact.url, SEEN) >= expected  # type: ignore[operator]


async def _is(impact: Impact, expected: int) -> None:
    assert await value(impact.url, SEEN) == expected


@pytest.mark.parametrize(
    "wrong",
    [{"participant_class": "alumnus"}, {"activity_id": "x"}, {"present": None}, {"hours": "123456"}, {"revision": 1.5}],
)
async def test_an_attendance_that_breaks_the_contract_is_parked_alone(impact: Impact, wrong: dict[str, object]) -> None:
    await impact.tell([ActivityPublished(activity=activity(HERE)), attendance(HERE, UUID(int=1))])
    poison = attendance(THERE, UUID(int=2))
    async with impact.runtime.unit_of_work() as session:
        payload = poison.model_dump(mode="json") | wrong
        row = {"id": new_id(), "name": poison.name, "aggregate": str(THERE), "trace_id": "0" * 32, "payload": payload}
        await session.execute(sa.insert(events.LOG), [row])
    await impact.tell([attendance(HERE, UUID(int=3))])
    await impact.catch_up()
    assert await value(impact.url, SEEN) == 2
    assert [row["aggregate"] for row in await rows(impact.url, "SELECT aggregate FROM events.dead_letters")] == [
        str(THERE)
    ]
    async with impact.runtime.reading() as session:
        assert await consumers.backlog(session, impact.consumer) == (0, 1)


async def test_a_span_of_the_log_that_holds_what_breaks_the_contract_is_carried_out_but_for_that(
    impact: Impact, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (consumers, worker):
        monkeypatch.setattr(module, "BATCH", 3)
    monkeypatch.setattr(consumers, "MOST_IN_A_SPAN", 8)
    monkeypatch.setattr(consumers, "MOST_TOGETHER", 5)
    await impact.tell([ActivityPublished(activity=activity(HERE)), ActivityPublished(activity=activity(THERE))])
    flow = [attendance((HERE, THERE)[n % 2], UUID(int=1 + n), person_key=UUID(int=1 + n % 4)) for n in range(40)]
    await impact.tell([*flow[:10], ActivityRevised(activity=activity(HERE, 2, country="PT")), *flow[10:20]])
    poison = attendance(HERE, UUID(int=99))
    async with impact.runtime.unit_of_work() as session:
        payload = poison.model_dump(mode="json") | {"participant_class": "alumnus"}
        row = {"id": new_id(), "name": poison.name, "aggregate": str(HERE), "trace_id": "0" * 32, "payload": payload}
        await session.execute(sa.insert(events.LOG), [row])
    await impact.tell(flow[20:])
    await impact.catch_up()
    # Whatever comes after it at the same activity waits behind it; everything else is counted.
    assert await value(impact.url, SEEN) == 30
    parked = await rows(impact.url, "SELECT aggregate, error IS NOT NULL AS failed FROM events.dead_letters")
    assert sorted(map(tuple, parked)) == [(str(HERE), False)] * 10 + [(str(HERE), True)]
    await rows(
        impact.url,
        'UPDATE events.log SET payload = payload || \'{"participant_class": "local"}\' '
        f"WHERE payload ->> 'attendance_key' = '{UUID(int=99)}'",
    )
    await rows(impact.url, "UPDATE events.dead_letters SET next_try_at = now()")
    monkeypatch.setattr(consumers, "BATCH", 200)
    async with impact.runtime.unit_of_work() as session:
        assert await impact.consumer.retry_parked(session, impact.runtime) == 11
    assert await value(impact.url, SEEN) == 40
    assert (await impact.rebuild()).differences == 0
