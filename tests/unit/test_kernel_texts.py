"""Field types: what Postgres or JSON cannot hold is refused, the rest is kept as it was meant."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.kernel.country_codes import ASSIGNED
from services.kernel.texts import Code, Count, CountryCode, Flag, Instant, LanguageTag, Line, LongText, Received

LINE: TypeAdapter[str] = TypeAdapter(Line)
LONG: TypeAdapter[str] = TypeAdapter(LongText)


def _accepts(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@given(st.text(max_size=220))
def test_a_line_is_storable_nfc_and_one_line_or_refused(text: str) -> None:
    try:
        kept = LINE.validate_python(text)
    except ValidationError:
        return
    assert kept == unicodedata.normalize("NFC", kept) == kept.strip()
    assert 1 <= len(kept) <= 200
    assert len(kept.splitlines()) == 1
    assert kept.encode()
    assert "\x00" not in kept


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=50))
def test_a_line_of_ordinary_characters_is_kept(text: str) -> None:
    normal = unicodedata.normalize("NFC", text)
    if normal.strip():
        assert LINE.validate_python(text) == normal.strip()


@given(st.text(max_size=50), st.sampled_from(["\x00", "\ud800", "\udfff"]), st.text(max_size=50))
def test_nul_and_half_characters_are_refused_wherever_they_stand(before: str, bad: str, after: str) -> None:
    for kind in (LINE, LONG):
        with pytest.raises(ValidationError):
            kind.validate_python(before + bad + after)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\n", "\x85", "\xa0", "\u2003", " \u2028 "], ids=ascii)
def test_a_blank_is_no_text(blank: str) -> None:
    for kind in (LINE, LONG):
        with pytest.raises(ValidationError):
            kind.validate_python(blank)


def test_long_text_keeps_its_lines() -> None:
    assert LONG.validate_python(" a\n\n\tb\n") == "a\n\n\tb"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (CountryCode, ["IT", "XK"], ["it", "ITA", "I", "IT\n", "ÍT", ""]),
        (
            LanguageTag,
            ["en", "pt-BR", "zh-Hant-TW", "fil"],
            ["english", "en_US", "en-", "e", "en\n", "en-" + "x" * 40],
        ),
        (Code, ["IT-SASS-ESN", "2026-autumn", "a", "a_b.c"], ["", "-a", "a b", "a/b", "x" * 64, "a\n", "é", "../a"]),
        (Count, [0, 1_000_000], [-1, 1_000_001, "7", 7.0, True, None, float("nan")]),
        (Flag, [True, False], ["true", 1, 0, None, "yes"]),
    ],
)
def test_each_type_takes_its_form_and_no_other(kind: Any, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not _accepts(kind, value)] == []
    assert [value for value in bad if _accepts(kind, value)] == []


@given(st.datetimes(datetime(1900, 1, 2), datetime(2200, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_an_instant_written_out_is_read_back(moment: datetime) -> None:
    in_utc = moment.astimezone(UTC)
    assert TypeAdapter(Instant).validate_python(in_utc.isoformat()) == in_utc


@pytest.mark.parametrize(
    "value",
    ["2027-05-08T10:00:00", "2027-05-08", "1809856800", 1809856800, 1.5, True, None, "now", "0001-01-01T00:00:00Z"],
)
def test_what_is_not_an_instant_written_out_is_refused(value: Any) -> None:
    assert not _accepts(Instant, value)


def test_a_received_model_refuses_what_it_does_not_know_and_hides_what_it_got() -> None:
    class Known(Received):
        name: Line

    with pytest.raises(ValidationError) as refusal:
        Known.model_validate({"name": "a", "zq7": "Zq7Marker"})
    assert "Zq7Marker" not in str(refusal.value)


def test_the_assigned_countries_are_those_of_the_time_zone_database_and_kosovo() -> None:
    listed = resources.files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8").splitlines()
    assert {line[:2] for line in listed if not line.startswith("#")} | {"XK"} == ASSIGNED
