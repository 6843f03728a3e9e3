"""Figures by any combination of dimensions: touches, classes, ratios, and what figures say of themselves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.impact.statistics import answering
from services.impact.statistics.measures import DIMENSIONS, MEASURES
from tests.harness.catalogue import get
from tests.harness.databases import Databases
from tests.harness.figures import STATISTICS, held, network_with
from tests.harness.network import Network
from tests.harness.refusals import MARKER, refused
from tests.harness.statements import recorded

SPRING, AUTUMN = date(2026, 5, 6), date(2026, 11, 11)
SECTIONS = ["IT-SASS-ESN", "IT-MILA-STA", "PT-PORT-ESN", "LT-VILN-ESN", "LT-KAUN-ESN"]
ROWS = [
    held("IT-SASS-ESN", SPRING, edition="2026-spring", platform="SWEP", sdgs=[13, 14], objectives=["waste"]),
    held("IT-SASS-ESN", AUTUMN, edition="2026-autumn", platform="SWEP", sdgs=[13], areas=["environment", "animals"]),
    held("IT-MILA-STA", AUTUMN, edition="2026-autumn", platform="SWEP", areas=["animals"], causes=["culture", "health"],
         international=4, local=0, esn_volunteer=0, unclassified=7, hours=None, source="import",
         quantities={("waste", "kg"): Decimal(130), ("waste", "t"): Decimal(1), ("money", "EUR"): Decimal(80)}),
    held("PT-PORT-ESN", AUTUMN, edition="2026-autumn", platform="SWEP", outcome="cancelled", international=None,
         local=None, esn_volunteer=None, unclassified=None, hours=None),
    held("PT-PORT-ESN", AUTUMN, edition="2026-autumn", platform="SWEP", report=None),
    held("PT-PORT-ESN", AUTUMN, edition="2026-autumn", platform="SWEP", report="submitted"),
    held("LT-VILN-ESN", date(2016, 11, 9), edition="2016-autumn", platform="CEP"),
    held("LT-VILN-ESN", AUTUMN, edition="2026-autumn", platform="NEP", outcome="shrunk"),
]  # fmt: skip
EDITIONS = [
    ("2016-autumn", date(2016, 11, 7), date(2016, 11, 13)),
    ("2026-spring", date(2026, 5, 4), date(2026, 5, 17)),
    ("2026-autumn", date(2026, 11, 9), date(2026, 11, 22)),
]


@pytest.fixture(scope="module")
async def figures(databases: Databases, redis_url: str) -> AsyncIterator[Network]:
    """One network with the activities above, for all tests of this file, which write nothing."""
    async with network_with(databases, redis_url, ROWS, sections=SECTIONS, editions=EDITIONS) as network:
        yield network


async def asked(network: Network, **query: Any) -> dict[str, Any]:
    return await get(network, STATISTICS, query)


def by(answer: dict[str, Any], *measures: str) -> dict[Any, Any]:
    """Figures by the key of their item; the total by the key `total`."""
    rows = {tuple(item[name] for name in answer["by"]): item for item in answer["items"]} | {"total": answer["total"]}
    told = {key[0] if len(key) == 1 else key: [row[name] for name in measures] for key, row in rows.items()
            if key != "total"} | {"total": [answer["total"][name] for name in measures]}  # fmt: skip
    return {key: values[0] if len(values) == 1 else values for key, values in told.items()}


@pytest.mark.parametrize("dimension", [name for name in DIMENSIONS if name != "participant_class"])
async def test_every_dimension_splits_and_filters(figures: Network, dimension: str) -> None:
    split = await asked(figures, by=dimension, measures="activities")
    assert split["total"]["activities"] == 5
    for item in split["items"]:
        if item[dimension] is not None:
            alone = await asked(figures, measures="activities", **{dimension: item[dimension]})
            assert alone["total"]["activities"] == item["activities"]
            assert alone["filters"] == {dimension: item[dimension]}
    if dimension not in {"sdg", "objective"}:
        assert sum(item["activities"] for item in split["items"]) == 5


async def test_touches_count_at_each_label_and_once_in_the_total(figures: Network) -> None:
    main = await asked(figures, by="area", measures="activities")
    assert (by(main, "activities"), main["counting"]) == ({"animals": 1, "environment": 4, "total": 5}, "main")
    touches = await asked(figures, by="area", measures="activities", counting="touches")
    assert (by(touches, "activities"), touches["counting"]) == ({"animals": 2, "environment": 4, "total": 5}, "touches")
    assert (touches["measures"]["activities"]["counting"], main["measures"]["activities"]["counting"]) == (
        "touches",
        "main",
    )
    assert "at each label" in touches["measures"]["activities"]["definition"]
    assert (await asked(figures, area="animals", counting="touches"))["total"]["activities"] == 2
    assert (await asked(figures, area="animals"))["total"]["activities"] == 1


async def test_what_shrunk_is_among_what_was_held_and_what_was_cancelled_is_not(figures: Network) -> None:
    told = await asked(figures, by="country", edition="2026-autumn", measures="activities,shrunk,cancelled")
    assert by(told, "activities", "shrunk", "cancelled") == {
        "IT": [2, 0, 0], "LT": [1, 1, 0], "PT": [0, 0, 1], "total": [3, 1, 1],
    }  # fmt: skip
    months = await asked(figures, by="month", edition="2026-autumn", measures="shrunk")
    assert by(months, "shrunk") == {"2026-11": 1, "total": 1}


async def test_goals_are_always_touches_beside_the_main_area(figures: Network) -> None:
    found = await asked(figures, by="area,sdg", measures="activities,participants")
    assert by(found, "activities", "participants") == {
        ("environment", 13): [2, 20],
        ("environment", 14): [1, 10],
        "total": [5, 51],
    }
    assert found["counting"] == "touches"


async def test_quantities_of_touches_keep_their_units_apart(figures: Network) -> None:
    found = await asked(figures, by="cause", counting="touches", measures="quantities")
    amounts = [
        {"measure": "money", "unit": "EUR", "amount": "80"},
        {"measure": "waste", "unit": "kg", "amount": "130"},
        {"measure": "waste", "unit": "t", "amount": "1"},
    ]
    assert by(found, "quantities") == {"culture": amounts, "health": amounts, "total": amounts}


async def test_classes_split_people_and_leave_the_rest_null_with_the_reason(figures: Network) -> None:
    found = await asked(figures, by="participant_class", country="IT")
    assert by(found, "participants") == {"esn_volunteer": 2, "international": 16, "local": 6, None: 7, "total": 31}
    for row in [*found["items"], found["total"]]:
        assert row["suppressed"] == ["activities", "hours", "quantities"]
        assert row["activities"] is row["hours"] is row["quantities"] is None
    assert found["reasons"].keys() == {"activities", "hours", "quantities"}
    only = await asked(figures, participant_class="local", measures="participants", by="country")
    assert by(only, "participants") == {"IT": 6, "LT": 6, "PT": 0, "total": 12}


async def test_a_ratio_comes_with_what_it_is_made_of(figures: Network) -> None:
    found = await asked(figures, by="country", measures="hours_per_participant,share_international")
    names = ("hours", "participants", "hours_per_participant", "share_international")
    assert by(found, *names) == {
        "IT": [40.0, 31, 1.2903, 0.6667],
        "LT": [40.0, 20, 2.0, 0.6],
        "PT": [0.0, 0, None, None],
        "total": [80.0, 51, 1.5686, 0.6364],
    }
    nothing = next(item for item in found["items"] if item["country"] == "PT")
    assert nothing["suppressed"] == ["hours_per_participant", "share_international"]
    measure = found["measures"]["hours_per_participant"]
    assert (measure["numerator"], measure["denominator"], measure["unit"]) == ("hours", "participants", "h")


async def test_the_reporting_rate_is_of_what_has_begun(figures: Network) -> None:
    found = await asked(figures, by="country", measures="reporting_rate", edition="2026-autumn")
    names = ("activities_reported", "activities_due", "reporting_rate")
    assert by(found, *names) == {"IT": [2, 2, 1.0], "LT": [1, 1, 1.0], "PT": [1, 3, 0.3333], "total": [4, 6, 0.6667]}
    years = await asked(figures, by="academic_year,month,area", measures="activities_due")
    assert by(years, "activities_due") == {
        ("2016/17", "2016-11", "environment"): 1,
        ("2025/26", "2026-05", "environment"): 1,
        ("2026/27", "2026-11", "animals"): 1,
        ("2026/27", "2026-11", "environment"): 5,
        "total": 8,
    }


async def test_a_country_is_in_the_platform_that_it_was_in_on_the_day(figures: Network) -> None:
    found = await asked(figures, by="platform,academic_year", country="LT", measures="activities")
    assert by(found, "activities") == {("CEP", "2016/17"): 1, ("NEP", "2026/27"): 1, "total": 2}
    old, new = [(await asked(figures, platform=code, by="country"))["items"] for code in ("CEP", "NEP")]
    assert [item["country"] for item in (*old, *new)] == ["LT", "LT"]
    # Reporting then were sections of a country that was of the platform then.
    assert (await asked(figures, platform="CEP"))["completeness"] == {"sections_reporting": 1, "sections_active": 2}


async def test_every_answer_says_where_it_comes_from_and_how_complete_it_is(figures: Network) -> None:
    found = await asked(figures, edition="2026-autumn")
    assert found["sources"] == {"import": 1, "organiser": 2}
    assert found["completeness"] == {"sections_reporting": 4, "sections_active": 5}
    touching = await asked(figures, by="area", counting="touches", edition="2026-autumn")
    assert (touching["sources"], touching["completeness"]) == (found["sources"], found["completeness"])


async def test_measures_say_how_they_split_what_they_are_made_of_and_since_when(figures: Network) -> None:
    items = (await get(figures, "/impact/v1/measures"))["items"]
    measures = {item["code"]: item for item in items}
    assert list(measures) == list(MEASURES)
    assert measures["participants"]["splits"] == list(DIMENSIONS)
    assert "participant_class" not in measures["hours"]["splits"]
    assert (measures["activities"]["since"], measures["attendances"]["since"]) == ("2016-11-09", None)
    assert (measures["share_international"]["numerator"], measures["share_international"]["denominator"]) == (
        "participants_international",
        "participants_classified",
    )


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        (f"by={MARKER}", ["query/by"]),
        ("by=country,country", ["query/by"]),
        ("by=country&by=area,country", ["query/by"]),
        (f"measures={MARKER}", ["query/measures"]),
        ("by=participant_class&measures=hours", ["query/measures"]),
        ("participant_class=local&measures=activities", ["query/measures"]),
        ("participant_class=tourist", ["query/participant_class/0"]),
        ("sdg=18", ["query/sdg/0"]),
        ("counting=all", ["query/counting"]),
        ("country=XX", ["query/country/0"]),
        ("edition=2016-autumn&from=2026-01-01", ["query/edition"]),
        ("edition=2016-autumn&academic_year=2026/27", ["query/edition"]),
        ("edition=2016-autumn&month=2026-11", ["query/edition"]),
        ("edition=2031-autumn", ["query/edition/0"]),
        ("section=IT-NONE-ESN", ["query/section/0"]),
        ("platform=NOPE", ["query/platform/0"]),
        ("platform=CEP&country=IT", ["query/platform"]),
        ("section=IT-SASS-ESN&country=PT", ["query/section"]),
        ("academic_year=2026/27&month=2026-05", ["query/month"]),
        ("academic_year=2026/27&to=2026-07-31", ["query/from"]),
        ("academic_year=2026/28", ["query/academic_year/0"]),
        ("academic_year=0000/01", ["query/academic_year/0"]),
        ("academic_year=9999/00", ["query/academic_year/0"]),
        ("month=0000-01", ["query/month/0"]),
        ("month=9999-12", ["query/month/0"]),
        ("academic_year=2026/27&period=last_30_days", ["query/period"]),
        ("from=2026-01-01&period=last_edition", ["query/period"]),
        ("period=yesterday", ["query/period"]),
        ("edition=last&edition=2026-autumn", ["query/edition"]),
        ("from=2026-02-01&to=2026-01-01", ["query/to"]),
        ("compare=previous", ["query/compare"]),
        ("compare=previous&from=2026-01-01", ["query/compare"]),
        ("compare=previous&edition=2026-autumn&edition=2026-spring", ["query/compare"]),
        ("compare=previous&by=edition,month", ["query/compare"]),
        ("compare=previous&by=edition&from=2026-01-01&to=2026-12-31", ["query/compare"]),
        ("compare=never&by=edition", ["query/compare"]),
    ],
)
async def test_a_question_without_an_answer_is_refused_with_its_pointer(
    figures: Network, query: str, pointers: list[str]
) -> None:
    await refused(figures, "GET", f"{STATISTICS}?{query}", status=422, pointers=pointers)


async def test_a_parameter_that_nobody_knows_is_refused_with_the_nearest_that_is_known(figures: Network) -> None:
    document = await refused(figures, "GET", f"{STATISTICS}?contry=IT", status=422, pointers=["query/contry"])
    assert document["errors"][0]["detail"].endswith("Perhaps country?")


async def test_a_question_that_finds_nothing_and_contradicts_nothing_is_answered_with_zeros(figures: Network) -> None:
    found = await asked(figures, country="PT", edition="2026-spring", area="violence")
    assert (found["items"][0]["activities"], found["total"]["participants"]) == (0, 0)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("by=section&measures=hours,activities", "4 rows and 8 cells; there may be 2 rows"),
        ("by=country&country=IT", "3 quantities; there may be 2 quantities"),
        ("by=participant_class&country=IT&measures=participants", "4 rows and 4 cells; there may be 2 rows"),
    ],
)
async def test_too_many_rows_are_refused_with_their_number(
    figures: Network, monkeypatch: pytest.MonkeyPatch, query: str, told: str
) -> None:
    monkeypatch.setattr(answering, "MOST_GROUPS", 2)
    document = await refused(figures, "GET", f"{STATISTICS}?{query}", status=422, pointers=["query/by"])
    assert told in document["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("query", "table"),
    [
        ({"by": "country,area", "edition": "2026-autumn"}, "impact.roll_ups"),
        ({"by": "section", "participant_class": "local", "measures": "participants"}, "impact.roll_ups"),
        ({"by": "sdg,platform", "academic_year": "2026/27"}, "impact.label_roll_ups"),
        ({"by": "country", "area": "animals", "counting": "touches"}, "impact.label_roll_ups"),
        ({"by": "country", "from": "2026-11-01"}, "impact.totals"),
        ({"by": "sdg,section"}, "impact.label_totals"),
    ],
)
async def test_the_smallest_roll_up_that_can_answer_is_read(
    figures: Network, query: dict[str, str], table: str
) -> None:
    with recorded(figures.runtimes["impact"]) as statements:
        await asked(figures, **query)
    read = [re.findall(r"impact\.\w+", each.text)[0] for each in statements if "participants_local" in each.text]
    assert table in read
