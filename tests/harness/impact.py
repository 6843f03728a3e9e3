"""Impact alone on a database: events of the others are put into the log, reports into their table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services import contracts
from services.impact.facts import actions
from services.impact.main import SERVICE
from services.impact.reports.tables import Report, ReportQuantity
from services.kernel import events
from services.kernel.facts import Event
from services.kernel.ids import new_id
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings
from services.kernel.worker import Worker


def activity(identity: UUID, revision: int = 1, **changes: Any) -> contracts.Activity:
    """A published activity as the catalogue tells of it."""
    section = changes.pop("section", "IT-MILA-STA")
    organiser = contracts.Organiser(code=section, name=section or "Somebody", lead=True)
    told = {
        "activity_id": identity, "revision": revision, "state": "published", "title": "Beach", "language": "en",
        "kind": "volunteering", "programme": "socialerasmus", "edition": "2026-autumn", "areas": ("environment",),
        "causes": ("environmental-sustainability",), "sdgs": (), "objectives": (), "organisers": (organiser,),
        "country": "IT", "starts_at": datetime(2026, 11, 14, 10, tzinfo=UTC), "ends_at": None,
        "starts_on": date(2026, 11, 14), "time_zone": "Europe/Rome", "place": None, "capacity": None,
        "takes_sign_ups": True, "sign_up_opens_at": None, "sign_up_closes_at": None, "minimum_age": None,
        "sample": False, "platform": "SWEP", "part_of": None, "relation": None, "has_parts": False,
    }  # fmt: skip
    return contracts.Activity(**{**told, **changes})


def attendance(activity_id: UUID, key: UUID, revision: int = 1, **changes: Any) -> contracts.AttendanceRecorded:
    """Somebody was there."""
    told = {"participant_class": "international", "present": True, "hours": Decimal(3), "person_key": None, **changes}
    return contracts.AttendanceRecorded(activity_id=activity_id, attendance_key=key, revision=revision, **told)


class Impact:
    """The service without its routes."""

    def __init__(self, runtime: Runtime, url: str) -> None:
        self.runtime = runtime
        self.url = url
        self.worker = Worker(SERVICE, runtime)
        self.consumer = SERVICE.consumer

    async def tell(self, told: Iterable[Event], *, wakes: bool = False) -> None:
        """Put events into the log, in this order; as their own service does it, the worker is woken."""
        async with self.runtime.unit_of_work() as session:
            rows = [
                {
                    "id": new_id(), "name": event.name, "aggregate": event.aggregate(), "trace_id": "0" * 32,
                    "payload": event.model_dump(mode="json"),
                }
                for event in told
            ]  # fmt: skip
            if rows:
                await session.execute(sa.insert(events.LOG), rows)
            if wakes:
                session.info["news"] = {contracts.IMPACT: 0}

    async def verify(self, activity_id: UUID, quantities: dict[tuple[str, str], Decimal], **report: Any) -> None:
        """Put a verified report, or one that was returned, where reports are."""
        values = {"state": "verified", "source": "organiser", "outcome": "held", "revision": 1, **report}
        async with self.runtime.unit_of_work() as session:
            upsert = insert(Report).values(activity_id=activity_id, **values)
            await session.execute(upsert.on_conflict_do_update(index_elements=["activity_id"], set_=values))
            await session.execute(sa.delete(ReportQuantity).where(ReportQuantity.activity_id == activity_id))
            for (measure, unit), amount in quantities.items():
                row = {"measure": measure, "unit": unit, "amount": amount, "qualifier": "exact"}
                await session.execute(sa.insert(ReportQuantity).values(activity_id=activity_id, **row))

    async def catch_up(self) -> int:
        """Carry out whatever is in the log."""
        return await self.worker.catch_up()

    async def rebuild(self) -> actions.Rebuilt:
        """Make everything anew."""
        async with self.runtime.unit_of_work() as session:
            return await actions.rebuild(session)


@asynccontextmanager
async def impact_alone(settings: Settings, url: str, role: str | None = "impact") -> AsyncIterator[Impact]:
    """The service on this database; without a role as commands run it."""
    runtime = Runtime(settings, role=role)
    try:
        yield Impact(runtime, url)
    finally:
        await runtime.close()
