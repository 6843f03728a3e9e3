"""A feed that nobody changed is answered by 304 without reading an activity; deep pages don't read what is before."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from services.activities.feeds import api
from tests.harness.catalogue import LIST, START, activity, enter
from tests.harness.network import Network
from tests.harness.statements import recorded

FEEDS = [f"{LIST}.{ending}" for ending in ("ics", "atom", "geojson")]
EXPORT = "/activities/v1/export"


async def _again(network: Network, feed: str, etag: str, **query: Any) -> int:
    reply = await network.client.get(feed, params=query, headers={"If-None-Match": etag})
    assert reply.status_code == 200 or (reply.headers["etag"] == etag and not reply.content)
    return reply.status_code


@pytest.mark.parametrize("feed", FEEDS)
async def test_a_304_is_answered_without_reading_an_activity(network: Network, feed: str) -> None:
    await enter(network, [activity("One", at=(45, 9))])
    reply = await network.client.get(feed, params={"country": "IT"})
    with recorded(network.runtimes["activities"]) as statements:
        assert await _again(network, feed, reply.headers["etag"], country="IT") == 304
    assert not any("activities.activities" in statement.text for statement in statements)
    assert await _again(network, feed, reply.headers["etag"], country="PL") == 200
    assert (await network.client.get(feed, params={"country": "IT"})).headers["etag"] == reply.headers["etag"]


async def test_every_change_is_seen_and_a_draft_is_none(network: Network) -> None:
    one, other = activity("One"), activity("Other", state="draft")
    await enter(network, [one, other])
    observer, feed = await network.observer(), FEEDS[0]

    async def etag() -> str:
        return str((await network.client.get(feed)).headers["etag"])

    seen = [await etag()]
    await observer.execute("UPDATE activities.activities SET title = 'Another' WHERE id = $1", other.id)
    assert await _again(network, feed, seen[0]) == 304
    for change in ("title = 'Changed'", "state = 'draft'", "state = 'published'"):
        await observer.execute(f"UPDATE activities.activities SET {change} WHERE id = $1", one.id)
        assert await _again(network, feed, seen[-1]) == 200
        seen.append(await etag())
    await observer.execute("DELETE FROM activities.activities WHERE id = $1", one.id)
    assert await etag() not in seen


async def test_a_change_that_began_first_and_ends_last_is_seen(network: Network) -> None:
    one, other = activity("One"), activity("Other")
    await enter(network, [one, other])
    early = await asyncpg.connect(network.database_url)
    late = await network.observer()
    title = "UPDATE activities.activities SET title = title || '!' WHERE id = $1"
    try:
        async with early.transaction():
            await early.execute(title, one.id)
            await late.execute(title, other.id)
            between = (await network.client.get(FEEDS[0])).headers["etag"]
            assert await _again(network, FEEDS[0], between) == 304
        assert await _again(network, FEEDS[0], between) == 200
    finally:
        await early.close()


async def test_a_successor_finds_what_its_predecessor_did(network: Network) -> None:
    await enter(network, [activity("One")])
    reply = await network.client.get(FEEDS[0], params={"section": "IT-MILA-STA"})
    observer = await network.observer()
    await observer.execute(
        "UPDATE activities.sections SET state = 'merged', merged_into = 'IT-MILA-STA' WHERE code = 'IT-SASS-ESN'"
    )
    assert await _again(network, FEEDS[0], reply.headers["etag"], section="IT-MILA-STA") == 200


async def test_what_is_open_now_is_asked_anew(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "time", SimpleNamespace(time=lambda: 7.9))
    await enter(network, [activity("One")])
    reply = await network.client.get(FEEDS[0], params={"open": "true"})
    assert await _again(network, FEEDS[0], reply.headers["etag"], open="true") == 304
    monkeypatch.setattr(api, "time", SimpleNamespace(time=lambda: 8.0))
    assert await _again(network, FEEDS[0], reply.headers["etag"], open="true") == 200


async def test_numbered_pages_are_those_of_one_list_however_it_was_changed(network: Network) -> None:
    made = [
        activity(f"Number {number}", starts_at=START + timedelta(hours=number), state=state)
        for number in range(60)
        for state in ["draft" if number % 7 == 3 else "published"]
    ]
    await enter(network, made)
    observer = await network.observer()
    # As if there were many more: blocks of 500 numbers, some of them empty.
    await observer.execute("ALTER TABLE activities.changes ALTER number DROP IDENTITY")
    await observer.execute("UPDATE activities.changes SET number = number * 173")
    await observer.execute("DELETE FROM activities.label_news")
    await observer.execute(
        "INSERT INTO activities.label_news (facet, code, difference) "
        "SELECT 'block', number / 500, count(*) FROM activities.changes GROUP BY 2"
    )
    await observer.execute("UPDATE activities.activities SET state = 'draft' WHERE title LIKE '%5'")
    whole = (await network.client.get(EXPORT, params={"limit": 200})).json()["data"]
    assert len(whole) == sum(item.state == "published" and not item.title.endswith("5") for item in made)
    paged: list[dict[str, Any]] = []
    for page in range(100):
        with recorded(network.runtimes["activities"]) as statements:
            found = (await network.client.get(EXPORT, params={"limit": 4, "page": page})).json()["data"]
        offsets = [statement.values for statement in statements if "OFFSET" in statement.text]
        paged += found
        if not found:
            break
        # Limit and offset are what is sent last: within a block there are three numbers at most.
        assert len(offsets) == 1
        assert offsets[0][-1] < 4
    assert paged == whole
