"""The delta feed, page by page, and what makes an activity appear in it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from alembic import command
from sqlalchemy import Connection

from services import contracts, registry
from services.activities.catalogue import following
from services.kernel import db, migrate
from tests.harness.databases import rows
from tests.harness.network import Network
from tests.harness.refusals import refused

FEED = "/activities/v1/changes"


async def page(network: Network, address: str = FEED) -> dict[str, Any]:
    reply = await network.client.get(address)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def modified(network: Network, identity: str) -> int:
    found = (await page(network))["items"]
    return next(int(item["modified"]) for item in found if item["id"] == identity)


async def test_an_empty_feed_is_its_own_next_page(network: Network) -> None:
    await network.drafted()
    reply = await network.client.get(FEED)
    assert reply.headers["content-type"] == "application/vnd.openactive.rpde+json; version=1"
    assert reply.headers["cache-control"] == "public, max-age=8"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.json() == {
        "next": f"http://socialerasmus.test{FEED}",
        "items": [],
        "license": "https://creativecommons.org/licenses/by/4.0/",
    }


async def test_an_item_is_an_event_with_what_a_harvester_needs(network: Network) -> None:
    activity = await network.published(
        cost={"amount": "2.50", "currency": "EUR"},
        requirements={"minimum_age": 18},
        organisers=[{"code": "IT-SASS-ESN", "lead": True}, {"code": "PL-WARS-UKS"}],
    )
    (item,) = (await page(network))["items"]
    data = item.pop("data")
    assert item == {"state": "updated", "kind": "Event", "id": activity["id"], "modified": item["modified"]}
    assert isinstance(item["modified"], int)
    base = "http://socialerasmus.test/activities/v1"
    assert data["@context"] == ["https://openactive.io/", "https://openactive.io/ns-beta"]
    assert (data["@type"], data["@id"], data["identifier"]) == ("Event", activity["url"], activity["id"])
    assert (data["name"], data["description"]) == (activity["title"], activity["summary"])
    assert (data["startDate"], data["endDate"]) == ("2027-05-08T10:00:00+02:00", "2027-05-08T13:00:00+02:00")
    assert data["eventStatus"] == "https://schema.org/EventScheduled"
    assert data["maximumAttendeeCapacity"] == 40
    assert "remainingAttendeeCapacity" not in data
    assert data["location"]["geo"] == {"@type": "GeoCoordinates", "latitude": 40.68, "longitude": 8.2}
    assert data["location"]["address"] == "Sassari, IT"
    assert data["duration"] == "PT3H"
    assert data["organizer"]["name"] == "ESN Sassari"
    assert [other["name"] for other in data["contributor"]] == ["ESN UKSW"]
    assert data["ageRange"]["minValue"] == 18
    assert (data["offers"][0]["price"], data["offers"][0]["priceCurrency"]) == (2.5, "EUR")
    assert data["activity"] == [
        {
            "@type": "Concept",
            "@id": f"{base}/concepts/causes#environmental-sustainability",
            "prefLabel": "Environmental Sustainability",
            "inScheme": f"{base}/concepts/causes",
        }
    ]
    assert data["category"] == ["Environment"]
    assert None not in data.values()


@pytest.mark.parametrize(("scheme", "count"), [("causes", 6), ("areas", 8)])
async def test_a_concept_scheme_can_be_looked_up(network: Network, scheme: str, count: int) -> None:
    reply = await network.client.get(f"/activities/v1/concepts/{scheme}")
    assert reply.headers["content-type"] == "application/ld+json"
    found = reply.json()
    assert found["@type"] == "ConceptScheme"
    assert len(found["hasTopConcept"]) == count
    assert all(concept["@id"].startswith(f"{found['@id']}#") for concept in found["hasTopConcept"])
    assert (await network.client.get("/activities/v1/concepts/other")).status_code == 404


async def test_pages_follow_each_other_and_the_last_is_its_own_next(network: Network) -> None:
    published = [await network.published(title=f"Number {number}") for number in range(3)]
    address, seen, replies = f"{FEED}?limit=2", [], list[httpx.Response]()
    while not replies or replies[-1].json()["items"]:
        replies.append(await network.client.get(address))
        seen += [item["id"] for item in replies[-1].json()["items"]]
        if replies[-1].json()["items"]:
            assert replies[-1].headers["cache-control"] == "public, max-age=3600"
            last = replies[-1].json()["items"][-1]
            address = replies[-1].json()["next"].removeprefix("http://socialerasmus.test")
            assert f"afterTimestamp={last['modified']}&afterId={last['id']}" in address
    assert seen == [activity["id"] for activity in published]
    assert replies[-1].json()["next"] == f"http://socialerasmus.test{address}"
    assert replies[-1].headers["cache-control"] == "public, max-age=8"
    assert "limit=2" in address


async def test_every_change_brings_an_activity_back_once(network: Network) -> None:
    first, second = await network.published(title="First"), await network.published(title="Second")
    address, local = f"/activities/v1/activities/{first['id']}", await network.local()
    before = await modified(network, first["id"])
    etag = (await network.client.get(address)).headers["etag"]
    await network.client.patch(address, headers={**local, "If-Match": etag}, json={"capacity": 41})
    found = (await page(network))["items"]
    assert [item["id"] for item in found] == [second["id"], first["id"]]
    assert found[1]["modified"] > before
    assert found[1]["data"]["maximumAttendeeCapacity"] == 41
    await network.client.post(f"{address}/cancel", headers=local, json={"reason": "Storm."})
    cancelled = (await page(network))["items"][1]
    assert (cancelled["state"], cancelled["data"]["eventStatus"]) == ("updated", "https://schema.org/EventCancelled")
    assert cancelled["modified"] > found[1]["modified"]


async def test_the_last_place_taken_is_a_change(network: Network) -> None:
    activity = await network.published(capacity=1)
    before = await modified(network, activity["id"])
    heard = contracts.AvailabilityChanged(activity_id=UUID(activity["id"]), revision=9, has_places=False)
    async with network.runtimes["activities"].unit_of_work() as session:
        await following.hear_of_availability(session, network.settings, heard)
    (item,) = (await page(network))["items"]
    assert item["modified"] > before
    assert item["data"]["remainingAttendeeCapacity"] == 0


async def test_a_sign_up_that_opens_by_itself_is_a_change(network: Network) -> None:
    activity = await network.published()
    before = await modified(network, activity["id"])
    due = "UPDATE activities.activities SET sign_up_opens_at = now(), turns_at = now() WHERE id = $1"
    async with network.runtimes["activities"].unit_of_work() as session:
        assert await following.turn_due(session, network.settings) == 0
    await rows(network.database_url, due, UUID(activity["id"]))
    between = await modified(network, activity["id"])
    async with network.runtimes["activities"].unit_of_work() as session:
        assert await following.turn_due(session, network.settings) == 1
    assert before < between < await modified(network, activity["id"])


async def test_what_is_public_no_more_leaves_a_tombstone(network: Network) -> None:
    gone, hidden = await network.published(title="Gone"), await network.published(title="Hidden")
    await rows(network.database_url, "DELETE FROM activities.activities WHERE id = $1", UUID(gone["id"]))
    hide = "UPDATE activities.activities SET state = $2 WHERE id = $1"
    await rows(network.database_url, hide, UUID(hidden["id"]), "draft")
    items = {item["id"]: item for item in (await page(network))["items"]}
    assert {key: (item["state"], "data" in item) for key, item in items.items()} == {
        gone["id"]: ("deleted", False),
        hidden["id"]: ("deleted", False),
    }
    touch = "UPDATE activities.activities SET title = 'A secret' WHERE id = $1"
    await rows(network.database_url, touch, UUID(hidden["id"]))
    assert await modified(network, hidden["id"]) == items[hidden["id"]]["modified"], "work on a draft is not told"
    await rows(network.database_url, hide, UUID(hidden["id"]), "published")
    back = next(item for item in (await page(network))["items"] if item["id"] == hidden["id"])
    assert (back["state"], back["modified"] > items[hidden["id"]]["modified"]) == ("updated", True)


async def test_a_transaction_that_fails_changes_nothing(network: Network) -> None:
    activity = await network.published()
    before = await page(network)
    connection = await asyncpg.connect(network.database_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("DELETE FROM activities.activities WHERE id = $1", UUID(activity["id"]))
    await transaction.rollback()
    await connection.close()
    assert await page(network) == before


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("afterTimestamp=1", "query/afterId"),
        ("afterId=01890000-0000-7000-8000-000000000000", "query/afterTimestamp"),
        ("afterTimestamp=-1&afterId=01890000-0000-7000-8000-000000000000", "query/afterTimestamp"),
        ("afterTimestamp=1e3&afterId=01890000-0000-7000-8000-000000000000", "query/afterTimestamp"),
        ("afterTimestamp=99999999999999999999&afterId=01890000-0000-7000-8000-000000000000", "query/afterTimestamp"),
        ("afterTimestamp=1&afterId='%20OR%201%3D1--", "query/afterId"),
        ("limit=0", "query/limit"),
        ("limit=1001", "query/limit"),
        ("section=IT-SASS-ESN", "query/section"),
    ],
)
async def test_a_wrong_question_is_refused(network: Network, query: str, pointer: str) -> None:
    await refused(network, "GET", f"{FEED}?{query}", status=422, pointers=[pointer])


async def test_a_position_in_the_far_future_is_the_last_page(network: Network) -> None:
    await network.published()
    address = f"{FEED}?afterTimestamp=9999999999999999999&afterId=01890000-0000-7000-8000-000000000000"
    assert await page(network, address) == {
        "next": f"http://socialerasmus.test{address}",
        "items": [],
        "license": "https://creativecommons.org/licenses/by/4.0/",
    }


async def test_a_known_page_is_not_sent_again(network: Network) -> None:
    await network.published()
    first = await network.client.get(FEED)
    second = await network.client.get(FEED, headers={"If-None-Match": first.headers["etag"]})
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["cache-control"] == first.headers["cache-control"]


async def test_what_was_public_before_the_feed_existed_is_in_it(network: Network) -> None:
    published, _ = await network.published(), await network.drafted(title="Draft")
    history = registry.HISTORIES["activities"]

    def down_and_up(connection: Connection) -> None:
        command.downgrade(migrate.config(history, connection), "0001")
        command.upgrade(migrate.config(history, connection), "head")
        # What the tables in code say is what the migrations made.
        command.check(migrate.config(history, connection))

    engine = db.create_engine(network.settings, role=None, pool_size=1)
    async with engine.begin() as connection:
        await connection.run_sync(down_and_up)
    await migrate.upgrade(engine, registry.HISTORIES)
    await engine.dispose()
    assert [item["id"] for item in (await page(network))["items"]] == [published["id"]]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (None, {"@type": "Place", "name": "IT", "address": "IT"}),
        ({"city": "Sassari"}, {"@type": "Place", "name": "Sassari", "address": "Sassari, IT"}),
        (
            {"name": "School", "address": "Via Roma 1"},
            {"@type": "Place", "name": "School", "address": "Via Roma 1, IT"},
        ),
    ],
)
async def test_as_much_of_a_place_is_told_as_is_known(network: Network, place: Any, expected: Any) -> None:
    await network.published(place=place)
    (item,) = (await page(network))["items"]
    assert item["data"]["location"] == expected


async def test_an_online_activity_has_an_address_on_the_web(network: Network) -> None:
    await network.published(mode="online", place=None, online_url="https://example.org/call")
    (item,) = (await page(network))["items"]
    assert "location" not in item["data"]
    assert item["data"]["beta:virtualLocation"] == {"@type": "VirtualLocation", "url": "https://example.org/call"}
