"""The taxonomies as they are read: as lists, in a language, with their generations, and as SKOS."""

from __future__ import annotations

from typing import Any

import pytest

from services.activities.past.past_rows import CAUSE_OF_AREA
from services.activities.taxonomies.rules import FIRST_CODES
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused

TAXONOMIES = "/activities/v1/taxonomies"
BASE = "http://socialerasmus.test/activities/v1"
SKOS = {"Accept": "application/ld+json"}


async def read(network: Network, address: str = "", **headers: str) -> dict[str, Any]:
    reply = await network.client.get(f"{TAXONOMIES}{address}", headers=headers)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def test_every_list_has_its_codes_with_english_names(shared: Network) -> None:
    found = await read(shared)
    for scheme, codes in FIRST_CODES.items():
        assert {term["code"]: term["name"] for term in found[scheme]} == codes
        assert [term["code"] for term in found[scheme]] == list(codes)
    assert [term["code"] for term in found["sdgs"]] == [str(number) for number in range(1, 18)]
    assert found["sdgs"][12]["name"] == "Climate Action"
    assert all(term["definition"] for term in found["areas"] + found["causes"] + found["objectives"])


async def test_three_generations_stand_side_by_side(shared: Network) -> None:
    schemes = {scheme["code"]: scheme for scheme in (await read(shared))["schemes"]}
    assert set(schemes) == {
        "causes", "areas", "pillars", "objectives", "sdgs", "odi_causes", "kinds", "programmes", "modes"
    }  # fmt: skip
    generations = [schemes[code] for code in ("pillars", "areas", "causes")]
    assert [(each["from"], each["until"], each["replaced_by"]) for each in generations] == [
        (2010, 2015, "areas"),
        (2015, 2018, "causes"),
        (2018, None, None),
    ]
    assert [len((await read(shared, f"/{each['code']}"))["terms"]) for each in generations] == [3, 8, 6]
    assert {code for code, scheme in schemes.items() if not scheme["official"]} == {"kinds", "modes"}
    assert {code for code, scheme in schemes.items() if not scheme["kept_here"]} == {"sdgs", "odi_causes"}
    assert not schemes["objectives"]["complete"]
    assert all(scheme["source"] and scheme["version"] == 1 for scheme in schemes.values())


@pytest.mark.parametrize(
    ("address", "accepted", "language", "name"),
    [
        ("?lang=it", "", "it", "Salute"),
        ("?lang=es-MX", "", "es", "Salud"),
        ("", "es;q=0.5, it-CH", "it", "Salute"),
        ("", "de, en;q=0.1, es;q=0", "en", "Health"),
        ("?lang=en", "it", "en", "Health"),
        ("?lang=pl", "it", "en", "Health"),
        ("", "*", "en", "Health"),
        ("", "it;q=x, ,;;", "en", "Health"),
    ],
)
async def test_names_come_in_a_language_or_in_english(
    shared: Network, address: str, accepted: str, language: str, name: str
) -> None:
    reply = await shared.client.get(f"{TAXONOMIES}{address}", headers={"Accept-Language": accepted})
    found = reply.json()
    assert (found["language"], reply.headers["content-language"]) == (language, language)
    assert "Accept-Language" in reply.headers["vary"]
    assert next(term["name"] for term in found["areas"] if term["code"] == "health") == name
    # Nobody has translated the goals; a name is there all the same.
    assert found["sdgs"][0]["name"] == "No Poverty"


async def test_areas_and_causes_speak_the_languages_of_the_element(shared: Network) -> None:
    for scheme in ("areas", "causes"):
        for term in (await read(shared, f"/{scheme}?lang=it"))["terms"]:
            assert set(term["names"]) == {"en", "es", "it"}
            assert term["name"] == term["names"]["it"]
            assert term["in_use"]


async def test_an_unchanged_list_is_a_304(shared: Network) -> None:
    for address in ("", "/areas", "/crosswalk"):
        etag = (await shared.client.get(f"{TAXONOMIES}{address}")).headers["etag"]
        again = await shared.client.get(f"{TAXONOMIES}{address}", headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
    it, en = [(await shared.client.get(f"{TAXONOMIES}?lang={lang}")).headers["etag"] for lang in ("it", "en")]
    assert it != en


async def test_a_scheme_is_a_skos_concept_scheme_at_its_own_address(shared: Network) -> None:
    reply = await shared.client.get(f"{TAXONOMIES}/areas", headers=SKOS)
    assert reply.headers["content-type"] == "application/ld+json"
    assert reply.headers["vary"].startswith("Accept, Accept-Language")
    found = reply.json()
    assert (found["@id"], found["@type"]) == (f"{BASE}/concepts/areas", "ConceptScheme")
    assert found["isReplacedBy"] == f"{BASE}/concepts/causes"
    at_its_name = await shared.client.get(found["@id"].removeprefix("http://socialerasmus.test"))
    assert at_its_name.json() == found
    health = next(each for each in found["hasTopConcept"] if each["notation"] == "health")
    assert health["@id"] == f"{BASE}/concepts/areas#health"
    assert {"@value": "Salute", "@language": "it"} in health["prefLabel"]
    assert sorted(health["closeMatch"]) == [
        "http://metadata.un.org/sdg/3",
        f"{BASE}/concepts/causes#health-well-being",
        "https://ns.volunteeringdata.io/Health",
    ]
    assert "deprecated" not in health
    matches = {"exactMatch", "closeMatch", "broadMatch", "relatedMatch"}
    assert all(found["@context"][name] == {"@type": "@id"} for name in matches)


async def test_terms_of_others_keep_their_uris(shared: Network) -> None:
    for scheme, uri, term in (
        ("sdgs", "http://metadata.un.org/sdg", "http://metadata.un.org/sdg/13"),
        ("odi_causes", "https://ns.volunteeringdata.io/Cause", "https://ns.volunteeringdata.io/AnimalWelfare"),
    ):
        found = await read(shared, f"/{scheme}", **SKOS)
        assert found["@id"] == uri
        assert term in {each["@id"] for each in found["hasTopConcept"]}
        assert {each["inScheme"] for each in found["hasTopConcept"]} == {uri}
        assert term in {each["uri"] for each in (await read(shared, f"/{scheme}"))["terms"]}


async def test_what_is_suggested_says_why_and_the_closest_comes_first(shared: Network) -> None:
    found = await read(shared, "/suggestions?area=animals&area=health&objective=waste-recycling")
    assert [each["code"] for each in found["causes"]] == ["health-well-being", "environmental-sustainability"]
    assert found["causes"][1]["name"] == "Environmental Sustainability"
    assert [each["from"] for each in found["causes"][1]["because"]] == ["areas:animals", "objectives:waste-recycling"]
    assert [each["code"] for each in found["sdgs"]] == ["3", "11", "12", "14", "15"]
    assert found["sdgs"][2]["because"] == [
        {
            "from": "objectives:waste-recycling",
            "relation": "relatedMatch",
            "note": "Seen together on activities.esn.org.",
            "ours": True,
        }
    ]
    assert await read(shared, "/suggestions") == {"causes": [], "sdgs": []}


async def test_past_activities_get_the_causes_of_the_crosswalk(shared: Network) -> None:
    found = (await read(shared, "/crosswalk?from=areas&to=causes"))["items"]
    assert {each["from"].partition(":")[2]: each["to"].partition(":")[2] for each in found} == CAUSE_OF_AREA


@pytest.mark.parametrize(
    ("address", "status", "pointers"),
    [
        (f"/{MARKER}", 404, []),
        (f"/areas/terms/{MARKER}", 404, []),
        (f"/suggestions?area=health&area={MARKER}", 422, ["query/area/1"]),
        (f"/suggestions?objective={MARKER}&cause={MARKER}", 422, ["query/objective/0", "query/cause/0"]),
        ("/suggestions?area=" + "&area=".join(["health"] * 21), 422, ["query/area"]),
        (f"/crosswalk?from={MARKER}%20x", 422, ["query/from"]),
        ("/crosswalk?to=areas:", 422, ["query/to"]),
        ("/crosswalk?at=2026-11-14", 422, ["query/at"]),
        (f"/crosswalk/areas:health/sdgs:{MARKER}", 404, []),
        (f"?lang={MARKER}", 422, ["query/lang"]),
        ("/areas?lang=it&lang=es", 422, ["query/lang"]),
    ],
)
async def test_what_there_is_not_is_refused(shared: Network, address: str, status: int, pointers: list[str]) -> None:
    document = await refused(shared, "GET", f"{TAXONOMIES}{address}", status=status)
    assert [fault["pointer"] for fault in document.get("errors", [])] == pointers
