"""Which activities an edition has by date equals a naive recount, in all zones and after any changes."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.activities.campaigns import actions
from services.activities.campaigns.edition_rows import EditionRow
from services.activities.campaigns.schemas import NationalDatesIn
from services.activities.catalogue import actions as catalogue
from services.activities.catalogue import following
from services.activities.catalogue.drafts import ActivityDraft
from services.kernel.auth import Actor, Role
from services.kernel.ids import new_id
from tests.harness.network import DRAFT, Network

ZONES = ("Pacific/Kiritimati", "Pacific/Auckland", "Europe/Rome", "UTC", "Atlantic/Azores", "Pacific/Pago_Pago")
SECTIONS = {"IT": "IT-SASS-ESN", "PL": "PL-WARS-UKS", "PT": "PT-PORT-ESN"}
SERIES = {"Social Impact Days": True, "Social Inclusion Days": True, "SECM": False}
CODES = ("2027-spring", "2026-autumn", "secm-2027", "2027-autumn")
INTERNATIONAL = Actor(new_id(), Role.INTERNATIONAL, None, None)
FIRST = date(2027, 5, 1)


def day(chance: random.Random) -> date:
    return FIRST + timedelta(days=chance.randrange(20))


def draft(chance: random.Random, edition: str | None) -> ActivityDraft:
    """An activity that begins within an hour of a midnight, in its own zone or in UTC."""
    zone, country = chance.choice(ZONES), chance.choice(list(SECTIONS))
    midnight = datetime.combine(day(chance), datetime.min.time(), chance.choice([ZoneInfo(zone), UTC]))
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

    def edition_of(self, item: dict[str, Any]) -> str | None:
        if item["edition_set_by_hand"]:
            return str(item["edition"])
        day = item["starts_at"].astimezone(ZoneInfo(item["time_zone"])).date()
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


@pytest.mark.parametrize("seed", range(2))
async def test_membership_by_date_equals_a_naive_recount(network: Network, seed: int) -> None:
    chance, model = random.Random(seed), Model()
    observer = await network.observer()
    await observer.execute("DELETE FROM activities.editions")
    activities = network.runtimes["activities"]
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
                if not await following.regroup_due(session, network.settings, limit=7):
                    break
        rows = [dict(row) for row in await observer.fetch("SELECT * FROM activities.activities")]
        assert [row["edition"] for row in rows] == [model.edition_of(row) for row in rows]
        seen |= {(row["edition"] is None, row["starts_at"].date() == row["starts_on"]) for row in rows}
    assert len(rows) == 40
    assert len(seen) == 4, "no activity of an edition lay on another day in UTC, or none lay outside of all"


async def test_the_last_evening_of_an_edition_belongs_to_it_where_it_is_that_evening(network: Network) -> None:
    last_evening = {"starts_at": "2027-05-16T23:30", "ends_at": "2027-05-17T01:00"}
    ahead = await network.drafted(**last_evening, time_zone="Pacific/Kiritimati")
    behind = await network.drafted(**last_evening, time_zone="Pacific/Pago_Pago")
    assert (ahead["starts_at"], behind["starts_at"]) == ("2027-05-16T23:30:00+14:00", "2027-05-16T23:30:00-11:00")
    assert ahead["edition"] == behind["edition"] == "2027-spring"
    same_instant = {"starts_at": "2027-05-17T10:30:00Z", "ends_at": "2027-05-17T12:00:00Z"}
    assert (await network.drafted(**same_instant, time_zone="Pacific/Pago_Pago"))["edition"] == "2027-spring"
    assert (await network.drafted(**same_instant, time_zone="Europe/Rome"))["edition"] is None
