"""What a list of sections would change: told field by field, and the same whenever both sides are."""

from __future__ import annotations

from typing import Any

import pytest

from services.activities.directory.difference import Changes, compare, listed
from services.kernel.import_json import row_of

ENTRY: dict[str, Any] = {
    "code": "CZ-BRNO-VUT", "name": "ESN VUT Brno", "country": "CZ", "cities": ["Brno"], "university": None,
    "website": "https://old.example/", "latitude": 49.2311, "longitude": 16.5736, "state": "active", "same_as": None,
    "merged_into": None, "languages": None, "time_zone": "Europe/Prague", "edited": [],
}  # fmt: skip
RECORD: dict[str, Any] = {
    "code": "CZ-BRNO-VUT", "label": "ESN VUT Brno", "cc": "CZ", "country": "Czechia", "state": "active",
    "website": "https://old.example/", "cities": [{"name": "Brno", "cc": "CZ"}],
    "geolocation": {"lat": "49.2311", "lng": "16.5736"},
}  # fmt: skip


def difference(entries: list[dict[str, Any]], records: list[dict[str, Any]]) -> Changes:
    rows = [row_of(number, record) for number, record in enumerate(records, 1)]
    return compare({entry["code"]: entry for entry in entries}, listed(rows))


def kinds(changes: Changes) -> set[str]:
    return {kind for kind, found in changes.report.items() if kind != "unchanged" and found}


def test_a_list_that_says_what_is_known_changes_nothing() -> None:
    changes = difference([ENTRY], [RECORD])

    assert (changes.is_empty, kinds(changes), changes.report["unchanged"]) == (True, set(), 1)


def test_each_field_is_told_with_what_it_was_and_would_be() -> None:
    changes = difference([ENTRY], [RECORD | {"label": "ESN BUT Brno", "website": "http:/new.example"}])

    assert changes.report["changed"] == [
        {
            "code": "CZ-BRNO-VUT",
            "fields": [
                {"field": "name", "now": "ESN VUT Brno", "source": "ESN BUT Brno"},
                {"field": "website", "now": "https://old.example/", "source": "http://new.example"},
            ],
        }
    ]
    assert [remark["field"] for remark in changes.report["remarks"]] == ["website"]


@pytest.mark.parametrize(
    ("edited", "field", "record"),
    [
        ("website", "website", {"website": "https://new.example/"}),
        ("cities", "cities", {"cities": [{"name": "Praha"}]}),
        ("position", "latitude", {"geolocation": {"lat": "50.1", "lng": "16.5736"}}),
        ("time_zone", "time_zone", {"cc": "PT", "country": "Portugal", "cities": [{"name": "Funchal"}]}),
    ],
)
def test_what_the_section_edited_is_kept_and_said(edited: str, field: str, record: dict[str, Any]) -> None:
    changed = [
        change["field"]
        for each in difference([ENTRY], [RECORD | record]).report["changed"]
        for change in each["fields"]
    ]
    report = difference([ENTRY | {"edited": [edited]}], [RECORD | record]).report
    kept = [change["field"] for each in report["kept"] for change in each["fields"]]
    still = [change["field"] for each in report["changed"] for change in each["fields"]]

    assert field in changed
    assert kept == [field]
    assert field not in still


def test_an_edit_cannot_hold_what_accounts_own() -> None:
    entry = ENTRY | {"edited": ["cities", "languages", "position", "time_zone", "website"]}
    changes = difference([entry], [RECORD | {"label": "ESN Other", "state": "warned"}])

    assert [each.column for each in changes.changed["CZ-BRNO-VUT"]] == ["name", "state"]


@pytest.mark.parametrize(("state", "wins"), [("merged", None), ("withdrew", "kept"), ("active", "changed")])
def test_a_successor_named_here_outlives_a_list_that_knows_of_none(state: str, wins: str | None) -> None:
    changes = difference([ENTRY | {"state": "merged", "merged_into": "CZ-BRNO-ESN"}], [RECORD | {"state": state}])

    assert kinds(changes) == ({wins} if wins else set())


def test_what_is_gone_is_proposed_to_have_withdrawn_but_for_refused_second_and_former_ones() -> None:
    entries = [
        ENTRY,
        ENTRY | {"code": "CZ-GONE-ESN", "name": "ESN Gone"},
        ENTRY | {"code": "CZ-REFU-ESN", "name": "ESN Refused"},
        ENTRY | {"code": "CZ-BRNO-VUTB", "name": "ESN Second", "same_as": "CZ-BRNO-VUT"},
        ENTRY | {"code": "CZ-LONG-AGO", "name": "ESN Long ago", "state": "withdrew"},
    ]
    changes = difference(entries, [RECORD, {"code": " cz-refu-esn ", "label": "0", "cc": "CZ"}])

    assert changes.report["gone"] == [
        {"code": "CZ-GONE-ESN", "name": "ESN Gone", "state": "active", "proposed": "withdrew"}
    ]
    assert [(each["record"], each["field"]) for each in changes.report["refused"]] == [(2, "label")]


def test_nobody_is_missing_while_a_record_does_not_say_whose_it_is() -> None:
    changes = difference([ENTRY], [{"label": "ESN VUT Brno", "cc": "CZ"}])

    assert [each["proposed"] for each in changes.report["gone"]] == [None]
    assert changes.is_empty
    assert difference([ENTRY], [RECORD | {"label": "a\0b"}]).report["gone"] == []


@pytest.mark.parametrize(
    ("entry", "record", "reasons"),
    [
        (
            {"code": "CZ-BRNO-OLD", "latitude": None, "longitude": None},
            {"label": "Esn Vut BRNO"},
            ["the same name in the same country"],
        ),
        ({"code": "CZ-BRNO-OLD", "name": "ESN Old", "latitude": 49.2329}, {}, ["the same place, within 0.5 km"]),
        ({"code": "CZ-BRNO-OLD", "name": "ESN Old", "latitude": 49.25}, {}, []),
        (
            {"code": "CZ-BRNO-OLD", "name": "ESN Old", "latitude": 49.0, "longitude": 17.0},
            {"geolocation": {"lat": "49", "lng": "17"}},
            [],
        ),
        (
            {"code": "YU-BELG-UPG", "name": "ESN Belgrade", "latitude": None},
            {"code": "RS-BELG-UPG", "cc": "RS", "country": "Serbia"},
            ["the same code but for the country"],
        ),
        (
            {"code": "UK-LOND-ESN", "name": "ESN London", "country": "GB", "latitude": None},
            {"code": "GB-LOND-ESN", "cc": "UK", "label": " ESN London"},
            ["the same name in the same country", "the same code but for the country"],
        ),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_new_code_that_looks_like_one_that_is_gone_is_suspected(
    entry: dict[str, Any], record: dict[str, Any], reasons: list[str]
) -> None:
    changes = difference([ENTRY | entry], [RECORD | record])

    assert [each["reasons"] for each in changes.report["suspected"]] == ([reasons] if reasons else [])
    assert (len(changes.new), len(changes.gone)) == (1, 1)


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"code": "nonsense"}, "code"),
        ({"cc": "XX"}, "cc"),
        ({"label": None}, "label"),
        ({"geolocation": []}, None),
        ({"geolocation": "49,16"}, "geolocation"),
        ({"label": "a\0b"}, "label"),
        ({"label": "\ud800"}, "label"),
        ({"state": "gone"}, "state"),
    ],
    ids=ascii,
)
def test_a_record_that_cannot_be_taken_says_why(record: dict[str, Any], field: str | None) -> None:
    refused = difference([], [RECORD | record]).report["refused"]

    assert [each["field"] for each in refused] == ([field] if field else [])


def test_of_two_records_with_one_code_the_first_counts() -> None:
    changes = difference([ENTRY], [RECORD, RECORD | {"label": "ESN Second"}])

    assert changes.is_empty
    assert [(each["record"], each["code"]) for each in changes.report["refused"]] == [(2, "CZ-BRNO-VUT")]


def test_a_section_that_merged_is_told_apart() -> None:
    assert difference([ENTRY], [RECORD | {"state": "merged"}]).report["merged"] == ["CZ-BRNO-VUT"]


def test_a_report_is_known_by_what_it_says_and_not_by_the_order_of_the_list() -> None:
    other = RECORD | {"code": "CZ-BRNO-ESN", "label": "ESN Other"}
    digests = {difference([ENTRY], records).digest for records in ([RECORD, other], [other, RECORD])}

    assert len(digests) == 1
    assert difference([ENTRY], [RECORD]).digest not in digests
