"""Activities as iCalendar (RFC 5545, RFC 7986), for calendars that subscribe and for a single one to keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from services.activities.catalogue.rules import page_of
from services.activities.feeds import rules

if TYPE_CHECKING:
    from icalendar import Event

MEDIA_TYPE = "text/calendar"
_REFRESH = timedelta(hours=1)
_STATUS = {"published": "CONFIRMED", "held": "CONFIRMED", "cancelled": "CANCELLED"}


def calendar(documents: Sequence[str], *, name: str) -> bytes:
    """A calendar of activities; the same activities are the same bytes."""
    from icalendar import Calendar, vDuration, vText  # noqa: PLC0415  # Only processes that send one load it.

    made = Calendar()
    made.add("prodid", "-//SocialErasmus//Activities 1//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    for property_name in ("name", "x-wr-calname"):
        # The library takes neither for a text, and would not escape it.
        made.add(property_name, vText(rules.line(name)))
    # Not every reader takes the property of RFC 7986, nor its old namesake.
    made.add("refresh-interval", vDuration(_REFRESH), parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", vDuration(_REFRESH))
    for document in documents:
        made.add_component(_event(json.loads(document)))
    return bytes(made.to_ical(sorted=False))


def _event(document: dict[str, Any]) -> Event:
    from icalendar import Event  # noqa: PLC0415

    made = Event()
    changed_at = _utc(document["updated_at"])
    made.add("uid", document["id"])
    # Without METHOD it says when the entry was last revised (RFC 5545, 3.8.7.2).
    made.add("dtstamp", changed_at)
    made.add("last-modified", changed_at)
    made.add("sequence", document["revision"])
    made.add("status", _STATUS[document["state"]])
    for property_name, moment in _times(document).items():
        made.add(property_name, moment)
    language = {"LANGUAGE": document["language"]}
    made.add("summary", rules.line(document["title"]), parameters=language)
    made.add("description", rules.description(document), parameters=language)
    if (location := rules.place(document)) is not None:
        made.add("location", location)
    known = document["place"] or {}
    if known.get("latitude") is not None:
        made.add("geo", (known["latitude"], known["longitude"]))
    made.add("url", page_of(document))
    made.add("categories", [document["kind"], *(cause["code"] for cause in document["causes"])])
    # To follow what a section does does not mean to be busy.
    made.add("transp", "TRANSPARENT")
    return made


def _times(document: dict[str, Any]) -> dict[str, date]:
    if document["date_precision"] == "day":
        last = document["ends_on"] or document["starts_on"]
        # The end of whole days is the day after them (RFC 5545, 3.6.1).
        return {
            "dtstart": date.fromisoformat(document["starts_on"]),
            "dtend": date.fromisoformat(last) + timedelta(days=1),
        }
    times: dict[str, date] = {"dtstart": _utc(document["starts_at"])}
    # An end must lie after the start; an activity without length has none.
    if document["ends_at"] and (ends_at := _utc(document["ends_at"])) > times["dtstart"]:
        times["dtend"] = ends_at
    return times


def _utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC).replace(microsecond=0)
