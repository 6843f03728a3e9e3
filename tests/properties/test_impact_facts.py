"""Totals kept by folding differences equal the totals of a recount, whatever happened in whatever order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.impact.facts.rules import (
    Delta,
    Facts,
    Figures,
    Known,
    Present,
    Quantity,
    Verified,
    difference,
    differences,
    facts_of,
)

ACTIVITIES = [UUID(int=number) for number in range(4)]
AMOUNTS = st.decimals(min_value="0.01", max_value="999", places=2)
HEADS = st.none() | st.integers(min_value=0, max_value=50)
SEEN = st.integers(min_value=0, max_value=50)
REPORTS = st.builds(
    Verified,
    stands_for_its_series=st.just(True),
    source=st.sampled_from(["check_in", "organiser"]),
    outcome=st.sampled_from(["held", "shrunk", "cancelled"]),
    international=HEADS,
    local=HEADS,
    esn_volunteer=HEADS,
    unclassified=HEADS,
    hours=st.none() | AMOUNTS,
    beneficiaries=HEADS,
    newcomers=HEADS,
    returning=HEADS,
    quantities=st.dictionaries(
        st.sampled_from([Quantity("waste", "kg"), Quantity("waste", "t"), Quantity("money", "EUR")]), AMOUNTS
    ),
)
KNOWN = st.builds(
    Known,
    section=st.sampled_from(["IT-MILA-STA", None]),
    country=st.sampled_from(["IT", "ES"]),
    platform=st.sampled_from(["SWEP", None]),
    edition=st.none(),
    starts_on=st.sampled_from([None, date(2016, 7, 31), date(2016, 8, 1)]),
    areas=st.lists(st.sampled_from(["environment", "animals"]), max_size=2),
    causes=st.just(()),
    sdgs=st.sets(st.sampled_from([13, 14])).map(tuple),
    objectives=st.just(()),
    kind=st.just("volunteering"),
    programme=st.just("socialerasmus"),
    verified=st.none() | REPORTS,
    present=st.none() | st.builds(Present, SEEN, SEEN, SEEN, AMOUNTS),
)
CHANGES = st.lists(st.lists(st.tuples(st.sampled_from(ACTIVITIES), KNOWN), max_size=4), max_size=10)
"""Batches of changes; each is all that is known of one activity from then on."""


class Totals:
    """The tables of totals as a model: a cell in which nothing is left has no row."""

    def __init__(self) -> None:
        self.figures: dict[tuple[object, ...], Figures] = {}
        self.amounts: dict[tuple[object, ...], Decimal] = {}

    def add(self, delta: Delta) -> None:
        for key, figures in [*delta.figures.items(), *delta.label_figures.items()]:
            self.figures[key] = self.figures.get(key, Figures()).plus(figures)
            if not any(self.figures[key]):
                del self.figures[key]
        for name, amount in [*delta.quantities.items(), *delta.label_quantities.items()]:
            self.amounts[name] = self.amounts.get(name, Decimal(0)) + amount
            if not self.amounts[name]:
                del self.amounts[name]

    def cells(self) -> tuple[Mapping[tuple[object, ...], Figures], Mapping[tuple[object, ...], Decimal]]:
        return self.figures, self.amounts


def recounted(facts: Mapping[UUID, Facts | None]) -> Totals:
    totals = Totals()
    for each in facts.values():
        if each is None:
            continue
        for key in [each.cell, *((each.cell, label) for label in each.labels)]:
            before = totals.figures.get(key, Figures())
            totals.figures[key] = Figures(*(mine + theirs for mine, theirs in zip(before, each.figures, strict=True)))
        for quantity, amount in each.quantities.items():
            for name in [(each.cell, quantity), *((each.cell, label, quantity) for label in each.labels)]:
                totals.amounts[name] = totals.amounts.get(name, Decimal(0)) + amount
    totals.figures = {key: figures for key, figures in totals.figures.items() if any(figures)}
    return totals


@given(CHANGES)
def test_folding_differences_gives_the_totals_of_a_recount(changes: list[list[tuple[UUID, Known]]]) -> None:
    facts: dict[UUID, Facts | None] = {}
    folded = Totals()
    for batch in changes:
        after = {activity_id: facts_of(known) for activity_id, known in batch}
        folded.add(differences((facts.get(activity_id), each) for activity_id, each in after.items()))
        facts |= after
    assert folded.cells() == recounted(facts).cells()


@given(KNOWN)
def test_folding_the_same_state_twice_changes_nothing(known: Known) -> None:
    assert difference(facts_of(known), facts_of(known)) == Delta()


@given(KNOWN, KNOWN)
def test_what_is_folded_in_and_out_again_leaves_no_cell(first: Known, second: Known) -> None:
    totals = Totals()
    for before, after in ((None, first), (first, second), (second, None)):
        totals.add(difference(before and facts_of(before), after and facts_of(after)))
    assert totals.cells() == ({}, {})


@given(KNOWN, REPORTS)
def test_every_report_counts_as_one_activity_held_or_cancelled(known: Known, report: Verified) -> None:
    alone = facts_of(replace(known, verified=report, present=None))
    assert alone is not None
    assert (alone.figures.activities + alone.figures.cancelled, alone.figures.reports) == (1, 1)
    other = facts_of(replace(known, verified=replace(report, stands_for_its_series=False), present=None))
    assert other is not None
    assert other.figures == alone.figures._replace(activities=0, cancelled=0)
    if report.outcome == "cancelled":
        assert alone.figures == Figures(reports=1, cancelled=1)
        assert not alone.quantities


@given(KNOWN, st.builds(Present, SEEN, SEEN, SEEN, AMOUNTS))
def test_presences_count_whatever_a_report_says(known: Known, present: Present) -> None:
    facts, without = facts_of(replace(known, present=present)), facts_of(replace(known, present=None))
    assert facts is not None
    assert facts.figures.attendances == present.international + present.local + present.esn_volunteer
    assert facts.figures.checked_in_hours == present.hours
    seen = Figures(
        attendances_international=present.international,
        attendances_local=present.local,
        attendances_esn_volunteer=present.esn_volunteer,
        checked_in_hours=present.hours,
    )
    assert facts.figures == (without.figures.plus(seen) if without else seen)


def test_nothing_known_but_an_activity_is_no_fact() -> None:
    known = Known(None, None, "IT-MILA-STA", "IT", None, None, None, (), (), (), (), "volunteering", "socialerasmus")
    assert facts_of(known) is None
