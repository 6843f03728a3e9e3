"""Figures that ESN has published, made again from the activities of the past that could be collected.

Some 90 activities are known of the thousands that there were: so a figure that is made again is the recount of what was
collected, and never more than what was published.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.activities.sample import network as sample
from services.operations import imports
from services.operations.kinds import Kind
from tests.flows.recount import recount_files
from tests.harness import databases as harness
from tests.harness.catalogue import get
from tests.harness.databases import Databases
from tests.harness.figures import STATISTICS
from tests.harness.network import Network, running

HELD = {"done", "no participants"}
CLASSES = {
    "participants_international": "international",
    "participants_local": "locals",
    "participants_esn_volunteer": "esn_volunteers",
}


class Rebuilt(NamedTuple):
    """How a published figure is asked for: a measure, or the number of values of a dimension."""

    query: dict[str, Any]
    measure: str = "activities"
    number_of: str | None = None


_AUTUMN_2018 = {"edition": "2018-autumn"}
_YEAR_2018_19 = {"edition": ["2018-autumn", "2019-spring"]}
_INCLUSION, _LAST_YEAR = "Social Inclusion Days autumn 2018", 'Social Inclusion Days, "last year"'
REBUILT = {
    ("2012", "SocialErasmus Week May 2012: countries"): Rebuilt({"edition": "2012-spring"}, number_of="country"),
    ("2014", "ESN Italy SocialErasmus 28 Apr-18 May 2014"): Rebuilt(
        {"country": "IT", "from": "2014-04-28", "to": "2014-05-18"}
    ),
    ("2016", "SocialErasmus per year, all Europe"): Rebuilt({"from": "2016-01-01", "to": "2016-12-31"}),
    ("2017", "Social Inclusion Days autumn 2017"): Rebuilt({"edition": "2017-autumn"}),
    ("2018", f"{_INCLUSION}: international students"): Rebuilt(_AUTUMN_2018, "participants_international"),
    ("2018", f"{_INCLUSION}: local community members"): Rebuilt(_AUTUMN_2018, "participants_local"),
    ("2018", f"{_INCLUSION}: ESN volunteers"): Rebuilt(_AUTUMN_2018, "participants_esn_volunteer"),
    ("2018/19", f"{_LAST_YEAR}: international students"): Rebuilt(_YEAR_2018_19, "participants_international"),
    ("2018/19", f"{_LAST_YEAR}: locals"): Rebuilt(_YEAR_2018_19, "participants_local"),
    ("2018/19", f"{_LAST_YEAR}: ESN volunteers"): Rebuilt(_YEAR_2018_19, "participants_esn_volunteer"),
    ("2024", "Social Impact Days autumn 2024"): Rebuilt({"edition": "2024-autumn"}),
    ("2025", "Social Impact Days spring 2025"): Rebuilt({"edition": "2025-spring"}, number_of="section"),
}
SURVEY = "It is of a survey, and surveys are no activities."
SIZE = "It is the size of the network: the directory knows its sections of today, and no students or volunteers."
PROJECT = "Which activities belonged to the project is not said of any."
CANNOT = {
    ("2010", "ESNsurvey 2010: students who look for volunteering during the exchange"): SURVEY,
    ("2010", "ESNsurvey 2010: share for which volunteering was offered in the end"): SURVEY,
    ("2012", "ESN size"): SIZE,
    ("2014/15", "one SocialErasmus Week, all Europe"): "Of which Week it is is not stated.",
    ("n/a", "ESN Spain, one Spring Week"): "Of which year it is is not stated.",
    ("2017-2019", "SocialErasmus+ implementation: activities"): PROJECT,
    ("2017-2019", "SocialErasmus+ implementation: volunteers coordinating"): PROJECT,
    ("2017-2019", "SocialErasmus+ implementation: cities"): PROJECT,
    ("2017-2019", "SocialErasmus+ implementation: people engaged"): PROJECT,
    ("2018", 'ESN Poland "100 for 100" (10 years of SocialErasmus)'): PROJECT,
    ("2019", "ESN Poland Erasmus in Schools"): "Pupils are not counted as a class of their own.",
    ("2025", "ESN network"): SIZE,
    ("2023", "ESN network"): SIZE,
    ("2019", "ESN network"): SIZE,
    ("2017", "ESN network"): SIZE,
    ("2023", "Regional platforms"): "It is of people at a meeting, and not of activities.",
    ("2016/17", "STARawards applications"): "Applications for awards are no activities.",
    ("2016", "ESNsurvey 2016 p.53"): SURVEY,
    ("2021", "SIEM research"): SURVEY,
    ("id series", "activities.esn.org page ids by activity date"): "It is a list of numbers of pages.",
}


@pytest.fixture(scope="module")
async def imported(
    databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """The services after the past activities were imported, and two of Lithuania, years apart."""
    lithuania = tmp_path_factory.mktemp("lithuania") / "activities.csv"
    with sample.PAST.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    vilnius = next(row for row in rows if row["section_code"] == "LT-VILN-ESN")
    kept = ("section", "section_code", "country", "area_2015", "kind", "status", "source_url", "source_type")
    template = {**dict.fromkeys(vilnius, ""), **{name: vilnius[name] for name in kept}, "date_certainty": "stated"}
    with lithuania.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, reader.fieldnames or [])
        writer.writeheader()
        for number, day in (("9001", "2018-12-30"), ("9002", "2024-03-04")):
            told = {"id": number, "title": f"Lithuania {day}", "start_date": day, "end_date": day}
            writer.writerow({**template, **told})
    async with databases.fresh() as url:
        told = harness.settings(url, redis_url, mailbox=tmp_path_factory.mktemp("mailbox"))
        async with running(told, url) as network:
            async with network.runtimes["activities"].unit_of_work() as session:
                await sample.begin(session, date(2026, 11, 21))
            await imports.run(network.settings, Kind.EDITIONS, sample.EDITIONS, beside=False)
            report = await imports.run(network.settings, Kind.ACTIVITIES, sample.PAST, beside=False)
            assert (report.taken, report.refused) == (94, 0)
            report = await imports.run(network.settings, Kind.ACTIVITIES, lithuania, beside=False)
            assert (report.taken, report.refused) == (2, 0)
            await network.settle()
            yield network


def counted(rebuilt: Rebuilt) -> int:
    """The same figure from the file, by code that shares nothing with the services."""
    if editions := rebuilt.query.get("edition"):
        groups = recount_files(sample.PAST, sample.EDITIONS).by_edition
        name = CLASSES.get(rebuilt.measure, rebuilt.measure)
        return sum(getattr(groups[code], name) for code in ([editions] if isinstance(editions, str) else editions))
    with sample.PAST.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] in HELD]
    country, first, last = (rebuilt.query.get(name) for name in ("country", "from", "to"))
    return sum(
        # What is known by its month or year counts on the first day of it.
        first <= f"{row['start_date']}-01-01"[:10] <= last and country in {None, row["country"]}
        for row in rows
        if row["start_date"]
    )


async def test_every_published_figure_is_made_again_or_it_is_said_why_not(imported: Network, shared_data: Path) -> None:
    with (shared_data / "published_stats.csv").open(encoding="utf-8", newline="") as file:
        published = {(row["year"], row["measure"]): row["value"] for row in csv.DictReader(file)}
    assert published.keys() == REBUILT.keys() | CANNOT.keys()
    for key, rebuilt in REBUILT.items():
        found = await get(
            imported, STATISTICS, {**rebuilt.query, "measures": rebuilt.measure, "by": rebuilt.number_of or []}
        )
        if rebuilt.number_of:
            assert len(found["items"]) <= int(published[key])
            continue
        assert found["total"][rebuilt.measure] == counted(rebuilt), key
        assert found["total"][rebuilt.measure] <= Decimal(published[key]), key
    again = [rebuilt.query for rebuilt in REBUILT.values() if not rebuilt.number_of and counted(rebuilt)]
    assert len(again) >= 4, "figures of nothing would be no examples"


async def test_lithuania_counts_in_the_platform_that_it_was_in_on_the_day(imported: Network) -> None:
    for platform, day, other in (("CEP", "2018-12-30", "NEP"), ("NEP", "2024-03-04", "CEP")):
        days = {"from": day, "to": day, "country": "LT"}
        assert (await get(imported, STATISTICS, {**days, "platform": platform}))["total"]["activities"] == 1
        assert (await get(imported, STATISTICS, {**days, "platform": other}))["total"]["activities"] == 0
    found = await get(
        imported, STATISTICS, {"by": "platform", "country": "LT", "from": "2018-12-01", "to": "2024-12-31"}
    )
    assert {item["platform"]: item["activities"] for item in found["items"]} == {"CEP": 1, "NEP": 1}
