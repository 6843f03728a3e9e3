"""How a question for figures is read, and where a fact counts."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from services.impact.facts.academic_years import academic_year_of, listed, year_of
from services.impact.facts.rules import Cell, Figures, month_of
from services.impact.statistics.measures import DEFAULT_MEASURES, DIMENSIONS, MEASURES, QUANTITIES
from services.impact.statistics.rules import Asked, Counting, Group, check, names, nulls, of_classes, row
from services.kernel.problems import Invalid


@pytest.mark.parametrize(
    ("day", "month", "year"),
    [
        (date(2016, 7, 31), "2016-07", "2015/16"),
        (date(2016, 8, 1), "2016-08", "2016/17"),
        (date(2016, 12, 31), "2016-12", "2016/17"),
        (date(1999, 9, 1), "1999-09", "1999/00"),
    ],
)
def test_a_day_lies_in_its_month_and_academic_year(day: date, month: str, year: str) -> None:
    assert (month_of(day), academic_year_of(day)) == (month, year)


def test_the_listed_academic_years_follow_each_other_and_have_their_codes() -> None:
    years = listed()
    assert len(years) > 20
    for year, following in pairwise(years):
        assert (following.starts_on - year.ends_on).days == 1
    for year in years:
        assert year_of(year.starts_on) == year_of(year.ends_on) == year
        assert year.code == f"{year.starts_on.year}/{year.ends_on:%y}"


def test_a_day_that_no_listed_year_holds_is_in_a_year_from_august() -> None:
    assert academic_year_of(date(1987, 6, 15)) == "1986/87"
    assert academic_year_of(date(2099, 8, 1)) == "2099/00"


def test_names_may_be_repeated_or_separated_by_commas() -> None:
    assert names("by", ["country,area", "month"], DIMENSIONS) == ("country", "area", "month")


@pytest.mark.parametrize("value", ["", "home_country", "country,", "country;area", "COUNTRY"])
def test_an_unknown_name_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        names("by", [value], DIMENSIONS)
    assert [fault.pointer for fault in refusal.value.errors] == ["query/by"]
    assert "home_country" not in refusal.value.errors[0].detail


@pytest.mark.parametrize(
    ("written", "near"),
    [("contry", "country"), ("academicyear", "academic_year"), ("SDG", "sdg"), ("section_", "section")],
)
def test_the_nearest_name_is_a_hint(written: str, near: str) -> None:
    with pytest.raises(Invalid) as refusal:
        names("by", [written], DIMENSIONS)
    assert f"Perhaps {near}?" in refusal.value.errors[0].detail


def test_a_name_is_given_once() -> None:
    with pytest.raises(Invalid) as refusal:
        names("by", ["country,area", "country"], DIMENSIONS)
    assert [fault.detail for fault in refusal.value.errors] == ["Name 3 was given before: country."]


@pytest.mark.parametrize(
    ("by", "codes", "counting"),
    [
        (("area", "cause"), {}, "touches"),
        (("area",), {"sdg": ("13",)}, "touches"),
        ((), {"sdg": ("13",), "objective": ("a",)}, "main"),
        ((), {"sdg": ("13", "14")}, "main"),
        (("country",), {"area": ("health", "animals")}, "touches"),
    ],
)
def test_touches_of_several_labels_are_read_from_the_facts(
    by: tuple[str, ...], codes: dict[str, tuple[str, ...]], counting: str
) -> None:
    asked = Asked(by, DEFAULT_MEASURES, codes, counting=Counting(counting))
    check(asked)
    assert asked.is_of_facts


@pytest.mark.parametrize(
    ("by", "codes", "counting"),
    [
        (("area", "cause", "sdg"), {}, "main"),
        (("sdg",), {"area": ("health", "animals")}, "main"),
        (("area",), {"area": ("health",)}, "touches"),
        (("area",), {"area": ("health", "animals")}, "touches"),
        (("country",), {"area": ("health", "animals")}, "main"),
        (("country", "kind"), {}, "touches"),
    ],
)
def test_one_label_of_touches_is_read_from_totals_beside_any_other_dimension(
    by: tuple[str, ...], codes: dict[str, tuple[str, ...]], counting: str
) -> None:
    asked = Asked(by, DEFAULT_MEASURES, codes, counting=Counting(counting))
    check(asked)
    assert not asked.is_of_facts


@pytest.mark.parametrize(
    ("measure", "by"),
    [
        ("hours", "participant_class"),
        ("participants_local", "participant_class"),
        ("quantities", "participant_class"),
        ("hours_per_participant", "participant_class"),
        ("reporting_rate", "source"),
        ("activities_due", "sdg"),
    ],
)
def test_a_measure_that_is_named_and_cannot_be_split_so_is_refused_and_otherwise_empty(measure: str, by: str) -> None:
    asked = Asked((by,), (measure, "participants"))
    with pytest.raises(Invalid) as refusal:
        check(asked, named=[measure])
    (fault,) = refusal.value.errors
    assert (fault.pointer, by in fault.detail, "participants" in fault.detail) == ("query/measures", True, True)
    assert list(nulls(asked)) == [measure]


def test_classes_add_up_to_the_people_and_nobody_is_told_of_a_class_without_anybody() -> None:
    figures = Figures(activities=2, participants_international=3, participants_local=4, participants_unclassified=5)
    asked = Asked(("participant_class", "country"), ("participants",))
    found = of_classes([Group(("IT",), figures, ()), Group(("PT",), Figures(activities=1), ())], asked)
    told = [row(group, asked.by, asked.measures) for group in found]
    assert [(each["participant_class"], each["country"], each["participants"]) for each in told] == [
        ("esn_volunteer", "IT", 0),
        ("esn_volunteer", "PT", 0),
        ("international", "IT", 3),
        ("international", "PT", 0),
        ("local", "IT", 4),
        ("local", "PT", 0),
        (None, "IT", 5),
    ]


def test_a_ratio_without_anything_to_divide_by_is_null_and_named() -> None:
    told = row(Group((), Figures(activities=1), ()), (), ("participants_per_activity", "hours_per_participant"))
    assert told == {
        "participants_per_activity": 0.0,
        "hours_per_participant": None,
        "suppressed": ["hours_per_participant"],
    }


def test_filters_are_told_in_the_words_of_the_request() -> None:
    asked = Asked((), DEFAULT_MEASURES, {"edition": ("2026-autumn",), "country": ("IT", "ES")}, until=date(2026, 1, 2))
    assert asked.filters() == {"edition": "2026-autumn", "country": ["IT", "ES"], "to": "2026-01-02"}


def test_what_is_not_stated_is_null() -> None:
    told = row(Group((None,), Figures(activities=1), ()), ("edition",), ("activities", QUANTITIES))
    assert told == {"edition": None, "activities": 1, "quantities": [], "suppressed": []}


def test_every_dimension_and_column_of_a_measure_is_one_of_the_totals() -> None:
    assert set(DIMENSIONS) - {"sdg", "objective", "participant_class"} < set(Cell._fields)
    assert {column for measure in MEASURES.values() for column in measure.columns} <= set(Figures._fields)
    assert set(DEFAULT_MEASURES) <= set(MEASURES)


def test_every_ratio_is_of_two_measures_that_add_up_and_can_be_split_alike() -> None:
    for measure in MEASURES.values():
        if measure.is_ratio:
            parts = [MEASURES[name] for name in (measure.numerator, measure.denominator) if name]
            assert len(parts) == 2
            assert not any(part.is_ratio for part in parts)
            assert all(measure.splits <= part.splits for part in parts)
