"""A scheme as a SKOS concept scheme in JSON-LD, with the crosswalk as mappings between concepts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.activities.taxonomies.rules import Label
from services.activities.taxonomies.store import Stated
from services.activities.taxonomies.tables import Scheme, Term

MEDIA_TYPE = "application/ld+json"
_CONTEXT = {
    "@vocab": "http://www.w3.org/2004/02/skos/core#",
    "title": "http://purl.org/dc/terms/title",
    "source": "http://purl.org/dc/terms/source",
    "publisher": "http://purl.org/dc/terms/publisher",
    "isReplacedBy": {"@id": "http://purl.org/dc/terms/isReplacedBy", "@type": "@id"},
    "versionInfo": "http://www.w3.org/2002/07/owl#versionInfo",
    "deprecated": "http://www.w3.org/2002/07/owl#deprecated",
    **{
        name: {"@type": "@id"}
        for name in ("inScheme", "topConceptOf", "exactMatch", "closeMatch", "broadMatch", "relatedMatch")
    },
}


def scheme_uri(scheme: Scheme, base: str) -> str:
    """The URI of a scheme: its own where it is somebody else's, else the address at which it is found here."""
    return scheme.uri or f"{base}/concepts/{scheme.code}"


def term_uri(label: Label, uri: str | None, base: str) -> str:
    """The URI of a term."""
    return uri or f"{base}/concepts/{label.scheme}#{label.code}"


def concept_scheme(
    scheme: Scheme,
    terms: Sequence[Term],
    crosswalk: Sequence[Stated],
    foreign: Mapping[Label, str],
    base: str,
    *,
    in_use: Mapping[str, bool],
    successor: Scheme | None,
) -> str:
    """A scheme with all of its terms, retired ones too; `foreign` gives the URIs of terms that are not ours."""
    address = scheme_uri(scheme, base)
    matches: dict[str, dict[str, list[str]]] = {}
    for stated in crosswalk:
        found = matches.setdefault(stated.source.code, {}).setdefault(stated.relation, [])
        found.append(term_uri(stated.target, foreign.get(stated.target), base))
    told = {
        "@context": _CONTEXT,
        "@id": address,
        "@type": "ConceptScheme",
        "title": _in(scheme.title),
        "publisher": scheme.authority,
        "source": scheme.source,
        "versionInfo": str(scheme.version),
        **({"isReplacedBy": scheme_uri(successor, base)} if successor else {}),
        "hasTopConcept": [
            _concept(term, address, base, in_use=in_use[term.code]) | matches.get(term.code, {}) for term in terms
        ],
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _concept(term: Term, scheme: str, base: str, *, in_use: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@id": term_uri(Label(term.scheme, term.code), term.uri, base),
        "@type": "Concept",
        "notation": term.code,
        "prefLabel": [_in(name, language) for language, name in sorted(term.names.items())],
        "inScheme": scheme,
        "topConceptOf": scheme,
    }
    if term.definition is not None:
        told["definition"] = _in(term.definition)
    if not in_use:
        told["deprecated"] = True
    if term.replaced_by is not None:
        told["isReplacedBy"] = term_uri(Label(term.scheme, term.replaced_by), None, base)
    return told


def _in(text: str, language: str = "en") -> dict[str, str]:
    return {"@value": text, "@language": language}
