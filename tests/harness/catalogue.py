"""Activities entered straight into the catalogue's table, rendered by the product: thousands where tests need them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from services.activities.catalogue.rendering import render
from services.activities.catalogue.tables import Activity
from services.kernel.ids import new_id
from tests.harness.databases import Databases, settings
from tests.harness.network import Network, running

LIST = "/activities/v1/activities"
START = datetime(2027, 5, 8, 8, tzinfo=UTC)


def activity(title: str, **fields: Any) -> Activity:
    """A published activity of ESN Sassari; `at` is its latitude and longitude."""
    at, place = fields.pop("at", None), fields.pop("place", {"name": "Porto Ferro", "city": "Sassari", "country": "IT"})
    if at is not None:
        place = {**place, "latitude": at[0], "longitude": at[1]}
    starts_at = fields.setdefault("starts_at", START)
    default: dict[str, Any] = {
        "id": new_id(), "state": "published", "revision": 1, "title": title, "summary": None, "language": "en",
        "kind": "volunteering", "programme": "socialerasmus", "mode": "physical", "edition": "2027-spring",
        "edition_set_by_hand": False, "areas": ["environment"], "causes": ["environmental-sustainability"],
        "sdgs": [], "objectives": [], "section_codes": ["IT-SASS-ESN"],
        "organisers": [{"code": "IT-SASS-ESN", "name": "ESN Sassari", "lead": True}],
        "country": "IT", "ends_at": starts_at and starts_at + timedelta(hours=3),
        "starts_on": starts_at and starts_at.date(), "ends_on": starts_at and starts_at.date(),
        "date_precision": "time" if starts_at else "unknown", "time_zone": "Europe/Rome", "place": place,
        "online_url": None, "capacity": 40, "takes_sign_ups": True, "sign_up_opens_at": None,
        "sign_up_closes_at": starts_at, "requirements": {}, "accessibility": [], "cost": None, "partners": [],
        "image": None, "reason": None, "label_state": "given", "sample": False,
        "source": None, "source_id": None, "source_url": None,
        "audience": [], "pupils_expected": None, "contact": None, "translations": {}, "part_of": None,
        "relation": None, "part_of_title": None, "joint": None, "is_series": False, "public_parts": 0,
        "has_places": True, "availability_revision": 0, "updated_at": START - timedelta(days=400),
    }  # fmt: skip
    return Activity(**{**default, **fields})


async def enter(network: Network, activities: Sequence[Activity]) -> None:
    """Put them into the catalogue."""
    async with network.runtimes["activities"].unit_of_work() as session:
        for row in activities:
            render(row, network.settings, now=START - timedelta(days=30))
        session.add_all(activities)


@asynccontextmanager
async def network_with(databases: Databases, redis_url: str, activities: Sequence[Activity]) -> AsyncIterator[Network]:
    """The services on a fresh database with these activities."""
    async with databases.fresh() as url, running(settings(url, redis_url), url) as network:
        await enter(network, activities)
        yield network


async def found(network: Network, **query: Any) -> dict[str, Any]:
    """The first page for a query, which must be answered."""
    return await get(network, LIST, query)


async def get(network: Network, address: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A page."""
    reply = await network.client.get(address, params=query)
    assert reply.status_code == 200, reply.text
    page: dict[str, Any] = reply.json()
    return page


async def titles(network: Network, **query: Any) -> list[str]:
    """The titles of all that is found, over as many pages as it takes."""
    page = await found(network, **query)
    names = [item["title"] for item in page["items"]]
    while page["next"]:
        page = await get(network, page["next"])
        names += [item["title"] for item in page["items"]]
    return names
