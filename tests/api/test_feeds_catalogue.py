"""The catalogue of our data sets against what DCAT-AP 3.0 makes mandatory, and our APIs as a linkset."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from rdflib import DCAT, DCTERMS, FOAF, RDF, SKOS, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.term import Node

from services.activities.feeds import datasets, turtle
from tests.harness import databases as harness
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused

CATALOG = "/activities/v1/catalog"
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
AVAILABILITY = URIRef("http://data.europa.eu/r5r/availability")
# "Mandatory properties" of the specification, and of the recommended ones those that we can always give.
NEEDED: dict[Node, set[Node]] = {
    DCAT.Catalog: {
        DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCTERMS.license, DCTERMS.language, FOAF.homepage,
        DCAT.dataset, DCAT.service, DCAT.themeTaxonomy,
    },
    DCAT.Dataset: {
        DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCTERMS.identifier, DCTERMS.accessRights,
        DCTERMS.accrualPeriodicity, DCAT.distribution, DCAT.keyword, DCAT.theme, DCAT.contactPoint,
    },
    DCAT.Distribution: {
        DCAT.accessURL, DCAT.mediaType, DCTERMS.title, DCTERMS.description, DCTERMS.license, AVAILABILITY,
    },
    DCAT.DataService: {
        DCAT.endpointURL, DCAT.endpointDescription, DCAT.servesDataset, DCTERMS.title, DCTERMS.license,
        DCAT.contactPoint,
    },
    FOAF.Agent: {FOAF.name},
    VCARD.Kind: {VCARD.fn},
    SKOS.Concept: {SKOS.prefLabel},
    SKOS.ConceptScheme: {DCTERMS.title},
}  # fmt: skip
# Of these nobody may have two.
ONCE = {DCTERMS.publisher, DCTERMS.accessRights, DCTERMS.accrualPeriodicity, DCTERMS.license, DCAT.mediaType,
        DCTERMS["format"], AVAILABILITY, FOAF.homepage}  # fmt: skip
# What kind of thing a property leads to.
KIND_OF: dict[Node, Node] = {
    DCTERMS.license: DCTERMS.LicenseDocument, DCTERMS.publisher: FOAF.Agent, DCTERMS.conformsTo: DCTERMS.Standard,
    DCTERMS.accessRights: DCTERMS.RightsStatement, DCTERMS.accrualPeriodicity: DCTERMS.Frequency,
    DCTERMS.language: DCTERMS.LinguisticSystem, DCTERMS["format"]: DCTERMS.MediaTypeOrExtent,
    DCAT.mediaType: DCTERMS.MediaType, DCAT.theme: SKOS.Concept, DCAT.themeTaxonomy: SKOS.ConceptScheme,
    DCAT.dataset: DCAT.Dataset, DCAT.distribution: DCAT.Distribution, DCAT.service: DCAT.DataService,
    DCAT.accessService: DCAT.DataService, DCAT.servesDataset: DCAT.Dataset, DCAT.contactPoint: VCARD.Kind,
    DCAT.landingPage: FOAF.Document, FOAF.homepage: FOAF.Document, AVAILABILITY: SKOS.Concept,
}  # fmt: skip
CONTACT = {"contact_email": "data@example.org", "contact_url": "https://example.org/x", "publisher": 'ESN "É" \\ <x>'}


def catalogue_of(**settings: Any) -> Graph:
    told = datasets.catalogue(harness.settings("postgresql://a/b", "redis://a", **settings))
    return Graph().parse(data=turtle.written(told), format="turtle")


@pytest.mark.parametrize("kind", NEEDED, ids=lambda kind: kind.rpartition("/")[2])
def test_everything_has_what_the_specification_asks_of_it(kind: Node) -> None:
    graph = catalogue_of(**CONTACT)
    found = list(graph.subjects(RDF.type, kind))
    assert found
    for node in found:
        assert NEEDED[kind] <= set(graph.predicates(node)), node
        for name in ONCE:
            assert len(list(graph.objects(node, name))) <= 1, (node, name)


def test_every_name_leads_to_a_thing_of_the_right_kind() -> None:
    graph = catalogue_of(**CONTACT)
    for subject, name, value in graph:
        if name in KIND_OF:
            assert (value, RDF.type, KIND_OF[name]) in graph, (subject, name, value)
        if name in {DCTERMS.title, DCTERMS.description, DCAT.keyword, SKOS.prefLabel}:
            assert isinstance(value, Literal)
            assert value.language == "en"
    assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == 5
    assert str(graph.value(predicate=RDF.type, object=FOAF.Agent)).endswith("#publisher")


def test_who_names_no_contact_has_none_and_texts_are_what_was_told() -> None:
    assert not list(catalogue_of().subjects(RDF.type, VCARD.Kind))
    graph = catalogue_of(**CONTACT)
    assert {str(name) for name in graph.objects(None, FOAF.name)} == {CONTACT["publisher"]}
    assert set(graph.objects(None, VCARD.hasEmail)) == {URIRef("mailto:data@example.org")}


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
async def test_turtle_and_json_ld_are_the_same_catalogue(shared: Network) -> None:
    replies = [await shared.client.get(f"{CATALOG}{form}") for form in ("", ".jsonld", ".ttl")]
    assert [reply.headers["content-type"] for reply in replies] == [
        "application/ld+json", "application/ld+json", "text/turtle; charset=utf-8",
    ]  # fmt: skip
    first, second, third = (
        Graph().parse(data=reply.text, format="turtle" if number == 2 else "json-ld")
        for number, reply in enumerate(replies)
    )
    assert len(first) > 200
    assert isomorphic(first, second)
    assert isomorphic(first, third)
    kept = {"If-None-Match": replies[0].headers["etag"]}
    assert (await shared.client.get(CATALOG, headers=kept)).status_code == 304


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/ld+json"), ("text/turtle", "text/turtle"), ("application/json", "application/ld+json"),
        ("text/turtle;q=0.5, application/ld+json", "application/ld+json"), ("text/turtle;q=x", "application/ld+json"),
        ("TEXT/TURTLE , application/ld+json;q=0.9", "text/turtle"), ("text/turtle;q=0", "application/ld+json"),
    ],
)  # fmt: skip
async def test_the_reader_chooses(shared: Network, accept: str, expected: str) -> None:
    reply = await shared.client.get(CATALOG, headers={"Accept": accept})
    assert reply.headers["content-type"].partition(";")[0] == expected
    assert "Accept" in reply.headers["vary"]


async def test_every_form_can_be_had_in_the_type_it_states(shared: Network) -> None:
    await shared.published()
    graph = Graph().parse(data=(await shared.client.get(f"{CATALOG}.ttl")).text, format="turtle")
    forms = list(graph.subject_objects(DCAT.accessURL))
    assert len(forms) == 12
    for form, address in forms:
        reply = await shared.client.get(str(address))
        assert reply.status_code == 200, address
        stated = str(graph.value(form, DCAT.mediaType)).rpartition("media-types/")[2]
        assert reply.headers["content-type"].partition(";")[0] == stated
    for name in (DCAT.endpointDescription, DCAT.landingPage):
        for address in set(graph.objects(None, name)):
            assert (await shared.client.get(str(address))).status_code == 200
    concepts = [str(address) for address in graph.objects(None, DCTERMS.license)]
    licences = {(await shared.client.get("/activities/v1/changes")).json()["license"]}
    assert set(concepts) == licences, "what the feed itself says"


async def test_the_apis_are_listed_where_machines_look(shared: Network) -> None:
    address = "/.well-known/api-catalog"
    reply = await shared.client.get(address)
    assert reply.status_code == 200
    profile = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
    assert reply.headers["content-type"] == profile
    whole, *apis = reply.json()["linkset"]
    assert whole["anchor"] == f"http://socialerasmus.test{address}"
    assert [item["href"] for item in whole["item"]] == [api["anchor"] for api in apis]
    assert [urlsplit(api["anchor"]).path for api in apis] == ["/activities", "/registration", "/impact"]
    for api in apis:
        for relation in ("service-desc", "service-doc", "service-meta", "status"):
            for link in api.get(relation, []):
                found = await shared.client.get(link["href"])
                assert found.status_code == 200
                assert found.headers["content-type"].partition(";")[0] == link["type"]
    head = await shared.client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["link"] == f'<http://socialerasmus.test{address}>; rel="api-catalog"'
    await refused(shared, "GET", f"{address}?zq7={MARKER}", status=422)
    for nothing in ("/.well-known/other", "/.well-known", "/v1/activities", "/healthz", "/demo"):
        assert (await shared.client.get(nothing)).status_code == 404
