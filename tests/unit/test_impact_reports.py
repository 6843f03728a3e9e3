"""What may be reported, by whom and when, and what past reports become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from services.impact.projections.rules import CheckedIn
from services.impact.reports import rules
from services.impact.reports.measures import fault_of_unit
from services.impact.reports.past_figures import PastQuantity, figures_of, quantities_of
from services.impact.reports.past_quantities import Quantity
from services.impact.reports.past_rows import PastReportRow
from services.impact.reports.rules import Outcome, Qualifier, Source, State, Verb
from services.impact.reports.schemas import ReportIn
from services.impact.reports.units import UCUM
from services.kernel.currencies import CURRENCIES

NOW = datetime(2026, 11, 14, 9, tzinfo=UTC)
PEOPLE = {"international": 3, "local": 1, "esn_volunteer": 2}


def places_of_faults(body: Any) -> set[str]:
    with pytest.raises(ValidationError) as refusal:
        ReportIn.model_validate(body)
    return {"/".join(map(str, fault["loc"])) for fault in refusal.value.errors()}


def quantity(**changes: Any) -> dict[str, Any]:
    return {"measure": "waste", "unit": "kg", "amount": "130", **changes}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"outcome": "shrunk"}, "reason"),
        ({"outcome": "cancelled"}, "reason"),
        ({"outcome": "cancelled", "reason": "Rain", "participants": PEOPLE}, "participants"),
        ({"outcome": "cancelled", "reason": "Rain", "hours": "2"}, "hours"),
        ({"outcome": "cancelled", "reason": "Rain", "beneficiaries": 4}, "beneficiaries"),
        ({"outcome": "cancelled", "reason": "Rain", "quantities": [quantity()]}, "quantities"),
        ({"outcome": "held", "participants": {**PEOPLE, "local": "1"}}, "participants/local"),
        ({"outcome": "held", "participants": {**PEOPLE, "local": -1}}, "participants/local"),
        ({"outcome": "held", "participants": {**PEOPLE, "local": True}}, "participants/local"),
        ({"outcome": "held", "hours": "1.234"}, "hours"),
        ({"outcome": "held", "hours": True}, "hours"),
        ({"outcome": "held", "hours": float("inf")}, "hours"),
        ({"outcome": "held", "hours": "١"}, "hours"),
        ({"outcome": "held", "quantities": [quantity(amount="0")]}, "quantities/0/amount"),
        ({"outcome": "held", "quantities": [quantity(amount="1e400")]}, "quantities/0/amount"),
        ({"outcome": "held", "quantities": [quantity(amount="-1")]}, "quantities/0/amount"),
        ({"outcome": "held", "quantities": [quantity(measure="Waste")]}, "quantities/0/measure"),
        ({"outcome": "held", "quantities": [quantity(unit="kgs")]}, "quantities/0/unit"),
        ({"outcome": "held", "quantities": [quantity(unit="EUR")]}, "quantities/0/unit"),
        ({"outcome": "held", "quantities": [quantity(measure="money")]}, "quantities/0/unit"),
        ({"outcome": "held", "quantities": [quantity(), quantity(amount="2")]}, "quantities"),
    ],
)
def test_a_report_that_contradicts_itself_is_refused_at_its_place(body: dict[str, Any], place: str) -> None:
    assert places_of_faults(body) == {place}


def test_one_measure_may_have_several_units() -> None:
    report = ReportIn.model_validate({"outcome": "held", "quantities": [quantity(), quantity(unit="t", amount=2)]})
    assert [each.amount for each in report.quantities] == [Decimal(130), Decimal(2)]


def test_no_unit_is_also_a_currency() -> None:
    assert not CURRENCIES & set(UCUM)
    assert all(fault_of_unit("money", code) is None for code in CURRENCIES)


@pytest.mark.parametrize(
    ("verb", "possible"),
    [
        (Verb.SUBMIT, {State.DRAFT, State.RETURNED}),
        (Verb.VERIFY, {State.SUBMITTED}),
        (Verb.RETURN, {State.SUBMITTED, State.VERIFIED}),
    ],
)
@pytest.mark.parametrize("state", State)
def test_a_verb_is_refused_in_every_other_state(verb: Verb, possible: set[State], state: State) -> None:
    if state in possible:
        assert rules.next_state(state, verb) not in possible
    else:
        with pytest.raises(rules.WrongReportState):
            rules.next_state(state, verb)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.VERIFIED])
def test_figures_before_a_verifier_cannot_be_changed(state: State) -> None:
    with pytest.raises(rules.WrongReportState):
        rules.check_editable(state)


@pytest.mark.parametrize(
    ("outcome", "activity_state", "starts_at", "refusal"),
    [
        (Outcome.HELD, "published", NOW - timedelta(hours=1), None),
        (Outcome.HELD, "published", NOW, None),
        (Outcome.HELD, "published", NOW + timedelta(seconds=1), rules.ReportTooEarly),
        (Outcome.SHRUNK, "published", NOW + timedelta(seconds=1), rules.ReportTooEarly),
        (Outcome.HELD, "published", None, None),
        (Outcome.HELD, "held", NOW + timedelta(days=1), None),
        (Outcome.HELD, "cancelled", NOW - timedelta(days=1), rules.ActivityWasCancelled),
        (Outcome.CANCELLED, "published", NOW + timedelta(days=1), None),
        (Outcome.CANCELLED, "cancelled", None, None),
    ],
)
def test_an_activity_is_reported_once_it_has_started(
    outcome: Outcome, activity_state: str, starts_at: datetime | None, refusal: type[Exception] | None
) -> None:
    if refusal is None:
        rules.check_timely(outcome, activity_state=activity_state, starts_at=starts_at, now=NOW)
    else:
        with pytest.raises(refusal):
            rules.check_timely(outcome, activity_state=activity_state, starts_at=starts_at, now=NOW)


@pytest.mark.parametrize(
    ("people", "present", "source"),
    [
        ((3, 1, 2, 0), CheckedIn(3, 1, 2, None), Source.CHECK_IN),
        ((4, 1, 2, 0), CheckedIn(3, 1, 2, None), Source.ORGANISER),
        ((3, 1, 2, 1), CheckedIn(3, 1, 2, None), Source.ORGANISER),
        ((0, 0, 0, 0), CheckedIn(0, 0, 0, None), Source.ORGANISER),
    ],
)
def test_the_source_is_check_in_only_where_nothing_was_corrected(
    people: tuple[int, int, int, int], present: CheckedIn, source: Source
) -> None:
    assert rules.source_of(people, present) is source


def past(**changes: Any) -> PastReportRow:
    told: dict[str, Any] = {
        "source_id": "1", "outcome": "held", "participants_total": 25, "international": 20, "locals": None,
        "esn_volunteers": None, "unclassified": 5, "hours": Decimal("2.5"), "quantities": (), "partner": None,
    }  # fmt: skip
    return PastReportRow(**{**told, **changes})


def test_past_hours_are_the_duration_times_the_people() -> None:
    assert figures_of(past())["hours"] == Decimal("62.50")


@pytest.mark.parametrize(
    "changes", [{"hours": None}, {"participants_total": None, "international": None, "unclassified": 0}]
)
def test_past_hours_are_unknown_where_a_factor_is(changes: dict[str, Any]) -> None:
    assert figures_of(past(**changes))["hours"] is None


def test_past_people_that_are_not_stated_stay_so() -> None:
    figures = figures_of(past(participants_total=None, international=None, unclassified=0))
    assert {figures[name] for name in ("international", "local", "esn_volunteer", "unclassified")} == {None}


def test_past_amounts_of_one_unit_are_added_and_the_vaguest_word_stands() -> None:
    parts = (
        Quantity("money", Decimal(100), "EUR", "exactly", ""),
        Quantity("money", Decimal("0.54"), "EUR", "about", ""),
        Quantity("money", Decimal(130), "LTL", "exactly", ""),
    )
    assert quantities_of(past(quantities=parts)) == [
        PastQuantity("money", "EUR", Decimal("100.54"), Qualifier.ABOUT),
        PastQuantity("money", "LTL", Decimal(130), Qualifier.EXACTLY),
    ]
