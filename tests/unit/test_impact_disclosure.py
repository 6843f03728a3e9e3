"""What is decided of each dimension and measure, and what a release keeps."""

from __future__ import annotations

from datetime import date

import pytest

from services.impact.disclosure import rules
from services.impact.disclosure.listing import Row
from services.impact.disclosure.protection import Released
from services.impact.disclosure.rules import Group, Openness, told_rows
from services.impact.statistics.measures import DIMENSIONS, MEASURES
from services.kernel.problems import Invalid


def test_every_dimension_and_measure_that_combines_freely_is_declared_to_be_public() -> None:
    assert set(DIMENSIONS) <= rules.DIMENSIONS.keys()
    assert set(MEASURES) <= rules.MEASURES.keys()
    offered = [*(rules.DIMENSIONS[name] for name in DIMENSIONS), *(rules.MEASURES[name] for name in MEASURES)]
    assert {declared.openness for declared in offered} == {Openness.PUBLIC}


def test_every_table_tells_something_protected_by_something_public() -> None:
    for table in rules.TABLES.values():
        assert rules.DIMENSIONS[table.label].openness is Openness.PROTECTED
        public = "country" if table.rows == "host_country" else table.rows
        assert rules.DIMENSIONS[public].openness is Openness.PUBLIC


@pytest.mark.parametrize("name", [name for name, each in rules.DIMENSIONS.items() if each.openness == "protected"])
def test_a_protected_dimension_is_refused_with_its_tables(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.refuse_protected("by", ["country", f"edition,{name}"])
    (fault,) = refusal.value.errors
    assert fault.pointer == "query/by"
    told = [table.code for table in rules.TABLES.values() if table.label == name]
    assert all(f"/impact/v1/tables/{code}" in fault.detail for code in told)
    rules.refuse_protected("by", ["country", "edition,cause"])


def test_people_who_say_nothing_are_a_label_of_their_own() -> None:
    group = Group(("2026-autumn",), ("IT", "PL"), ("IT-SASS-ESN",), (), None, None, 7)
    ((rows, label),) = rules.counted([group, group], "2026/27", "home_country")
    assert label == "not_stated"
    assert {row.key for row in rows} == {"2026/27", "2026-autumn", "IT", "PL", "IT-SASS-ESN"}
    assert rules.counted([group, group], "2026/27", "home_country") == {(rows, label): 14}


def test_beside_a_section_nothing_is_told_of_fewer_than_ten() -> None:
    assert {table.threshold for table in rules.TABLES.values() if table.rows == "section"} == {10}
    for label in rules.LABELS:
        own = rules.shape_of_sections(label)
        assert own.table not in {shape.table for shape in rules.shapes(label)}
        assert own.within in {shape.table for shape in rules.shapes(label)}


def test_a_year_is_closed_for_sixty_days_first() -> None:
    assert rules.released_from("2025/26") == date(2026, 9, 30)


def test_of_what_is_left_over_only_that_of_everybody_is_told() -> None:
    whole, table = "home-country-by-academic-year", "home-country-by-section"
    rests = {
        Row(f"rest of {table}", f"{whole} 2026/27"): 30,
        Row(f"rest of {table}", "home-country-by-host-country IT"): 20,
        Row(f"rest of {table}", "home-country-by-host-country PL"): 10,
    }
    rows = {Row(whole, "2026/27"): 100, Row(table, "IT-SASS-ESN"): 70, **rests}
    told = told_rows(Released(rows, {(row, "PL"): people for row, people in rows.items()}))
    assert told == [
        (whole, "2026/27", 100, {"PL": 100}),
        (table, "", 30, {"PL": 30}),
        (table, "IT-SASS-ESN", 70, {"PL": 70}),
    ]
