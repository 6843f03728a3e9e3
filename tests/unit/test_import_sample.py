"""The upcoming edition of the sample network: when it is and what it offers."""

import csv
import re
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.sample.upcoming import SampleActivity, next_edition, sample_activities, sample_activity
from services.activities.taxonomies.rules import AREAS, CAUSES
from services.kernel.imports import Refused

SAMPLE = Path(__file__).parents[2] / "services" / "activities" / "sample"


@pytest.fixture(scope="module")
def activities() -> list[SampleActivity]:
    with (SAMPLE / "upcoming.csv").open("rb") as file:
        return list(sample_activities(file))


@pytest.mark.parametrize(
    ("today", "code", "starts_on", "ends_on"),
    [
        ("2026-01-15", "2026-spring", "2026-05-04", "2026-05-17"),
        ("2026-05-10", "2026-spring", "2026-05-04", "2026-05-17"),
        ("2026-05-11", "2026-autumn", "2026-11-09", "2026-11-22"),
        ("2026-11-15", "2026-autumn", "2026-11-09", "2026-11-22"),
        ("2026-11-16", "2027-spring", "2027-05-03", "2027-05-16"),
        ("2023-01-01", "2023-spring", "2023-05-01", "2023-05-14"),
        ("2021-12-31", "2022-spring", "2022-05-02", "2022-05-15"),
    ],
)
def test_the_next_edition_by_the_calendar(today: str, code: str, starts_on: str, ends_on: str) -> None:
    edition = next_edition(date.fromisoformat(today))

    assert (edition.code, str(edition.starts_on), str(edition.ends_on)) == (code, starts_on, ends_on)
    assert edition.series == "Social Impact Days"


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_an_edition_is_two_whole_weeks_and_has_a_week_left(today: date) -> None:
    edition = next_edition(today)

    assert edition.starts_on.weekday() == 0
    assert edition.ends_on - edition.starts_on == timedelta(days=13)
    assert timedelta(days=7) <= edition.ends_on - today < timedelta(days=220)
    if edition.code.endswith("spring"):
        assert edition.starts_on.month == 5
        assert edition.starts_on.day <= 7
    else:
        assert edition.starts_on.month == 11
        assert 8 <= edition.starts_on.day <= 14


def test_the_editions_follow_each_other() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(800)]
    editions = list(dict.fromkeys(next_edition(day) for day in days))

    assert [edition.code for edition in editions[:3]] == ["2026-spring", "2026-autumn", "2027-spring"]
    assert all(earlier.ends_on < later.starts_on for earlier, later in pairwise(editions))


def test_the_sample_shows_every_area_every_cause_and_the_main_kinds(activities: list[SampleActivity]) -> None:
    assert {activity.area for activity in activities} == set(AREAS)
    assert {activity.cause for activity in activities} == set(CAUSES)
    kinds = {"volunteering", "fundraising", "goods_collection", "awareness", "education"}
    assert kinds <= {activity.kind for activity in activities}
    assert len({activity.country for activity in activities}) >= 14
    assert Counter(activity.mode for activity in activities)["online"] == 1
    assert len({activity.capacity for activity in activities}) > 10
    assert len({activity.key for activity in activities}) == len(activities) >= 24
    assert sum(activity.local_text is not None for activity in activities) >= 8


def test_sections_and_places_are_those_of_the_real_activities(activities: list[SampleActivity]) -> None:
    with (SAMPLE / "real_activities.csv").open(encoding="utf-8", newline="") as file:
        real = {
            (row["section_code"], row["section"], row["city"], row["country"])
            for row in csv.DictReader(file)
            if row["section_code"]
        }

    assert {(a.section_code, a.section_name, a.city, a.country) for a in activities} <= real


def test_summaries_are_two_or_three_sentences(activities: list[SampleActivity]) -> None:
    for activity in activities:
        sentences = re.findall(r"[.!?](?= |$)", activity.summary)
        assert 2 <= len(sentences) <= 4, activity.key


def test_something_is_still_to_come_on_the_last_day_of_an_edition_that_is_shown(
    activities: list[SampleActivity],
) -> None:
    edition = next_edition(date(2026, 5, 10))

    assert sum(activity.begins(edition).date() > date(2026, 5, 10) for activity in activities) >= 8


def test_begin_and_end_are_wall_clock_times_in_the_edition(activities: list[SampleActivity]) -> None:
    edition = next_edition(date(2026, 1, 1))
    beach = next(activity for activity in activities if activity.key == "beach-porto-ferro")

    assert beach.begins(edition).isoformat() == "2026-05-09T10:00:00"
    assert beach.ends(edition).isoformat() == "2026-05-09T13:00:00"


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"day_offset": "14"}, "day_offset"),
        ({"capacity": "0"}, "capacity"),
        ({"ends_at_local": "09:00"}, "ends_at_local"),
        ({"starts_at_local": "25:00"}, "starts_at_local"),
        ({"mode": "online"}, "mode"),
        ({"online_url": "https://example.org"}, "mode"),
        ({"longitude": ""}, "place_name"),
        ({"longitude": "east"}, "longitude"),
        ({"area": "sports"}, "area"),
        ({"language": ""}, "language"),
        ({"languages": "English"}, "languages"),
        ({"local_title": ""}, "local_title"),
        ({"section_code": "Sassari"}, "section_code"),
        ({"country": "UK"}, "country"),
    ],
)
def test_a_template_that_no_activity_can_follow_is_refused(changes: dict[str, str], column: str) -> None:
    with (SAMPLE / "upcoming.csv").open(encoding="utf-8", newline="") as file:
        template = next(csv.DictReader(file))

    with pytest.raises(Refused) as refused:
        sample_activity(template | changes)
    assert refused.value.column == column
