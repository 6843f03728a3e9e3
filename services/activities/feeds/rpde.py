"""The delta feed: pages of RPDE 1.0 whose items are Events in OpenActive's words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from services.activities.catalogue import linked_data
from services.activities.feeds.rules import LICENCE
from services.activities.feeds.store import Changed
from services.activities.taxonomies.rules import Words

MEDIA_TYPE = "application/vnd.openactive.rpde+json; version=1"
_DURATION = TypeAdapter(timedelta)


def page(changes: Sequence[Changed], next_url: str, words: Words) -> str:
    """One page; the last one is empty and followed by itself."""
    told = {"next": next_url, "items": [_item(change, words) for change in changes], "license": LICENCE}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _item(change: Changed, words: Words) -> dict[str, Any]:
    item = {"state": "deleted", "kind": "Event", "id": str(change.id), "modified": int(change.xid)}
    if change.document is not None:
        item |= {"state": "updated", "data": _event(json.loads(change.document), words)}
    return item


def _event(document: dict[str, Any], words: Words) -> dict[str, Any]:
    """The Event of schema.org, where OpenActive has a stricter form in that one."""
    base = document["url"].rpartition("/activities/")[0]
    told = linked_data.event(document, words)
    for loose in ("about", "keywords", "sponsor", "inLanguage", "typicalAgeRange", "location", "organizer", "offers",
                  "audience", "superEvent"):  # fmt: skip
        told.pop(loose, None)
    lead, *others = sorted(document["organisers"], key=lambda organiser: not organiser["lead"])
    is_dated = document["date_precision"] in {"time", "day"}
    minimum_age = document["requirements"]["minimum_age"]
    return linked_data.without_unknown(
        {
            "@context": ["https://openactive.io/", "https://openactive.io/ns-beta"],
            **told,
            "startDate": document["starts_at"] if is_dated else None,
            "endDate": document["ends_at"] if is_dated else None,
            "duration": _duration(document) if is_dated else None,
            "activity": [_concept("causes", cause["code"], base, words) for cause in document["causes"]],
            "category": [words.name("areas", area) for area in document["areas"]],
            "organizer": linked_data.organisation(lead, base),
            "contributor": [linked_data.organisation(other, base) for other in others],
            "location": _place(document),
            "beta:virtualLocation": document["online_url"]
            and {"@type": "VirtualLocation", "url": document["online_url"]},
            "image": document["image"] and [{"@type": "ImageObject", "url": document["image"]["url"]}],
            "offers": _offers(document),
            "ageRange": minimum_age and {"@type": "QuantitativeValue", "minValue": minimum_age},
            # How many places are left is known to another service; that none is left is known here.
            "remainingAttendeeCapacity": 0 if document["sign_up"]["state"] == "full" else None,
        }
    )


def _place(document: dict[str, Any]) -> dict[str, Any] | None:
    known = linked_data.place(document)
    if known is None:
        return None
    # Their PostalAddress needs a region and a postal code, which are not asked of an organiser; a text needs neither.
    address = known["address"]
    parts = [address[part] for part in ("streetAddress", "addressLocality", "addressCountry") if part in address]
    text = ", ".join(parts) or None
    return linked_data.without_unknown({**known, "name": known.get("name", text), "address": text})


def _duration(document: dict[str, Any]) -> str | None:
    if document["ends_at"] is None:
        return None
    length = datetime.fromisoformat(document["ends_at"]) - datetime.fromisoformat(document["starts_at"])
    return str(_DURATION.dump_python(length, mode="json"))


def _offers(document: dict[str, Any]) -> list[dict[str, Any]]:
    cost = document["cost"]
    if not cost:
        return []
    price = {"price": float(cost["amount"]), "priceCurrency": cost["currency"]}
    return [{"@type": "Offer", "@id": f"{document['url']}#offer", **price}]


def _concept(scheme: str, code: str, base: str, words: Words) -> dict[str, Any]:
    address = f"{base}/concepts/{scheme}"
    name = words.name(scheme, code)
    return {"@type": "Concept", "@id": f"{address}#{code}", "prefLabel": name, "inScheme": address}
