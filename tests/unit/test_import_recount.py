"""The recount that imports are compared with, checked by numbers that were added up by hand."""

import csv
import io
from decimal import Decimal
from pathlib import Path

from tests.flows.recount import QUANTITIES, Totals, recount, recount_files

SAMPLE = Path(__file__).parents[2] / "services" / "activities" / "sample"

FIVE_ROWS = """\
id,country,area_2015,kind,status,start_date,participants_total,international,locals,esn_volunteers,hours
1,SK,Health,volunteering,done,2016-11-07,10,4,,1,1.5
2,UK,Health,goods collection,done,2016-11-10,,3,2,,2
3,SK,Poverty,volunteering,cancelled,2016-11-08,99,,,,2
4,,Poverty,volunteering,done,2016-11,21,10,5,5,
5,SK,Health,volunteering,no participants,2017-05-01,0,,,,3
"""
AMOUNTS = """\
id,measure,unit,amount
1,waste,kg,1.5
2,waste,kg,2
2,waste,1,7
3,waste,kg,100
"""
EDITIONS = """\
series,edition,start,end
SocialErasmus Week,autumn 2016,2016-11-07,2016-11-13
SocialErasmus Week,autumn 2014,2014-11,2014-11
SECM,2016 Coimbra (PT),2016-11-01,2016-11-30
"""


def test_five_rows_give_the_numbers_that_a_hand_count_gives() -> None:
    found = recount(io.StringIO(FIVE_ROWS), io.StringIO(EDITIONS), io.StringIO(AMOUNTS))

    # 10 + (3 + 2) + 21 + 0 persons; 5 of the 10 and 1 of the 21 are in no class.
    # 10 persons of 1.5 hours and 5 of 2; the amounts of the cancelled activity count as little as its hours.
    assert found.overall == Totals(
        activities=4,
        participants=36,
        international=17,
        locals=7,
        esn_volunteers=6,
        unclassified=6,
        hours=Decimal(25),
        quantities={("waste", "kg"): Decimal("3.5"), ("waste", "1"): Decimal(7)},
    )
    assert {country: total.hours for country, total in found.by_country.items()} == {"SK": 15, "GB": 10, None: 0}
    assert found.by_country["GB"].quantities == {("waste", "kg"): 2, ("waste", "1"): 7}
    assert {country: total.participants for country, total in found.by_country.items()} == {"SK": 10, "GB": 5, None: 21}
    assert {area: total.activities for area, total in found.by_area.items()} == {"health": 3, "poverty": 1}
    assert {kind: total.participants for kind, total in found.by_kind.items()} == {
        "volunteering": 31,
        "goods_collection": 5,
    }
    assert {edition: total.participants for edition, total in found.by_edition.items()} == {"2016-autumn": 15, None: 21}


def test_the_real_file_gives_the_numbers_that_a_hand_count_gives() -> None:
    found = recount_files(SAMPLE / "real_activities.csv", SAMPLE / "social_weeks_and_secm.csv")

    assert found.overall == Totals(
        activities=90,
        participants=1193,
        international=676,
        locals=38,
        esn_volunteers=43,
        unclassified=436,
        # 2 h × (22 + 11 + 2 + 50 + 46 + 50), 5 h × 24, 3 h × 20, 1.5 h × 37.
        hours=Decimal("597.5"),
        quantities={
            ("classes", "1"): Decimal(2),
            ("dogs_walked", "1"): Decimal(63),
            ("blood", "l"): Decimal("1.8"),
            ("donations", "1"): Decimal(24),
            ("money", "EUR"): Decimal("800.54"),
            ("money", "LTL"): Decimal(130),
            ("food_boxes", "1"): Decimal(31),
            ("trees", "1"): Decimal(3004),
            ("cuttings", "1"): Decimal(1500),
            ("postcards", "1"): Decimal(70),
            ("acorns", "kg"): Decimal(100),
            ("waste", "kg"): Decimal(130),
            ("seeds", "1"): Decimal(1200),
            ("goods_boxes", "1"): Decimal(3),
        },
    )
    assert {edition: total.activities for edition, total in found.by_edition.items()} == {
        "2013-autumn": 2,
        "2014-spring": 5,
        "2016-autumn": 10,
        "2017-spring": 5,
        "2017-autumn": 3,
        "2018-autumn": 2,
        "2019-spring": 3,
        "2022-spring": 2,
        "2024-autumn": 1,
        None: 57,
    }


def test_every_grouping_adds_up_to_the_whole() -> None:
    found = recount_files(SAMPLE / "real_activities.csv", SAMPLE / "social_weeks_and_secm.csv")

    for groups in (found.by_country, found.by_area, found.by_edition, found.by_kind):
        assert sum(total.activities for total in groups.values()) == found.overall.activities
        assert sum(total.participants for total in groups.values()) == found.overall.participants
        assert sum(total.hours for total in groups.values()) == found.overall.hours
        for key, amount in found.overall.quantities.items():
            assert sum(total.quantities.get(key, 0) for total in groups.values()) == amount


def test_every_amount_that_was_read_by_hand_stands_in_the_file() -> None:
    with (SAMPLE / "real_activities.csv").open(encoding="utf-8", newline="") as file:
        prose = {row["id"]: row["quantities"] for row in csv.DictReader(file)}
    with QUANTITIES.open(encoding="utf-8", newline="") as file:
        for quantity in csv.DictReader(file):
            assert quantity["words"] in prose[quantity["id"]]
            assert quantity["amount"] in quantity["words"].replace(",", "")
