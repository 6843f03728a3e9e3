"""Whatever is told in whatever order and however often, totals, roll-ups and people are those of a recount."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services import contracts
from services.impact.facts import actions, totals
from services.impact.facts.grains import GRAINS, covering
from services.impact.facts.tables import ROLLED_UP
from services.impact.people.tables import PeopleScope
from services.impact.statistics import store
from services.impact.statistics.measures import DIMENSIONS
from services.impact.statistics.rules import Asked
from services.kernel import consumers, worker
from services.kernel.facts import Event
from tests.harness import databases as harness
from tests.harness.databases import rows
from tests.harness.impact import Impact, activity, attendance, impact_alone

ACTIVITIES = [UUID(int=number, version=4) for number in range(6)]
PEOPLE = [None, *(UUID(int=900 + number, version=4) for number in range(3))]
KEYS = [UUID(int=500 + number, version=4) for number in range(12)]
CLASSES = ("international", "local", "esn_volunteer")
PLACES = (
    ("IT-MILA-STA", "IT", "SWEP"),
    ("IT-SASS-ESN", "IT", "SWEP"),
    ("PL-WARS-UKS", "PL", "CEP"),
    (None, None, None),
)
DAYS = ((date(2026, 7, 31), "2026-spring"), (date(2026, 8, 1), None), (date(2026, 11, 14), "2026-autumn"), (None, None))


@pytest.fixture
async def impact(database_url: str, redis_url: str) -> AsyncIterator[Impact]:
    async with impact_alone(harness.settings(database_url, redis_url), database_url) as made:
        yield made


class Story:
    """What happens to a few activities, and what is true of them in the end."""

    def __init__(self, seed: int, days: Sequence[tuple[date | None, str | None]] = DAYS) -> None:
        self.days = days
        self.dice = random.Random(seed)
        self.activities: dict[UUID, contracts.Activity] = {}
        self.attendances: dict[UUID, contracts.AttendanceRecorded] = {}
        self.reports: dict[UUID, dict[str, Any]] = {}
        self.said: list[Event] = []

    def happens(self) -> Event:
        """One more event."""
        dice, identity = self.dice, self.dice.choice(ACTIVITIES)
        if dice.random() < 0.3:
            before = self.activities.get(identity)
            (section, country, platform), (day, edition) = dice.choice(PLACES), dice.choice(self.days)
            self.activities[identity] = activity(
                identity, before.revision + 1 if before else 1, section=section, country=country, platform=platform,
                starts_on=day, edition=edition, areas=tuple(dice.sample(["environment", "animals"], dice.randrange(3))),
                sdgs=tuple(dice.sample([13, 14], dice.randrange(3))), kind=dice.choice(["volunteering", "visit"]),
            )  # fmt: skip
            return contracts.ActivityRevised(activity=self.activities[identity])
        key = dice.choice(KEYS)
        known = self.attendances.get(key)
        at = known.activity_id if known else identity
        self.attendances[key] = attendance(
            at, key, known.revision + 1 if known else 1, participant_class=dice.choice(CLASSES),
            present=dice.random() < 0.8, hours=dice.choice([None, Decimal("1.5"), Decimal(2)]),
            person_key=known.person_key if known else dice.choice(PEOPLE),
        )  # fmt: skip
        return self.attendances[key]

    async def is_told(self, impact: Impact, number: int) -> None:
        """Tell a few events, late, shuffled and some of them again; verify or reopen a report with them."""
        fresh = [self.happens() for _ in range(number)]
        told = [*fresh, *self.dice.sample(self.said, min(len(self.said), 3))]
        self.dice.shuffle(told)
        self.said += fresh
        identity = self.dice.choice(ACTIVITIES)
        report = {
            "state": self.dice.choice(["verified", "verified", "returned"]),
            "outcome": self.dice.choice(["held", "shrunk", "cancelled"]),
            "source": self.dice.choice(["organiser", "check_in"]),
            "international": self.dice.choice([None, 3]), "local": 2, "hours": Decimal("4.25"), "beneficiaries": 5,
            "newcomers": (None, 2)[identity.int % 2], "returning": 1,
        }  # fmt: skip
        amounts = {("waste", "kg"): Decimal("1.5"), ("money", "EUR"): Decimal(20)} if self.dice.random() < 0.5 else {}
        self.reports[identity] = {**report, "amounts": amounts}
        await impact.verify(identity, amounts, **report)
        await impact.tell([*told, contracts.ReportVerified(activity_id=identity, revision=1)])

    def facts(self) -> Iterator[tuple[dict[str, Any], set[tuple[str, str]], Counter[str], dict[Any, Decimal]]]:
        """Dimensions, labels, figures and amounts of each activity, in plain Python."""
        for identity, known in self.activities.items():
            report = self.reports.get(identity, {"state": "draft"})
            is_verified = report["state"] == "verified"
            there = [each for each in self.attendances.values() if each.activity_id == identity and each.present]
            if not is_verified and not there:
                continue
            figures = Counter[Any]()
            for each in there:
                figures[f"attendances_{each.participant_class}"] += 1
                figures["checked_in_hours"] += each.hours or 0
            amounts = {}
            if is_verified:
                figures["reports"] = 1
                held = report["outcome"] != "cancelled"
                figures["activities" if held else "cancelled"] = 1
                if held:
                    figures["participants_international"] = report["international"] or 0
                    figures["participants_local"] = report["local"]
                    figures["hours"], figures["beneficiaries"] = report["hours"], report["beneficiaries"]
                    figures["shrunk"] = int(report["outcome"] == "shrunk")
                    figures["newcomers"], figures["returning"] = report["newcomers"] or 0, report["returning"]
                    amounts = report["amounts"]
            day = known.starts_on
            dimensions = {
                "section": known.section, "country": known.country, "platform": known.platform,
                "edition": known.edition, "starts_on": day, "month": day and f"{day:%Y-%m}",
                "academic_year": day and ("2026/27" if day >= date(2026, 8, 1) else "2025/26"),
                "area": next(iter(known.areas), None), "cause": next(iter(known.causes), None), "kind": known.kind,
                "programme": known.programme, "source": report["source"] if is_verified else "check_in",
            }  # fmt: skip
            labels = {("area", each) for each in known.areas} | {("cause", each) for each in known.causes}
            yield dimensions, labels | {("sdg", str(each)) for each in known.sdgs}, figures, amounts

    def cells(self, kept: totals.Kept) -> dict[tuple[Any, ...], dict[str, Any]]:
        """What the rows of a table must be."""
        found: dict[tuple[Any, ...], Counter[Any]] = defaultdict(Counter)
        for dimensions, labels, figures, amounts in self.facts():
            cell = (*([kept.grain] if kept.grain else []), *(dimensions[name] for name in kept.dimensions))
            with_label = [(*cell, *label) for label in labels] if "label" in kept.parts else [cell]
            for key in with_label:
                for quantity, amount in amounts.items() if "unit" in kept.parts else [((), None)]:
                    found[*key, *quantity].update(figures if amount is None else {"amount": amount})
        rows = {key: {name: sums[name] for name in kept.summed} for key, sums in found.items()}
        return {key: figures for key, figures in rows.items() if any(figures.values())}

    def people(self) -> dict[tuple[str, str | None, str, str], tuple[int, int]]:
        """Different people and those without a key, by scope."""
        scopes: dict[Any, list[UUID | None]] = defaultdict(list)
        for each in self.attendances.values():
            known = self.activities.get(each.activity_id)
            if not each.present or known is None:
                continue
            day = known.starts_on
            year = day and ("2026/27" if day >= date(2026, 8, 1) else "2025/26")
            for period_kind, period in (("academic_year", year), ("edition", known.edition)):
                for kind, place in (("network", None), ("country", known.country), ("section", known.section)):
                    if period and (place or kind == "network"):
                        scopes[kind, place, period_kind, period].append(each.person_key)
        return {scope: (len({*found} - {None}), found.count(None)) for scope, found in scopes.items()}


async def assert_as_recounted(impact: Impact, story: Story) -> None:
    """Every table, read in one snapshot."""
    async with impact.runtime.reading() as session:
        for kept in totals.ALL:
            columns = [kept.table.__table__.c[name] for name in (*kept.told_apart_by, *kept.summed)]
            statement = sa.select(*columns)
            if kept.grain:
                statement = statement.where(kept.table.__table__.c.grain == kept.grain)
            found = [tuple(row) for row in await session.execute(statement)]
            width = len(kept.told_apart_by)
            cells = {row[:width]: dict(zip(kept.summed, row[width:], strict=True)) for row in found}
            assert len(cells) == len(found)
            assert cells == story.cells(kept), (kept.table.__tablename__, kept.grain)
            assert cells or "unit" in kept.parts or "label" in kept.parts
        found = [
            ((row.kind, row.place, row.period_kind, row.period), (row.people, row.guests))
            for row in await session.scalars(sa.select(PeopleScope))
            if row.people + row.guests
        ]
        assert dict(found) == story.people()


@pytest.mark.parametrize(("seed", "batch"), [(0, 200), (1, 1), (2, 3)])
async def test_every_total_roll_up_and_number_of_people_is_that_of_a_recount(
    impact: Impact, seed: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where so many follow each other they are read as a span of the log, and else row by row.
    for module in (consumers, worker):
        monkeypatch.setattr(module, "BATCH", batch)
    story = Story(seed)
    for number in range(8):
        await story.is_told(impact, story.dice.randrange(1, 16))
        await impact.catch_up()
        if number % 3 == 1:
            await assert_as_recounted(impact, story)
    assert await rows(impact.url, "SELECT * FROM events.dead_letters") == []
    assert (await impact.rebuild()).differences == 0


@pytest.mark.parametrize("many", [0, 1000])
async def test_a_rebuild_makes_all_of_it_from_nothing_and_from_what_is_wrong(
    impact: Impact, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few differences are added to what is there, and where they are many everything is written again.
    monkeypatch.setattr(actions, "MANY", many)
    story = Story(99)
    for _ in range(3):
        await story.is_told(impact, 15)
    await impact.catch_up()
    tables = {kept.table.__tablename__ for kept in totals.ALL}
    for table in (*tables, "activity_facts", "person_places"):
        await rows(impact.url, f"DELETE FROM impact.{table}")
    await rows(impact.url, "UPDATE impact.people_scopes SET people = people + 7, guests = 0")
    # What is told meanwhile is counted once, by whoever comes first.
    await story.is_told(impact, 12)
    made = await impact.rebuild()
    await impact.catch_up()
    assert made.differences > 0
    await assert_as_recounted(impact, story)
    await rows(impact.url, "UPDATE impact.roll_ups SET hours = hours + 1")
    assert (await impact.rebuild()).wrong_cells == len(await rows(impact.url, "SELECT 1 FROM impact.roll_ups"))
    assert (await impact.rebuild()).differences == 0


async def test_an_answer_is_the_same_from_a_roll_up_and_from_the_totals(impact: Impact) -> None:
    # Days are in no roll-up, so whoever asks for all of them is answered from the totals.
    story = Story(5, days=[day for day in DAYS if day[0] is not None])
    for _ in range(4):
        await story.is_told(impact, 12)
    await impact.catch_up()
    always, answered = {"since": date.min, "until": date.max}, 0
    async with impact.runtime.reading() as session:
        for by in [(), *((name,) for name in DIMENSIONS), ("country", "edition"), ("area", "academic_year")]:
            for codes in ({}, {"country": ("IT",)}, {"edition": ("2026-autumn",), "platform": ("SWEP",)}):
                quick, slow = Asked(by, ("quantities",), codes), Asked(by, ("quantities",), codes, **always)
                answer = await store.groups(session, quick, most=1000)
                assert answer == await store.groups(session, slow, most=1000)
                answered += bool(answer)
                assert await store.sources(session, quick) == await store.sources(session, slow)
                assert await store.completeness(session, quick) == await store.completeness(session, slow)
    assert answered > 15


@pytest.mark.parametrize("grain", GRAINS)
def test_a_roll_up_covers_what_it_keeps_and_nothing_else(grain: str) -> None:
    kept = GRAINS[grain]
    chosen = covering(kept, ())
    assert chosen is not None
    assert {*kept} <= {*GRAINS[chosen]}
    assert {*kept} <= {*ROLLED_UP}
    for other in {*ROLLED_UP, "starts_on"} - {*kept}:
        found = covering((), (*kept, other))
        assert found is None or other in GRAINS[found]


def test_the_smallest_roll_up_is_chosen() -> None:
    assert covering((), ()) == covering(("country",), ("edition", "platform")) == "network"
    assert covering(("month",), ("country",)) == covering(("month",), ("edition",)) == "months"
    assert covering(("cause",), ("academic_year",)) == "topics"
    assert covering(("section",), ("edition",)) == "sections"
    assert covering(("section",), ("country",)) == "organisers"
    assert covering(("section",), ("starts_on",)) is None
    assert covering(("section",), (), among=("network",)) is None
