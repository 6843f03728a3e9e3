"""Events: they only ever grow, somebody carries each of them out, and none says anything about a person."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.contracts import EVENTS
from services.kernel.facts import Event
from services.registry import SERVICES
from tests.contracts.snapshot import committed, incompatibilities, present

PERSONAL = {
    *("email", "mail", "phone", "mobile", "given", "family", "first", "last", "surname", "birth", "birthday"),
    *("age", "gender", "sex", "nationality", "student", "person", "people", "user", "username", "login", "ip"),
    *("token", "passport", "diet", "health", "note", "notes", "comment", "comments", "reason", "answer", "answers"),
    *("summary", "description", "text", "message", "address", "street", "iban", "photo", "bio"),
}
# The one is said of an activity; the other is random, and registration alone knows whose it is.
MEANT = {"minimum_age", "person_key"}
# Text that isn't a code of a list: each entry here was asked whether somebody could be named in it.
FREE_TEXT = {"Activity.title", "Activity.place", "Activity.partners", "Organiser.name", "SectionRecorded.title"}
CODES = {
    *(
        "Activity.language",
        "Activity.kind",
        "Activity.programme",
        "Activity.edition",
        "Activity.areas",
        "Activity.objectives",
        "Activity.causes",
        "Activity.relation",
    ),
    *(
        "Activity.country",
        "Activity.platform",
        "Activity.time_zone",
        "Organiser.code",
        "SectionRecorded.code",
        "SectionRecorded.successor",
        "SectionRecorded.country",
    ),
    *("SectionRecorded.state", "SectionRecorded.time_zone", "EditionRecorded.code", "EditionRecorded.series"),
    "ReportMissing.section",
    *("AttendanceRecorded.home_country", "AttendanceRecorded.mobility"),
    *("AttendanceRecorded.hours", "EditionTotalsChanged.edition", "EditionTotalsChanged.hours"),
    *("ActivityFiguresChanged.hours", "FigureQuantity.measure", "FigureQuantity.unit", "FigureQuantity.amount"),
}


def test_the_events_are_those_last_agreed() -> None:
    assert present() == committed(), "run `python -m tests.contracts.snapshot`, which refuses what would break a hearer"


def test_an_event_only_gains_fields_with_defaults() -> None:
    assert incompatibilities(committed(), present()) == []


NAME = "activities.activity_published.v1"


def _change(change: Callable[[dict[str, Any]], object]) -> list[str]:
    new = copy.deepcopy(committed())
    change(new)
    return incompatibilities(committed(), new)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda new: new.pop(NAME), f"{NAME} is gone"),
        (lambda new: new[NAME]["heard_by"].remove("impact"), f"{NAME}: impact no longer hears it"),
        (lambda new: new[NAME]["schema"]["properties"].pop("activity"), f"{NAME}: activity is gone"),
        (
            lambda new: new[NAME]["schema"]["$defs"]["Activity"]["properties"].pop("title"),
            f"{NAME}: Activity: title is gone",
        ),
        (
            lambda new: new[NAME]["schema"]["$defs"]["Activity"]["properties"].update(title={"type": "integer"}),
            f"{NAME}: Activity: title changed",
        ),
        (
            lambda new: new[NAME]["schema"]["$defs"]["Activity"]["properties"].update(more={"type": "integer"}),
            f"{NAME}: Activity: more is new and has no default",
        ),
        (lambda new: new[NAME]["schema"]["$defs"]["ActivityState"]["enum"].pop(), f"{NAME}: ActivityState changed"),
    ],
)
def test_what_would_leave_a_hearer_behind_is_found(change: Callable[[dict[str, Any]], object], fault: str) -> None:
    assert _change(change) == [fault]


def test_a_field_with_a_default_is_welcome() -> None:
    def add(new: dict[str, Any]) -> None:
        new[NAME]["schema"]["$defs"]["Activity"]["properties"]["more"] = {"type": "integer", "default": 0}

    assert _change(add) == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_an_event_is_named_after_its_teller_what_happened_and_its_version(event: type[Event]) -> None:
    assert re.fullmatch(rf"({'|'.join(SERVICES)})\.[a-z]+(_[a-z]+)*\.v[1-9]", event.name)
    assert event.__doc__


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_every_hearer_of_an_event_carries_it_out(event: type[Event]) -> None:
    assert event.heard_by
    for hearer in event.heard_by:
        assert event in SERVICES[hearer].consumer.handlers, f"{hearer} does not carry out {event.name}"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_hears_of_contracts_only(service: str) -> None:
    assert set(SERVICES[service].consumer.handlers) <= set(EVENTS)
    assert SERVICES[service].consumer.name == service


def test_no_two_events_share_a_name() -> None:
    assert len({event.name for event in EVENTS}) == len(EVENTS)


def _fields(event: type[Event]) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = event.model_json_schema(mode="serialization")
    for owner, part in [(event.__name__, schema), *schema.get("$defs", {}).items()]:
        for field, described in part.get("properties", {}).items():
            yield f"{owner}.{field}", described


def _is_text(described: dict[str, Any]) -> bool:
    if "anyOf" in described:
        return any(_is_text(each) for each in described["anyOf"])
    if described.get("type") == "array":
        return _is_text(described["items"])
    return described.get("type") == "string" and "format" not in described and "enum" not in described


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_no_field_of_an_event_is_about_a_person(event: type[Event]) -> None:
    for field, _ in _fields(event):
        name = field.rpartition(".")[2]
        assert name in MEANT or not set(name.split("_")) & PERSONAL, field


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_every_text_of_an_event_was_asked_whether_it_can_name_somebody(event: type[Event]) -> None:
    texts = {field for field, described in _fields(event) if _is_text(described)}
    assert texts <= FREE_TEXT | CODES
