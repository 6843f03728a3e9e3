"""Automatic hints: each rule finds what it is for and leaves alone what only looks like it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.activities.past import past_rows
from services.activities.review import rules
from services.activities.review.actions import judged
from services.activities.review.calendar_words import easter_sunday
from services.activities.review.rules import Described, Hint, Similar
from services.kernel.imports import CsvRows

PAST = Path(__file__).parents[2] / "services" / "activities" / "sample" / "real_activities.csv"
SUMMARY = "We clean the beach with the surf school; gloves are there."
NOON = datetime(2027, 5, 8, 12, tzinfo=UTC)


def given(title: str = "Cleaning Porto Ferro beach", *, on: str = "2027-05-08", **fields: Any) -> Described:
    day = date.fromisoformat(on)
    usual = Described(
        title=title, summary=SUMMARY, language="en", starts_on=day, ends_on=day, starts_at=NOON,
        ends_at=NOON + timedelta(hours=3), sign_up_closes_at=NOON, capacity=20, cost=None, further_texts={},
    )  # fmt: skip
    return replace(usual, **fields)


def codes(described: Described) -> list[str]:
    return [hint.code for hint in judged(described)]


def test_an_ordinary_activity_gives_no_hint() -> None:
    assert judged(given()) == []


@pytest.mark.parametrize(
    "text",
    [
        "bla bla", "Bla, bla, bla and more of it to come", "Lorem ipsum dolor sit amet, consectetur", "asdf asdf gfds",
        "qwerty uiop and so on and on", "fghjk in the afternoon at five", "Beach aaaaaaaa beach aaaaaaaa", "test",
        "Test test", "tbd", "beach beach beach in the morning", "1234567890 12345 67890", "----------------------",
        "sdkjfhsd kjhsdf jkshdf jkhsdf",
    ],
)  # fmt: skip
def test_filler_is_found_in_title_summary_and_checklist(text: str) -> None:
    assert "filler_text" in codes(given(text))
    assert "filler_text" in codes(given(summary=text))
    pointer = "#/label_checklist/community_impact"
    hints = judged(given(further_texts={pointer: text}))
    assert [(hint.code, hint.pointer) for hint in hints] == [("filler_text", pointer)]


@pytest.mark.parametrize(
    "text",
    [
        "Bewertung of the property market", "Ho ho ho: gifts for children", "Čtvrtek se psy v útulku",
        "RECUP at the market",
        "A testing day for our liberty", "Sooo much fun with dogs", "III edition of the blood donation in IES NRW",
        "Try rhythm and gym with us", "See www.esn.example/aaaaaaa for the way", "Typewriter poems for the elderly",
        "Strč prst skrz krk", "Помощь приюту для собак", "ανακύκλωση στην πόλη",
    ],
)  # fmt: skip
def test_words_are_no_filler(text: str) -> None:
    assert "filler_text" not in codes(given(text, summary=text + ", with gloves and bags for all"))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title": "Zoo"}, "too_short"),
        ({"summary": None}, "too_short"),
        ({"summary": "Warm meals"}, "too_short"),
        ({"summary": "Cleaning Porto Ferro beach!"}, "title_repeated"),
    ],
)
def test_what_says_too_little_is_found(fields: dict[str, Any], code: str) -> None:
    assert codes(given(**fields)) == [code]


@pytest.mark.parametrize(
    ("title", "on", "language"),
    [
        ("Christmas-themed concert", "2015-02-17", "en"), ("Cena di Natale", "2027-05-08", "it"),
        ("Mercadillo navideño", "2027-06-01", "es"), ("Noël à l'hôpital", "2027-04-01", "fr"),
        ("Weihnachtsbasteln", "2027-07-01", "de"), ("Wigilia dla seniorów", "2027-03-01", "pl"),
        ("Easter eggs for the hospital", "2027-11-08", "en"), ("Uova di Pasqua", "2027-07-08", "it"),
        ("Ostereier färben", "2027-09-08", "de"), ("Wielkanocne kartki", "2027-10-08", "pl"),
        ("Halloween for children", "2027-05-08", "en"), ("Valentine's blood donation", "2027-05-08", "en"),
        ("Spring clean-up", "2027-11-08", "en"), ("Fiesta de verano", "2027-01-08", "es"),
        ("Autumn walk with dogs", "2027-05-08", "en"),
        ("Winter run", "2027-07-08", "en"), ("Blood donation in March", "2027-11-08", "en"),
        ("Donazione di novembre", "2027-05-08", "it"), ("Sprzątanie w październiku", "2027-05-08", "pl"),
        ("Beach day, 14 November", "2027-11-15", "en"), ("November 14: beach day", "2027-11-15", "en"),
        ("Beach day 14.11.2027", "2027-11-15", "en"), ("Spiaggia pulita 14/11/2027", "2027-11-15", "it"),
        ("Beach day 2027-11-14", "2027-11-15", "en"), ("Dona con amore 2025", "2027-05-08", "it"),
        ("Volunteering 2024/25", "2027-05-08", "en"), ("Putzen am 3. Mai", "2027-05-08", "de"),
    ],
)  # fmt: skip
def test_a_title_that_contradicts_its_date_is_found(title: str, on: str, language: str) -> None:
    found = [hint for hint in judged(given(title, on=on, language=language)) if hint.code == "title_contradicts_date"]
    assert len(found) == 1
    assert all(on in hint.detail and hint.pointer == "#/starts_at" for hint in found)


@pytest.mark.parametrize(
    ("title", "on", "language"),
    [
        ("Christmas-themed concert", "2027-12-17", "en"), ("Christmas tree for orphans", "2027-01-06", "en"),
        ("Easter breakfast", "2027-05-02", "en"), ("Walk with people from Eastern Europe", "2027-11-08", "en"),
        ("Pasquale reads for children", "2027-11-08", "it"), ("Winter clothes collection", "2027-09-20", "en"),
        ("Visit to St Nicholas hospital", "2027-05-08", "en"), ("Spring Clean Day", "2027-03-01", "en"),
        ("You may help", "2027-11-08", "en"), ("March for equality", "2027-11-08", "en"),
        ("Non è mai troppo tardi", "2027-11-08", "it"), ("Visita al real estate", "2027-11-08", "it"),
        ("November collection", "2027-10-27", "en"), ("Agenda 2030 quiz", "2027-05-08", "en"),
        ("Volunteers since 2010", "2027-05-08", "en"), ("Volunteering 2026/27", "2027-05-08", "en"),
        ("Volunteering 2026-2027", "2027-05-08", "en"), ("2030 goals for everybody", "2027-05-08", "en"),
        ("Running 10.5 km for charity", "2027-11-08", "en"), ("Helping 24/7", "2027-11-08", "en"),
        ("Green Month 2.0", "2027-11-08", "en"), ("100 for 100", "2027-11-08", "en"),
        ("2000 trees", "2027-11-08", "en"),
        ("Beach day, 8 May", "2027-05-08", "en"), ("1st of May hike", "2027-05-01", "en"),
        ("New trees 8.5.2027", "2027-05-08", "de"), ("Beach day 05/08/2027", "2027-05-08", "en"),
        ("Zajęcia dla 10-letnich dzieci", "2027-11-08", "pl"), ("Maja reads aloud", "2027-11-08", "en"),
        ("Herbstlaub sammeln", "2027-11-08", "de"),
    ],
)  # fmt: skip
def test_a_title_that_goes_with_its_date_gives_no_hint(title: str, on: str, language: str) -> None:
    assert "title_contradicts_date" not in codes(given(title, on=on, language=language))


def test_a_date_that_is_not_known_contradicts_nothing() -> None:
    unknown = given("Christmas in May 2012", starts_on=None, ends_on=None)
    assert "title_contradicts_date" not in codes(unknown)


def test_a_whole_campaign_holds_its_days() -> None:
    assert codes(given("Beach day, 14 November", on="2027-11-09", ends_on=date(2027, 11, 22))) == []


@pytest.mark.parametrize(("year", "day"), [(2015, "04-05"), (2024, "03-31"), (2025, "04-20"), (2038, "04-25")])
def test_easter_is_where_the_calendar_has_it(year: int, day: str) -> None:
    assert easter_sunday(year).isoformat() == f"{year}-{day}"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"summary": "We are 10 + 5 + 5 = 21 people on the beach."}, "sum_wrong"),
        ({"summary": "There are 21 students (10 + 5 + 5) on the beach."}, "sum_wrong"),
        ({"summary": "10 international, 5 local and 5 volunteers took part, 21 in total."}, "sum_wrong"),
        ({"summary": "We were 10 + 5 + 5 students (total: 21)."}, "sum_wrong"),
        ({"summary": "Only for a maximum of 15 students from abroad."}, "capacity_contradicts_text"),
        ({"summary": "Massimo 15 partecipanti, per favore puntuali."}, "capacity_contradicts_text"),
        ({"summary": "We need at least 30 volunteers to plant all trees."}, "capacity_below_minimum"),
        ({"summary": "The participation fee is €5, bus included in it."}, "price_without_cost"),
        ({"summary": "Quota: 3,50 euro a persona, da pagare in loco."}, "price_without_cost"),
        ({"summary": "The participation fee is 5 EUR, bus included.", "cost": Decimal(0)}, "price_without_cost"),
        ({"ends_at": NOON + timedelta(hours=30)}, "implausible_duration"),
        ({"ends_at": NOON}, "implausible_duration"),
        ({"sign_up_closes_at": NOON + timedelta(days=2)}, "sign_up_after_end"),
    ],
)
def test_what_does_not_add_up_is_found(fields: dict[str, Any], code: str) -> None:
    assert codes(given(**fields)) == [code]


@pytest.mark.parametrize(
    "fields",
    [
        {"summary": "We are 10 + 5 + 5 = 20 people on the beach."},
        {"summary": "There are 20 students (10 + 5 + 5) on the beach."},
        {"summary": "10 international, 5 local and 5 volunteers took part, 20 in total."},
        {"summary": "We were 10 + 5 + 5 students (total: 20)."},
        {"summary": "We count 3 schools, 5 local and 5 volunteers, 30 in total."},
        {"summary": "10 + 5 people collected 300 in total, and 10 + 5 people came, total 40 kg."},
        {"summary": "10 international and 5 local students came. In total 300 kg."},
        {"summary": "For at most 20 students from abroad and locals."},
        {"summary": "For at most 15 students from abroad.", "capacity": None},
        {"summary": "We need at least 5 volunteers to plant all trees."},
        {"summary": "Last year we raised 100 EUR for the shelter there."},
        {"summary": "Entry fee: 0 EUR. You only need to be there."},
        {"summary": "The participation fee is €5, bus included.", "cost": Decimal(5)},
        {"summary": "From 10 + 2 to 5 + 5 hours, call 555 12 + 3."},
        {"ends_at": NOON + timedelta(hours=24)},
        {"sign_up_closes_at": NOON + timedelta(hours=3)},
    ],
)
def test_what_adds_up_gives_no_hint(fields: dict[str, Any]) -> None:
    assert codes(given(**fields)) == []


def test_a_draft_of_others_is_not_told_to_who_may_not_read_it() -> None:
    common = frozenset({"IT-SASS-ESN", "IT-MILA-STA"})
    found = [
        Similar("1", "Ours", "draft", common, "IT", 0.95),
        Similar("2", "Theirs", "draft", frozenset({"IT-MILA-STA"}), "IT", 1.0),
        Similar("3", "Public", "published", frozenset({"IT-MILA-STA"}), "IT", 0.7),
    ]
    hints = rules.of_duplicates(found, is_in_reach=lambda other: "IT-SASS-ESN" in other.section_codes)
    assert [(hint.detail.split("“")[1].split("”")[0], hint.weight) for hint in hints] == [("Ours", 3), ("Public", 2)]


def test_hints_come_once_and_the_surest_first() -> None:
    low, high = Hint("a", "#", "low", 1), Hint("b", "#", "high", 3)
    assert rules.in_order([low, high, low]) == [high, low]


def test_the_activities_of_the_past_raise_few_hints_and_the_one_real_contradiction() -> None:
    found: list[tuple[str, str]] = []
    with PAST.open("rb") as stream:
        rows = list(CsvRows(stream, required=past_rows.COLUMNS, optional=past_rows.OPTIONAL_COLUMNS))
    for row in rows:
        past, _ = past_rows.past_activity(row.values)
        is_dated = past.date_precision not in {"unknown", "year"}
        described = Described(
            title=past.title, summary=past.summary, language="en", starts_on=past.starts_on if is_dated else None,
            ends_on=past.ends_on if is_dated else None, starts_at=None, ends_at=None, sign_up_closes_at=None,
            capacity=None, cost=None, further_texts={},
        )  # fmt: skip
        found += [(past.title, hint.code) for hint in judged(described)]
    assert len(rows) == 94
    assert Counter(code for _, code in found) == {"too_short": 4, "title_contradicts_date": 1}
    assert ("Christmas-themed concert", "title_contradicts_date") in found
