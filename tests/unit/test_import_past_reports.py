"""Past activities for the reports: people in three classes, hours, and quantities read from prose by hand."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.impact.reports.past_quantities import quantities_in
from services.impact.reports.past_rows import COLUMNS, PastReportRow, past_report
from services.kernel.imports import Refused, Remark
from tests.flows.recount import recount_files

SAMPLE = Path(__file__).parents[2] / "services" / "activities" / "sample"

with (SAMPLE / "real_activities.csv").open(encoding="utf-8", newline="") as file:
    REAL = {row["id"]: row for row in csv.DictReader(file)}


def read(**changes: str) -> tuple[PastReportRow, list[Remark]]:
    return past_report(dict.fromkeys(COLUMNS, "") | {"id": "1", "status": "done"} | changes)


# Written by reading the prose: what is an amount of something done, given or collected, and which words are left over.
# Left on purpose: how often people met, sub-events, rates, queues, prices, and goods that nobody counted.
QUANTITIES: list[tuple[str, str, list[tuple[str, str, str, str]], list[str]]] = [
    ("4", "dog food brought", [], ["dog food brought"]),
    ("5", "2 classes visited", [("classes", "2", "1", "exactly")], []),
    (
        "13",
        "more than 30 dogs walked; pasta, rice, treats, toys, blankets",
        [("dogs_walked", "30", "1", "more_than")],
        ["pasta, rice, treats, toys, blankets"],
    ),
    ("14", "33 dogs walked; rice, pasta, pet food", [("dogs_walked", "33", "1", "exactly")], ["rice, pasta, pet food"]),
    (
        "16",
        "4 donations of 450 ml (1.8 l)",
        [("blood", "1.8", "l", "exactly"), ("donations", "4", "1", "exactly")],
        [],
    ),
    (
        "23",
        "dishes, appliances, food, clothes left by former students",
        [],
        ["dishes, appliances, food, clothes left by former students"],
    ),
    ("25", "2 visits", [], ["2 visits"]),
    (
        "37",
        "almost 700 EUR; more than 31 boxes of food",
        [("money", "700", "EUR", "almost"), ("food_boxes", "31", "1", "more_than")],
        [],
    ),
    ("38", "100.54 EUR", [("money", "100.54", "EUR", "exactly")], []),
    ("43", "food bought", [], ["food bought"]),
    (
        "46",
        "130 LTL; 6 students visited the children on 13 February",
        [("money", "130", "LTL", "exactly")],
        ["6 students visited the children on 13 February"],
    ),
    ("47", "24 came, 20 donated", [("donations", "20", "1", "exactly")], ["24 came"]),
    (
        "49",
        "more than 20 left in the queue when time was over",
        [],
        ["more than 20 left in the queue when time was over"],
    ),
    ("50", "3 LTL per card", [], ["3 LTL per card"]),
    ("52", "about 3,000 trees", [("trees", "3000", "1", "about")], []),
    ("53", "1,500 oak cuttings", [("cuttings", "1500", "1", "exactly")], []),
    ("55", "hospital corridors painted", [], ["hospital corridors painted"]),
    ("56", "more than 70 postcards to 5 children", [("postcards", "70", "1", "more_than")], ["to 5 children"]),
    ("61", "over 100 events", [], ["over 100 events"]),
    ("64", "books and toys", [], ["books and toys"]),
    (
        "67",
        "100 kg of acorns planted; chocolate boxes for children with leukaemia",
        [("acorns", "100", "kg", "exactly")],
        ["chocolate boxes for children with leukaemia"],
    ),
    ("71", "shifts of 3 hours, whole Saturday", [], ["shifts of 3 hours, whole Saturday"]),
    (
        "74",
        "unsold fruit and vegetables; kilos of strawberries for jam",
        [],
        ["unsold fruit and vegetables", "kilos of strawberries for jam"],
    ),
    ("76", "up to 100 people fed a week", [], ["up to 100 people fed a week"]),
    ("85", "10 sections stated, 11 cities named", [], ["10 sections stated, 11 cities named"]),
    ("86", "11 or more cities", [], ["11 or more cities"]),
    ("88", "0.50 EUR per card; Easter eggs bought", [], ["0.50 EUR per card", "Easter eggs bought"]),
    ("89", "groups of 3 or 4 (COVID-19 rules)", [], ["groups of 3 or 4 (COVID-19 rules)"]),
    ("92", "130 kg of waste", [("waste", "130", "kg", "exactly")], []),
    (
        "95",
        "4 trees (70 kg of CO2 a year); cedars at 16 EUR each",
        [("trees", "4", "1", "exactly")],
        ["70 kg of CO2 a year", "cedars at 16 EUR each"],
    ),
    ("104", "more than 1,200 seeds of native trees sown", [("seeds", "1200", "1", "more_than")], []),
    ("115", "about 10 people brought gloves", [], ["about 10 people brought gloves"]),
    ("122", "one piece of food or 5 EUR per guest", [], ["one piece of food or 5 EUR per guest"]),
    ("124", "3 rehearsals", [], ["3 rehearsals"]),
    ("128", "3 big boxes of clothes and necessities", [("goods_boxes", "3", "1", "exactly")], []),
    ("133", "3 visits", [], ["3 visits"]),
    ("137", "5 Saturdays", [], ["5 Saturdays"]),
]


def test_the_table_of_quantities_covers_the_whole_file() -> None:
    assert [(number, prose) for number, prose, *_ in QUANTITIES] == [
        (number, row["quantities"]) for number, row in REAL.items() if row["quantities"]
    ]


@pytest.mark.parametrize(("number", "prose", "taken", "left"), QUANTITIES)
def test_quantities_are_what_a_careful_reader_takes(
    number: str, prose: str, taken: list[tuple[str, str, str, str]], left: list[str]
) -> None:
    quantities, remarks = quantities_in(prose, "quantities")

    assert [(q.measure, str(q.amount), q.unit, q.qualifier) for q in quantities] == taken
    assert all(quantity.text in prose for quantity in quantities)
    assert len(remarks) == len(left)
    assert all(repr(words) in remark.reason for words, remark in zip(left, remarks, strict=True))
    assert past_report(REAL[number])[0].quantities == quantities


@pytest.mark.parametrize("number", ["50", "88", "95", "122"])
def test_a_price_is_called_a_price(number: str) -> None:
    assert any("a price is not a total" in remark.reason for remark in past_report(REAL[number])[1])


def test_litres_that_do_not_agree_with_the_donations_are_left() -> None:
    quantities, remarks = quantities_in("4 donations of 450 ml (18 l)", "quantities")

    assert [(quantity.measure, quantity.amount) for quantity in quantities] == [("donations", Decimal(4))]
    assert "do not agree" in remarks[0].reason


@pytest.mark.parametrize(
    ("prose", "taken"),
    [
        ("over 300 GBP", ("money", "300", "GBP", "more_than")),
        ("110 garments", ("garments", "110", "1", "exactly")),
        ("1,234,567.50 EUR", ("money", "1234567.50", "EUR", "exactly")),
        ("1,23 EUR", None),
        ("100 XYZ", None),
        ("3 trees and 4 bushes", None),
        ("no trees", None),
        ("-5 trees", None),
    ],
)
def test_other_prose_is_taken_by_the_same_rules(prose: str, taken: tuple[str, str, str, str] | None) -> None:
    quantities, remarks = quantities_in(prose, "quantities")

    assert [(q.measure, str(q.amount), q.unit, q.qualifier) for q in quantities] == ([taken] if taken else [])
    assert len(remarks) == (taken is None)


@given(st.text(max_size=60) | st.from_regex(r"(about )?[0-9]{1,4}(,[0-9]{3})? (EUR|trees|kg of waste)( per \w+)?; .*"))
def test_no_word_is_dropped_in_silence(prose: str) -> None:
    quantities, remarks = quantities_in(prose, "quantities")

    assert len(quantities) + len(remarks) >= sum(bool(part.strip()) for part in prose.split(";"))


# total, international, locals, esn_volunteers, unclassified: written by hand from the columns of the row.
PEOPLE: dict[str, tuple[int, int | None, int | None, int | None, int]] = {
    "4": (25, None, None, None, 25),
    "13": (22, 19, None, 3, 0),
    "14": (11, 9, None, 2, 0),
    "16": (5, 3, None, 2, 0),
    "17": (2, 2, None, None, 0),
    "26": (50, None, None, None, 50),
    "37": (70, None, None, None, 70),
    "47": (24, 8, None, None, 16),
    "49": (46, None, None, None, 46),
    "52": (50, None, None, None, 50),
    "55": (110, 70, 25, 15, 0),
    "58": (7, 7, None, None, 0),
    "61": (500, 500, None, None, 0),
    "71": (20, None, None, None, 20),
    "73": (10, None, None, None, 10),
    "76": (21, 10, 5, 5, 1),
    "88": (40, 30, None, 10, 0),
    "98": (17, None, None, None, 17),
    "101": (16, 8, 8, None, 0),
    "103": (94, None, None, None, 94),
    "112": (37, None, None, None, 37),
    "116": (0, None, None, None, 0),
    "137": (16, 10, None, 6, 0),
}


@pytest.mark.parametrize("number", REAL)
def test_people_are_counted_in_their_classes(number: str) -> None:
    report, _ = past_report(REAL[number])

    expected = PEOPLE.get(number, (None, None, None, None, 0))
    assert (
        report.participants_total,
        report.international,
        report.locals,
        report.esn_volunteers,
        report.unclassified,
    ) == expected


def test_the_totals_are_those_of_the_recount() -> None:
    reports = [past_report(row)[0] for row in REAL.values()]
    held = [report for report in reports if report.outcome == "held"]
    overall = recount_files(SAMPLE / "real_activities.csv", SAMPLE / "social_weeks_and_secm.csv").overall

    assert len(held) == overall.activities
    assert sum(report.participants_total or 0 for report in held) == overall.participants
    assert sum(report.international or 0 for report in held) == overall.international
    assert sum(report.unclassified for report in held) == overall.unclassified


def test_a_total_that_is_more_than_all_its_parts_is_explained() -> None:
    assert past_report(REAL["76"])[1][0] == Remark(
        "participants_total", "21 is more than its parts, 20; the difference counts as unclassified"
    )


def test_parts_that_exceed_the_total_are_taken() -> None:
    report, remarks = read(participants_total="10", international="8", locals="5")

    assert (report.participants_total, report.unclassified) == (13, 0)
    assert remarks == [Remark("participants_total", "10 is less than its parts, 13; the parts were taken")]


@given(*[st.none() | st.integers(0, 1000)] * 4)
def test_the_classes_always_add_up(total: int | None, abroad: int | None, local: int | None, esn: int | None) -> None:
    given_numbers = {"participants_total": total, "international": abroad, "locals": local, "esn_volunteers": esn}
    report, _ = read(**{column: str(number) for column, number in given_numbers.items() if number is not None})

    in_classes = (report.international or 0) + (report.locals or 0) + (report.esn_volunteers or 0)
    assert (report.participants_total or 0) == in_classes + report.unclassified
    assert report.unclassified >= 0
    assert (report.participants_total is None) == (set(given_numbers.values()) == {None})


@pytest.mark.parametrize("number", ["4", "26"])
def test_a_number_that_the_summary_calls_rough_is_explained(number: str) -> None:
    assert "participants_total" in [remark.column for remark in past_report(REAL[number])[1]]


HOURS = {
    "13": 2,
    "14": 2,
    "17": 2,
    "26": 2,
    "35": 2,
    "44": 2,
    "47": 5,
    "49": 2,
    "52": 2,
    "71": 3,
    "112": 1.5,
    "116": 1.5,
}


@pytest.mark.parametrize("number", REAL)
def test_hours_are_the_duration_that_the_source_states(number: str) -> None:
    report, _ = past_report(REAL[number])

    assert report.hours == (Decimal(str(HOURS[number])) if number in HOURS else None)


def test_opening_hours_are_told_from_ones_own() -> None:
    doubted = [number for number, row in REAL.items() if "hours" in [remark.column for remark in past_report(row)[1]]]
    # 28 was announced only, so its hour is not counted; the others give the clock times of the whole event.
    assert doubted == ["26", "28", "35", "47", "116"]


@pytest.mark.parametrize("status", ["cancelled", "announced"])
def test_what_did_not_take_place_has_no_figures(status: str) -> None:
    report, remarks = read(status=status, participants_total="9", hours="2", quantities="5 trees")

    assert (report.outcome, report.participants_total, report.hours, report.quantities) == (status, None, None, ())
    assert [remark.column for remark in remarks] == ["participants_total", "hours", "quantities"]


def test_nobody_came_is_held_with_nobody() -> None:
    report, _ = past_report(REAL["116"])

    assert (report.outcome, report.participants_total) == ("held", 0)
    with pytest.raises(Refused, match="nobody came"):
        read(status="no participants", participants_total="3")


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"status": "perhaps"}, "status"),
        ({"participants_total": "about 20"}, "participants_total"),
        ({"international": "-1"}, "international"),
        ({"locals": "1.5"}, "locals"),
        ({"esn_volunteers": "99999999"}, "esn_volunteers"),
        ({"hours": "two"}, "hours"),
        ({"hours": "0"}, "hours"),
        ({"hours": "1001"}, "hours"),
        ({"hours": "NaN"}, "hours"),
        ({"id": ""}, "id"),
    ],
)
def test_figures_that_cannot_be_read_are_refused(changes: dict[str, str], column: str) -> None:
    with pytest.raises(Refused) as refused:
        read(**changes)
    assert refused.value.column == column
