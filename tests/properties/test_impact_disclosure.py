"""Nobody who reads all tables of people, and knows who was where, narrows a withheld count to that of a few."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from services.impact.disclosure.adding import protect_with
from services.impact.disclosure.listing import Row, Shape
from services.impact.disclosure.patience import GaveUp
from services.impact.disclosure.protection import People, Released, protect, protect_in_time
from tests.harness.attacker import FEWEST, SHAPES, disclosures, network

YEAR = Row("year", "2026/27")
SMALL = [(seed, people) for seed in range(5) for people in (12, 40, 100)]
TABLES, SECTIONS = SHAPES[:3], SHAPES[3]


@pytest.mark.parametrize(("seed", "people"), SMALL)
def test_no_withheld_count_can_be_narrowed(seed: int, people: int) -> None:
    made = network(seed, people=people, sections=5, labels=6)
    assert list(disclosures(made, protect(made, SHAPES))) == []


def test_without_complementary_suppression_the_attacker_wins() -> None:
    won = []
    for seed, people in SMALL:
        made = network(seed, people=people, sections=5, labels=6)
        won.append(any(disclosures(made, protect(made, SHAPES, complementary=False))))
    assert sum(won) > len(won) / 2


@pytest.mark.parametrize("seed", range(3))
def test_much_is_told_where_there_are_many(seed: int) -> None:
    made = network(seed, people=3000, labels=12, tables=TABLES)
    primary = protect(made, TABLES, complementary=False)
    assert len(protect(made, TABLES).counts) > 0.8 * len(primary.counts)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_told_is_true_and_large_and_not_everybody(seed: int) -> None:
    made = network(seed, people=200)
    released = protect(made, SHAPES)
    sizes: Counter[Row] = Counter()
    counts: Counter[tuple[Row, str]] = Counter()
    for (rows, label), many in made.items():
        for row in rows:
            sizes[row] += many
            counts[row, label] += many
    assert released.counts
    for (row, label), many in released.counts.items():
        assert many >= (10 if row.table == "section" else FEWEST)
        assert many < released.rows[row]
        if row in sizes:
            assert (many, released.rows[row]) == (counts[row, label], sizes[row])


def _people(*groups: tuple[int, str, str]) -> dict[tuple[frozenset[Row], str], int]:
    return {(frozenset({YEAR, Row("country", country)}), home): many for many, country, home in groups}


YEARS = Shape("year", 5, None)
COUNTRIES = (YEARS, Shape("country", 5, "year"))


def test_a_row_in_which_all_are_alike_tells_nothing() -> None:
    made = _people((12, "IT", "ES"), (20, "PL", "ES"), (30, "PL", "FR"), (25, "PL", "DE"))
    released = protect(made, COUNTRIES)
    assert released.rows[Row("country", "IT")] == 12
    assert not [row for row, _ in released.counts if row == Row("country", "IT")]
    assert list(disclosures(made, released)) == []


def test_a_difference_of_few_is_not_told() -> None:
    made = _people((30, "IT", "ES"), (2, "PL", "ES"), (30, "IT", "FR"), (40, "PL", "FR"), (20, "PL", "DE"))
    released = protect(made, COUNTRIES)
    assert (YEAR, "ES") in released.counts
    assert (Row("country", "IT"), "ES") not in released.counts
    assert list(disclosures(made, released)) == []


def test_rows_of_few_people_are_not_told_apart_and_can_not_be_taken_from_the_others() -> None:
    made = _people((30, "IT", "ES"), (30, "IT", "FR"), (40, "PL", "FR"), (40, "PL", "ES"), (3, "MT", "ES"))
    released = protect(made, COUNTRIES)
    # Malta is the rest of one other country, too, which is large enough to hide it.
    assert Row("country", "MT") not in released.rows
    assert len([row for row in released.rows if row.table == "country"]) == 1
    assert list(disclosures(made, released)) == []


def test_few_people_are_told_in_no_table() -> None:
    assert protect(_people((3, "IT", "ES"), (1, "PL", "FR")), COUNTRIES).rows == {}
    assert protect({}, COUNTRIES).counts == {}


def test_nothing_has_to_be_withheld_where_every_count_is_large() -> None:
    made = _people((30, "IT", "study"), (20, "IT", "traineeship"), (25, "PL", "study"), (9, "PL", "traineeship"))
    assert len(protect(made, COUNTRIES).counts) == 6


@pytest.mark.parametrize("steps", [0, 1_000, 2_000])
def test_what_takes_too_long_is_told_in_fewer_tables_and_as_safely(steps: int) -> None:
    made = network(3, people=100, sections=5, labels=6)
    with pytest.raises(GaveUp):
        protect(made, SHAPES, steps=steps)
    released = protect_in_time(made, SHAPES, steps=steps)
    assert {row.table.removeprefix("rest of ") for row in released.rows} < {shape.table for shape in SHAPES}
    assert list(disclosures(made, released)) == []
    assert bool(released.counts) == (steps > 0)


def test_a_large_and_diverse_year_ends() -> None:
    made = network(11, people=4_000, countries=30, sections=80, labels=40)
    with pytest.raises(GaveUp):
        protect(made, SHAPES, steps=100_000)
    # Nobody has to wait for the last table to be told the first.
    assert {row.table for row in protect_in_time(made, SHAPES, steps=100_000).rows} >= {"year"}


def _without_sections(people: People) -> Counter[tuple[frozenset[Row], str]]:
    found: Counter[tuple[frozenset[Row], str]] = Counter()
    for (rows, label), many in people.items():
        found[frozenset(row for row in rows if row.table != SECTIONS.table), label] += many
    return found


def _of_sections(released: Released) -> dict[tuple[Row, str], int]:
    return {cell: many for cell, many in released.counts.items() if cell[0].table == SECTIONS.table}


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_narrowed_where_sections_are_told_beside_the_other_tables(seed: int) -> None:
    made = network(seed, people=(60, 250, 700)[seed % 3], sections=3 + seed, countries=1 + seed % 3, labels=4)
    released = protect_with(made, TABLES, SECTIONS)
    assert list(disclosures(made, released)) == []
    sizes: Counter[Row] = Counter()
    counts: Counter[tuple[Row, str]] = Counter()
    for (rows, label), many in made.items():
        for row in rows:
            sizes[row] += many
            counts[row, label] += many
    for cell, many in _of_sections(released).items():
        assert many == counts[cell] >= 10
        assert many < released.rows[cell[0]] == sizes[cell[0]]


def test_sections_take_nothing_from_the_other_tables_and_tell_much_of_many() -> None:
    made = network(0, people=3000, labels=12)
    alone, together = protect_in_time(_without_sections(made), TABLES), protect_with(made, TABLES, SECTIONS)
    assert alone.counts.items() <= together.counts.items()
    assert alone.rows.items() <= together.rows.items()
    assert len(_of_sections(together)) > 20


def test_telling_every_large_count_of_a_section_the_attacker_wins() -> None:
    won = []
    for seed in range(6):
        made = network(seed, people=250, sections=5, countries=2, labels=4)
        told = protect_in_time(_without_sections(made), TABLES)
        rows: Counter[Row] = Counter()
        counts: Counter[tuple[Row, str]] = Counter()
        for (each, label), many in made.items():
            for row in each:
                rows[row] += many if row.table == SECTIONS.table else 0
                counts[row, label] += many if row.table == SECTIONS.table else 0
        careless = {cell: many for cell, many in counts.items() if many >= SECTIONS.threshold}
        listed = {row: many for row, many in rows.items() if many >= SECTIONS.threshold}
        won.append(any(disclosures(made, Released({**told.rows, **listed}, {**told.counts, **careless}))))
    assert sum(won) > len(won) / 2


def test_a_country_of_one_section_is_told_as_sparingly_as_the_section() -> None:
    both = [(row, section) for row, section in (("IT", "A"), ("PL", "B"), ("PL", "C"))]
    made = {
        (frozenset({YEAR, Row("country", country), Row("section", section)}), home): many
        for country, section in both
        for home, many in (("ES", 7), ("FR", 30), ("DE", 40), ("PT", 25))
    }
    released = protect_with(made, (YEARS, COUNTRIES[1]), Shape("section", 10, "country"))
    assert (Row("country", "IT"), "ES") not in released.counts
    assert (Row("country", "IT"), "DE") in released.counts
    assert list(disclosures(made, released)) == []


def test_an_edition_that_is_released_by_itself_gives_people_away_once_its_year_is() -> None:
    # Why nothing is released before a year's end: each release by itself is safe, and both together are not.
    won = 0
    for seed in range(6):
        made = network(seed, people=120, sections=3, countries=2, labels=5)
        spring = Row("edition", "spring")
        early: Counter[tuple[frozenset[Row], str]] = Counter()
        for (rows, label), many in made.items():
            if spring in rows:
                early[frozenset({spring, *(row for row in rows if row.table == "country")}), label] += many
        first = protect(early, (Shape("edition", 5, None), Shape("country", 5, "edition")))
        later = protect(_without_sections(made), TABLES)
        assert list(disclosures(early, first)) == []
        counts = {cell: many for cell, many in first.counts.items() if cell[0] == spring}
        both = Released({**later.rows, spring: sum(early.values())}, {**later.counts, **counts})
        won += any(disclosures(_without_sections(made), both))
    assert won


@pytest.mark.parametrize("is_once", [True, False], ids=["each in one year", "some in both"])
def test_two_years_are_safe_together_where_nobody_is_in_both(*, is_once: bool) -> None:
    won = 0
    for seed in range(8):
        dice, known = Random(seed), Counter[tuple[frozenset[Row], str]]()
        years: dict[str, Counter[tuple[frozenset[Row], str]]] = {"autumn": Counter(), "spring": Counter()}
        for (rows, label), many in network(seed, people=150, sections=4, countries=3, labels=5).items():
            taken = [dice.choice(list(years))] if is_once or dice.random() < 0.3 else list(years)
            own = {
                name: {
                    Row("year", name),
                    *(Row("country", f"{name} {row.key}") for row in rows if row.table == "country"),
                }
                for name in taken
            }
            known[frozenset(row for each in own.values() for row in each), label] += many
            for name, each in own.items():
                years[name][frozenset(each), label] += many
        one, other = (protect(made, COUNTRIES) for made in years.values())
        both = Released({**one.rows, **other.rows}, {**one.counts, **other.counts})
        won += any(disclosures(known, both))
    assert bool(won) != is_once
