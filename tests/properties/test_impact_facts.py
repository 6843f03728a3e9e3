"""Totals kept by folding differences equal the totals of a recount, whatever happened in whatever order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.impact.facts.rules import Cell, Delta, Facts, Figures, Quantity, Verified, difference, facts_of

ACTIVITIES = [UUID(int=number) for number in range(4)]
AMOUNTS = st.decimals(min_value="0.01", max_value="999", places=2)
HEADS = st.none() | st.integers(min_value=0, max_value=50)
REPORTS = st.builds(
    Verified,
    activity_id=st.just(ACTIVITIES[0]),
    section=st.sampled_from(["IT-MILA-STA", None]),
    country=st.sampled_from(["IT", "ES"]),
    edition=st.none(),
    starts_on=st.sampled_from([None, date(2016, 7, 31), date(2016, 8, 1)]),
    areas=st.lists(st.sampled_from(["environment", "animals"]), max_size=2),
    causes=st.just(()),
    kind=st.just("volunteering"),
    programme=st.just("socialerasmus"),
    source=st.sampled_from(["check_in", "organiser"]),
    outcome=st.sampled_from(["held", "shrunk", "cancelled"]),
    international=HEADS,
    local=HEADS,
    esn_volunteer=HEADS,
    unclassified=HEADS,
    attendances=st.integers(min_value=0, max_value=50),
    hours=st.none() | AMOUNTS,
    quantities=st.dictionaries(
        st.sampled_from([Quantity("waste", "kg"), Quantity("waste", "t"), Quantity("money", "EUR")]), AMOUNTS
    ),
)
CHANGES = st.lists(st.tuples(st.sampled_from(ACTIVITIES), st.none() | REPORTS), max_size=30)
"""Each change is the state of one activity from then on: a verified report, or none that is verified."""


class Totals:
    """The tables of totals as a model: a cell in which nothing is left has no row."""

    def __init__(self) -> None:
        self.figures: dict[Cell, Figures] = {}
        self.quantities: dict[tuple[Cell, Quantity], Decimal] = {}

    def add(self, delta: Delta) -> None:
        for cell, figures in delta.figures.items():
            self.figures[cell] = self.figures.get(cell, Figures()).plus(figures)
            if not any(self.figures[cell]):
                del self.figures[cell]
        for key, amount in delta.quantities.items():
            self.quantities[key] = self.quantities.get(key, Decimal(0)) + amount
            if not self.quantities[key]:
                del self.quantities[key]

    def cells(self) -> tuple[Mapping[Cell, Figures], Mapping[tuple[Cell, Quantity], Decimal]]:
        return self.figures, self.quantities


def recounted(facts: Mapping[UUID, Facts | None]) -> Totals:
    totals = Totals()
    for each in facts.values():
        if each is None:
            continue
        before = totals.figures.get(each.cell, Figures())
        totals.figures[each.cell] = Figures(*(mine + theirs for mine, theirs in zip(before, each.figures, strict=True)))
        for quantity, amount in each.quantities.items():
            key = (each.cell, quantity)
            totals.quantities[key] = totals.quantities.get(key, Decimal(0)) + amount
    return totals


@given(CHANGES)
def test_folding_differences_gives_the_totals_of_a_recount(changes: list[tuple[UUID, Verified | None]]) -> None:
    facts: dict[UUID, Facts | None] = {}
    folded = Totals()
    for activity_id, report in changes:
        after = None if report is None else facts_of(report)
        folded.add(difference(facts.get(activity_id), after))
        facts[activity_id] = after
    assert folded.cells() == recounted(facts).cells()


@given(REPORTS)
def test_folding_the_same_state_twice_changes_nothing(report: Verified) -> None:
    assert difference(facts_of(report), facts_of(report)) == Delta()


@given(REPORTS, REPORTS)
def test_what_is_folded_in_and_out_again_leaves_no_cell(first: Verified, second: Verified) -> None:
    totals = Totals()
    for before, after in ((None, first), (first, second), (second, None)):
        totals.add(difference(before and facts_of(before), after and facts_of(after)))
    assert totals.cells() == ({}, {})


@given(REPORTS)
def test_every_report_counts_as_one_activity_held_or_cancelled(report: Verified) -> None:
    figures = facts_of(report).figures
    assert figures.activities + figures.cancelled == 1
    other = facts_of(replace(report, stands_for_its_series=False))
    assert other.figures == figures._replace(activities=0, cancelled=0)
    if report.outcome == "cancelled":
        assert figures == Figures(cancelled=1)
        assert not facts_of(report).quantities
