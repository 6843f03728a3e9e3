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
BROKEN_ATOM = [
    ("<entry", "<entri/><entry"),
    ("<updated>", "<updated>yesterday "),
    ('type="html"', 'type="markdown"'),
    ("<id>", "<id></id><id>"),
    (' rel="self"', ' rel="the feed itself"'),
    ("<name>SocialErasmus</name>", ""),
]
BROKEN_EVENTS: list[dict[str, Any]] = [
    {"nmae": "A word that no Event has"},
    {"eventStatus": "cancelled"},
    {"location": {"@type": "Offer", "price": "2.50"}},
    {"organizer": [{"@type": "Organization", "startDate": "2027-05-08"}]},
    {"@type": "Evnt"},
]


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


async def test_atom_is_what_the_grammar_of_its_standard_allows(
    validators: Validators, served: Network, activities: dict[str, Any]
) -> None:
    feeds = [
        await fetched(served, f"/activities/v1/activities.atom{query}")
        for query in ("", "?country=IT", "?q=%22dunes%22+%26", "?country=MT")
    ]
    assert [feed.count("<entry") for feed in feeds] == [len(activities), len(activities), 1, 0]
    broken = [feeds[0].replace(right, wrong, 1) for right, wrong in BROKEN_ATOM]
    assert feeds[0] not in broken
    judged = await asyncio.to_thread(validators.judged, "atom.mjs", given=json.dumps([*feeds, *broken]))
    assert judged[: len(feeds)] == [[]] * len(feeds)
    assert all(judged[len(feeds) :]), "each of these is refused"


async def test_json_ld_has_the_words_and_types_of_schema_org(
    validators: Validators, served: Network, activities: dict[str, Any]
) -> None:
    folder = validators.folder / "events"
    folder.mkdir()

    def write(name: str, event: dict[str, Any]) -> None:
        told = "import type { Event, WithContext } from 'schema-dts';\nexport const told: WithContext<Event> = "
        (folder / f"{name}.ts").write_text(f"{told}{json.dumps(event)};\n")

    events = {}
    async with httpx.AsyncClient(base_url=served.settings.base_url, timeout=30) as client:
        for name, activity in activities.items():
            address = f"/activities/v1/activities/{activity['id']}"
            reply = await client.get(address, headers={"Accept": "application/ld+json"})
            assert reply.headers["content-type"].startswith("application/ld+json")
            events[name] = reply.json()
            write(f"right_{list(activities).index(name)}", events[name])
    assert "offers" in events["paid"]
    for number, change in enumerate(BROKEN_EVENTS):
        write(f"wrong_{number}", {**events["paid"], **change})
    compiler = str(validators.folder / "node_modules" / "typescript" / "bin" / "tsc")
    found = await asyncio.to_thread(validators.refused, compiler, "--project", "events.tsconfig.json")
    named = {line.partition("(")[0] for line in found.splitlines() if line.startswith("events/")}
    assert named == {f"events/wrong_{number}.ts" for number in range(len(BROKEN_EVENTS))}, found


async def test_a_website_of_others_embeds_a_page_that_it_was_given_the_address_of(
    validators: Validators, served: Network, activities: dict[str, Any]
) -> None:
    shown = [activities[name] for name in ("plain", "full of characters", "paid")]
    pages = [activity["page_url"] for activity in shown]
    nowhere = f"{served.settings.base_url}/activities/01890000-0000-7000-8000-000000000000"
    *told, failed = await asyncio.to_thread(validators.judged, "embedded.mjs", *pages, nowhere)
    for activity, page in zip(shown, told, strict=True):
        found = page["oEmbed"]
        assert (found["type"], found["version"], found["title"]) == ("rich", "1.0", activity["title"])
        assert (found["width"], found["height"], found["cache_age"]) == (600, 420, 3600)
        source = found["html"].partition('src="')[2].partition('"')[0]
        assert source == f"{activity['page_url']}/embed"
        assert "<h1" in await fetched(served, source.removeprefix(served.settings.base_url))
    assert failed.keys() == {"failed"}


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
