"""Which activities an edition has by date equals a naive recount, in all zones and after any changes."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns import actions
from services.activities.campaigns.edition_rows import EditionRow
from services.activities.campaigns.schemas import NationalDatesIn
from services.activities.catalogue import actions as catalogue
from services.activities.catalogue import following
from services.activities.catalogue.drafts import ActivityDraft
from services.activities.directory import actions as directory_actions
from services.activities.directory import store as directory
from services.kernel.auth import Actor, Role
from services.kernel.ids import new_id
from tests.harness.network import DRAFT, Network

ZONES = ("Pacific/Kiritimati", "Pacific/Auckland", "Europe/Rome", "UTC", "Atlantic/Azores", "Pacific/Pago_Pago")
# Where each section is, which no longer is where its country's clocks are.
SECTIONS = {"IT": "IT-SASS-ESN", "PL": "PL-WARS-UKS", "PT": "PT-PORT-ESN"}
HOMES = {"IT": "Pacific/Kiritimati", "PL": "Europe/Rome", "PT": "Pacific/Pago_Pago"}
SERIES = {"Social Impact Days": True, "Social Inclusion Days": True, "SECM": False}
CODES = ("2027-spring", "2026-autumn", "secm-2027", "2027-autumn")
INTERNATIONAL = Actor(new_id(), Role.INTERNATIONAL, None, None)
FIRST = date(2027, 5, 1)


def day(chance: random.Random) -> date:
    return FIRST + timedelta(days=chance.randrange(20))


def draft(chance: random.Random, edition: str | None) -> ActivityDraft:
    """An activity that begins within an hour of a midnight, in its own zone, its section's or in UTC."""
    zone, country = chance.choice(ZONES), chance.choice(list(SECTIONS))
    clocks = [ZoneInfo(zone), ZoneInfo(HOMES[country]), UTC]
    midnight = datetime.combine(day(chance), datetime.min.time(), chance.choice(clocks))
    starts_at = midnight.astimezone(UTC) + timedelta(minutes=chance.choice([-30, -1, 0, 30]))
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=2)).isoformat()}
    organisers = [{"code": SECTIONS[country]}]
    return ActivityDraft.model_validate(
        {**DRAFT, **times, "time_zone": zone, "organisers": organisers, "edition": edition}
    )


class Model:
    """Editions and activities as plain values, and the edition of each activity by looking through them all."""

    def __init__(self) -> None:
        self.editions: dict[str, EditionRow] = {}
        self.national: dict[tuple[str, str], tuple[date, date]] = {}
        self.homes = dict(HOMES)

    def day_of(self, item: dict[str, Any]) -> date:
        return item["starts_at"].astimezone(ZoneInfo(self.homes[item["country"]])).date()  # type: ignore[no-any-return]

    def edition_of(self, item: dict[str, Any]) -> str | None:
        if item["edition_set_by_hand"]:
            return str(item["edition"])
        day = self.day_of(item)
        best: tuple[int, int, str] | None = None
        for code, edition in self.editions.items():
            if not SERIES[edition.series]:
                continue
            span = self.national.get((code, item["country"]))
            if span is None and edition.precision == "day":
                assert edition.starts_on is not None
                assert edition.ends_on is not None
                span = edition.starts_on, edition.ends_on
            if span is not None and span[0] <= day <= span[1]:
                claim = (span[1] - span[0]).days, -span[0].toordinal(), code
                best = claim if best is None else min(best, claim)
        return best and best[2]


async def change(network: Network, model: Model, chance: random.Random) -> None:
    """Announce or revise an edition, or give it other days in a country, or take them away."""
    first = day(chance)
    last = first + timedelta(days=chance.randrange(10))
    async with network.runtimes["activities"].unit_of_work() as session:
        if chance.random() < 0.2:
            country = chance.choice(list(SECTIONS))
            model.homes[country] = chance.choice(ZONES)
            await move_home(session, country, model.homes[country])
            return
        if chance.random() < 0.5 or not model.editions:
            code, precision = chance.choice(CODES), chance.choice(["day", "day", "day", "month"])
            series = (
                "SECM" if code.startswith("secm") else chance.choice(["Social Impact Days", "Social Inclusion Days"])
            )
            row = EditionRow(code, series, None, 2027, first, last, precision, "stated", None, None, "test")  # type: ignore[arg-type]
            await actions.record_edition(session, row)
            model.editions[code] = row
            return
        code, country = chance.choice(list(model.editions)), chance.choice(list(SECTIONS))
        edition, dates = await actions.lock_dates_of(session, INTERNATIONAL, code, country)
        if dates is not None and chance.random() < 0.5:
            await actions.remove_dates(session, edition, dates)
            del model.national[code, country]
        else:
            wanted = NationalDatesIn(starts_on=first, ends_on=last)
            await actions.set_dates(session, edition, country, dates, wanted)
            model.national[code, country] = first, last


async def move_home(session: AsyncSession, country: str, zone: str) -> None:
    """Let a section set its clocks by another zone."""
    await directory.hold_naming(session)
    row = await directory.lock_section(session, SECTIONS[country])
    assert row is not None
    await directory_actions.change_section(session, row, {"time_zone": zone})


@pytest.mark.parametrize("seed", range(2))
async def test_membership_by_date_equals_a_naive_recount(network: Network, seed: int) -> None:
    chance, model = random.Random(seed), Model()
    observer = await network.observer()
    await observer.execute("DELETE FROM activities.editions")
    activities = network.runtimes["activities"]
    async with activities.unit_of_work() as session:
        for country, zone in HOMES.items():
            await move_home(session, country, zone)
    seen = set()
    for _ in range(8):
        for _ in range(2):
            await change(network, model, chance)
        async with activities.unit_of_work() as session:
            for _ in range(5):
                by_hand = chance.choice(list(model.editions)) if chance.random() < 0.1 else None
                wanted = draft(chance, by_hand)
                await catalogue.draft(session, network.settings, INTERNATIONAL, wanted)
        while True:
            async with activities.unit_of_work() as session:
                moved = await following.follow_a_section(session, network.settings, limit=7)
                if not moved and not await following.regroup_due(session, network.settings, limit=7):
                    break
        rows = [dict(row) for row in await observer.fetch("SELECT * FROM activities.activities")]
        assert [row["edition"] for row in rows] == [model.edition_of(row) for row in rows]
        seen |= {(row["edition"] is None, model.day_of(row) == row["starts_on"]) for row in rows}
    assert len(rows) == 40
    assert len(seen) == 4, "no activity of an edition lay on another day by its own clock, or none lay outside of all"


async def test_an_edition_ends_with_the_last_evening_of_the_leading_section(network: Network) -> None:
    # ESN Sassari's clocks show Europe/Rome, wherever it goes with its students.
    last_evening = {"starts_at": "2027-05-16T21:30:00Z", "ends_at": "2027-05-16T23:00:00Z"}
    next_morning = {"starts_at": "2027-05-16T22:30:00Z", "ends_at": "2027-05-16T23:30:00Z"}
    for zone in ("Pacific/Kiritimati", "Europe/Rome", "Pacific/Pago_Pago"):
        assert (await network.drafted(**last_evening, time_zone=zone))["edition"] == "2027-spring"
        assert (await network.drafted(**next_morning, time_zone=zone))["edition"] is None
