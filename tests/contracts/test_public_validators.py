"""What we publish, judged by programs that others wrote, against a running service."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.contracts.conftest import Validators
from tests.harness.databases import rows
from tests.harness.network import DRAFT, Network

EVIL = "Beach; \"dunes\", 'sea' \\n 4 > 3 & 1 < 2 🌊 " + "long " * 30
# OpenActive has a list of sports and wants each activity to be one of them; and it wants a price, which nobody need
# state here, and which we do not make up. See DECISIONS, "Feeds".
SPORTS = {
    ("failure", kind, "$.activity[0]")
    for kind in ("activity_not_in_activity_list", "file_not_found", "use_official_activity_list")
}
# It can check what its own experiment says of online places only where it may ask the network, as here it may not.
UNREAD = {
    ("failure", kind, '$["beta:virtualLocation"]') for kind in ("file_not_found", "experimental_fields_not_checked")
}
PRICE = ("failure", "missing_required_field", "$.offers")


@pytest.fixture(scope="session")
async def activities(served: Network) -> dict[str, dict[str, Any]]:
    """One activity of each sort that a reader must cope with."""
    cancelled = await served.published(title="Cancelled")
    address = f"/activities/v1/activities/{cancelled['id']}/cancel"
    await served.client.post(address, headers=await served.local(), json={"reason": "Storm."})
    gone = await served.published(title="Gone")
    await rows(served.database_url, "DELETE FROM activities.activities WHERE id = $1", UUID(gone["id"]))
    return {
        "plain": await served.published(sdgs=[14], requirements={"minimum_age": 16}),
        "cancelled": cancelled,
        "online": await served.published(mode="online", place=None, online_url="https://example.org/call"),
        "full of characters": await served.published(title=EVIL.strip(), summary=f"{EVIL}\n\nSecond paragraph."),
        "paid": await served.published(
            cost={"amount": "2.50", "currency": "EUR"}, mode="hybrid", online_url="https://example.org/call",
            image={"url": "https://example.org/beach.jpg", "alternative_text": "The beach"},
        ),
    }  # fmt: skip


async def fetched(network: Network, path: str) -> str:
    """A reply of the running process, over the network."""
    async with httpx.AsyncClient(base_url=network.settings.base_url, timeout=30) as client:
        reply = await client.get(path)
    assert reply.status_code == 200, reply.text
    return reply.text


async def test_openactives_validator_walks_the_whole_delta_feed_and_finds_no_failure(
    validators: Validators, served: Network, activities: dict[str, Any]
) -> None:
    address = f"{served.settings.base_url}/activities/v1/changes?limit=2"
    found = await asyncio.to_thread(validators.judged, "rpde.cjs", address)
    assert len(found["pages"]) == 5, "three full pages, the last and empty one, and one that lies far in the future"
    failures = [finding for finding in found["findings"] if finding["severity"] == "failure"]
    assert failures == []
    # It asks for 500 items a page, which we give unless told otherwise.
    assert {finding["severity"] for finding in found["findings"]} <= {"warning", "notification", "suggestion"}


async def test_the_validator_does_find_what_is_wrong(validators: Validators, served: Network) -> None:
    address = f"{served.settings.base_url}/activities/v1/activities"
    found = await asyncio.to_thread(validators.judged, "rpde.cjs", address)
    assert [finding for finding in found["findings"] if finding["severity"] == "failure"]


async def test_openactives_data_model_is_met_but_for_its_list_of_sports(
    validators: Validators, served: Network, activities: dict[str, Any]
) -> None:
    page = json.loads(await fetched(served, "/activities/v1/changes"))
    events = [item["data"] for item in page["items"] if item["state"] == "updated"]
    assert len(events) == len(activities)
    judged = await asyncio.to_thread(validators.judged, "model.cjs", given=json.dumps(events))
    for event, findings in zip(events, judged, strict=True):
        failures = {
            (each["severity"], each["type"], each["path"]) for each in findings if each["severity"] == "failure"
        }
        known = SPORTS | (set() if "offers" in event else {PRICE})
        assert failures == known | (UNREAD if "beta:virtualLocation" in event else set()), event["name"]
    assert sum("offers" in event for event in events) == 1


async def test_a_second_reader_of_calendars_understands_the_same(
    validators: Validators, served: Network, activities: dict[str, Any]
) -> None:
    written = await fetched(served, "/activities/v1/activities.ics")
    found = await asyncio.to_thread(validators.judged, "calendar.mjs", given=written)
    events = {event["uid"]: event for event in found["events"]}
    assert found["name"] == "SocialErasmus"
    assert set(events) == {activity["id"] for activity in activities.values()}
    for name, activity in activities.items():
        event = events[activity["id"]]
        assert event["summary"] == activity["title"]
        assert activity["summary"] in event["description"]
        assert (event["start"], event["end"]) == ("2027-05-08T08:00:00.000Z", "2027-05-08T11:00:00.000Z")
        assert event["status"] == ("CANCELLED" if name == "cancelled" else "CONFIRMED")


async def test_a_second_reader_of_news_understands_the_same(
    validators: Validators, served: Network, activities: dict[str, Any]
) -> None:
    written = await fetched(served, "/activities/v1/activities.atom?country=IT")
    found = await asyncio.to_thread(validators.judged, "news.mjs", given=written)
    assert found["isAtom"]
    feed = found["feed"]
    assert feed["id"] == f"{served.settings.base_url}/activities/v1/activities.atom?country=IT"
    entries = {entry["id"].removeprefix("urn:uuid:"): entry for entry in feed["entries"]}
    assert set(entries) == {activity["id"] for activity in activities.values()}
    for name, activity in activities.items():
        entry = entries[activity["id"]]
        title = entry["title"]["value"] if isinstance(entry["title"], dict) else entry["title"]
        assert title == ("Cancelled: Cancelled" if name == "cancelled" else activity["title"])
        assert entry["links"][0]["href"] == activity["page_url"]


async def test_what_search_engines_require_of_an_event_is_in_every_page(
    served: Network, activities: dict[str, Any]
) -> None:
    # "Event structured data": required are name, startDate with its offset, location with its address.
    addresses = set()
    for activity in activities.values():
        page = await fetched(served, activity["page_url"].removeprefix(served.settings.base_url))
        event = json.loads(page.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
        assert event["@type"] == "Event"
        assert event["name"] == activity["title"]
        assert event["startDate"] == "2027-05-08T10:00:00+02:00"
        places = event["location"] if isinstance(event["location"], list) else [event["location"]]
        for place in places:
            needed = "url" if place["@type"] == "VirtualLocation" else "address"
            assert place[needed]
        assert event["eventStatus"].startswith("https://schema.org/Event")
        assert {"description", "endDate", "organizer", "eventAttendanceMode"} <= event.keys()
        addresses.add(event["url"])
    assert addresses == {activity["page_url"] for activity in activities.values()}, "one leaf page for each event"


async def test_a_client_in_typescript_made_from_our_openapi_lists_the_next_week_of_a_section(
    validators: Validators, served: Network, activities: dict[str, Any]
) -> None:
    described = await fetched(served, "/activities/openapi.json")
    (validators.folder / "openapi.json").write_text(described)
    bin_of = validators.folder / "node_modules"
    generator = str(bin_of / "openapi-typescript" / "bin" / "cli.js")
    await asyncio.to_thread(validators.run, generator, "openapi.json", "-o", "activities.ts")
    await asyncio.to_thread(validators.run, str(bin_of / "typescript" / "bin" / "tsc"), "--project", "tsconfig.json")
    made = str(validators.folder / "made" / "client.js")
    section = "PT-PORT-ESN"
    edition, dates = await _next_edition(served)
    local = await served.local(section)
    mine = [
        await _published_in(served, local, section, dates, title=f"In Porto {number}", country="PT")
        for number in range(3)
    ]
    told = await asyncio.to_thread(validators.judged, made, served.settings.base_url, section)
    assert told["edition"] == edition
    assert [each["id"] for each in told["activities"]] == [activity["id"] for activity in mine]
    assert {(each["by"], each["open"]) for each in told["activities"]} == {("ESN Porto", True)}
    assert told["problem"] == "Not found"


async def _next_edition(network: Network) -> tuple[str, dict[str, str]]:
    """An edition that is to come whatever the date is today, and the hours of its first day."""
    await rows(network.database_url, "DELETE FROM activities.editions")
    (edition,) = await rows(
        network.database_url,
        """INSERT INTO activities.editions
             (code, series, season, year, starts_on, ends_on, precision, certainty, source)
           SELECT year || '-spring', 'Social Impact Days', 'spring', year, day, day + 13, 'day', 'stated', 'test'
           FROM (SELECT current_date + 30 AS day, extract(year FROM current_date + 30)::int AS year) AS soon
           RETURNING code, starts_on""",
    )
    return edition["code"], {
        "starts_at": f"{edition['starts_on']}T10:00",
        "ends_at": f"{edition['starts_on']}T13:00",
    }


async def _published_in(
    network: Network, local: dict[str, str], section: str, dates: dict[str, str], *, title: str, country: str
) -> dict[str, Any]:
    drafted = await network.client.post(
        "/activities/v1/activities",
        json={"title": title, "organisers": [{"code": section, "lead": True}], **dates, "summary": "S.",
              "causes": [{"code": "environmental-sustainability", "main": True}], "areas": ["environment"],
              "label_checklist": DRAFT["label_checklist"]},
        headers={**local, **network.key()},
    )  # fmt: skip
    assert drafted.status_code == 201, drafted.text
    address = f"/activities/v1/activities/{drafted.json()['id']}"
    for verb, who in (("submit", local), ("approve", await network.national(country)), ("publish", local)):
        reply = await network.client.post(f"{address}/{verb}", headers=who)
        assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found
