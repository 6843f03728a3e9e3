"""What can be counted: each measure with its unit, its definition, what it is made of and how it can be split."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

QUANTITIES: Final = "quantities"

DIMENSIONS: Final = (
    "country",
    "section",
    "platform",
    "edition",
    "academic_year",
    "month",
    "area",
    "cause",
    "sdg",
    "objective",
    "kind",
    "programme",
    "participant_class",
    "source",
)
CLASS: Final = "participant_class"
SDG: Final = "sdg"
ALWAYS_TOUCHING: Final = frozenset({"sdg", "objective"})
"""No activity says which of its SDGs or objectives is the main one."""

MAY_TOUCH: Final = frozenset({"area", "cause"})

_NOT_OF_CLASSES: Final = frozenset(DIMENSIONS) - {CLASS}
_OF_CATALOGUE: Final = _NOT_OF_CLASSES - {"sdg", "objective", "source"}


@dataclass(frozen=True, slots=True)
class Measure:
    """What a figure counts."""

    title: str
    unit: str
    definition: str
    columns: tuple[str, ...] = ()
    splits: frozenset[str] = field(default=_NOT_OF_CLASSES)
    reports: str | None = None
    """Which count of reports it is, of those that are counted in the catalogue and not in the totals."""

    numerator: str | None = None
    denominator: str | None = None

    @property
    def is_ratio(self) -> bool:
        """Whether it is one measure by another, and so adds up to nothing."""
        return self.numerator is not None


def _people(title: str, definition: str, *columns: str, splits: frozenset[str] = _NOT_OF_CLASSES) -> Measure:
    again = "Somebody who took part in two activities or dates counts twice."
    return Measure(title, "1", f"{definition} {again}", columns, splits)


def _ratio(title: str, unit: str, definition: str, numerator: str, denominator: str) -> Measure:
    splits = _NOT_OF_CLASSES if numerator != "activities_reported" else _OF_CATALOGUE
    told = f"{definition} Null where there is nothing to divide by."
    return Measure(title, unit, told, splits=splits, numerator=numerator, denominator=denominator)


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
    "shrunk": Measure(
        "Activities that shrunk",
        "1",
        "Activities whose verified report says that they took place, smaller than it was planned; each date of "
        "a series by itself, for each has its own report. They are among those held.",
        ("shrunk",),
    ),
    "participants": _people(
        "Participants",
        "People who took part according to verified reports, of every class and of none that is known; a report that "
        "states no people adds none.",
        "participants_international",
        "participants_local",
        "participants_esn_volunteer",
        "participants_unclassified",
        splits=frozenset(DIMENSIONS),
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
    "participants_classified": _people(
        "Participants of a known class",
        "Participants reported as international students, locals or volunteers of ESN.",
        "participants_international",
        "participants_local",
        "participants_esn_volunteer",
    ),
    "newcomers": Measure(
        "Newcomers",
        "1",
        "Participants who volunteered with ESN for the first time, as verified reports state it; a report that does "
        "not say adds none. With those who returned they are the participants of whom this is known.",
        ("newcomers",),
    ),
    "returning": Measure(
        "Those who returned",
        "1",
        "Participants who had volunteered with ESN before, as verified reports state it; a report that does not say "
        "adds none.",
        ("returning",),
    ),
    "attendances": Measure(
        "Check-ins",
        "1",
        "Times that somebody was recorded as present, counted as they are recorded and whatever a report says; 0 where "
        "nobody was checked in and the organiser's numbers stand alone.",
        ("attendances_international", "attendances_local", "attendances_esn_volunteer"),
        splits=frozenset(DIMENSIONS),
    ),
    "beneficiaries": Measure(
        "People helped",
        "1",
        "People for whom something was done, as verified reports state them; a report that states none adds none.",
        ("beneficiaries",),
    ),
    "hours": Measure(
        "Hours of volunteering",
        "h",
        "Hours given by everybody together, as verified. Of past activities: the duration times the participants, "
        "where both are known; an activity without hours adds none.",
        ("hours",),
    ),
    "checked_in_hours": Measure(
        "Hours checked in",
        "h",
        "Hours recorded for those who were recorded as present, as they are recorded and whatever a report says.",
        ("checked_in_hours",),
    ),
    QUANTITIES: Measure(
        "Quantities",
        "",
        'Verified amounts by measure and unit (UCUM; "1" for what is counted; ISO 4217 for money); amounts of '
        "different units or currencies are never added.",
    ),
    "activities_due": Measure(
        "Activities to be reported",
        "1",
        "Activities of the catalogue that have begun and were not called off, and those that were reported; each date "
        "of a series and each part of a joint day by itself, for each has its own report.",
        splits=_OF_CATALOGUE,
        reports="due",
    ),
    "activities_reported": Measure(
        "Activities with a verified report",
        "1",
        "Those of the activities to be reported that have a verified report, whatever it says.",
        splits=_OF_CATALOGUE,
        reports="verified",
    ),
    "hours_per_participant": _ratio(
        "Hours for each participant",
        "h",
        "Hours of volunteering by participants. Activities whose hours are not known count among the participants.",
        "hours",
        "participants",
    ),
    "participants_per_activity": _ratio(
        "Participants for each activity", "1", "Participants by activities held.", "participants", "activities"
    ),
    "share_international": _ratio(
        "Share of international students",
        "1",
        "International students by participants of a known class, from 0 to 1.",
        "participants_international",
        "participants_classified",
    ),
    "reporting_rate": _ratio(
        "Reporting rate",
        "1",
        "Activities with a verified report by activities to be reported, from 0 to 1.",
        "activities_reported",
        "activities_due",
    ),
}
DEFAULT_MEASURES: Final = ("activities", "participants", "hours", QUANTITIES)


def with_their_parts(names: tuple[str, ...]) -> tuple[str, ...]:
    """The measures asked for, and before each ratio what it is made of.

    >>> with_their_parts(("participants_per_activity", "participants"))
    ('participants', 'activities', 'participants_per_activity')
    """
    found: dict[str, None] = {}
    for name in names:
        measure = MEASURES[name]
        for part in (measure.numerator, measure.denominator, name):
            if part is not None:
                found.setdefault(part)
    return tuple(found)
