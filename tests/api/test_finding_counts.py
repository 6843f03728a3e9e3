"""What is counted of everything is what there is at any time; the nearest by the index are the nearest by measure."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from services.activities.finding import counts
from tests.harness.catalogue import activity, enter, found
from tests.harness.network import Network

FACETS = ("area", "kind", "country", "edition", "audience")


async def _told(network: Network) -> dict[str, dict[str, int]]:
    facets = (await found(network, facets=",".join(FACETS)))["facets"]
    return {name: {each["code"]: each["count"] for each in counted} for name, counted in facets.items()}


async def _recounted(network: Network) -> dict[str, dict[str, int]]:
    observer = await network.observer()
    rows = await observer.fetch(
        "SELECT areas AS area, kind, country, edition, audience FROM activities.activities "
        "WHERE state IN ('published', 'held', 'cancelled') AND NOT is_series"
    )
    found: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for row in rows:
        for name in FACETS:
            codes = row[name] if isinstance(row[name], list) else [row[name]]
            found[name].update(code for code in codes if code is not None)
    return {name: dict(counter) for name, counter in found.items()}


async def test_counts_follow_every_change_whether_it_was_added_up_or_not(network: Network) -> None:
    chance, observer = random.Random(5), await network.observer()
    for step in range(12):
        made = [
            activity(
                f"Number {step} {number}", country=chance.choice(["IT", "PL", None]),
                edition=chance.choice([None, "x"]), areas=chance.sample(["health", "environment", "education"], 2),
                audience=chance.choice([[], ["pupils"]]),
                state=chance.choice(["draft", "published", "held"]), is_series=chance.random() < 0.1,
            )
            for number in range(5)
        ]  # fmt: skip
        await enter(network, made)
        some = "WHERE id IN (SELECT id FROM activities.activities ORDER BY random() LIMIT 3)"
        await observer.execute(f"UPDATE activities.activities SET kind = 'training', areas = '{{health}}' {some}")
        await observer.execute(f"UPDATE activities.activities SET state = 'cancelled' {some}")
        await observer.execute(f"UPDATE activities.activities SET state = 'draft' {some}")
        await observer.execute(f"UPDATE activities.activities SET is_series = NOT is_series {some}")
        await observer.execute("DELETE FROM activities.activities WHERE id IN "
                               "(SELECT id FROM activities.activities ORDER BY random() LIMIT 1)")  # fmt: skip
        assert await _told(network) == await _recounted(network)
        async with network.runtimes["activities"].unit_of_work() as session:
            assert await counts.fold(session, limit=chance.choice([1, 7, 1000])) > 0
        assert await _told(network) == await _recounted(network)
    async with network.runtimes["activities"].unit_of_work() as session:
        await counts.fold(session, limit=100_000)
    assert await observer.fetchval("SELECT count(*) FROM activities.label_news") == 0
    assert await _told(network) == await _recounted(network)


async def _pages(network: Network, **query: Any) -> list[tuple[str, float]]:
    page = await found(network, sort="distance", limit=7, **query)
    listed = list(page["items"])
    while page["next"]:
        page = (await network.client.get(page["next"])).json()
        listed += page["items"]
    return [(item["title"], item["distance_km"]) for item in listed]


async def test_the_nearest_by_the_index_are_the_nearest_by_measure(network: Network) -> None:
    chance = random.Random(6)
    places = [(chance.uniform(-90, 90), chance.uniform(-180, 180)) for _ in range(60)]
    places += [(45 + chance.uniform(-6, 6), 179.5 + chance.uniform(-0.5, 0.5)) for _ in range(20)] + [(45.0, 179.9)] * 3
    # A common kind is found by the index; with a country, everything that has it is measured.
    await enter(network, [activity(f"Number {number}", at=at) for number, at in enumerate(places)])
    for around in ("45,179.9", "45,-179.9", "90,0", "-90,17"):
        near = {"near": around, "radius_km": 1000}
        by_index, measured = await _pages(network, **near), await _pages(network, **near, country="IT")
        assert [far for _, far in by_index] == [far for _, far in measured]
        assert sorted(by_index) == sorted(measured)
        assert await _pages(network, **near, kind="volunteering") == by_index
    assert len(by_index) < len(await _pages(network, near="45,179.9", radius_km=1000)) <= 30
