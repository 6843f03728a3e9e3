"""The sample network, loaded into an empty development database, with an edition that is always yet to come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from services.activities.sample import network
from services.activities.sample.network import Loaded
from services.contracts import ACTIVITIES
from services.kernel.runtime import Runtime
from services.kernel.service import Service
from services.kernel.settings import Settings
from services.kernel.worker import Worker
from services.operations import imports
from services.operations.kinds import Kind

Tell = Callable[[str], None]


async def ensure_sample(settings: Settings, tell: Tell) -> None:
    """Load the sample network into an empty database, finish what an earlier start began, add an edition to come."""
    held = Runtime(settings, role=ACTIVITIES)
    today = datetime.now(UTC).date()
    try:
        async with held.reading() as session:
            loaded = await network.find(session)
        if loaded is Loaded.OTHER:
            return
        if loaded in {Loaded.NOTHING, Loaded.PART}:
            async with held.unit_of_work() as session:
                tell(f"{await network.begin(session, today)} sections")
            # The files are the product's own: what is remarked on them is known, and nothing is written beside them.
            editions = await imports.run(settings, Kind.EDITIONS, network.EDITIONS, beside=False)
            tell(f"{editions.taken + editions.unchanged} editions")
            past = await imports.run(settings, Kind.ACTIVITIES, network.PAST, beside=False)
            tell(f"{past.taken + past.unchanged} activities of the past with their reports")
        async with held.unit_of_work() as session:
            added = await network.load_upcoming(session, settings, today)
        if added:
            tell(f"{added} sample activities of an edition to come")
    finally:
        await held.close()


async def catch_up(settings: Settings, services: Iterable[Service]) -> None:
    """Let every service hear of what was loaded, so that places and figures are there when the services open."""
    for service in services:
        held = Runtime(settings, role=service.name)
        try:
            await Worker(service, held).catch_up()
        finally:
            await held.close()
