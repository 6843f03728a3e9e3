"""An activity as a schema.org Event, in the words that search engines and harvesters read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from services.activities.catalogue.rules import State, page_of
from services.activities.taxonomies.rules import Words
from services.kernel import preferences

MEDIA_TYPE = "application/ld+json"
_STATUS = {State.CANCELLED: "https://schema.org/EventCancelled"}
_SCHEDULED = "https://schema.org/EventScheduled"
_ATTENDANCE = {
    "physical": "https://schema.org/OfflineEventAttendanceMode",
    "online": "https://schema.org/OnlineEventAttendanceMode",
    "hybrid": "https://schema.org/MixedEventAttendanceMode",
}
_AVAILABILITY = {"open": "https://schema.org/InStock", "full": "https://schema.org/SoldOut"}
# A page puts this between <script> tags: nothing in it may end them, or a line of JavaScript.
_UNSAFE_IN_HTML = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def is_preferred(accept: str) -> bool:
    """Whether a reader names JSON-LD, and does not like plain JSON better."""
    return preferences.prefers(accept, MEDIA_TYPE)


def page(document: dict[str, Any], words: Words, dates: Sequence[str] = ()) -> str:
    """One activity as JSON-LD that may stand in a page of HTML as it is; `dates` are the documents of a series' own."""
    told = {"@context": "https://schema.org", **event(document, words)}
    if dates:
        told["subEvent"] = [_date(json.loads(each)) for each in dates]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE_IN_HTML)


def event(document: dict[str, Any], words: Words) -> dict[str, Any]:
    """The activity as an Event, its labels by their English names; what is not known is left out."""
    base = document["url"].rpartition("/activities/")[0]
    status = _STATUS.get(State(document["state"]), _SCHEDULED)
    told = {
        "@type": "EventSeries" if (document.get("parts") or {}).get("relation") == "occurrence" else "Event",
        "@id": document["url"],
        "identifier": document["id"],
        "url": page_of(document),
        "name": document["title"],
        "description": document["summary"],
        **_dates(document),
        "eventStatus": status,
        "eventAttendanceMode": _ATTENDANCE.get(document["mode"]),
        "location": _locations(document),
        "organizer": [organisation(organiser, base) for organiser in document["organisers"]],
        "sponsor": [{"@type": "Organization", "name": partner["name"]} for partner in document["partners"]],
        "image": document["image"] and image(document["image"]),
        "inLanguage": document["language"],
        "maximumAttendeeCapacity": document["capacity"],
        "isAccessibleForFree": document["cost"] and float(document["cost"]["amount"]) == 0,
        "offers": _offer(document),
        "typicalAgeRange": (age := document["requirements"]["minimum_age"]) and f"{age}-",
        "about": [
            *(_term("causes", cause["code"], base, words) for cause in document["causes"]),
            *(_term("objectives", code, base, words) for code in document.get("objectives", ())),
        ],
        "audience": [{"@type": "Audience", "audienceType": each} for each in document.get("audience", [])],
        "superEvent": _whole(document.get("part_of")),
        "keywords": [document["kind"], document["programme"], *document["areas"]],
    }
    return without_unknown(told)


def without_unknown(told: dict[str, Any]) -> dict[str, Any]:
    """The same without what is null or an empty list: in linked data it is said by silence."""
    return {name: value for name, value in told.items() if value is not None and value != []}


def organisation(organiser: dict[str, Any], base: str) -> dict[str, Any]:
    """A section; where only a name is known, that."""
    address = f"{base}/sections/{organiser['code']}" if organiser["code"] else None
    return without_unknown({"@type": "Organization", "@id": address, "name": organiser["name"], "url": address})


def image(known: dict[str, Any]) -> dict[str, Any]:
    """A picture with its alternative text."""
    return {"@type": "ImageObject", "url": known["url"], "caption": known["alternative_text"]}


def place(document: dict[str, Any]) -> dict[str, Any] | None:
    """Where it takes place; of an activity whose city is not known, at least the country."""
    known = document["place"] or {"country": document["country"]}
    if not any(known.values()) or document["mode"] == "online":
        return None
    address = {
        "@type": "PostalAddress",
        "streetAddress": known.get("address"),
        "addressLocality": known.get("city"),
        "addressCountry": known.get("country") or document["country"],
    }
    geo = None
    if known.get("latitude") is not None:
        geo = {"@type": "GeoCoordinates", "latitude": known["latitude"], "longitude": known["longitude"]}
    name = known.get("name") or known.get("city")
    return without_unknown({"@type": "Place", "name": name, "address": without_unknown(address), "geo": geo})


def _date(document: dict[str, Any]) -> dict[str, Any]:
    """A date of a series, with what search engines ask of an Event; all else its series says."""
    told = {
        "@type": "Event",
        "@id": document["url"],
        "url": page_of(document),
        "name": document["title"],
        **_dates(document),
        "eventStatus": _STATUS.get(State(document["state"]), _SCHEDULED),
        "eventAttendanceMode": _ATTENDANCE.get(document["mode"]),
        "location": _locations(document),
    }
    return without_unknown(told)


def _dates(document: dict[str, Any]) -> dict[str, Any]:
    if document["date_precision"] == "time":
        return {"startDate": document["starts_at"], "endDate": document["ends_at"]}
    if document["date_precision"] == "day":
        return {"startDate": document["starts_on"], "endDate": document["ends_on"]}
    # A month or a season is no date.
    return {}


def _locations(document: dict[str, Any]) -> Any:
    online = document["online_url"] and {"@type": "VirtualLocation", "url": document["online_url"]}
    found = [location for location in (place(document), online) if location]
    if not found and document["mode"] != "physical":
        # Search engines want a location of every event; the page tells where to go as soon as that is known.
        found = [{"@type": "VirtualLocation", "url": page_of(document)}]
    return found[0] if len(found) == 1 else found


def _whole(known: dict[str, Any] | None) -> dict[str, Any] | None:
    if known is None:
        return None
    kind = "EventSeries" if known["relation"] == "occurrence" else "Event"
    return {"@type": kind, "@id": known["url"], "name": known["title"], "url": known["url"]}


def _offer(document: dict[str, Any]) -> dict[str, Any] | None:
    sign_up, cost = document["sign_up"], document["cost"] or {}
    if sign_up["state"] == "not_offered":
        return None
    return without_unknown(
        {
            "@type": "Offer",
            "url": page_of(document),
            "price": cost.get("amount"),
            "priceCurrency": cost.get("currency"),
            "availability": _AVAILABILITY.get(sign_up["state"]),
            "validFrom": sign_up["opens_at"],
            "validThrough": sign_up["closes_at"],
        }
    )


def _term(kind: str, code: str, base: str, words: Words) -> dict[str, Any]:
    scheme = f"{base}/concepts/{kind}"
    return {
        "@type": "DefinedTerm",
        "@id": f"{scheme}#{code}",
        "termCode": code,
        "name": words.name(kind, code),
        "inDefinedTermSet": scheme,
    }
