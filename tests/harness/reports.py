"""Reports and the activities that they are about, entered straight into impact's projection."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.impact.projections.tables import Activity, Attendance, Section
from services.kernel.ids import new_id
from tests.harness.network import Network

REPORTS = "/impact/v1/reports"
MISSING = f"{REPORTS}/missing"
PEOPLE = {"international": 9, "local": 4, "esn_volunteer": 2}
HELD: dict[str, Any] = {"outcome": "held", "participants": PEOPLE, "hours": "45"}


def activity(*, days_ago: float = 1, **fields: Any) -> Activity:
    """An activity of ESN Sassari that lasted three hours and ended so many days ago."""
    ends_at = fields.setdefault("ends_at", datetime.now(UTC) - timedelta(days=days_ago))
    starts_at = fields.setdefault("starts_at", ends_at and ends_at - timedelta(hours=3))
    default: dict[str, Any] = {
        "activity_id": new_id(), "revision": 1, "state": "held", "title": "Cleaning Porto Ferro beach",
        "kind": "volunteering", "programme": "socialerasmus", "edition": None, "areas": ["environment"], "causes": [],
        "sdgs": [], "section": "IT-SASS-ESN", "section_codes": ["IT-SASS-ESN"], "country": "IT",
        "starts_on": starts_at and starts_at.date(), "capacity": 40, "sample": False, "part_of": None,
        "relation": None, "has_parts": False, "partners": [],
    }  # fmt: skip
    return Activity(**{**default, **fields})


async def enter(network: Network, *rows: Any) -> None:
    """Put rows into impact's tables."""
    async with network.runtimes["impact"].unit_of_work() as session:
        session.add_all(rows)


def sections() -> list[Section]:
    """The sections of the test network, as impact knows them."""
    codes = {"IT-SASS-ESN": "IT", "IT-MILA-STA": "IT", "PL-WARS-UKS": "PL"}
    return [Section(code=code, title=code, country=country, state="active") for code, country in codes.items()]


def present(activity_id: Any, participant_class: str, *, hours: str | None = "3") -> Attendance:
    """Somebody who was checked in."""
    return Attendance(
        attendance_key=new_id(), revision=1, activity_id=activity_id, participant_class=participant_class,
        present=True, hours=hours,
    )  # fmt: skip


class Reporter:
    """Writes the report of one activity, as its section and its country do."""

    def __init__(self, network: Network, activity_id: Any, local: dict[str, str], national: dict[str, str]) -> None:
        self.network, self.local, self.national = network, local, national
        self.address = f"/impact/v1/activities/{activity_id}/report"

    async def put(self, *, status: int | None = None, **changes: Any) -> dict[str, Any]:
        """Write it, for the first time or anew."""
        known = await self.network.client.get(self.address, headers=self.local)
        told = {**self.local, **({"If-Match": known.headers["etag"]} if known.status_code == 200 else {})}
        reply = await self.network.client.put(self.address, headers=told, json={**HELD, **changes})
        assert reply.status_code == (status or (200 if known.status_code == 200 else 201)), reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def act(self, verb: str, body: Any = None, *, who: dict[str, str] | None = None) -> httpx.Response:
        """Submit, verify or return it."""
        actor = who or (self.local if verb == "submit" else self.national)
        return await self.network.client.post(f"{self.address}/{verb}", headers=actor, json=body)

    async def done(self, verb: str, body: Any = None) -> dict[str, Any]:
        """Carry out a verb that must succeed."""
        reply = await self.act(verb, body)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def read(self) -> dict[str, Any]:
        """The report as its section reads it."""
        reply = await self.network.client.get(self.address, headers=self.local)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found
