"""An activity in several languages: which one a reader gets, by list, page and feed; and that all are found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.harness.catalogue import LIST, activity, found, network_with, titles
from tests.harness.databases import Databases
from tests.harness.network import DRAFT, Network
from tests.harness.refusals import refused
from tests.harness.statements import recorded

ITALIAN = {"title": "Pulizia delle spiagge", "summary": "Puliamo insieme.", "requirements_notes": "Portate i guanti."}
BRAZILIAN = {"title": "Limpeza da praia"}
TRANSLATIONS = {"it": ITALIAN, "pt-BR": BRAZILIAN}
ENGLISH = DRAFT["title"]


@pytest.fixture(scope="module")
async def beach(shared: Network) -> dict[str, Any]:
    return await shared.published(translations=TRANSLATIONS, requirements={"notes": "Bring gloves."})


@pytest.fixture(scope="module")
async def library(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    rows = [
        activity("English only"),
        activity("Beach", translations={"it": {"title": "Spiaggia", "summary": "Raccogliamo la plastica"}}),
        activity("Plage", language="fr", translations={"en": {"title": "French beach"}}),
    ]
    async with network_with(databases, redis_url, rows) as network:
        yield network


@pytest.mark.parametrize(
    ("headers", "query", "language", "title"),
    [
        ({}, {}, "en", ENGLISH),
        ({"Accept-Language": "it"}, {}, "it", ITALIAN["title"]),
        ({"Accept-Language": "IT-ch, en;q=0.5"}, {}, "it", ITALIAN["title"]),
        ({"Accept-Language": "it;q=0.4, en-GB;q=0.5"}, {}, "en", ENGLISH),
        ({"Accept-Language": "de, pt-br;q=0.2"}, {}, "pt-BR", BRAZILIAN["title"]),
        ({"Accept-Language": "de"}, {}, "en", ENGLISH),
        ({"Accept-Language": "en;q=0, it;q=0"}, {}, "en", ENGLISH),
        ({"Accept-Language": ";;q=,,=\\"}, {}, "en", ENGLISH),
        ({"Accept-Language": "it"}, {"lang": "pt-BR"}, "pt-BR", BRAZILIAN["title"]),
        ({"Accept-Language": "it"}, {"lang": "de"}, "en", ENGLISH),
    ],
    ids=str,
)
async def test_a_reader_gets_the_language_that_suits_best(
    shared: Network, beach: dict[str, Any], headers: dict[str, str], query: dict[str, str], language: str, title: str
) -> None:
    reply = await shared.client.get(f"{LIST}/{beach['id']}", headers=headers, params=query)
    told = reply.json()
    assert (told["language"], told["title"], reply.headers["content-language"]) == (language, title, language)
    assert "Accept-Language" in reply.headers["vary"]
    assert (told["original_language"], told["languages"]) == ("en", ["en", "it", "pt-BR"])
    listed = await shared.client.get(LIST, headers=headers, params=query)
    assert listed.json()["items"] == [told]
    assert "Accept-Language" in listed.headers["vary"]


async def test_what_is_not_translated_stays_as_it_is(shared: Network, beach: dict[str, Any]) -> None:
    told = await found(shared, lang="it")
    assert told["items"][0]["requirements"]["notes"] == ITALIAN["requirements_notes"]
    told = await found(shared, lang="pt-BR")
    assert told["items"][0]["requirements"]["notes"] == "Bring gloves."
    assert told["items"][0]["summary"] == DRAFT["summary"]
    assert told["items"][0]["translations"]["it"] == ITALIAN


@pytest.mark.parametrize("name", ["activities.ics", "activities.atom", "activities.geojson", "activities/{id}.ics"])
async def test_feeds_speak_the_language_of_their_reader(shared: Network, beach: dict[str, Any], name: str) -> None:
    address = f"/activities/v1/{name.format(id=beach['id'])}"
    reply = await shared.client.get(address, headers={"Accept-Language": "it-IT"})
    assert ITALIAN["title"] in reply.text
    # A translation stands in what GeoJSON tells, but not as the title.
    assert ENGLISH not in reply.text
    assert "Accept-Language" in reply.headers["vary"]
    assert ENGLISH in (await shared.client.get(address)).text


async def test_linked_data_speaks_the_language_of_its_reader(shared: Network, beach: dict[str, Any]) -> None:
    headers = {"Accept": "application/ld+json", "Accept-Language": "it"}
    event = (await shared.client.get(f"{LIST}/{beach['id']}", headers=headers)).json()
    assert (event["name"], event["inLanguage"]) == (ITALIAN["title"], "it")


async def test_each_language_has_an_etag_and_any_of_them_lets_a_coordinator_change(network: Network) -> None:
    drafted = await network.drafted(translations=TRANSLATIONS)
    address, local = f"{LIST}/{drafted['id']}", await network.local()
    etags = [
        (await network.client.get(address, headers=local, params={"lang": tag})).headers["etag"]
        for tag in ("en", "it", "pt-BR")
    ]
    assert len(set(etags)) == 3
    again = await network.client.get(address, headers={**local, "If-None-Match": etags[1]}, params={"lang": "it"})
    other = await network.client.get(address, headers={**local, "If-None-Match": etags[1]}, params={"lang": "en"})
    assert (again.status_code, other.status_code) == (304, 200)
    headers = {**local, "If-Match": etags[1]}
    changed = await network.client.patch(address, headers=headers, json={"title": "Cleaning again"})
    assert (changed.status_code, changed.json()["title"], changed.json()["language"]) == (200, "Cleaning again", "en")
    assert (await network.client.patch(address, headers=headers, json={"capacity": 1})).status_code == 412
    italian = (await network.client.get(address, headers=local, params={"lang": "it"})).json()
    assert (italian["title"], italian["revision"]) == (ITALIAN["title"], 2)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("spiagge", {"Beach"}),
        ("raccogliere plastica", {"Beach"}),
        ("beaches", {"Beach", "Plage"}),
        ("plages", {"Plage"}),
        ("Spiagia", {"Beach"}),
        ("frenchbeach", {"Plage"}),
    ],
)
async def test_words_of_every_language_are_found_by_their_own_stems(
    library: Network, q: str, expected: set[str]
) -> None:
    assert set(await titles(library, q=q)) == expected


async def test_a_page_in_a_language_costs_no_more_statements(library: Network) -> None:
    async def spent(**query: str) -> int:
        with recorded(library.runtimes["activities"]) as statements:
            page = await found(library, **query)
        assert page["items"]
        return len(statements)

    assert await spent() == await spent(lang="it")
    assert await spent(q="spiaggia") == await spent(lang="it", q="spiaggia")
    assert [item["title"] for item in (await found(library, lang="it"))["items"]].count("Spiaggia") == 1


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"translations": {"en": BRAZILIAN}}, "#/translations"),
        ({"language": "pt-br", "translations": {"pt-BR": BRAZILIAN}}, "#/translations"),
        ({"translations": {"it": BRAZILIAN, "pt-BR": BRAZILIAN, "pt-br": BRAZILIAN}}, "#/translations"),
        ({"translations": {f"a{chr(97 + number)}": BRAZILIAN for number in range(25)}}, "#/translations"),
        ({"translations": {"it": {"summary": "Puliamo"}}}, "#/translations/it/title"),
        ({"translations": {"it": {**ITALIAN, "capacity": 3}}}, "#/translations/it/capacity"),
        ({"translations": {"Italian": BRAZILIAN}}, "#/translations/Italian"),
        ({"translations": []}, "#/translations"),
        ({"translations": None}, "#/translations"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_is_no_further_language_is_refused(shared: Network, changes: dict[str, Any], pointer: str) -> None:
    headers = {**await shared.local(), **shared.key()}
    await refused(shared, "POST", LIST, status=422, pointers=[pointer], headers=headers, json={**DRAFT, **changes})


async def test_a_language_that_is_none_is_refused_in_the_query(shared: Network) -> None:
    await refused(shared, "GET", LIST, params={"lang": "not_one"}, status=422, pointers=["query/lang"])
