"""What amounts can be amounts of: a list in which everything has its units, and in which the past is found again."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from services.impact.reports import past_quantities
from services.impact.reports.measures import KNOWN, MONEY, fault_of_measure, fault_of_unit, most_of, units_of
from services.impact.reports.units import BASES, OF_LITTLE_VALUE, UCUM
from services.kernel.currencies import CURRENCIES

PAST = Path(__file__).parents[1] / "flows" / "past_quantities.csv"


def test_every_unit_has_a_base_in_which_it_is_compared() -> None:
    assert set(BASES) == set(UCUM)
    assert all(BASES[base.unit] == (base.unit, Decimal(1)) for base in BASES.values())


def test_every_measure_has_units_and_none_is_thought_to_move_nothing() -> None:
    for code, measure in KNOWN.items():
        assert measure.units, code
        assert set(measure.most) <= {base.unit for base in BASES.values()}, code
        assert all(most_of(code, unit) > 0 for unit in measure.units)
        assert fault_of_measure(code) is None
    assert MONEY not in KNOWN


def test_currencies_of_little_value_are_currencies() -> None:
    assert OF_LITTLE_VALUE < CURRENCIES
    assert most_of("money", "JPY") > most_of("money", "EUR")


def test_what_is_read_from_old_prose_can_be_reported_today() -> None:
    with PAST.open(encoding="utf-8", newline="") as file:
        rows = [(row["measure"], row["unit"], Decimal(row["amount"])) for row in csv.DictReader(file)]
    assert len(rows) == 18
    for measure, unit, amount in rows:
        assert (fault_of_measure(measure), fault_of_unit(measure, unit)) == (None, None)
        assert amount < most_of(measure, unit)
    for reading in past_quantities._READINGS:
        assert fault_of_measure(reading.measure) is None
        assert reading.measure == MONEY or reading.unit in units_of(reading.measure)


@pytest.mark.parametrize(
    ("measure", "unit", "most"),
    [
        ("waste", "m3", "1000"),
        ("distance", "km", "50000"),
        ("lessons", "min", "120000"),
        ("area_cleaned", "har", "100"),
        ("other:benches", "t", "200"),
        # As an import may have it.
        ("trees", "kg", "200000"),
        ("of_the_past", "l", "1000000"),
    ],
)
def test_the_most_is_told_in_the_unit_of_the_amount(measure: str, unit: str, most: str) -> None:
    assert most_of(measure, unit).quantize(Decimal("0.01")) == Decimal(most)
