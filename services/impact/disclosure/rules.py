"""Which dimensions describe a person, which figures everybody may know, and the tables in which people are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from services.impact.disclosure.listing import Row, Shape, rest_of
from services.impact.disclosure.protection import Released
from services.kernel.problems import Invalid, NotFound

FEWEST: Final = 5
"""Of fewer people nothing is told."""

FEWEST_OF_SECTIONS: Final = 10
"""Of fewer people nothing is told beside a section, where they know each other."""

CLOSING: Final = timedelta(days=60)
"""How long after an academic year its tables are released: what is recorded later does not change them."""

NOT_STATED: Final = "not_stated"


class Openness(StrEnum):
    """Whether figures by a dimension, or of a measure, combine freely."""

    PUBLIC = "public"
    PROTECTED = "protected"


class Declared(NamedTuple):
    """What is decided of a dimension or a measure, and why."""

    openness: Openness
    reason: str


def _public(reason: str, *names: str) -> dict[str, Declared]:
    return {name: Declared(Openness.PUBLIC, reason) for name in names}


def _protected(reason: str, *names: str) -> dict[str, Declared]:
    return {name: Declared(Openness.PROTECTED, reason) for name in names}


DIMENSIONS: Final = {
    **_public("Says where an activity took place and who organised it.", "country", "section", "platform"),
    **_public("Says when an activity took place.", "edition", "academic_year", "month"),
    **_public("Says what an activity was about.", "area", "cause", "sdg", "objective", "kind", "programme", "source"),
    **_public("International student, local or volunteer of ESN: published by ESN as it is.", "participant_class"),
    **_protected("With an activity it points at the few who came from there.", "home_country"),
    **_protected("Trainees are few, and known to each other.", "mobility"),
    **_protected("With a section it points at those who are unlike its others.", "age_band"),
    **_protected("What became of somebody afterwards belongs to them.", "background"),
}

MEASURES: Final = {
    **_public(
        "Counts activities, not people.",
        "activities",
        "cancelled",
        "shrunk",
        "reports",
        "activities_due",
        "activities_reported",
        "reporting_rate",
    ),
    **_public(
        "A ratio of figures that everybody may know.",
        "hours_per_participant",
        "participants_per_activity",
        "share_international",
    ),
    **_public(
        "Head counts by class, which ESN publishes.",
        "participants",
        "participants_international",
        "participants_local",
        "participants_esn_volunteer",
        "participants_unclassified",
        "participants_classified",
        "attendances",
        "attendances_international",
        "attendances_local",
        "attendances_esn_volunteer",
        "people",
        "people_international",
        "people_local",
        "people_esn_volunteer",
        "beneficiaries",
    ),
    **_public("Head counts of a report as a whole, which say nothing of one person.", "newcomers", "returning"),
    **_public("Sums over everybody at an activity, without anything that describes one.", "hours", "checked_in_hours"),
    **_public("Amounts of things and money that an activity as a whole gave.", "quantities"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table in which people are counted by something that describes them."""

    code: str
    title: str
    rows: str
    label: str
    threshold: int = FEWEST

    @property
    def definition(self) -> str:
        """What is counted."""
        where = "" if self.rows == "academic_year" else f", by the {_WORDS[self.rows]} of what they took part in"
        return (
            f"International students who were present at an activity of the academic year, by {_WORDS[self.label]}"
            f"{where}. Each is counted once in a row, and in every row in which they took part; who was counted in the "
            "tables of another year is not counted again."
        )


_WORDS: Final = {
    "academic_year": "academic year",
    "edition": "edition",
    "host_country": "country",
    "section": "section",
    "cause": "main cause",
    "home_country": "home country",
    "mobility": "kind of mobility",
}

_BY_LABEL: Final = {
    "home_country": (
        Table("home-country-by-academic-year", "Home countries by academic year", "academic_year", "home_country"),
        Table("home-country-by-edition", "Home countries by edition", "edition", "home_country"),
        Table("home-country-by-host-country", "Home countries by host country", "host_country", "home_country"),
    ),
    "mobility": (
        Table("mobility-by-academic-year", "Study or traineeship by academic year", "academic_year", "mobility"),
        Table("mobility-by-host-country", "Study or traineeship by host country", "host_country", "mobility"),
        Table("mobility-by-cause", "Study or traineeship by main cause", "cause", "mobility"),
    ),
}
"""What one label is told by is decided together: added to and taken from one another, the tables tell no more."""

_OF_SECTIONS: Final = {
    label: Table(
        f"{label.replace('_', '-')}-by-section", f"{title} by section", "section", label, threshold=FEWEST_OF_SECTIONS
    )
    for label, title in (("home_country", "Home countries"), ("mobility", "Study or traineeship"))
}
"""Added to the others once these are decided, and told as far as it costs them nothing."""

_ALL: Final = {label: (*tables, _OF_SECTIONS[label]) for label, tables in _BY_LABEL.items()}

TABLES: Final = {table.code: table for tables in _ALL.values() for table in tables}


class TableNotFound(NotFound):
    """There is no table with this code."""


class Group(NamedTuple):
    """So many people who took part in the same and say the same of themselves."""

    editions: Sequence[str]
    host_countries: Sequence[str]
    sections: Sequence[str]
    causes: Sequence[str]
    home_country: str | None
    mobility: str | None
    people: int

    def keys(self, rows: str, academic_year: str) -> Sequence[str]:
        """The rows of a table in which they are counted."""
        found: dict[str, Sequence[str]] = {
            "academic_year": (academic_year,),
            "edition": self.editions,
            "host_country": self.host_countries,
            "section": self.sections,
            "cause": self.causes,
        }
        return found[rows]

    def value(self, label: str) -> str:
        """What they say of themselves."""
        return {"home_country": self.home_country, "mobility": self.mobility}[label] or NOT_STATED


def counted(groups: Sequence[Group], academic_year: str, label: str) -> dict[tuple[frozenset[Row], str], int]:
    """The people by the rows of all tables of one label."""
    people: dict[tuple[frozenset[Row], str], int] = {}
    for group in groups:
        rows = frozenset(Row(table.code, key) for table in _ALL[label] for key in group.keys(table.rows, academic_year))
        people[rows, group.value(label)] = people.get((rows, group.value(label)), 0) + group.people
    return people


LABELS: Final = tuple(_BY_LABEL)
_OF_EVERYBODY: Final = {tables[0].code for tables in _BY_LABEL.values()}


def shapes(label: str) -> list[Shape]:
    """The tables of a label as the protection sees them."""
    whole, *others = _BY_LABEL[label]
    return [
        Shape(whole.code, whole.threshold, None),
        *(Shape(table.code, table.threshold, whole.code) for table in others),
    ]


def shape_of_sections(label: str) -> Shape:
    """The table by section, which is added to the others; a section's people are mostly in one country."""
    own = _OF_SECTIONS[label]
    within = next(table for table in _BY_LABEL[label] if table.rows == "host_country")
    return Shape(own.code, own.threshold, within.code)


class ToldRow(NamedTuple):
    """A row of a table as it is kept and told; the key is empty for those who are in no other row."""

    table: str
    key: str
    people: int
    counts: dict[str, int]


def told_rows(released: Released) -> list[ToldRow]:
    """What of a release is kept: nothing that is withheld, and of rests that of everybody alone."""
    found = {}
    for row, people in released.rows.items():
        table = rest_of(row)
        if table is None:
            found[row] = ToldRow(row.table, row.key, people, {})
        elif row.key.partition(" ")[0] in _OF_EVERYBODY:
            found[row] = ToldRow(table, "", people, {})
    for (row, label), people in released.counts.items():
        if row in found:
            found[row].counts[label] = people
    return sorted(found.values(), key=lambda row: row[:2])


def released_from(academic_year: str) -> date:
    """The day from which the tables of an academic year may be released.

    >>> released_from("2026/27")
    datetime.date(2027, 9, 30)
    """
    return date(int(academic_year[:4]) + 1, 8, 1) + CLOSING


def refuse_protected(parameter: str, names: Sequence[str]) -> None:
    """Say where a protected dimension is told, to whoever wants to combine it with others."""
    asked = [part for name in names for part in name.split(",")]
    for name, declared in DIMENSIONS.items():
        if name in asked and declared.openness is Openness.PROTECTED:
            tables = [f"/impact/v1/tables/{table.code}" for table in _ALL.get(name, ())]
            where = f"It is told in {', '.join(tables)}." if tables else "There is no table of it."
            raise Invalid.at(f"query/{parameter}", f"{name} describes a person and can't be combined freely. {where}")
