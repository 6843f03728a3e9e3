"""Tables of people: released once a year is closed, never changed then, and read by everybody."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from services.impact.disclosure import actions
from services.impact.facts.tables import ActivityFacts
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.refusals import refused

TABLES = "/impact/v1/tables"
PRESENT = """
INSERT INTO impact.attendances (attendance_key, revision, activity_id, participant_class, present, person_key,
  home_country, mobility)
SELECT gen_random_uuid(), 1, $1, $2, $3, person, $4, $5 FROM unnest($6::uuid[]) AS person
"""


class Year:
    """A closed academic year, entered as the facts keep it."""

    def __init__(self, network: Network) -> None:
        self.network = network

    async def activity(
        self, country: str, edition: str | None, day: str = "2025-11-10", year: str = "2025/26",
        section: str | None = None,
    ) -> Any:  # fmt: skip
        identity = uuid4()
        known = {
            "activity_id": identity, "country": country, "section": section, "edition": edition,
            "starts_on": date.fromisoformat(day),
            "academic_year": year, "cause": "culture", "kind": "volunteering", "programme": "socialerasmus",
            "source": "check_in", "labels": [],
        }  # fmt: skip
        nothing = {column.name: 0 for column in ActivityFacts.__table__.columns if not column.nullable}
        async with self.network.runtimes["impact"].unit_of_work() as session:
            await session.execute(sa.insert(ActivityFacts).values({**nothing, **known}))
        return identity

    async def present(self, activity: Any, home: str | None, people: int, **more: Any) -> list[Any]:
        keys = more.get("keys") or [uuid4() for _ in range(people)]
        group, there = more.get("group", "international"), more.get("there", True)
        mobility = more.get("mobility", "study")
        await rows(self.network.database_url, PRESENT, activity, group, there, home, mobility, keys)
        return keys

    async def release(self) -> str | None:
        return await actions.release_due(self.network.runtimes["impact"])

    async def table(self, code: str, **query: Any) -> dict[str, Any]:
        reply = await self.network.client.get(f"{TABLES}/{code}", params=query)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found


@pytest.fixture
async def year(network: Network) -> Year:
    """Two countries and an edition, with a few people from Malta among many."""
    made = Year(network)
    italy, poland = await made.activity("IT", "2025-autumn"), await made.activity("PL", None)
    spaniards = await made.present(italy, "ES", 30)
    await made.present(poland, "ES", 6, keys=spaniards[:6])
    for activity, home, people in [
        (italy, "FR", 25), (italy, "DE", 20), (italy, "MT", 3), (italy, None, 8),
        (poland, "ES", 20), (poland, "FR", 20), (poland, "DE", 15), (poland, "MT", 1), (poland, "LI", 4),
    ]:  # fmt: skip
        await made.present(activity, home, people)
    await made.present(italy, "IT", 9, group="local")
    await made.present(italy, "PT", 9, there=False)
    return made


async def test_people_are_counted_once_and_few_are_withheld(year: Year) -> None:
    assert await year.release() == "2025/26"
    told = await year.table("home-country-by-academic-year")
    (whole,) = told["items"]
    assert (whole["row"], whole["people"]) == ("2025/26", 146)
    counts = {count["label"]: count["people"] for count in whole["counts"]}
    # Malta and Liechtenstein, and nobody tells how many of each.
    assert counts == {"DE": 35, "ES": 50, "FR": 45, "not_stated": 8}
    assert told["threshold"] == 5
    hosts = await year.table("home-country-by-host-country")
    assert {item["row"]: item["people"] for item in hosts["items"]} == {"IT": 86, "PL": 66}
    for item in hosts["items"]:
        for count in item["counts"]:
            assert count["suppressed"] == (["people"] if count["people"] is None else [])
            assert count["people"] is None or count["people"] >= 5
            assert count["label"] not in {"MT", "LI", "PT", "IT"}


async def test_nothing_that_is_withheld_is_kept(year: Year) -> None:
    await year.release()
    kept = await rows(year.network.database_url, "SELECT counts::text AS counts FROM impact.released_rows")
    assert kept
    assert not [row for row in kept if '"MT"' in row["counts"] or '"LI"' in row["counts"]]


async def test_a_release_never_changes(year: Year) -> None:
    await year.release()
    codes = [table["code"] for table in (await year.network.client.get(TABLES)).json()["items"]]
    before = [await year.table(code) for code in codes]
    # Somebody is erased, somebody comes late, somebody corrects their country: yesterday and today are the same.
    await rows(
        year.network.database_url,
        "DELETE FROM impact.attendances WHERE attendance_key IN "
        "(SELECT attendance_key FROM impact.attendances WHERE home_country = 'MT' LIMIT 1)",
    )
    await rows(year.network.database_url, "UPDATE impact.attendances SET home_country = 'MT' WHERE home_country = 'LI'")
    await year.present(await year.activity("PT", None), "ES", 12)
    assert await year.release() is None
    await year.network.sweep()
    assert [await year.table(code) for code in codes] == before
    assert await value(year.network.database_url, "SELECT count(*) FROM impact.releases") == 1


async def test_a_year_that_is_not_closed_is_not_told(network: Network) -> None:
    year = Year(network)
    await year.present(await year.activity("IT", None, "2199-09-01", "2199/00"), "ES", 30)
    assert await year.release() is None
    assert (await year.table("home-country-by-academic-year"))["items"] == []


async def test_a_year_of_few_people_is_released_and_tells_nothing(network: Network) -> None:
    year = Year(network)
    await year.present(await year.activity("IT", None), "ES", 4)
    assert await year.release() == "2025/26"
    assert (await year.table("home-country-by-host-country"))["items"] == []


async def test_study_and_traineeship_are_told_by_cause(network: Network) -> None:
    year = Year(network)
    activity = await year.activity("IT", None)
    await year.present(activity, None, 12)
    await year.present(activity, None, 7, mobility="traineeship")
    await year.release()
    (item,) = (await year.table("mobility-by-cause"))["items"]
    assert (item["row"], item["people"]) == ("culture", 19)
    assert {count["label"]: count["people"] for count in item["counts"]} == {"study": 12, "traineeship": 7}


async def test_no_two_years_tell_of_the_same_person(network: Network) -> None:
    year = Year(network)
    earlier = await year.activity("IT", None, "2023-11-10", "2023/24")
    later = await year.activity("IT", None, "2024-11-10", "2024/25")
    again = await year.present(earlier, "ES", 30)
    await year.present(later, "ES", 30, keys=again)
    await year.present(later, "FR", 20)
    await year.present(later, "ES", 25)
    assert (await year.release(), await year.release(), await year.release()) == ("2023/24", "2024/25", None)
    told = await year.table("home-country-by-academic-year")
    assert {item["academic_year"]: item["people"] for item in told["items"]} == {"2023/24": 30, "2024/25": 45}
    assert "not counted again" in told["definition"]


async def test_sections_are_told_beside_the_other_tables_and_of_ten_at_least(network: Network) -> None:
    year = Year(network)
    for section, country in (("IT-MILA-STA", "IT"), ("IT-SASS-ESN", "IT"), ("PL-WARS-UKS", "PL")):
        activity = await year.activity(country, None, section=section)
        for home, people in (("ES", 40), ("FR", 30), ("DE", 30), ("PT", 7 if section == "IT-MILA-STA" else 25)):
            await year.present(activity, home, people)
    assert await year.release() == "2025/26"
    told = await year.table("home-country-by-section")
    assert (told["threshold"], told["by"]) == (10, ["academic_year", "section", "home_country"])
    counts = {item["row"]: {each["label"]: each["people"] for each in item["counts"]} for item in told["items"]}
    assert counts["IT-MILA-STA"].get("PT") is None
    assert 40 in counts["IT-MILA-STA"].values()
    assert {item["people"] for item in told["items"]} == {107, 125}
    hosts = await year.table("home-country-by-host-country")
    assert {item["row"]: item["people"] for item in hosts["items"]} == {"IT": 232, "PL": 125}


async def test_pages_of_a_table(year: Year) -> None:
    await year.release()
    everything = (await year.table("home-country-by-host-country"))["items"]
    first = await year.table("home-country-by-host-country", limit=1, academic_year="2025/26")
    assert first["items"] == everything[:1]
    second = (await year.network.client.get(first["next"])).json()
    assert (second["items"], second["next"]) == (everything[1:], None)
    assert (await year.table("home-country-by-host-country", academic_year="2024/25"))["items"] == []


async def test_home_country_can_not_be_combined_freely(network: Network) -> None:
    document = await refused(
        network, "GET", "/impact/v1/statistics?by=country,home_country", status=422, pointers=["query/by"]
    )
    assert "/impact/v1/tables/home-country-by-host-country" in document["errors"][0]["detail"]


async def test_a_filter_by_what_describes_people_is_refused_with_its_tables(network: Network) -> None:
    for route in ("statistics", "growth", "rankings", "completeness", "statistics.csv"):
        address = f"/impact/v1/{route}?home_country=ES"
        document = await refused(network, "GET", address, status=422, pointers=["query/home_country"])
        assert "/impact/v1/tables/home-country-by-section" in document["errors"][0]["detail"]
        await refused(network, "GET", f"/impact/v1/{route}?age_band=9", status=422, pointers=["query/age_band"])


async def test_a_table_that_nobody_declared_is_not_there(network: Network) -> None:
    await refused(network, "GET", f"{TABLES}/home-country-by-age", status=404)
    await refused(
        network, "GET", f"{TABLES}/mobility-by-cause?academic_year=2025", status=422, pointers=["query/academic_year/0"]
    )
