"""Campaign editions from their list, and which of them an activity's date falls into."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.campaigns.edition_rows import (
    COLUMNS,
    OPTIONAL_COLUMNS,
    EditionRow,
    edition_for,
    edition_in_list,
)
from services.kernel.imports import CsvRows, Refused, Remark, parsed

SAMPLE = Path(__file__).parents[2] / "services" / "activities" / "sample" / "social_weeks_and_secm.csv"
WEEK, INCLUSION, IMPACT = "SocialErasmus Week", "Social Inclusion Days", "Social Impact Days"


def listed(**changes: str) -> tuple[EditionRow, list[Remark]]:
    row = {"series": WEEK, "edition": "autumn 2016", "start": "2016-11-07", "end": "2016-11-13", "certainty": "stated"}
    return edition_in_list(row | {"source": "somewhere"} | changes)


def all_listed() -> tuple[dict[int, EditionRow], dict[int, Refused]]:
    taken: dict[int, EditionRow] = {}
    refused: dict[int, Refused] = {}
    with SAMPLE.open("rb") as file:
        for row in CsvRows(file, required=COLUMNS, optional=OPTIONAL_COLUMNS):
            try:
                taken[row.line] = parsed(row, edition_in_list)[0]
            except Refused as error:
                refused[row.line] = error
    return taken, refused


def test_every_row_of_the_list_becomes_the_edition_that_it_names() -> None:
    taken, refused = all_listed()

    assert [(e.code, e.series, str(e.starts_on), str(e.ends_on), e.precision) for e in taken.values()] == [
        ("2012-spring", WEEK, "2012-05-04", "2012-05-11", "day"),
        ("2013-autumn", WEEK, "2013-11-11", "2013-11-17", "day"),
        ("2014-spring", WEEK, "2014-04-28", "2014-05-04", "day"),
        ("2014-autumn", WEEK, "2014-11-01", "2014-11-30", "month"),
        ("2015-spring", WEEK, "2015-05-04", "2015-05-10", "day"),
        ("2015-autumn", WEEK, "2015-11-01", "2015-11-30", "month"),
        ("2016-spring", WEEK, "None", "None", "unknown"),
        ("2016-autumn", WEEK, "2016-11-07", "2016-11-13", "day"),
        ("2017-spring", WEEK, "2017-04-03", "2017-04-09", "day"),
        ("2017-autumn", INCLUSION, "2017-11-27", "2017-12-10", "day"),
        ("2018-spring", INCLUSION, "2018-04-16", "2018-04-29", "day"),
        ("2018-autumn", INCLUSION, "2018-11-19", "2018-12-03", "day"),
        ("2019-spring", INCLUSION, "2019-04-29", "2019-05-12", "day"),
        ("2019-autumn", INCLUSION, "2019-11-20", "2019-12-04", "day"),
        ("2020-spring", INCLUSION, "None", "None", "unknown"),
        ("2020-autumn", INCLUSION, "2020-11-23", "2020-12-07", "day"),
        ("2021-spring", INCLUSION, "None", "None", "unknown"),
        ("2021-autumn", IMPACT, "2021-11-29", "2021-12-12", "day"),
        ("2022-spring", IMPACT, "2022-04-22", "2022-05-08", "day"),
        ("2022-autumn", IMPACT, "2022-11-07", "2022-11-20", "day"),
        ("2024-autumn", IMPACT, "2024-11-11", "2024-11-24", "day"),
        ("2025-spring", IMPACT, "2025-05-08", "2025-05-15", "day"),
        ("secm-2012", "SECM", "2012-10-25", "2012-10-28", "day"),
        ("secm-2014", "SECM", "2014-09-25", "2014-09-28", "day"),
        ("secm-2016", "SECM", "2016-10-05", "2016-10-09", "day"),
    ]
    assert {line: error.reason for line, error in refused.items()} == {
        22: "'2023 (both), spring 2024' names several editions; each needs a row of its own",
        25: "'autumn 2025 and later' names several editions; each needs a row of its own",
    }


def test_season_year_and_the_texts_are_kept() -> None:
    taken, _ = all_listed()

    spring, gathering = taken[2], taken[27]
    assert (spring.season, spring.year, spring.certainty) == ("spring", 2012, "stated")
    assert spring.theme is not None
    assert spring.theme.startswith("25th anniversary")
    assert spring.published_numbers is not None
    assert (gathering.season, gathering.year, gathering.source) == (None, 2014, "seed 2 / esn.no")


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({}, None),
        ({"edition": "2016"}, Remark("edition", "no season is named; autumn was taken from the start")),
        ({"edition": "autumn 2016 (first edition)"}, Remark("edition", "words left out: first edition")),
        ({"edition": "2016 (autumn, the only one)"}, Remark("edition", "words left out: the only one")),
        ({"certainty": "year inferred"}, Remark("certainty", "year inferred")),
        (
            {"start": "2016-11", "end": "2016-11", "certainty": "month only"},
            Remark("start", "only the month is known, so no activity is claimed by date: month only"),
        ),
        (
            {"start": "", "end": "", "certainty": "not found", "source": ""},
            Remark("start", "the dates are not known: not found"),
        ),
        ({"edition": "spring 2016"}, Remark("start", "2016-11-07 is an odd day for an edition in spring")),
    ],
)
def test_what_is_not_plain_is_explained(changes: dict[str, str], remark: Remark | None) -> None:
    assert listed(**changes)[1] == ([remark] if remark else [])


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"edition": "autumn"}, "edition"),
        ({"edition": "spring and autumn 2016"}, "edition"),
        ({"edition": "2016", "start": "", "end": ""}, "edition"),
        ({"start": "2015-11-07"}, "start"),
        ({"end": "2016-11-06"}, "end"),
        ({"end": ""}, "end"),
        ({"start": ""}, "start"),
        ({"start": "2016-11-31"}, "start"),
        ({"start": "7 Nov 2016"}, "start"),
        ({"start": "2016", "end": "2016"}, "start"),
        ({"series": ""}, "series"),
    ],
)
def test_rows_that_contradict_themselves_are_refused(changes: dict[str, str], column: str) -> None:
    with pytest.raises(Refused) as refused:
        listed(**changes)
    assert refused.value.column == column


def edition(code: str, start: str, end: str, *, series: str = WEEK, precision: str = "day") -> EditionRow:
    season = None if series == "SECM" else "autumn"
    return EditionRow(
        code=code,
        series=series,
        season=season,  # type: ignore[arg-type]
        year=2016,
        starts_on=date.fromisoformat(start),
        ends_on=date.fromisoformat(end),
        precision=precision,  # type: ignore[arg-type]
        certainty="stated",
        theme=None,
        published_numbers=None,
        source="",
    )


EDITIONS = [
    edition("week", "2016-11-07", "2016-11-13"),
    edition("fortnight", "2016-11-07", "2016-11-20"),
    edition("gathering", "2016-11-14", "2016-11-15", series="SECM"),
    edition("month", "2016-12-01", "2016-12-31", precision="month"),
]


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "code"),
    [
        ("2016-11-07", "2016-11-07", "week"),
        ("2016-11-13", None, "week"),
        ("2016-11-13", "2017-02-01", "week"),
        ("2016-11-14", None, "fortnight"),
        ("2016-11-20", "2016-11-21", "fortnight"),
        ("2016-11-06", "2016-11-30", None),
        ("2016-11-21", None, None),
        ("2016-12-05", None, None),
    ],
)
def test_an_activity_falls_into_the_shortest_edition_that_contains_its_first_day(
    starts_on: str, ends_on: str | None, code: str | None
) -> None:
    last = date.fromisoformat(ends_on) if ends_on else None
    assert edition_for(date.fromisoformat(starts_on), last, EDITIONS) == code


def test_of_two_editions_of_one_length_the_later_claims() -> None:
    pair = [edition("early", "2016-11-07", "2016-11-13"), edition("late", "2016-11-10", "2016-11-16")]

    assert edition_for(date(2016, 11, 12), None, pair) == "late"


def test_a_first_day_that_is_not_known_is_in_no_edition() -> None:
    assert edition_for(None, None, EDITIONS) is None


def test_an_activity_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        edition_for(date(2016, 11, 7), date(2016, 11, 6), EDITIONS)


@given(st.dates(date(2016, 11, 1), date(2016, 12, 31)), st.permutations(EDITIONS))
def test_the_order_of_the_editions_does_not_matter(day: date, editions: list[EditionRow]) -> None:
    assert edition_for(day, day, editions) == edition_for(day, day, EDITIONS)
