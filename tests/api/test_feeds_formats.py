"""Atom, GeoJSON, JSON-LD and ESN's export; and what holds for every feed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import feedparser
import httpx
import icalendar
import pytest

from services.activities.catalogue import linked_data
from tests.harness.databases import rows
from tests.harness.network import Network

LIST = "/activities/v1/activities"
ATOM = "{http://www.w3.org/2005/Atom}"
EVIL = "</script><script>alert(1)</script> & \"quotes\" 'single' ]]> \u2028 <b>"


def _in_calendar(reply: httpx.Response) -> set[str]:
    return {str(event["uid"]) for event in icalendar.Calendar.from_ical(reply.content).walk("VEVENT")}


def _in_news(reply: httpx.Response) -> set[str]:
    root = ET.fromstring(reply.content)
    return {str(entry.findtext(f"{ATOM}id")).removeprefix("urn:uuid:") for entry in root.findall(f"{ATOM}entry")}


def _on_map(reply: httpx.Response) -> set[str]:
    return {feature["id"] for feature in reply.json()["features"]}


def _in_changes(reply: httpx.Response) -> set[str]:
    return {item["id"] for item in reply.json()["items"]}


def _in_export(reply: httpx.Response) -> set[str]:
    return {record["uuid"] for record in reply.json()["data"]}


FILTERED = {f"{LIST}.ics": _in_calendar, f"{LIST}.atom": _in_news, f"{LIST}.geojson": _on_map}
EVERY = {**FILTERED, "/activities/v1/changes": _in_changes, "/activities/v1/export": _in_export}
Reader = Callable[[httpx.Response], set[str]]


async def tampered(network: Network, identity: str, **fields: Any) -> None:
    """Put into a document what the API would not take, as an old import may have."""
    statement = "UPDATE activities.activities SET document = (document::jsonb || $2::jsonb)::text WHERE id = $1"
    await rows(network.database_url, statement, UUID(identity), json.dumps(fields))


@pytest.mark.parametrize(("address", "read"), EVERY.items())
async def test_a_feed_holds_what_is_public_and_can_be_kept(network: Network, address: str, read: Reader) -> None:
    await network.drafted(title="Draft")
    empty = await network.client.get(address)
    assert (empty.status_code, read(empty)) == (200, set())
    activity = await network.published()
    reply = await network.client.get(address)
    assert read(reply) == {activity["id"]}
    assert reply.headers["cache-control"].startswith("public, max-age=")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["etag"] not in ("", empty.headers["etag"])
    again = await network.client.get(address, headers={"If-None-Match": f'"other", W/{reply.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", reply.headers["etag"])
    head = await network.client.head(address)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", reply.headers["etag"])
    empty_again = await network.client.get(address)
    assert empty_again.content == reply.content, "the same activities are the same bytes"


@pytest.mark.parametrize(("address", "read"), FILTERED.items())
async def test_the_filters_of_the_list_hold(network: Network, address: str, read: Reader) -> None:
    sassari = await network.published()
    milan = await network.published(
        organisers=[{"code": "IT-MILA-STA"}, {"code": "IT-SASS-ESN", "lead": True}],
        areas=["health"], causes=[{"code": "health-well-being", "main": True}], kind="training", sdgs=[3],
        starts_at="2026-11-14T10:00", ends_at="2026-11-14T13:00",
    )  # fmt: skip
    cases: list[dict[str, Any]] = [
        {"edition": "2026-autumn"}, {"country": ["IT", "PL"]}, {"country": "PL"}, {"section": "IT-MILA-STA"},
        {"section": "IT-SASS-ESN"}, {"area": "health"}, {"cause": "environmental-sustainability"}, {"sdg": 3},
        {"kind": "training"}, {"programme": "exchangeability"}, {"from": "2027-01-01T00:00:00Z"},
        {"to": "2027-01-01T00:00:00Z"}, {"open": "true"}, {"open": "false"},
        {"updated_since": sassari["updated_at"]}, {"edition": "2026-autumn", "kind": "awareness"},
    ]  # fmt: skip
    sizes = set()
    for wanted in cases:
        listed = {item["id"] for item in (await network.client.get(LIST, params=wanted)).json()["items"]}
        assert read(await network.client.get(address, params=wanted)) == listed, wanted
        sizes.add(frozenset(listed))
    assert {frozenset(), frozenset({sassari["id"]}), frozenset({milan["id"]})} <= sizes
    for wrong in ({"other": "1"}, {"limit": "5"}, {"sdg": "18"}, {"from": "yesterday"}, {"country": "Italy"}):
        assert (await network.client.get(address, params=wrong)).status_code == 422


async def test_a_point_is_where_the_activity_is(network: Network) -> None:
    activity = await network.published()
    await network.published(title="Nowhere", place={"city": "Sassari"})
    reply = await network.client.get(f"{LIST}.geojson")
    assert reply.headers["content-type"] == "application/geo+json"
    found = reply.json()
    assert (found["type"], found["is_whole"]) == ("FeatureCollection", True)
    (feature,) = found["features"]
    assert feature == {
        "type": "Feature",
        "id": activity["id"],
        # Longitude first (RFC 7946, 3.1.1).
        "geometry": {"type": "Point", "coordinates": [8.2, 40.68]},
        "properties": activity,
    }


async def test_news_are_a_valid_atom_feed(network: Network) -> None:
    first, second = await network.published(title="First"), await network.published(title="Second")
    cancel = f"{LIST}/{first['id']}/cancel"
    await network.client.post(cancel, headers=await network.local(), json={"reason": "Storm."})
    reply = await network.client.get(f"{LIST}.atom?country=IT")
    assert reply.headers["content-type"] == "application/atom+xml; charset=utf-8"
    root = ET.fromstring(reply.content)
    base = "http://socialerasmus.test/activities/v1/activities"
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links == {"self": f"{base}.atom?country=IT", "alternate": f"{base}?country=IT"}
    for element in (root, *root.findall(f"{ATOM}entry")):
        for needed in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{needed}")) == 1
        assert element.findtext(f"{ATOM}author/{ATOM}name")
        assert str(element.findtext(f"{ATOM}updated"))[-6:] == "+00:00"
    ids = [entry.findtext(f"{ATOM}id") for entry in root.findall(f"{ATOM}entry")]
    assert ids == [f"urn:uuid:{first['id']}", f"urn:uuid:{second['id']}"], "the last to change comes first"
    read = feedparser.parse(io.BytesIO(reply.content))
    assert not read.bozo
    assert [entry.title for entry in read.entries] == ["Cancelled: First", "Second"]
    assert read.entries[1].link == second["page_url"]
    assert "2027-05-08, 10:00 (Europe/Rome)" in read.entries[1].summary
    assert read.feed.updated == read.entries[0].updated


@pytest.mark.parametrize("text", [EVIL, "bell\x07 null-ish\x1b \ufffe\uffff end", "CR\r\nLF", "&lt;b&gt; &amp;"])
async def test_markup_in_a_text_stays_text_in_news(network: Network, text: str) -> None:
    activity = await network.published()
    await tampered(network, activity["id"], title=text, summary=text)
    reply = await network.client.get(f"{LIST}.atom")
    entry = ET.fromstring(reply.content).find(f"{ATOM}entry")
    assert entry is not None
    title, summary = str(entry.findtext(f"{ATOM}title")), entry.find(f"{ATOM}summary")
    assert text.split(maxsplit=1)[0].rstrip("\x07") in title
    assert summary is not None
    assert summary.get("type") == "html"
    assert "<script" not in str(summary.text)
    assert "<b>" not in str(summary.text)


async def test_an_activity_as_linked_data_has_what_search_engines_require(network: Network) -> None:
    activity = await network.published(
        image={"url": "https://example.org/beach.jpg", "alternative_text": "The beach"},
        cost={"amount": "0.00", "currency": "EUR"},
    )
    address = f"{LIST}/{activity['id']}"
    reply = await network.client.get(address, headers={"Accept": "application/ld+json"})
    assert reply.headers["content-type"] == "application/ld+json"
    assert "Accept" in reply.headers["vary"]
    found = reply.json()
    assert (found["@context"], found["@type"]) == ("https://schema.org", "Event")
    assert found["name"] == activity["title"]
    assert found["startDate"] == "2027-05-08T10:00:00+02:00"
    assert found["location"]["@type"] == "Place"
    assert found["location"]["address"]["addressLocality"] == "Sassari"
    assert {"description", "endDate", "eventStatus", "image", "organizer", "offers"} <= found.keys()
    assert (found["@id"], found["url"]) == (activity["url"], activity["page_url"])
    assert found["offers"]["availability"] == "https://schema.org/InStock"
    assert found["isAccessibleForFree"] is True
    plain = await network.client.get(address)
    assert plain.json() == activity
    assert "Accept" in plain.headers["vary"]
    assert plain.headers["etag"] != reply.headers["etag"]
    known = {"Accept": "application/ld+json", "If-None-Match": reply.headers["etag"]}
    assert (await network.client.get(address, headers=known)).status_code == 304


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/json, application/ld+json;q=0.5", "application/json"),
        ("application/ld+json, application/json;q=0.9", "application/ld+json"),
        ("application/ld+json;q=0", "application/json"),
        ("text/html,APPLICATION/LD+JSON ; q=0.8,*/*;q=0.1", "application/ld+json"),
        ("application/ld+json;q=nonsense", "application/json"),
        (";;,,q=1", "application/json"),
    ],
)
def test_linked_data_comes_to_those_who_ask_for_it(accept: str, expected: str) -> None:
    assert linked_data.is_preferred(accept) is (expected == linked_data.MEDIA_TYPE)


async def test_linked_data_of_a_draft_is_for_its_section_alone(network: Network) -> None:
    address = f"{LIST}/{(await network.drafted())['id']}"
    accept = {"Accept": "application/ld+json"}
    assert (await network.client.get(address, headers=accept)).status_code == 404
    own = await network.client.get(address, headers={**accept, **await network.local()})
    assert (own.status_code, own.headers["cache-control"]) == (200, "private, no-store")


async def test_linked_data_can_stand_in_a_page(network: Network) -> None:
    activity = await network.published(title=EVIL.replace("\u2028", ""), summary=EVIL)
    reply = await network.client.get(f"{LIST}/{activity['id']}", headers={"Accept": "application/ld+json"})
    assert not set("<>&\u2028\u2029") & set(reply.text)
    assert reply.json()["description"] == EVIL


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"mode": "online", "place": None, "online_url": "https://example.org/call"}, "VirtualLocation"),
        ({"mode": "hybrid", "online_url": "https://example.org/call"}, ["Place", "VirtualLocation"]),
        ({"place": None}, "Place"),
        # Where to go is not known yet; the page will tell.
        ({"mode": "online", "place": None}, "VirtualLocation"),
    ],
)
async def test_a_location_is_where_one_can_go(network: Network, changes: dict[str, Any], kinds: Any) -> None:
    activity = await network.published(**changes)
    reply = await network.client.get(f"{LIST}/{activity['id']}", headers={"Accept": "application/ld+json"})
    location = reply.json()["location"]
    found = [each["@type"] for each in location] if isinstance(location, list) else location["@type"]
    assert found == kinds
    # What a search engine requires of every event.
    assert {"name", "startDate", "location"} <= reply.json().keys()
    if changes.get("place", ...) is None and kinds == "Place":
        assert location["address"]["addressCountry"] == "IT"


async def test_the_export_has_the_record_of_today(network: Network) -> None:
    activity = await network.published(
        summary="Gloves <are> there.\n\nBring\nwater.", sdgs=[14], kind="goods_collection",
        organisers=[{"code": "PL-WARS-UKS"}, {"code": "IT-SASS-ESN", "lead": True}],
    )  # fmt: skip
    (record,) = (await network.client.get("/activities/v1/export")).json()["data"]
    created, changed = record.pop("created"), record.pop("changed")
    assert 1_700_000_000 < created <= changed
    assert record == {
        "id": 1,
        "uuid": activity["id"],
        "type": "physical",
        "title": activity["title"],
        "country": "IT",
        "dates": {"start": 1_809_763_200, "end": 1_809_774_000},
        "description": "<p>Gloves &lt;are&gt; there.</p><p>Bring<br>water.</p>",
        "goal": "",
        "organisers": ["ESN Sassari", "ESN UKSW"],
        "url": activity["page_url"],
        "participants": {"local": None, "international": None, "coordinators": None},
        "physical_data": {"country": "IT", "city": "Sassari"},
        "causes": [{"name": "Environmental Sustainability", "is_main_cause": True}],
        "sdgs": [{"slug": "life-below-water", "name": "Life Below Water"}],
        "objectives": [],
        "categories": [{"name": "Collection of goods"}],
    }
