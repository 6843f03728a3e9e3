"""A registration as an entry of its owner's calendar (RFC 5545): no secret is in it, since calendars are shared."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from services.contracts import ActivityState
from services.kernel.settings import Settings
from services.kernel.texts import one_line
from services.registration.places import rules
from services.registration.places.rules import State
from services.registration.places.tables import Places, Registration

MEDIA_TYPE = "text/calendar; charset=utf-8"


def calendar(settings: Settings, row: Registration, places: Places) -> bytes:
    """The entry, as it is now: the same one each time, so that a calendar replaces what it has."""
    from icalendar import Calendar, Event  # noqa: PLC0415  # Only processes that send one load it.

    assert places.starts_at is not None, "without a time there is no entry"
    made = Calendar()
    made.add("prodid", "-//SocialErasmus//Registration 1//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    entry = Event()
    status = _status(row, places)
    changed = [row.signed_up_at, row.confirmed_at, row.ended_at, row.asked_again_at, row.still_comes_at]
    entry.add("uid", f"{row.id}@{urlsplit(settings.base_url).hostname}")
    # Without METHOD it says when the entry was last revised (RFC 5545, 3.8.7.2).
    entry.add("dtstamp", max(moment for moment in changed if moment is not None).replace(microsecond=0))
    # Higher with each revision of the activity, and once more when the place is given up.
    entry.add("sequence", 2 * places.revision + (status == "CANCELLED"))
    entry.add("status", status)
    entry.add("dtstart", _utc(places.starts_at))
    # An end must lie after the start; an activity without length has none.
    if places.ends_at is not None and places.ends_at > places.starts_at:
        entry.add("dtend", _utc(places.ends_at))
    entry.add("summary", one_line(places.title), parameters={"LANGUAGE": places.language})
    if places.location:
        entry.add("location", one_line(places.location))
    entry.add("url", f"{settings.base_url}/activities/{places.activity_id}")
    entry.add("class", "PRIVATE")
    entry.add("transp", "OPAQUE" if status == "CONFIRMED" else "TRANSPARENT")
    made.add_component(entry)
    return bytes(made.to_ical(sorted=False))


def _status(row: Registration, places: Places) -> str:
    state = State(row.state)
    if places.state == ActivityState.CANCELLED or state not in rules.LIVE:
        return "CANCELLED"
    return "CONFIRMED" if state is State.CONFIRMED else "TENTATIVE"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
