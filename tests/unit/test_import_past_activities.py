"""Past activities for the catalogue: what a careful reader makes of each kind of row."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.campaigns.edition_rows import COLUMNS as EDITION_COLUMNS
from services.activities.campaigns.edition_rows import OPTIONAL_COLUMNS as OPTIONAL_EDITION_COLUMNS
from services.activities.campaigns.edition_rows import EditionRow, edition_for, edition_in_list
from services.activities.past.past_rows import (
    CAUSE_OF_AREA,
    COLUMNS,
    OPTIONAL_COLUMNS,
    PastActivityRow,
    past_activity,
)
from services.activities.taxonomies.rules import AREAS, CAUSES
from services.kernel.imports import CsvRows, Refused, Remark, parsed
from tests.flows.recount import recount_files

SAMPLE = Path(__file__).parents[2] / "services" / "activities" / "sample"

PLAIN = {
    "id": "1",
    "title": "Dog Walking",
    "section": "ESN Košice",
    "section_code": "SK-KOSI-ESN",
    "city": "Košice",
    "country": "SK",
    "start_date": "2016-11-13",
    "end_date": "2016-11-13",
    "date_certainty": "stated",
    "area_2015": "Animals",
    "kind": "volunteering",
    "status": "done",
    "source_url": "https://kosice.esn.sk/news",
}


def read(**changes: str) -> tuple[PastActivityRow, list[Remark]]:
    return past_activity(dict.fromkeys((*COLUMNS, *OPTIONAL_COLUMNS), "") | PLAIN | changes)


def columns_of(remarks: list[Remark]) -> list[str | None]:
    return [remark.column for remark in remarks]


@pytest.fixture(scope="module")
def real() -> dict[str, tuple[PastActivityRow, list[Remark]]]:
    with (SAMPLE / "real_activities.csv").open("rb") as file:
        rows = CsvRows(file, required=COLUMNS, optional=OPTIONAL_COLUMNS)
        taken = {row.values["id"]: parsed(row, past_activity) for row in rows}
    assert not rows.remarks
    return taken


def test_every_real_row_is_taken(real: dict[str, tuple[PastActivityRow, list[Remark]]]) -> None:
    assert len(real) == 94


def test_a_plain_row_is_taken_without_remarks() -> None:
    activity, remarks = read(summary="About 25  students", partner="dog shelter; city", sdgs_stated="11;4")

    assert remarks == []
    assert (activity.title, activity.summary, activity.organiser_name) == (
        "Dog Walking",
        "About 25 students",
        "ESN Košice",
    )
    assert (activity.section_code, activity.section_certain, activity.joint) == ("SK-KOSI-ESN", True, False)
    assert (activity.area, activity.area_certain) == ("animals", False)
    assert (activity.kind, activity.programme, activity.mode) == ("volunteering", "socialerasmus", "physical")
    assert (activity.outcome, activity.partners, activity.sdgs) == ("held", ("dog shelter", "city"), (4, 11))


def test_texts_are_composed_and_their_blanks_single() -> None:
    assert read(title="Kos\u030cice \u00a0 walks")[0].title == "Ko\u0161ice walks"


ORGANISERS = [
    # id, name, code, stated by the source, several organisers
    ("1", "ESN Košice", "SK-KOSI-ESN", True, False),
    ("19", "ESN UMB Banská Bystrica", None, False, False),
    ("22", "ESN UMB with the ESN sections of Nitra", None, False, True),
    ("37", "ESN Kalmar with ESN Izmir United", "SE-KALM-ESN", True, True),
    ("47", "three ESN sections in Kaunas (ESN VMU and others)", None, False, True),
    ("52", "ESN UKSW with other Warsaw sections", "PL-WARS-UKS", True, True),
    ("55", "ESN sections of Warsaw", None, False, True),
    ("61", "ESN Poland (27 sections)", None, False, True),
    ("62", "ESN International with ESN Poland", None, False, True),
    ("67", "International committee, University of Debrecen", None, False, False),
    ("76", "ESN Bari", "IT-BARI-ESN", False, False),
    ("83", "ESN Italy with ELSA Italy", None, False, True),
    ("85", "ten sections of ESN Italy", None, False, True),
    ("97", None, None, False, False),
    ("98", "three ESN sections of Valencia", None, False, True),
    ("100", "ESN Spain section", None, False, False),
    ("103", "ESN Spain", None, False, False),
    ("133", "ESN BelUPgrade", "YU-BELG-UPG", True, False),
]


@pytest.mark.parametrize("expected", ORGANISERS, ids=lambda expected: expected[0])
def test_organisers_are_what_the_source_says(
    real: dict[str, tuple[PastActivityRow, list[Remark]]], expected: tuple[str, str | None, str | None, bool, bool]
) -> None:
    number, name, code, is_certain, is_joint = expected
    activity, remarks = real[number]

    assert (activity.organiser_name, activity.section_code) == (name, code)
    assert (activity.section_certain, activity.joint) == (is_certain, is_joint)
    is_plain = is_certain and not is_joint
    assert is_plain != any(column in ("section", "section_code") for column in columns_of(remarks))


def test_a_row_without_section_and_country_is_kept_and_explained(
    real: dict[str, tuple[PastActivityRow, list[Remark]]],
) -> None:
    activity, remarks = real["97"]

    assert (activity.organiser_name, activity.city, activity.country, activity.starts_on) == (None, None, None, None)
    assert columns_of(remarks) == ["section", "country", "start_date"]


DATES = [
    # id, first and last day, whether the first is known to the day, precision
    ("1", "2016-11-07", "2016-11-13", True, "week"),
    ("4", "2016-11-13", "2016-11-13", True, "day"),
    ("22", "2016-11-12", "2016-11-12", True, "day"),
    ("23", "2014-09-01", "2014-12-31", False, "semester"),
    ("31", "None", "None", False, "unknown"),
    ("41", "2016-11-07", "2016-11-13", True, "week"),
    ("46", "None", "None", False, "unknown"),
    ("50", "2012-03-02", "2012-03-04", True, "day"),
    ("61", "2018-11-11", "None", True, "day"),
    ("64", "2018-12-01", "2018-12-31", False, "month"),
    ("68", "2024-11-11", "2024-11-24", True, "edition"),
    ("70", "2017-12-01", "2017-12-01", True, "day"),
    ("74", "2019-05-01", "2019-05-31", False, "month"),
    ("76", "2023-01-29", "2023-05-28", True, "day"),
    ("77", "2014-04-28", "2014-05-18", True, "edition"),
    ("83", "2014-05-01", "2014-06-15", False, "month"),
    ("91", "2023-01-01", "2023-12-31", False, "year"),
    ("95", "2021-05-01", "2021-06-15", False, "month"),
    ("107", "None", "None", False, "unknown"),
    ("118", "2014-01-01", "2014-12-31", False, "year"),
    ("119", "2014-09-01", "2014-11-30", False, "semester"),
    ("125", "2022-04-22", "2022-05-09", True, "edition"),
    ("128", "2016-11-01", "2016-11-30", False, "month"),
    ("137", "2015-11-14", "2015-12-31", True, "month"),
]


@pytest.mark.parametrize("expected", DATES, ids=lambda expected: expected[0])
def test_dates_are_as_wide_as_what_is_known(
    real: dict[str, tuple[PastActivityRow, list[Remark]]], expected: tuple[str, str, str, bool, str]
) -> None:
    number, first, last, is_known, precision = expected
    activity, _ = real[number]

    assert (str(activity.starts_on), str(activity.ends_on), activity.date_precision) == (first, last, precision)
    assert activity.known_start == (activity.starts_on if is_known else None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"date_certainty": "stated, year inferred"}, "stated, year inferred"),
        ({"date_certainty": "week"}, "known to the week only: week"),
        ({"end_date": "2016-12"}, "known to the month only: stated"),
        ({"start_date": "2016-11"}, "the start is known to the month only: stated"),
        ({"start_date": "", "end_date": ""}, "the date is not known: stated"),
        ({"end_date": ""}, "the end is not known: stated"),
    ],
)
def test_a_date_that_is_not_plainly_stated_is_explained(changes: dict[str, str], reason: str) -> None:
    assert [remark.reason for remark in read(**changes)[1]] == [reason]


def test_a_christmas_concert_in_february_is_doubted(real: dict[str, tuple[PastActivityRow, list[Remark]]]) -> None:
    assert Remark("title", "names Christmas, the date is 2015-02-17; it may be the date of entry") in real["124"][1]


@pytest.mark.parametrize(
    ("title", "is_doubted"),
    [
        ("Christmas in November", False),
        ("Easter eggs", True),
        ("St Nicolaus with the foster home", False),
        ("Forest Day 2016", False),
        ("Forest Day 2017", True),
    ],
)
def test_a_title_that_contradicts_its_date_is_doubted(title: str, is_doubted: bool) -> None:
    assert columns_of(read(title=title)[1]) == ["title"] * is_doubted


def test_no_other_title_of_the_real_file_is_doubted_for_its_date(
    real: dict[str, tuple[PastActivityRow, list[Remark]]],
) -> None:
    doubted = {number for number, (_, remarks) in real.items() for r in remarks if r.reason.startswith("names ")}
    assert doubted == {"124"}


def test_areas_and_causes_are_stated_or_marked_as_ours(real: dict[str, tuple[PastActivityRow, list[Remark]]]) -> None:
    by_cause = {number: (a.area, a.cause) for number, (a, _) in real.items() if a.cause_certain}
    assert by_cause == {
        "68": ("health", "health-well-being"),
        "107": ("environment", "environmental-sustainability"),
        "109": ("poverty", "social-inclusion"),
    }
    assert {number for number, (a, _) in real.items() if a.area_certain} == {
        "52",
        "53",
        "85",
        "86",
        "104",
        "107",
        "124",
    }
    assert set(CAUSE_OF_AREA) == set(AREAS)
    assert set(CAUSE_OF_AREA.values()) <= set(CAUSES)
    for area, cause in CAUSE_OF_AREA.items():
        assert read(area_2015=area.title())[0].cause == cause
    nothing, remarks = read(area_2015="")
    assert (nothing.area, nothing.cause, columns_of(remarks)) == (None, None, ["area_2015"])


def test_erasmus_in_schools_is_recognised_by_the_title(real: dict[str, tuple[PastActivityRow, list[Remark]]]) -> None:
    programmes = {number for number, (a, _) in real.items() if a.programme == "erasmus_in_schools"}

    assert programmes == {"2", "5", "17", "101", "112"}
    assert columns_of(real["139"][1])[-1] == "title"


def test_outcomes_and_modes_of_the_real_file(real: dict[str, tuple[PastActivityRow, list[Remark]]]) -> None:
    assert {number for number, (a, _) in real.items() if a.outcome == "cancelled"} == {"11", "134"}
    assert {number for number, (a, _) in real.items() if a.outcome == "announced"} == {"28", "122"}
    assert real["116"][0].outcome == "held"
    assert {number: a.mode for number, (a, _) in real.items() if a.mode != "physical"} == {
        "37": "hybrid",
        "95": "online",
    }


def test_a_grant_is_no_partner(real: dict[str, tuple[PastActivityRow, list[Remark]]]) -> None:
    assert real["37"][0].partners == ("Aegean Refugee Aid",)
    assert real["137"][0].partners == ()
    assert "partner" in columns_of(real["137"][1])
    assert real["92"][0].partners == ("2hands Macerata", "Legambiente Marche", "AIACE Italia", "NonCiPiove")


def test_goals_and_objectives_are_lists(real: dict[str, tuple[PastActivityRow, list[Remark]]]) -> None:
    assert real["76"][0].sdgs == (4, 8, 11)
    assert real["98"][0].objectives == (
        "active-citizenship",
        "intercultural-dialogue",
        "local-integration",
    )


def test_countries_are_iso_codes_and_a_foreign_section_is_named(
    real: dict[str, tuple[PastActivityRow, list[Remark]]],
) -> None:
    assert real["133"][0].country == "RS"
    assert Remark("country", "took place in TR, the section is SE-KALM-ESN") in real["37"][1]
    activity, remarks = read(country="UK", section_code="GB-UEA-NOR")
    assert (activity.country, remarks) == ("GB", [Remark("country", "UK was read as GB")])


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"end_date": "2016-11-12"}, "end_date"),
        ({"start_date": ""}, "start_date"),
        ({"start_date": "13.11.2016"}, "start_date"),
        ({"start_date": "2016-02-30"}, "start_date"),
        ({"area_2015": "Sports"}, "area_2015"),
        ({"esn_cause_2019": "Fun"}, "esn_cause_2019"),
        ({"kind": "party"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"status": "perhaps"}, "status"),
        ({"status": ""}, "status"),
        ({"country": "XX"}, "country"),
        ({"section_code": "Košice"}, "section_code"),
        ({"sdgs_stated": "4;18"}, "sdgs_stated"),
        ({"source_url": "kosice.esn.sk"}, "source_url"),
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"id": ""}, "id"),
    ],
)
def test_rows_that_cannot_be_true_are_refused(changes: dict[str, str], column: str) -> None:
    with pytest.raises(Refused) as refused:
        read(**changes)
    assert refused.value.column == column


@given(st.sampled_from((*COLUMNS, *OPTIONAL_COLUMNS)), st.text(max_size=30))
def test_any_text_in_any_column_is_taken_or_refused_with_that_column(column: str, content: str) -> None:
    try:
        activity, _ = read(**{column: content})
    except Refused as refused:
        blamed = refused.column
    else:
        assert activity.title
        blamed = column
    assert blamed in (column, "start_date", "end_date")


def test_the_edition_of_every_held_activity_is_that_of_the_recount(
    real: dict[str, tuple[PastActivityRow, list[Remark]]],
) -> None:
    editions: list[EditionRow] = []
    with (SAMPLE / "social_weeks_and_secm.csv").open("rb") as file:
        for row in CsvRows(file, required=EDITION_COLUMNS, optional=OPTIONAL_EDITION_COLUMNS):
            try:
                editions.append(parsed(row, edition_in_list)[0])
            except Refused:
                continue
    found: dict[str | None, int] = {}
    for activity, _ in real.values():
        if activity.outcome == "held":
            code = edition_for(activity.known_start, None, editions)
            found[code] = found.get(code, 0) + 1

    recounted = recount_files(SAMPLE / "real_activities.csv", SAMPLE / "social_weeks_and_secm.csv").by_edition
    assert found == {code: totals.activities for code, totals in recounted.items()}


@pytest.mark.parametrize("name", ["real_activities.csv", "social_weeks_and_secm.csv"])
def test_the_sample_is_what_was_collected_to_the_byte(name: str) -> None:
    folder = os.environ.get("SOCIALERASMUS_SHARED_DATA")
    if not folder:
        pytest.skip("needs SOCIALERASMUS_SHARED_DATA: the sections and countries, which are not ours to ship")
    assert (SAMPLE / name).read_bytes() == (Path(folder) / name).read_bytes()
