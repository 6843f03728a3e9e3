"""Calendars: read by two parsers, and byte by byte, for a parser forgives what a calendar on a phone does not."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import icalendar
import pytest
import vobject

from tests.harness.databases import rows
from tests.harness.network import Network

FEED = "/activities/v1/activities.ics"
EVIL = "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil\r\nSUMMARY:gotcha"
# RFC 5545, 3.1: a name, parameters whose values hold no control character or quote, a value without control characters.
_CONTENT_LINE = re.compile(
    rb"[A-Z0-9-]+(;[A-Z0-9-]+=(\"[^\x00-\x08\x0a-\x1f\x7f\"]*\"|[^\x00-\x08\x0a-\x1f\x7f\";:,]*))*"
    rb":[^\x00-\x08\x0a-\x1f\x7f]*"
)
_TEXT = ("SUMMARY", "DESCRIPTION", "LOCATION", "NAME", "X-WR-CALNAME")
_ESCAPED = re.compile(r"(\\[\\;,nN]|[^\\;,\x00-\x08\x0a-\x1f\x7f])*")


def content_lines(body: bytes) -> list[str]:
    """Check the bytes against the grammar of RFC 5545; answers the unfolded lines."""
    assert body.endswith(b"\r\n")
    physical = body[:-2].split(b"\r\n")
    for line in physical:
        assert b"\n" not in line, line
        assert b"\r" not in line, line
        assert len(line) <= 75, "a line is folded after 75 octets"
        line.decode()  # No fold inside of a character.
        assert line.strip(b" "), "an empty line"
    logical = re.sub(rb"\r\n[ \t]", b"", body[:-2]).split(b"\r\n")
    for line in logical:
        assert _CONTENT_LINE.fullmatch(line), line
        name, _, text = line.decode().partition(":")
        if name.partition(";")[0] in _TEXT:
            assert _ESCAPED.fullmatch(text), line
    return [line.decode() for line in logical]


async def calendar(network: Network, address: str = FEED) -> tuple[list[str], list[Any], list[Any]]:
    """The content lines, and the events that each of two parsers finds."""
    reply = await network.client.get(address)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "text/calendar; charset=utf-8"
    (first,) = icalendar.Calendar.from_ical(reply.content, multiple=True)
    (second,) = vobject.readComponents(reply.text, validate=True)
    return content_lines(reply.content), list(first.walk("VEVENT")), list(second.contents.get("vevent", ()))


async def tampered(network: Network, identity: str, **fields: Any) -> None:
    """Put into a document what the API would not take, as an old import may have."""
    statement = "UPDATE activities.activities SET document = (document::jsonb || $2::jsonb)::text WHERE id = $1"
    await rows(network.database_url, statement, UUID(identity), json.dumps(fields))


async def test_an_activity_is_an_event_that_both_parsers_read_alike(network: Network) -> None:
    activity = await network.published()
    lines, (event,), (other,) = await calendar(network)
    assert event["uid"] == other.uid.value == activity["id"]
    assert event["summary"] == other.summary.value == activity["title"]
    assert event["summary"].params["LANGUAGE"] == "en"
    assert event.start == other.dtstart.value == datetime(2027, 5, 8, 8, 0, tzinfo=UTC)
    assert event.end == other.dtend.value == datetime(2027, 5, 8, 11, 0, tzinfo=UTC)
    assert event["location"] == other.location.value == "Porto Ferro, Sassari"
    assert event["geo"].to_ical() == "40.68;8.2"
    assert event["status"] == "CONFIRMED"
    assert event["url"] == activity["page_url"]
    assert activity["summary"] in event["description"]
    assert "ESN Sassari" in event["description"]
    assert {"BEGIN:VCALENDAR", "VERSION:2.0", "CALSCALE:GREGORIAN", "END:VCALENDAR"} <= set(lines)
    assert {"REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"} <= set(lines)
    assert {"NAME:SocialErasmus", "X-WR-CALNAME:SocialErasmus"} <= set(lines)
    assert {"DTSTART:20270508T080000Z", "DTEND:20270508T110000Z"} <= set(lines)
    assert not any("TZID" in line or line.startswith("METHOD") for line in lines)
    changed = datetime.fromisoformat(activity["updated_at"]).astimezone(UTC)
    assert {f"DTSTAMP:{changed:%Y%m%dT%H%M%SZ}", f"LAST-MODIFIED:{changed:%Y%m%dT%H%M%SZ}"} <= set(lines)


async def test_a_change_keeps_the_uid_and_counts_up(network: Network) -> None:
    activity = await network.published()
    address, local = f"/activities/v1/activities/{activity['id']}", await network.local()
    _, (before,), _ = await calendar(network)
    etag = (await network.client.get(address)).headers["etag"]
    moved = {"starts_at": "2027-05-08T09:00", "ends_at": "2027-05-08T12:00"}
    await network.client.patch(address, headers={**local, "If-Match": etag}, json=moved)
    _, (after,), _ = await calendar(network)
    assert (after["uid"], after.start) == (before["uid"], datetime(2027, 5, 8, 7, 0, tzinfo=UTC))
    assert after["sequence"] > before["sequence"]
    assert after["last-modified"].dt >= before["last-modified"].dt


async def test_a_cancelled_activity_stays_as_cancelled(network: Network) -> None:
    activity = await network.published()
    cancel = f"/activities/v1/activities/{activity['id']}/cancel"
    await network.client.post(cancel, headers=await network.local(), json={"reason": "Storm, sorry; see you."})
    lines, (event,), (other,) = await calendar(network)
    assert (event["status"], event["uid"]) == ("CANCELLED", activity["id"])
    assert "STATUS:CANCELLED" in lines
    assert event["sequence"] > activity["revision"] - 1
    assert other.description.value.startswith("Cancelled. Storm, sorry; see you.")


@pytest.mark.parametrize(
    "text",
    [
        EVIL,
        "x\nEND:VEVENT\nBEGIN:VEVENT\nUID:evil",
        "x\rEND:VEVENT\rBEGIN:VEVENT\rUID:evil",
        "x\u2028END:VEVENT\u2028BEGIN:VEVENT\u0085UID:evil\x0bA:b\x0cC:d\x1eE:f",
        'commas, semicolons; colons: back\\slash \\n "quotes" \\',
        "\\",
        "\\;\\,\\\\n",
        "bell\x07 escape\x1b[31m delete\x7f",
        "𝄞é漢" * 60,
        "é" * 74,
        "=HYPERLINK(1) +1 @x {{7*7}} %s",
        " leading and trailing ",
    ],
)
async def test_text_stays_text(network: Network, text: str) -> None:
    activity = await network.published()
    wherever: list[dict[str, Any]] = [
        {"title": text},
        {"summary": text},
        {"place": {**activity["place"], "name": text}},
        {"organisers": [{**activity["organisers"][0], "name": text}]},
        {"state": "cancelled", "reason": text},
    ]
    for fields in wherever:
        await tampered(network, activity["id"], **fields)
        # The calendar of the one activity has its title as its name.
        for address in (FEED, f"/activities/v1/activities/{activity['id']}.ics"):
            lines, events, others = await calendar(network, address)
            assert (len(events), len(others)) == (1, 1)
            assert [line for line in lines if line.startswith("UID:")] == [f"UID:{activity['id']}"]
            assert [line for line in lines if line.startswith(("BEGIN:", "END:"))] == [
                "BEGIN:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR"
            ]  # fmt: skip
        if text.isprintable():
            assert str(events[0]["summary"]) == others[0].summary.value == text.strip()


async def test_folds_fall_between_characters(network: Network) -> None:
    # Each shift of one octet puts another character of four octets at the edge of the line.
    for shift in range(5):
        activity = await network.published(title=f"{'a' * shift}{'𝄞' * 40}", summary="é𝄞漢a" * 500)
        _, (event,), _ = await calendar(network, f"/activities/v1/activities/{activity['id']}.ics")
        assert event["summary"] == activity["title"]
        assert activity["summary"] in event["description"]


async def test_one_activity_is_a_calendar_of_its_own(network: Network) -> None:
    activity, draft = await network.published(), await network.drafted(title="Draft")
    lines, (event,), _ = await calendar(network, f"/activities/v1/activities/{activity['id']}.ics")
    assert event["uid"] == activity["id"]
    assert f"NAME:{activity['title']}" in lines
    address = f"/activities/v1/activities/{draft['id']}.ics"
    for headers in ({}, await network.local()):
        assert (await network.client.get(address, headers=headers)).status_code == 404
    assert (await network.client.get("/activities/v1/activities/nonsense.ics")).status_code == 404


async def test_whole_days_end_on_the_day_after(network: Network) -> None:
    activity = await network.published()
    days = "UPDATE activities.activities SET date_precision = $2 WHERE id = $1"
    await rows(network.database_url, days, UUID(activity["id"]), "day")
    await tampered(network, activity["id"], date_precision="day", starts_on="2027-05-08", ends_on="2027-05-09")
    lines, (event,), (other,) = await calendar(network)
    assert {"DTSTART;VALUE=DATE:20270508", "DTEND;VALUE=DATE:20270510"} <= set(lines)
    assert event.start == other.dtstart.value == date(2027, 5, 8)


@pytest.mark.parametrize("precision", ["week", "month", "edition", "unknown"])
async def test_what_has_no_day_is_in_no_calendar(network: Network, precision: str) -> None:
    activity = await network.published()
    vague = "UPDATE activities.activities SET date_precision = $2 WHERE id = $1"
    await rows(network.database_url, vague, UUID(activity["id"]), precision)
    await tampered(network, activity["id"], date_precision=precision)
    assert (await calendar(network))[1] == []
    assert (await calendar(network, f"/activities/v1/activities/{activity['id']}.ics"))[1] == []


async def test_an_activity_without_length_has_no_end(network: Network) -> None:
    await network.published(ends_at="2027-05-08T10:00")
    lines, (event,), _ = await calendar(network)
    assert "DTEND" not in event
    assert "DTSTART:20270508T080000Z" in lines


async def test_a_calendar_is_named_after_what_it_shows(network: Network) -> None:
    lines, events, _ = await calendar(network, f"{FEED}?section=IT-SASS-ESN&edition=2027-spring")
    assert events == []
    assert "NAME:SocialErasmus: IT-SASS-ESN\\, 2027-spring" in lines
