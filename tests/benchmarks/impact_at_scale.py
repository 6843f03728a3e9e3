"""What figures cost at a million attendances and at ten: `python -m tests.benchmarks.impact_at_scale [--ten-million]`.

A database of its own on a durable server of its own. The network stays as large and has ten times the activities, so a
question has the same answer with other numbers in it. Every answer that is timed is compared with a raw GROUP BY.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from deploy import postgres, valkey
from services.impact.statistics import store
from services.impact.statistics.measures import DEFAULT_MEASURES
from services.impact.statistics.rules import Asked
from tests.harness import databases as harness
from tests.harness.databases import Databases, eventually
from tests.harness.impact import Impact, attendance, impact_alone

PER_ACTIVITY = 20
SECTIONS, COUNTRIES = 600, ("IT", "ES", "PL", "DE", "PT", "FR", "SK", "TR", "FI", "MT")
FIRST_DAY, DAYS = date(2012, 9, 1), 14 * 365
AREAS, CAUSES = ("environment", "education", "health", "animals"), ("inclusion", "sustainability", "skills", "culture")
KINDS = ("volunteering", "visit", "collection")
CLASSES = ("international", "local", "esn_volunteer")
QUESTIONS: dict[str, tuple[Asked, str]] = {
    "by country": (Asked(("country",), DEFAULT_MEASURES), "TRUE"),
    "one edition by country": (
        Asked(("country",), DEFAULT_MEASURES, {"edition": ("2020-autumn",)}),
        "edition = '2020-autumn'",
    ),
    "by edition": (Asked(("edition",), DEFAULT_MEASURES), "TRUE"),
    "one year by section": (
        Asked(("section",), DEFAULT_MEASURES, {"academic_year": ("2020/21",)}),
        "starts_on BETWEEN '2020-08-01' AND '2021-07-31'",
    ),
    "one country by month": (Asked(("month",), DEFAULT_MEASURES, {"country": ("PL",)}), "country = 'PL'"),
    "one year by area and cause": (
        Asked(("area", "cause"), DEFAULT_MEASURES, {"academic_year": ("2020/21",)}),
        "starts_on BETWEEN '2020-08-01' AND '2021-07-31'",
    ),
}  # fmt: skip
RAW = {
    "country": "country", "section": "section", "edition": "edition", "month": "to_char(starts_on, 'YYYY-MM')",
    "area": "areas[1]", "cause": "causes[1]",
}  # fmt: skip


def activities(first: int, count: int) -> Iterator[dict[str, Any]]:
    """Activities of the network, spread over its years."""
    dice = random.Random(first)
    for number in range(first, first + count):
        section = dice.randrange(SECTIONS)
        country = COUNTRIES[section % len(COUNTRIES)]
        day = FIRST_DAY + timedelta(days=dice.randrange(DAYS))
        season = {5: "spring", 11: "autumn"}.get(day.month)
        yield {
            "activity_id": UUID(int=(number << 80) | (7 << 76) | (2 << 62)), "revision": 1, "state": "held",
            "title": f"Activity {number}", "kind": dice.choice(KINDS), "programme": "socialerasmus",
            "edition": f"{day.year}-{season}" if season else None, "areas": dice.sample(AREAS, dice.choice([1, 1, 2])),
            "causes": dice.sample(CAUSES, dice.choice([1, 1, 2])), "sdgs": [dice.choice([3, 4, 13])],
            "objectives": [], "section": f"{country}-S{section:03}-ESN", "section_codes": [], "country": country,
            "platform": "SWEP" if country in {"IT", "ES", "PT", "FR", "MT"} else "CEP", "starts_at": None,
            "starts_on": day, "capacity": 40, "sample": False, "part_of": None, "relation": None, "has_parts": False,
        }  # fmt: skip


def attendances(at: list[UUID], people: int) -> Iterator[tuple[Any, ...]]:
    """Twenty people at each activity, most of whom come back."""
    dice = random.Random(len(at))
    for activity_id in at:
        for _ in range(PER_ACTIVITY):
            person = UUID(int=dice.randrange(people) + 1) if dice.random() < 0.95 else None
            yield (
                activity_id, UUID(int=dice.getrandbits(128)), 1, dice.choice(CLASSES), True,
                Decimal(dice.randrange(1, 5)), person, dice.choice(COUNTRIES), None,
            )  # fmt: skip


class Scale:
    """One database that grows."""

    def __init__(self, impact: Impact, owner: Impact, connection: asyncpg.Connection) -> None:
        self.impact, self.owner, self.connection = impact, owner, connection
        self.activities = 0

    async def grow(self, facts: int) -> None:
        """Put more activities and their attendances into the projections, by COPY, and fold nothing."""
        count = facts // PER_ACTIVITY
        rows = list(activities(self.activities, count))
        self.activities += count
        columns = list(rows[0])
        await self.connection.copy_records_to_table(
            "activities", schema_name="impact", columns=columns, records=[tuple(row.values()) for row in rows]
        )
        names = (
            "activity_id", "attendance_key", "revision", "participant_class", "present", "hours", "person_key",
            "home_country", "mobility",
        )  # fmt: skip
        await self.connection.copy_records_to_table(
            "attendances", schema_name="impact", columns=names,
            records=attendances([row["activity_id"] for row in rows], max(facts // 4, 1)),
        )  # fmt: skip
        await self.connection.execute("ANALYZE impact.activities, impact.attendances")

    async def rebuild(self) -> tuple[float, int]:
        """Seconds, and how much was different; with the rights of the command, and its patience."""
        began = time.perf_counter()
        made = await self.owner.rebuild()
        await self.connection.execute("VACUUM (ANALYZE)")
        return time.perf_counter() - began, made.differences

    async def fold(self, facts: int) -> float:
        """Facts a second, from the log into every total: new attendances at activities that are known."""
        dice = random.Random(facts)
        known = [row[0] for row in await self.connection.fetch("SELECT activity_id FROM impact.activities LIMIT 5000")]
        told = []
        for number in range(facts):
            # As they are checked in: one activity after the other.
            at = known[number // PER_ACTIVITY % len(known)]
            person = UUID(int=dice.randrange(facts) + 1)
            told.append(attendance(at, UUID(int=dice.getrandbits(128)), person_key=person, home_country="IT"))
        await self.impact.tell(told)
        began = time.perf_counter()
        assert await self.impact.catch_up() >= facts
        return facts / (time.perf_counter() - began)

    async def ask(self, name: str, times: int = 60) -> list[float]:
        """Milliseconds of all statements behind one answer, which is that of a raw GROUP BY."""
        asked, where = QUESTIONS[name]
        found: list[float] = []
        groups: list[Any] = []
        for _ in range(times):
            async with self.impact.runtime.reading() as session:
                began = time.perf_counter()
                groups = await store.groups(session, asked, most=20_000)
                await store.completeness(session, asked)
                await store.sources(session, asked)
                found.append((time.perf_counter() - began) * 1000)
        by = [RAW[name] for name in asked.by]
        raw = await self.connection.fetch(
            f"""SELECT {", ".join(by)}, count(*), coalesce(sum(hours), 0) FROM impact.attendances
            JOIN impact.activities USING (activity_id) WHERE present AND {where}
            GROUP BY {", ".join(map(str, range(1, len(by) + 1)))}"""
        )
        told = {group.key: (group.figures.attendances, group.figures.checked_in_hours) for group in groups}
        assert told == {tuple(row)[:-2]: (row[-2], row[-1]) for row in raw}, name
        return found

    async def visible(self, rate: int, seconds: int) -> list[float]:
        """Milliseconds from the commit of an attendance until the totals have it, at so many a second."""
        worker = asyncio.create_task(self.impact.worker.run())
        known = [row[0] for row in await self.connection.fetch("SELECT activity_id FROM impact.activities LIMIT 200")]
        dice, found, burst = random.Random(7), [], 20
        try:
            for _ in range(rate * seconds // burst):
                began = time.perf_counter()
                keys = [UUID(int=dice.getrandbits(128)) for _ in range(burst)]
                before = await self._counted()
                await self.impact.tell(
                    [attendance(dice.choice(known), key, person_key=key) for key in keys], wakes=True
                )
                committed = time.perf_counter()
                await eventually(partial(self._counts, before + burst), every=0.002)
                found += [(time.perf_counter() - committed) * 1000] * burst
                await asyncio.sleep(max(0.0, burst / rate - (time.perf_counter() - began)))
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        return found

    async def _counts(self, expected: int) -> None:
        assert await self._counted() >= expected

    async def _counted(self) -> int:
        statement = "SELECT sum(attendances_international) FROM impact.roll_ups WHERE grain = 'network'"
        return int(await self.connection.fetchval(statement))


def percentiles(found: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    return statistics.median(found), statistics.quantiles(found, n=100)[-1]


async def run(first: int, second: int, server_url: str, redis_url: str) -> None:
    """Grow, measure, grow, measure."""
    made = Databases(server_url, redis_url)
    await made.make_template()
    async with made.fresh() as url:
        connection = await asyncpg.connect(url)
        await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        settings = harness.settings(url, redis_url)
        async with impact_alone(settings, url) as impact, impact_alone(settings, url, role=None) as owner:
            scale = Scale(impact, owner, connection)
            medians: list[dict[str, float]] = []
            for facts in (first, second):
                await scale.grow(facts - scale.activities * PER_ACTIVITY)
                seconds, differences = await scale.rebuild()
                print(f"{facts:>10,} facts: made from what was there in {seconds:.1f} s, {differences:,} differences")
                seconds, differences = await scale.rebuild()
                assert differences == 0
                print(f"{facts:>10,} facts: rebuild finds no difference in {seconds:.1f} s")
                medians.append({})
                for name in QUESTIONS:
                    median, worst = percentiles(await scale.ask(name))
                    medians[-1][name] = median
                    print(f"{facts:>10,} facts: {name:<28} p50 {median:6.2f} ms   p99 {worst:6.2f} ms")
            for name in QUESTIONS:
                print(f"{second // first}x the facts: {name:<28} {medians[1][name] / medians[0][name]:.2f}x the time")
            print(f"folded from the log: {await scale.fold(50_000):,.0f} facts/s")
            median, worst = percentiles(await scale.visible(200, 10))
            print(f"visible at 200 facts/s: p50 {median:.0f} ms   p99 {worst:.0f} ms")
            assert (await owner.rebuild()).differences == 0
        await connection.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=100_000)
    parser.add_argument("--ten-million", action="store_true", help="Compare a million with ten instead.")
    arguments = parser.parse_args()
    first = 1_000_000 if arguments.ten_million else arguments.facts
    with postgres.running(durable=True) as database, valkey.running() as queue:
        asyncio.run(run(first, 10 * first, database.superuser_url, queue.url))


if __name__ == "__main__":
    main()
