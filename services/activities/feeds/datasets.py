"""Our data sets as a catalogue that data portals read (DCAT-AP 3.0), and our APIs as a linkset (RFC 9727)."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from services.activities.feeds import atom, calendars, geojson, rpde
from services.activities.feeds.rules import LICENCE
from services.contracts import ACTIVITIES, IMPACT, REGISTRATION
from services.kernel.settings import Settings

API_CATALOG: Final = "/.well-known/api-catalog"
LINKSET: Final = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
PREFIXES: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dcatap": "http://data.europa.eu/r5r/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
}
_EU: Final = "http://publications.europa.eu/resource/authority"
_RFC: Final = "https://www.rfc-editor.org/info"
_RPDE: Final = "https://openactive.io/realtime-paged-data-exchange/"
_MEDIA_TYPES: Final = "https://www.iana.org/assignments/media-types"
_SERVICES: Final = {
    ACTIVITIES: "Activities, sections and editions",
    REGISTRATION: "Places in activities",
    IMPACT: "Statistics",
}


class _Form(NamedTuple):
    """A form in which a data set can be had; `format_code` is the European Union's name of it, where there is one."""

    name: str
    path: str
    title: str
    media_type: str
    format_code: str | None = None
    standard: str | None = None


class _DataSet(NamedTuple):
    """A data set and its forms; `frequency` is a code of the European Union's list."""

    name: str
    title: str
    description: str
    keywords: tuple[str, ...]
    theme: str
    frequency: str
    service: str
    forms: tuple[_Form, ...]


_DATA_SETS: Final = (
    _DataSet(
        "activities",
        "Volunteering activities of international students",
        "What local sections of the Erasmus Student Network plan, hold and cancel within SocialErasmus: "
        "what for, when, where and by whom.",
        ("volunteering", "events", "international students", "Erasmus"),
        "SOCI",
        "CONT",
        ACTIVITIES,
        (
            _Form("json", "activities/v1/activities", "List with filters", "application/json", "JSON"),
            _Form("changes", "activities/v1/changes", "Every change, to keep a copy", rpde.MEDIA_TYPE, "JSON", _RPDE),
            _Form(
                "calendar", "activities/v1/activities.ics", "Calendar to subscribe to",
                calendars.MEDIA_TYPE, None, f"{_RFC}/rfc5545",
            ),
            _Form("news", "activities/v1/activities.atom", "News", atom.MEDIA_TYPE, "ATOM", f"{_RFC}/rfc4287"),
            _Form("map", "activities/v1/activities.geojson", "Map", geojson.MEDIA_TYPE, "GEOJSON", f"{_RFC}/rfc7946"),
            _Form("export", "activities/v1/export", "In the record of ESN's export", "application/json", "JSON"),
        ),
    ),
    _DataSet(
        "sections",
        "Local sections of the Erasmus Student Network",
        "The sections that organise the activities, with code, name, country and cities.",
        ("sections", "international students", "Erasmus"),
        "SOCI",
        "IRREG",
        ACTIVITIES,
        (_Form("json", "activities/v1/sections", "List", "application/json", "JSON"),),
    ),
    _DataSet(
        "editions",
        "Editions of SocialErasmus Week",
        "SocialErasmus Weeks and their successors, with their dates.",
        ("SocialErasmus Week", "Social Impact Days"),
        "SOCI",
        "IRREG",
        ACTIVITIES,
        (_Form("json", "activities/v1/editions", "List", "application/json", "JSON"),),
    ),
    _DataSet(
        "taxonomies",
        "Code lists of SocialErasmus",
        "Areas, causes, kinds and programmes that activities are sorted by.",
        ("taxonomy", "causes", "volunteering"),
        "SOCI",
        "IRREG",
        ACTIVITIES,
        (
            _Form("json", "activities/v1/taxonomies", "All lists", "application/json", "JSON"),
            _Form("causes", "activities/v1/concepts/causes", "Causes", "application/ld+json", "JSON_LD"),
            _Form("areas", "activities/v1/concepts/areas", "Areas", "application/ld+json", "JSON_LD"),
        ),
    ),
    _DataSet(
        "statistics",
        "Impact of SocialErasmus",
        "Activities, participants, hours and quantities, from reports that were verified, by country, section, "
        "edition, cause and more. No figure leads to a person.",
        ("statistics", "volunteering", "impact", "participants"),
        "SOCI",
        "CONT",
        IMPACT,
        (_Form("json", "impact/v1/statistics", "Figures by any dimension", "application/json", "JSON"),),
    ),
)  # fmt: skip


def catalogue(settings: Settings) -> dict[str, Any]:
    """The catalogue with all that it names, as JSON-LD."""
    base = settings.base_url
    own = f"{base}/activities/v1/catalog"
    services = {name: f"{own}#service-{name}" for name in (ACTIVITIES, IMPACT)}
    graph: list[dict[str, Any]] = [
        {
            "@id": own,
            "@type": "dcat:Catalog",
            "dct:title": _english("Open data of SocialErasmus"),
            "dct:description": _english(
                "Volunteering of international students in Europe: activities and their impact."
            ),
            "dct:publisher": {"@id": f"{own}#publisher"},
            "dct:license": {"@id": LICENCE},
            "dct:language": {"@id": f"{_EU}/language/ENG"},
            "foaf:homepage": {"@id": settings.publisher_url or base},
            "dcat:themeTaxonomy": {"@id": f"{_EU}/data-theme"},
            "dcat:dataset": [{"@id": f"{own}#{each.name}"} for each in _DATA_SETS],
            "dcat:service": [{"@id": address} for address in services.values()],
        },
        {"@id": f"{own}#publisher", "@type": "foaf:Agent", "foaf:name": settings.publisher},
        {"@id": LICENCE, "@type": "dct:LicenseDocument", "dct:title": _english("CC BY 4.0")},
        {"@id": f"{_EU}/language/ENG", "@type": "dct:LinguisticSystem"},
        {"@id": settings.publisher_url or base, "@type": "foaf:Document"},
        {
            "@id": f"{_EU}/data-theme",
            "@type": "skos:ConceptScheme",
            "dct:title": _english("Data themes of the European Union"),
        },
        {
            "@id": f"{_EU}/data-theme/SOCI",
            "@type": "skos:Concept",
            "skos:prefLabel": _english("Population and society"),
        },
    ]
    contact = _contact(settings, own)
    graph += [contact] if contact else []
    for data_set in _DATA_SETS:
        graph.append(_data_set(data_set, base, own, contact))
        graph += [_distribution(data_set, form, base, own, services[data_set.service]) for form in data_set.forms]
    graph += [_service(name, address, base, own, contact) for name, address in services.items()]
    graph += _named_once(graph)
    return {"@context": PREFIXES, "@graph": graph}


def as_json(told: dict[str, Any]) -> str:
    """It in one line."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def linkset(settings: Settings) -> str:
    """Where each of our APIs is, and where it describes itself."""
    base = settings.base_url
    items = [
        {
            "anchor": f"{base}/{name}",
            "service-desc": [{"href": f"{base}/{name}/openapi.json", "type": "application/json", "title": title}],
            "service-doc": [{"href": f"{base}/{name}/docs", "type": "text/html", "title": title}],
            "status": [{"href": f"{base}/{name}/readyz", "type": "application/json"}],
        }
        for name, title in _SERVICES.items()
    ]
    whole = {"anchor": f"{base}{API_CATALOG}", "item": [{"href": item["anchor"]} for item in items]}
    meta = {"href": f"{base}/activities/v1/catalog", "type": "application/ld+json"}
    return as_json({"linkset": [whole, {**items[0], "service-meta": [meta]}, *items[1:]]})


def _data_set(data_set: _DataSet, base: str, own: str, contact: dict[str, Any] | None) -> dict[str, Any]:
    told = {
        "@id": f"{own}#{data_set.name}",
        "@type": "dcat:Dataset",
        "dct:identifier": f"{own}#{data_set.name}",
        "dct:title": _english(data_set.title),
        "dct:description": _english(data_set.description),
        "dct:publisher": {"@id": f"{own}#publisher"},
        "dct:accessRights": {"@id": f"{_EU}/access-right/PUBLIC"},
        "dct:accrualPeriodicity": {"@id": f"{_EU}/frequency/{data_set.frequency}"},
        "dcat:theme": {"@id": f"{_EU}/data-theme/{data_set.theme}"},
        "dcat:keyword": [_english(word) for word in data_set.keywords],
        "dcat:landingPage": {"@id": f"{base}/{data_set.service}/docs"},
        "dcat:distribution": [{"@id": f"{own}#{data_set.name}-{form.name}"} for form in data_set.forms],
    }
    return {**told, "dcat:contactPoint": {"@id": contact["@id"]}} if contact else told


def _distribution(data_set: _DataSet, form: _Form, base: str, own: str, service: str) -> dict[str, Any]:
    media_type = form.media_type.partition(";")[0]
    told = {
        "@id": f"{own}#{data_set.name}-{form.name}",
        "@type": "dcat:Distribution",
        "dct:title": _english(form.title),
        "dct:description": _english(f"{data_set.title}: {form.title}."),
        "dcat:accessURL": {"@id": f"{base}/{form.path}"},
        "dcat:accessService": {"@id": service},
        "dcat:mediaType": {"@id": f"{_MEDIA_TYPES}/{media_type}"},
        "dct:license": {"@id": LICENCE},
        "dcatap:availability": {"@id": f"{_EU}/planned-availability/STABLE"},
    }
    if form.format_code:
        told["dct:format"] = {"@id": f"{_EU}/file-type/{form.format_code}"}
    if form.standard:
        told["dct:conformsTo"] = {"@id": form.standard}
    return told


def _service(name: str, address: str, base: str, own: str, contact: dict[str, Any] | None) -> dict[str, Any]:
    served = [{"@id": f"{own}#{each.name}"} for each in _DATA_SETS if each.service == name]
    told = {
        "@id": address,
        "@type": "dcat:DataService",
        "dct:title": _english(_SERVICES[name]),
        "dct:publisher": {"@id": f"{own}#publisher"},
        "dct:license": {"@id": LICENCE},
        "dct:accessRights": {"@id": f"{_EU}/access-right/PUBLIC"},
        "dcat:endpointURL": {"@id": f"{base}/{name}/v1"},
        "dcat:endpointDescription": {"@id": f"{base}/{name}/openapi.json"},
        "dcat:servesDataset": served,
    }
    return {**told, "dcat:contactPoint": {"@id": contact["@id"]}} if contact else told


def _contact(settings: Settings, own: str) -> dict[str, Any] | None:
    if settings.contact_email is None and settings.contact_url is None:
        return None
    told: dict[str, Any] = {"@id": f"{own}#contact", "@type": "vcard:Kind", "vcard:fn": settings.publisher}
    if settings.contact_email is not None:
        told["vcard:hasEmail"] = {"@id": f"mailto:{settings.contact_email}"}
    if settings.contact_url is not None:
        told["vcard:hasURL"] = {"@id": settings.contact_url}
    return told


_KINDS: Final = {
    "dct:accessRights": ["dct:RightsStatement", "skos:Concept"],
    "dct:accrualPeriodicity": ["dct:Frequency", "skos:Concept"],
    "dcat:theme": "skos:Concept",
    "dcatap:availability": "skos:Concept",
    "dcat:landingPage": "foaf:Document",
    "dcat:mediaType": "dct:MediaType",
    "dct:format": "dct:MediaTypeOrExtent",
    "dct:conformsTo": "dct:Standard",
}
_LABELS: Final = {
    "PUBLIC": "public",
    "CONT": "continuous",
    "IRREG": "irregular",
    "SOCI": "Population and society",
    "STABLE": "stable",
}


def _named_once(graph: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the names of others stand for, for readers who do not go and look."""
    found = {node[name]["@id"]: kind for node in graph for name, kind in _KINDS.items() if name in node}
    told = []
    for address, kind in sorted(found.items()):
        label = {"skos:prefLabel": _english(_LABELS[address.rpartition("/")[2]])} if "skos:Concept" in kind else {}
        told.append({"@id": address, "@type": kind, **label})
    return told


def _english(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "en"}
