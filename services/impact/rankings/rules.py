"""By what sections are ranked, how that is worked out so that it is fair, and who decides about a section."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from services.impact.facts.rules import Figures
from services.kernel.problems import Forbidden, NotFound

SMALLEST_SIZE: Final = 20
IMPROVEMENT_FLOOR: Final = 30


class By(StrEnum):
    """By what sections are ranked."""

    ACTIVITIES = "activities"
    PARTICIPANTS = "participants"
    HOURS = "hours"
    PER_SIZE = "participants_per_student_hosted"
    STREAK = "streak"
    NEWCOMERS = "newcomers"
    MOST_IMPROVED = "most_improved"


RULES: Final[dict[By, str]] = {
    By.ACTIVITIES: "Activities held in the period.",
    By.PARTICIPANTS: "Participants in the period, of every class.",
    By.HOURS: "Hours of volunteering in the period.",
    By.PER_SIZE: "International students who took part in the period, counted once for each activity, by the "
    "international students that the section hosts in that academic year, as its national coordinator says. Of "
    f"sections for which nobody has said it, and of those that host fewer than {SMALLEST_SIZE}, it is not worked out.",
    By.STREAK: "Editions one after another, up to this one, in each of which the section held an activity.",
    By.NEWCOMERS: "Sections that held an activity in this edition and in no edition before it, by activities held.",
    By.MOST_IMPROVED: "Participants more than in the period before, by the participants of that period, and by "
    f"{IMPROVEMENT_FLOOR} where they were fewer: from 1 to 2 is 1 of {IMPROVEMENT_FLOOR}. Of sections that had "
    "participants in both periods and more in this one.",
}
OF_EDITIONS: Final = frozenset({By.STREAK, By.NEWCOMERS})


class SectionNotFound(NotFound):
    """There is no section with this code."""


class SizeNotFound(NotFound):
    """Nobody has said how many students this section hosts in this academic year."""


class SizeOutOfReach(Forbidden):
    """Only the national coordinator of the section's country, or ESN International, says how many students it hosts."""


class NotYourSection(Forbidden):
    """Only the section's own coordinators decide whether it stands in rankings."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a section is ranked by, and what that was made of."""

    section: str
    value: float
    numerator: float | None = None
    denominator: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A section's place; those with the same value share one, and the places after it are left free."""

    place: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Material:
    """What rankings are worked out of: figures by section of the period, of the one before, and of each edition."""

    now: Mapping[str, Figures]
    before: Mapping[str, Figures] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    active: Sequence[Collection[str]] = ()
    """The sections with an activity, edition by edition, the present one last."""


def standings(by: By, material: Material) -> list[Standing]:
    """Each section that has something to be ranked by."""
    if by is By.STREAK:
        return streaks(material.active)
    if by is By.PER_SIZE:
        return [
            Standing(section, round(took_part / size, 4), took_part, size)
            for section, figures in material.now.items()
            if (size := material.sizes.get(section, 0)) >= SMALLEST_SIZE
            and (took_part := figures.participants_international)
        ]
    if by is By.MOST_IMPROVED:
        improved = (
            improvement(section, people(figures), people(material.before.get(section, Figures())))
            for section, figures in material.now.items()
        )
        return [each for each in improved if each is not None]
    if by is By.NEWCOMERS:
        known = {section for edition in material.active[:-1] for section in edition}
        return [
            Standing(section, figures.activities)
            for section, figures in material.now.items()
            if section not in known and figures.activities
        ]
    return [
        Standing(section, value) for section, figures in material.now.items() if (value := _volume(by, figures)) > 0
    ]


def _volume(by: By, figures: Figures) -> float:
    if by is By.HOURS:
        return float(figures.hours)
    return figures.activities if by is By.ACTIVITIES else people(figures)


def people(figures: Figures) -> int:
    """Participants of every class."""
    return (
        figures.participants_international
        + figures.participants_local
        + figures.participants_esn_volunteer
        + figures.participants_unclassified
    )


def improvement(section: str, now: int, before: int) -> Standing | None:
    """By what part of what it was a section grew; what was small is taken for more, so that chance does not win.

    >>> improvement("A", 2, 1).value, improvement("B", 90, 60).value, improvement("C", 30, 0)
    (0.0333, 0.5, None)
    """
    if before <= 0 or now <= before:
        return None
    base = max(before, IMPROVEMENT_FLOOR)
    return Standing(section, round((now - before) / base, 4), now - before, base)


def streaks(active: Sequence[Collection[str]]) -> list[Standing]:
    """How many editions one after another, up to the last, each section was active in.

    >>> streaks([{"A", "B"}, {"B"}, {"A", "B"}])
    [Standing(section='A', value=1, numerator=None, denominator=None), \
Standing(section='B', value=3, numerator=None, denominator=None)]
    """
    going = set(active[-1]) if active else set()
    lengths = dict.fromkeys(sorted(going), 0)
    for edition in reversed(active):
        going &= set(edition)
        for section in going:
            lengths[section] += 1
        if not going:
            break
    return [Standing(section, length) for section, length in lengths.items()]


def places(standings: Iterable[Standing], unranked: Collection[str]) -> list[Place]:
    """The order of those who stand in it, the highest first, and the same place for the same value.

    Who does not want to stand in it is left out before any place is given: there is no gap to see.
    """
    ranked = sorted((each for each in standings if each.section not in unranked), key=lambda each: each.section)
    ranked.sort(key=lambda each: each.value, reverse=True)
    found: list[Place] = []
    for number, each in enumerate(ranked, start=1):
        shares = bool(found) and found[-1].standing.value == each.value
        found.append(Place(found[-1].place if shares else number, each))
    return found
