"""Totals of the file of past activities, counted from the CSV by code that shares nothing with the services.

Quantities stand in prose there, so they come from `past_quantities.csv`: a list that somebody wrote by reading the
prose, with the words that each amount was read from. Rates, prices, queues and goods that nobody counted are not in it.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TextIO

QUANTITIES = Path(__file__).with_name("past_quantities.csv")


@dataclass
class Totals:
    """Held activities, the persons at them, whose classes add up to `participants`, and what was done by unit."""

    activities: int = 0
    participants: int = 0
    international: int = 0
    locals: int = 0
    esn_volunteers: int = 0
    unclassified: int = 0
    hours: Decimal = Decimal(0)
    quantities: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def add(self, row: dict[str, str], quantities: list[dict[str, str]]) -> None:
        """Count one held activity; hours are its duration for each participant, where both are stated."""
        international, local, volunteers = (
            int(row[column] or 0) for column in ("international", "locals", "esn_volunteers")
        )
        in_classes = international + local + volunteers
        everybody = max(int(row["participants_total"] or 0), in_classes)
        self.activities += 1
        self.participants += everybody
        self.international += international
        self.locals += local
        self.esn_volunteers += volunteers
        self.unclassified += everybody - in_classes
        if row["hours"]:
            self.hours += Decimal(row["hours"]) * everybody
        for quantity in quantities:
            key = (quantity["measure"], quantity["unit"])
            self.quantities[key] = self.quantities.get(key, Decimal(0)) + Decimal(quantity["amount"])


def _groups() -> dict[str | None, Totals]:
    return defaultdict(Totals)


@dataclass
class Recount:
    """The totals over all, and by group; activities without a country, an area or an edition are in the group None."""

    overall: Totals = field(default_factory=Totals)
    by_country: dict[str | None, Totals] = field(default_factory=_groups)
    by_area: dict[str | None, Totals] = field(default_factory=_groups)
    by_edition: dict[str | None, Totals] = field(default_factory=_groups)
    by_kind: dict[str | None, Totals] = field(default_factory=_groups)


def recount_files(activities: Path, editions: Path) -> Recount:
    """Count the two files by their paths."""
    with (
        activities.open(encoding="utf-8", newline="") as rows,
        editions.open(encoding="utf-8", newline="") as weeks,
        QUANTITIES.open(encoding="utf-8", newline="") as amounts,
    ):
        return recount(rows, weeks, amounts)


def recount(activities: TextIO, editions: TextIO, quantities: TextIO) -> Recount:
    """Count the held activities: those with the status "done" and those to which nobody came."""
    periods = list(_periods(csv.DictReader(editions)))
    result = Recount()
    read_by_hand: dict[str, list[dict[str, str]]] = defaultdict(list)
    for quantity in csv.DictReader(quantities):
        read_by_hand[quantity["id"]].append(quantity)
    for row in csv.DictReader(activities):
        if row["status"] not in ("done", "no participants"):
            continue
        country = {"UK": "GB", "EL": "GR", "YU": "RS"}.get(row["country"], row["country"])
        amounts = read_by_hand[row["id"]]
        result.overall.add(row, amounts)
        result.by_country[country or None].add(row, amounts)
        result.by_area[row["area_2015"].lower() or None].add(row, amounts)
        result.by_edition[_edition(row["start_date"], periods)].add(row, amounts)
        result.by_kind[row["kind"].replace(" ", "_") or None].add(row, amounts)
    return result


def _periods(rows: Iterable[dict[str, str]]) -> Iterable[tuple[int, str, date, date]]:
    """Give length in days, code, first and last day of each campaign edition whose days are known."""
    for row in rows:
        if row["series"] == "SECM" or len(row["start"]) != len("2016-11-07") or len(row["end"]) != len("2016-11-13"):
            continue
        first, last = date.fromisoformat(row["start"]), date.fromisoformat(row["end"])
        yield (last - first).days, f"{first.year}-{'spring' if first.month < 8 else 'autumn'}", first, last


def _edition(start: str, periods: list[tuple[int, str, date, date]]) -> str | None:
    """Find the shortest edition with this first day in it; a first day that is only known to the month is in none."""
    if len(start) != len("2016-11-07"):
        return None
    day = date.fromisoformat(start)
    found = sorted((length, code) for length, code, first, last in periods if first <= day <= last)
    return found[0][1] if found else None
