"""What can be asked: the dimensions and the measures with their definitions, and how groups are added up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from services.impact.facts.rules import Figures, Quantity
from services.impact.reports.rules import plain
from services.kernel.problems import Invalid

MOST_GROUPS: Final = 20_000
QUANTITIES: Final = "quantities"

DIMENSIONS: Final = (
    "country",
    "section",
    "edition",
    "area",
    "cause",
    "kind",
    "programme",
    "month",
    "academic_year",
)
"""Each activity has one value of each: its leading section, main area and main cause, the month of its first day."""

DEFAULT_MEASURES: Final = ("activities", "participants", "hours", QUANTITIES)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a figure counts."""

    title: str
    unit: str
    definition: str
    columns: tuple[str, ...]


def _people(title: str, definition: str, *columns: str) -> Measure:
    return Measure(title, "1", f"{definition} Somebody who took part in two activities or dates counts twice.", columns)


MEASURES: Final = {
    "activities": Measure(
        "Activities held",
        "1",
        "Activities whose verified report says that they took place, each once: a series counts once, however many of "
        "its dates took place, and a joint day by its parts.",
        ("activities",),
    ),
    "cancelled": Measure(
        "Activities cancelled",
        "1",
        "Activities whose verified report says that they did not take place; a series, where none of its dates did.",
        ("cancelled",),
    ),
    "participants": _people(
        "Participants",
        "People who took part according to verified reports, of every class and of none that is known; a report that "
        "states no people adds none.",
        "participants_international",
        "participants_local",
        "participants_esn_volunteer",
        "participants_unclassified",
    ),
    "participants_international": _people(
        "International students", "Participants reported as international students.", "participants_international"
    ),
    "participants_local": _people("Locals", "Participants reported as locals.", "participants_local"),
    "participants_esn_volunteer": _people(
        "ESN volunteers", "Participants reported as volunteers of ESN.", "participants_esn_volunteer"
    ),
    "participants_unclassified": _people(
        "Participants without a class",
        "Participants whose class the report does not state.",
        "participants_unclassified",
    ),
    "attendances": Measure(
        "Check-ins",
        "1",
        "Times that somebody was recorded as present, counted as they are recorded and whatever a report says; 0 where "
        "nobody was checked in and the organiser's numbers stand alone.",
        ("attendances_international", "attendances_local", "attendances_esn_volunteer"),
    ),
    "hours": Measure(
        "Hours of volunteering",
        "h",
        "Hours given by everybody together, as verified. Of past activities: the duration times the participants, "
        "where both are known; an activity without hours adds none.",
        ("hours",),
    ),
    QUANTITIES: Measure(
        "Quantities",
        "",
        'Verified amounts by measure and unit (UCUM; "1" for what is counted; ISO 4217 for money); amounts of '
        "different units or currencies are never added.",
        (),
    ),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: by which dimensions, which measures, and of which activities."""

    by: tuple[str, ...]
    measures: tuple[str, ...]
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    since: date | None = None
    until: date | None = None

    def filters(self) -> dict[str, Any]:
        """The filters in the words of the request: one value as itself, several as a list."""
        told: dict[str, Any] = {
            name: codes[0] if len(codes) == 1 else list(codes) for name, codes in self.codes.items()
        }
        days = {"from": self.since, "to": self.until}
        return told | {name: day.isoformat() for name, day in days.items() if day is not None}


@dataclass(frozen=True, slots=True)
class Group:
    """The activities that share a value of each dimension asked for, and what they add up to."""

    key: tuple[str | None, ...]
    figures: Figures
    quantities: tuple[tuple[Quantity, Decimal], ...]


def names(parameter: str, values: Sequence[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """The names in a parameter that may be repeated and may hold several, separated by commas; each once."""
    known = tuple(allowed)
    found = [name for value in values for name in value.split(",")]
    if not set(found) <= set(known):
        raise Invalid.at(f"query/{parameter}", f"Names must be among: {', '.join(known)}.")
    return tuple(dict.fromkeys(found))


def total(groups: Iterable[Group]) -> Group:
    """The sum of the groups: no activity lies in two of them."""
    figures, quantities = Figures(), dict[Quantity, Decimal]()
    for group in groups:
        figures = figures.plus(group.figures)
        for quantity, amount in group.quantities:
            quantities[quantity] = quantities.get(quantity, Decimal(0)) + amount
    return Group((), figures, tuple(sorted(quantities.items())))


def row(group: Group, by: Sequence[str], measures: Iterable[str]) -> dict[str, Any]:
    """A group as it is told: its dimensions, its measures, and the names of the measures that are withheld."""
    told: dict[str, Any] = dict(zip(by, group.key, strict=True))
    for name in measures:
        if name == QUANTITIES:
            told[name] = [
                {"measure": quantity.measure, "unit": quantity.unit, "amount": plain(amount)}
                for quantity, amount in group.quantities
            ]
        else:
            figure = sum(getattr(group.figures, column) for column in MEASURES[name].columns)
            told[name] = float(figure) if isinstance(figure, Decimal) else figure
    return told | {"suppressed": []}
