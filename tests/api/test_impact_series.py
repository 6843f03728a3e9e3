"""What a series amounts to: one activity, whatever becomes of its dates, and the people and hours of all of them."""

from __future__ import annotations

from typing import Any

import pytest

from services.impact.facts import actions as facts
from tests.harness.catalogue import LIST
from tests.harness.network import Network

PEOPLE = {"international": 3, "local": 1, "esn_volunteer": 2}


class Series:
    """A published series whose dates lie in the past, and the reports on them."""

    def __init__(self, network: Network, local: dict[str, str], national: dict[str, str]) -> None:
        self.network, self.local, self.national = network, local, national
        self.id = ""
        self.dates: list[str] = []

    async def post(self, address: str, who: dict[str, str], **body: Any) -> Any:
        reply = await self.network.client.post(address, headers={**who, **self.network.key()}, json=body or None)
        assert reply.status_code in {200, 201}, reply.text
        return reply.json()

    async def publish(self) -> None:
        self.id = (await self.network.drafted(title="Canteen"))["id"]
        rule = {"weekly": ["friday"], "from": "2026-01-16", "until": "2026-02-06", "starts": "18:00", "ends": "20:00"}
        made = await self.post(f"{LIST}/{self.id}/occurrences", self.local, rule=rule)
        self.dates = [item["id"] for item in made["items"]]
        for verb, who in (("submit", self.local), ("approve", self.national), ("publish", self.local)):
            await self.post(f"{LIST}/{self.id}/{verb}", who)
        await self.network.settle()

    async def report(self, number: int, **changes: Any) -> None:
        address = f"/impact/v1/activities/{self.dates[number]}/report"
        body = {"outcome": "held", "participants": PEOPLE, "hours": "4", **changes}
        reply = await self.network.client.put(address, headers=self.local, json=body)
        assert reply.status_code == 201, reply.text
        for verb, who in (("submit", self.local), ("verify", self.national)):
            await self.post(f"{address}/{verb}", who)
        await self.network.settle()

    async def withdraw(self, number: int) -> None:
        await self.post(
            f"/impact/v1/activities/{self.dates[number]}/report/return", self.national, reason="Count again."
        )
        await self.network.settle()

    async def figures(self, **query: str) -> dict[str, Any]:
        measures = "activities,cancelled,participants,hours"
        told = await self.network.client.get("/impact/v1/statistics", params={"measures": measures, **query})
        total = told.json()["total"]
        return {name: total[name] for name in measures.split(",")}


@pytest.fixture
async def series(network: Network) -> Series:
    made = Series(network, await network.local(), await network.national())
    await made.publish()
    return made


async def test_a_series_is_one_activity_and_its_people_and_hours_add_up(series: Series) -> None:
    for number in (2, 0, 1):
        await series.report(number)
    await series.report(3, participants={"international": 0, "local": 0, "esn_volunteer": 0}, hours="0")
    assert await series.figures() == {"activities": 1, "cancelled": 0, "participants": 18, "hours": 12.0}
    # The first of the dates that were held stands for the series, whichever was reported first.
    assert (await series.figures(month="2026-01"))["activities"] == 1
    assert (await series.figures(month="2026-02"))["activities"] == 0
    await series.withdraw(0)
    assert await series.figures() == {"activities": 1, "cancelled": 0, "participants": 12, "hours": 8.0}
    async with series.network.runtimes["impact"].unit_of_work() as session:
        rebuilt = await facts.rebuild(session)
    assert (rebuilt.differences, rebuilt.activities) == (0, 3)
    assert await series.figures() == {"activities": 1, "cancelled": 0, "participants": 12, "hours": 8.0}


async def test_a_series_is_cancelled_where_no_date_took_place(series: Series) -> None:
    for number in (0, 1):
        await series.report(number, outcome="cancelled", reason="Closed", participants=None, hours=None)
    assert await series.figures() == {"activities": 0, "cancelled": 1, "participants": 0, "hours": 0.0}
    await series.report(3)
    assert await series.figures() == {"activities": 1, "cancelled": 0, "participants": 6, "hours": 4.0}
    await series.withdraw(3)
    assert await series.figures() == {"activities": 0, "cancelled": 1, "participants": 0, "hours": 0.0}
    async with series.network.runtimes["impact"].unit_of_work() as session:
        assert (await facts.rebuild(session)).differences == 0


async def test_a_series_itself_is_not_reported(series: Series) -> None:
    address = f"/impact/v1/activities/{series.id}/report"
    body = {"outcome": "held", "participants": PEOPLE}
    reply = await series.network.client.put(address, headers=series.local, json=body)
    assert (reply.status_code, reply.json()["type"].rpartition("/")[2]) == (409, "has-parts")
