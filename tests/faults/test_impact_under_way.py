"""Folding under way: a rebuild beside a worker that goes on, and attendances that are not as the contract says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.contracts import ActivityPublished
from services.impact.facts import actions
from services.kernel import consumers, events
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
