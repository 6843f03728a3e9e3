"""Near me: what lies within a radius, how far away it is, and the edges of the globe."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.kernel.globe import Near, box_around
from tests.harness.catalogue import activity, found, network_with, titles
from tests.harness.databases import Databases
from tests.harness.network import Network

# One degree of a meridian, and of the equator, is 111.195 km on the globe that we measure on.
ACTIVITIES = [
    activity("origin", at=(0.0, 0.0)),
    activity("one degree east", at=(0.0, 1.0)),
    activity("one degree north", at=(1.0, 0.0)),
    activity("milan", at=(45.4642, 9.19)),
    activity("sesto", at=(45.5333, 9.2333)),
    activity("sassari", at=(40.7259, 8.5557)),
    activity("fiji west", at=(-17.0, 179.9)),
    activity("fiji east", at=(-17.0, -179.9)),
    activity("date line", at=(-17.0, 180.0)),
    activity("date line too", at=(-17.0, -180.0)),
    activity("north pole", at=(90.0, 0.0)),
    activity("beyond the pole", at=(89.9, -170.0)),
    activity("before the pole", at=(89.9, 10.0)),
    activity("south pole", at=(-90.0, 33.0)),
    activity("nowhere"),
    activity("online", place=None),
    activity("draft", state="draft", at=(0.0, 0.0)),
]


@pytest.fixture(scope="module")
async def globe(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    async with network_with(databases, redis_url, ACTIVITIES) as network:
        yield network


FIJI = {"fiji west", "fiji east", "date line", "date line too"}
ARCTIC = {"north pole", "beyond the pole", "before the pole"}


@pytest.mark.parametrize(
    ("near", "radius_km", "expected"),
    [
        ("0,0", 111.19, {"origin"}),
        ("0,0", 111.2, {"origin", "one degree east", "one degree north"}),
        ("45.4642,9.19", 8, {"milan"}),
        ("45.4642,9.19", 9, {"milan", "sesto"}),
        ("45.4642,9.19", 1000, {"milan", "sesto", "sassari"}),
        ("45.4642,9.19", 0.001, {"milan"}),
        ("-17,179.95", 30, FIJI),
        ("-17,-179.95", 30, FIJI),
        ("-17,180", 5, {"date line", "date line too"}),
        ("-17,-180", 5, {"date line", "date line too"}),
        ("-17,179.95", 1000, FIJI),
        ("90,0", 20, ARCTIC),
        ("90,-123", 20, ARCTIC),
        ("89.95,10", 20, ARCTIC),
        ("89.9,10", 1, {"before the pole"}),
        ("-90,0", 1, {"south pole"}),
        ("-89.999,-140", 1, {"south pole"}),
        ("20,20", 100, set()),
    ],
)
async def test_a_radius_holds_what_lies_within_it(
    globe: Network, near: str, radius_km: float, expected: set[str]
) -> None:
    assert set(await titles(globe, near=near, radius_km=radius_km)) == expected
    assert set(await titles(globe, near=near, radius_km=radius_km, sort="distance", limit=1)) == expected


async def test_the_nearest_comes_first_and_says_how_far_it_is(globe: Network) -> None:
    page = await found(globe, near="45.4642,9.19", radius_km=1000, sort="distance")
    told = [(item["title"], item["distance_km"]) for item in page["items"]]
    assert told == [("milan", 0.0), ("sesto", pytest.approx(8.4, abs=0.1)), ("sassari", pytest.approx(530, abs=2))]


async def test_a_list_near_nothing_says_no_distance(globe: Network) -> None:
    page = await found(globe)
    assert {item["distance_km"] for item in page["items"]} == {None}


async def test_places_at_the_same_distance_keep_their_order_from_page_to_page(globe: Network) -> None:
    at_once = await titles(globe, near="-17,180", radius_km=100, sort="distance")
    assert await titles(globe, near="-17,180", radius_km=100, sort="distance", limit=1) == at_once
    assert set(at_once[:2]) == {"date line", "date line too"}


async def test_without_a_radius_near_means_25_km(globe: Network) -> None:
    assert set(await titles(globe, near="45.4642,9.19")) == {"milan", "sesto"}


@pytest.mark.parametrize("west", [-180.0, -179.99999, 0.0, 179.99999, 180.0])
@pytest.mark.parametrize("latitude", [-90.0, -89.5, 0.0, 60.0, 89.99])
@pytest.mark.parametrize("radius_km", [0.001, 25.0, 1000.0])
def test_a_box_stays_on_the_globe(latitude: float, west: float, radius_km: float) -> None:
    box = box_around(Near(latitude, west, radius_km))
    assert -90 <= box.south <= latitude <= box.north <= 90
    assert all(-180 <= low <= high <= 180 for low, high in box.longitudes)
    assert any(low <= west <= high for low, high in box.longitudes)
