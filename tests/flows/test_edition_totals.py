"""From an activity to the totals of its edition: held, verified, told, compared, and the same after a rebuild."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from services.activities.sample import network as sample
from services.impact.facts import actions as facts
from services.operations import imports
from services.operations.kinds import Kind
from tests.harness.catalogue import activity, enter, get
from tests.harness.databases import rows, value
from tests.harness.network import Network
from tests.harness.statements import plan, recorded, scans

SPRING, AUTUMN = "/activities/v1/editions/2027-spring", "/activities/v1/editions/2026-autumn"
TOLD = "SELECT count(*) FROM events.log WHERE name = 'impact.edition_totals_changed.v1'"
NOBODY = {"international": None, "local": None, "esn_volunteer": None, "unclassified": None}


async def held(network: Network, participants: dict[str, int], hours: float, **changes: Any) -> str:
    """An activity that took place, with a verified report."""
    planned = await network.published(**changes)
    identity = planned["id"]
    local, national = await network.local(), await network.national()
    begun = "UPDATE activities.activities SET starts_at = now() - interval '1 hour' WHERE id = $1::uuid"
    await rows(network.database_url, begun, identity)
    reply = await network.client.post(f"/activities/v1/activities/{identity}/complete", headers=local)
    assert reply.status_code == 200, reply.text
    # Its time decides on its edition, so it stands where it was planned.
    planned_again = "UPDATE activities.activities SET starts_at = $2 WHERE id = $1::uuid"
    await rows(network.database_url, planned_again, identity, datetime.fromisoformat(planned["starts_at"]))
    await network.settle()
    address = f"/impact/v1/activities/{identity}/report"
    report = {"outcome": "held", "participants": participants, "hours": hours}
    for method, path, headers, body in (
        ("PUT", address, local, report),
        ("POST", f"{address}/submit", local, None),
        ("POST", f"{address}/verify", national, None),
    ):
        reply = await network.client.request(method, path, headers=headers, json=body)
        assert reply.status_code in {200, 201}, reply.text
    await heard(network)
    return str(identity)


async def heard(network: Network) -> None:
    """Let impact carry out what it heard, tell what became of it, and let activities hear of that."""
    await network.settle()
    await network.sweep()
    await network.settle()


async def published_by_impact(network: Network, edition: str) -> dict[str, Any]:
    names = [f"participants_{name}" for name in NOBODY]
    measures = ["activities", *names, "attendances", "hours"]
    query = {"edition": edition, "measures": ",".join(measures)}
    found: dict[str, Any] = (await get(network, "/impact/v1/statistics", query))["total"]
    return found


async def assert_as_published(network: Network, edition: str) -> dict[str, Any]:
    totals: dict[str, Any] = (await get(network, f"/activities/v1/editions/{edition}"))["totals"]
    published = await published_by_impact(network, edition)
    assert published.pop("suppressed") == []
    assert published == {
        "activities": totals["activities"]["reported"],
        "attendances": totals["attendances"],
        "hours": totals["hours"],
        **{f"participants_{name}": people for name, people in totals["participants"].items()},
    }
    return totals


async def test_a_verified_report_shows_in_the_totals_of_its_edition_and_they_are_compared(network: Network) -> None:
    nothing = (await get(network, SPRING))["totals"]
    assert nothing == {
        "activities": {"published": 0, "held": 0, "cancelled": 0, "reported": None},
        "sections": 0,
        "countries": 0,
        "participants": NOBODY,
        "attendances": None,
        "hours": None,
        "as_of": None,
    }
    await network.published(title="To come")
    identity = await held(network, {"international": 9, "local": 4, "esn_volunteer": 2}, 22.5)
    totals = await assert_as_published(network, "2027-spring")
    assert totals["activities"] == {"published": 1, "held": 1, "cancelled": 0, "reported": 1}
    assert totals["participants"] == {"international": 9, "local": 4, "esn_volunteer": 2, "unclassified": 0}
    assert (totals["sections"], totals["countries"], totals["hours"]) == (1, 1, 22.5)
    assert totals["as_of"] is not None
    await held(network, {"international": 6, "local": 0, "esn_volunteer": 0}, 10.0, edition="2026-autumn")
    spring = await get(network, SPRING)
    assert spring["same_season_before"] is None
    assert spring["previous"]["code"] == "2026-autumn"
    assert spring["previous"]["totals"] == (await get(network, AUTUMN))["totals"]
    growth = spring["previous"]["growth"]
    assert growth["participants_international"] == {"absolute": 3.0, "ratio": 0.5}
    assert growth["hours"] == {"absolute": 12.5, "ratio": 1.25}
    assert growth["participants_local"] == {"absolute": 4.0, "ratio": None}
    assert growth["activities_published"] == {"absolute": 1.0, "ratio": None}
    assert growth["sections"] == {"absolute": 0.0, "ratio": 0.0}
    assert (await get(network, AUTUMN))["previous"] is None
    reply = await network.client.post(
        f"/impact/v1/activities/{identity}/report/return",
        json={"reason": "Too many."},
        headers=await network.national(),
    )
    assert reply.status_code == 200, reply.text
    await heard(network)
    totals = await assert_as_published(network, "2027-spring")
    assert (totals["activities"]["reported"], totals["participants"]["international"], totals["hours"]) == (0, 0, 0.0)


async def test_totals_move_with_the_activities_when_an_edition_changes_its_days(network: Network) -> None:
    await held(network, {"international": 5, "local": 1, "esn_volunteer": 1}, 7.0)
    headers = {**await network.token("international"), "If-Match": "*"}
    reply = await network.client.patch(SPRING, json={"starts_on": "2027-05-09"}, headers=headers)
    assert reply.status_code == 200, reply.text
    await network.sweep()
    await heard(network)
    totals = await assert_as_published(network, "2027-spring")
    assert totals["activities"] == {"published": 0, "held": 0, "cancelled": 0, "reported": 0}
    assert totals["participants"]["international"] == 0
    reply = await network.client.patch(SPRING, json={"starts_on": "2027-05-08"}, headers=headers)
    assert reply.status_code == 200, reply.text
    await network.sweep()
    await heard(network)
    totals = await assert_as_published(network, "2027-spring")
    assert (totals["activities"]["held"], totals["participants"]["international"]) == (1, 5)


async def test_a_rush_is_told_once_and_a_rebuild_is_told_where_it_changes_something(network: Network) -> None:
    await held(network, {"international": 5, "local": 1, "esn_volunteer": 1}, 7.0)
    before = await assert_as_published(network, "2027-spring")
    assert await value(network.database_url, TOLD) == 1
    for _ in range(3):
        await network.sweep()
    async with network.runtimes["impact"].unit_of_work() as session:
        assert (await facts.rebuild(session)).differences == 0
    await heard(network)
    assert await value(network.database_url, TOLD) == 1
    assert await assert_as_published(network, "2027-spring") == before
    # Folding went wrong, and was told; the rebuild mends both.
    for table in ("totals", "roll_ups"):
        await rows(network.database_url, f"UPDATE impact.{table} SET participants_local = 1000")
    await heard(network)
    assert (await assert_as_published(network, "2027-spring"))["participants"]["local"] == 1000
    async with network.runtimes["impact"].unit_of_work() as session:
        assert (await facts.rebuild(session)).differences > 0
    await heard(network)
    after = await assert_as_published(network, "2027-spring")
    assert {**after, "as_of": None} == {**before, "as_of": None}
    assert await value(network.database_url, TOLD) == 3


async def test_an_older_telling_changes_nothing(network: Network) -> None:
    await held(network, {"international": 5, "local": 1, "esn_volunteer": 1}, 7.0)
    before = await assert_as_published(network, "2027-spring")
    await rows(
        network.database_url,
        "INSERT INTO events.log (id, name, aggregate, trace_id, payload) "
        'SELECT gen_random_uuid(), name, aggregate, trace_id, payload || \'{"revision": 0, "activities": 99}\' '
        "FROM events.log WHERE name = 'impact.edition_totals_changed.v1'",
    )
    await network.settle()
    assert await assert_as_published(network, "2027-spring") == before


async def test_a_series_counts_once_and_a_joint_day_by_its_parts(network: Network) -> None:
    series, day = activity("shifts", is_series=True), activity("day", joint="country", section_codes=["PL-WARS-UKS"])
    await enter(network, [series, day])
    dates = [activity("date", part_of=series.id, relation="occurrence", part_of_title="shifts") for _ in range(3)]
    local = [
        activity("part", part_of=day.id, relation="local_part", part_of_title="day", section_codes=[code])
        for code in ("IT-MILA-STA", "PT-PORT-ESN")
    ]
    await enter(network, [*dates, *local])
    totals = (await get(network, SPRING))["totals"]
    assert (totals["activities"]["published"], totals["sections"]) == (3, 3)


@pytest.mark.parametrize("is_sample", [False, True])
async def test_sample_activities_count_in_sample_editions_only(network: Network, is_sample: bool) -> None:
    await rows(network.database_url, "UPDATE activities.editions SET sample = $1 WHERE code = '2027-spring'", is_sample)
    both = {"section_codes": ["IT-SASS-ESN", "PT-PORT-ESN"]}
    await enter(
        network, [activity("real"), activity("joint", **both), activity("off", state="cancelled", country="PT")]
    )
    await enter(network, [activity("sample", sample=True, section_codes=["PL-WARS-UKS"], country="PL")])
    await enter(network, [activity("draft", state="draft", section_codes=["IT-MILA-STA"])])
    spring = await get(network, SPRING)
    extra = int(is_sample)
    assert spring["totals"]["activities"] == {"published": 2 + extra, "held": 0, "cancelled": 1, "reported": None}
    assert (spring["totals"]["sections"], spring["totals"]["countries"]) == (2 + extra, 1 + extra)
    assert (spring["previous"] and spring["previous"]["code"]) == (None if is_sample else "2026-autumn")


async def test_the_chain_of_series_leads_back_to_the_weeks_and_old_figures_stand_as_they_were_published(
    network: Network,
) -> None:
    async with network.runtimes["activities"].unit_of_work() as session:
        await sample.begin(session, date(2026, 11, 21))
    await imports.run(network.settings, Kind.EDITIONS, sample.EDITIONS, beside=False)
    before = {}
    for item in (await get(network, "/activities/v1/editions"))["items"]:
        edition = await get(network, f"/activities/v1/editions/{item['code']}")
        before[item["code"]] = tuple(
            edition[name] and edition[name]["code"] for name in ("previous", "same_season_before")
        )
    assert before["2021-autumn"] == ("2021-spring", "2020-autumn"), "Impact Days after Inclusion Days"
    assert before["2017-autumn"] == ("2017-spring", "2016-autumn"), "Inclusion Days after the Weeks"
    assert before["2014-spring"] == ("2013-autumn", None)
    assert before["2024-autumn"] == ("2022-autumn", None), "what lay between is not known"
    assert before["2012-spring"] == (None, None)
    assert before["secm-2014"] == ("secm-2012", None)
    old = await get(network, "/activities/v1/editions/2017-autumn")
    assert old["published_numbers"] == "669 events in more than 30 countries"


async def test_what_an_edition_holds_is_found_by_its_index(network: Network) -> None:
    await enter(network, [activity(f"{number}", edition="2020-spring") for number in range(400)])
    observer = await network.observer()
    await observer.execute("ANALYZE activities.activities")
    with recorded(network.runtimes["activities"]) as statements:
        await get(network, SPRING)
    counting = [statement for statement in statements if "activities.activities" in statement.text]
    assert len(counting) == 1
    assert {name for name in scans(await plan(observer, counting[0])) if "activities" in name} == {
        "ix_activities_edition"
    }
