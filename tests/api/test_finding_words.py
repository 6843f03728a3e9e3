"""Text search: accents, word forms of several languages, typing mistakes, and operators that are only text."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from services.activities.finding import search, ways
from tests.harness.catalogue import LIST, activity, found, network_with, titles
from tests.harness.databases import Databases, value
from tests.harness.network import Network

BEACH, BLOOD, TREES, ISLAND, SHELTER, CITY, HOME = (
    "Cleaning the beaches", "Blood donation at the university hospital", "Bäume pflanzen im Stadtwald", "Summer on Ærø",
    "Pulizia delle spiagge", "Concert for refugees in Košice", "A home for foxes",
)  # fmt: skip
ODD = "100% a_b [C++] & <b>more</b> (a+)+$ O'Neill"
ACTIVITIES = [
    activity(BEACH, summary="Bring gloves; the surf school lends boards."),
    activity(BLOOD, partners=[{"name": "Croce Rossa"}], place={"name": "Aula Magna", "city": "Łódź"}),
    activity(TREES, language="de"),
    activity(ISLAND, language="da"),
    activity(SHELTER, language="it-IT"),
    activity(CITY, summary="Students play the violins."),
    activity(HOME, summary="Blood, sweat and care; cleaning too."),
    activity(ODD, organisers=[{"code": "PL-WARS-UKS", "name": "ESN UKSW", "lead": True}]),
    activity("Beach of drafts", state="draft"),
]


@pytest.fixture(scope="module")
async def library(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    async with network_with(databases, redis_url, ACTIVITIES) as network:
        yield network


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("Košice", {CITY}),
        ("kosice", {CITY}),
        ("KOŠICE", {CITY}),
        ("Kos\u030cice", {CITY}),
        ("aero", {ISLAND}),
        ("ÆRØ", {ISLAND}),
        ("lodz", {BLOOD}),
        ("Łódź", {BLOOD}),
        # Word forms of English, Italian and German.
        ("clean beach", {BEACH}),
        ("cleaned", {BEACH, HOME}),
        ("donating blood", {BLOOD}),
        ("violin", {CITY}),
        ("pulizie della spiaggia", {SHELTER}),
        ("spiagge", {SHELTER}),
        ("baum", {TREES}),
        ("Baume pflanzt", {TREES}),
        ("bäumen", {TREES}),
        # Organisers, partners, places and summaries are read too; every word must be there.
        ("UKSW", {ODD}),
        ("croce rossa", {BLOOD}),
        ("aula magna blood", {BLOOD}),
        ("gloves", {BEACH}),
        # A stop word of another language is a word of this one.
        ("care home", {HOME}),
        # Typing mistakes.
        ("blod donation", {BLOOD}),
        ("donnation", {BLOOD}),
        ("kosce", {CITY}),
        ("concrt refuges", {CITY}),
        ("hospitl", {BLOOD}),
        # One in each word, in whatever order; and in a short one.
        ("beech clening", {BEACH}),
        ("clening beech", {BEACH}),
        ("beech", {BEACH}),
        ("hone foxs", {HOME}),
        ("blod", {BLOOD}),
        ("blod universty", {BLOOD}),
        ("hone beech", set()),
    ],
)
async def test_words_are_found(library: Network, q: str, expected: set[str]) -> None:
    assert set(await titles(library, q=q)) == expected


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("%", set()),
        ("_", set()),
        ("%_%_%_%", set()),
        ("&|!():*", set()),
        ("'", set()),
        ('"', set()),
        ("\\", set()),
        ("a & | b:*", {ODD}),
        ("(a+)+$", {HOME, ODD}),
        ("a_b", {ODD}),
        ("O'Neill", {ODD}),
        # Not all of its words are there, "or" is none: this is found as one that resembles it.
        ('"O\'Neill" OR -more', {ODD}),
        ("<b>more</b>", {ODD}),
        ("c++", {ODD}),
        ("beach <-> cleaning", {BEACH}),
        ("beach!", {BEACH}),
        ("!beach", {BEACH}),
        ("bea*", {BEACH}),
        ("'; DROP TABLE activities.activities; --", set()),
        ("in english", set()),
        ("zzzz", set()),
        ("x" * 200, set()),
        ("a " * 99, {HOME, ODD}),
    ],
)
async def test_operators_are_only_text(library: Network, q: str, expected: set[str]) -> None:
    began = time.perf_counter()
    assert set(await titles(library, q=q)) == expected
    assert time.perf_counter() - began < 1


async def test_a_title_counts_for_more_than_a_summary(library: Network) -> None:
    assert await titles(library, q="blood") == [BLOOD, HOME]
    assert await titles(library, q="cleaning", limit=1) == [BEACH, HOME]


async def test_a_reader_may_want_words_by_start(library: Network) -> None:
    by_start = await titles(library, q="blood", sort="starts_at")
    assert sorted(by_start) == sorted([BLOOD, HOME])


async def test_mistakes_are_forgiven_from_page_to_page_and_in_counts(library: Network) -> None:
    assert (
        len(await titles(library, q="porto fero sasari", limit=1)) == len(await titles(library, q="porto ferro")) == 7
    )
    page = await found(library, q="blod donation", facets="country")
    assert page["facets"] == {"country": [{"code": "IT", "count": 1}]}


@pytest.mark.parametrize("feed", ["atom", "ics"])
async def test_a_feed_has_what_the_list_has(library: Network, feed: str) -> None:
    for q, title, other in (("beech clening", BEACH, HOME), ("foxes", HOME, BEACH)):
        reply = await library.client.get(f"{LIST}.{feed}", params={"q": q})
        assert (title in reply.text, other in reply.text) == (True, False)


@pytest.mark.parametrize("q", ["porto ferro", "porto fero sasari"])
async def test_what_is_ranked_has_a_bound_that_is_told(
    library: Network, monkeypatch: pytest.MonkeyPatch, q: str
) -> None:
    assert (await found(library, q=q))["is_cut_off"] is False
    monkeypatch.setattr(search, "MOST_RANKED", 5)
    monkeypatch.setattr(ways, "MOST_RANKED", 5)
    page = await found(library, q=q, facets="country")
    assert (page["is_cut_off"], page["facets"]["country"]) == (True, [{"code": "IT", "count": 7}])
    one_by_one = await titles(library, q=q, limit=1)
    assert one_by_one == [item["title"] for item in page["items"]]
    assert len(set(one_by_one)) == 5
    all_by_start = await found(library, q=q, sort="starts_at")
    assert (len(all_by_start["items"]), all_by_start["is_cut_off"]) == (7, False)


async def test_a_change_is_found_at_once_and_what_it_replaced_is_not(network: Network) -> None:
    drafted = await network.published(title="Planting oaks", language="en")
    address, local = f"/activities/v1/activities/{drafted['id']}", await network.local()
    etag = (await network.client.get(address)).headers["etag"]
    changes = {
        "title": "Piantiamo querce",
        "language": "it",
        "place": {"city": "Trento", "latitude": 46.07, "longitude": 11.12},
    }
    revised = await network.client.patch(address, headers={**local, "If-Match": etag}, json=changes)
    assert revised.status_code == 200, revised.text
    assert await titles(network, q="querce trento") == ["Piantiamo querce"]
    assert await titles(network, near="46.07,11.12", language="it") == ["Piantiamo querce"]
    assert await titles(network, q="oaks") == await titles(network, near="40.68,8.2") == []


@pytest.mark.parametrize(
    ("tag", "configuration"), [("it", "italian"), ("de-AT", "german"), ("nb", "norwegian"), ("mt", "simple")]
)
async def test_a_language_has_its_rules(database_url: str, tag: str, configuration: str) -> None:
    assert await value(database_url, "SELECT activities.search_language($1)", tag) == configuration
    assert await value(database_url, "SELECT count(*) FROM pg_ts_config WHERE cfgname = $1", configuration) == 1
