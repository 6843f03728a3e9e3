"""Which view of the figures an address shows, and the address of a view."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from services.impact.statistics.measures import QUANTITIES

CAUSES: Final = (
    "culture",
    "education-youth",
    "environmental-sustainability",
    "health-well-being",
    "skills-employability",
    "social-inclusion",
)
"""The causes that the pages have a name for in every language."""

TABLED: Final = ("activities", "participants", "hours")
"""The measures of every table."""

CLASSES: Final = (
    "participants_international",
    "participants_local",
    "participants_esn_volunteer",
    "participants_unclassified",
)
HEADLINES: Final = ("activities", "participants", "hours", "beneficiaries", "cancelled")
TOLD: Final = (*HEADLINES, *CLASSES, QUANTITIES)
"""Every measure that a page tells."""

_FOLDERS: Final = {
    "section": "sections",
    "country": "countries",
    "cause": "causes",
    "edition": "editions",
    "academic_year": "years",
}
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,62}")
_YEAR: Final = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows: activities that have one code in each of some dimensions; without any, all."""

    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def period(self) -> tuple[str, str] | None:
        """The edition or academic year that it is of."""
        return next(((name, self.codes[name]) for name in ("edition", "academic_year") if name in self.codes), None)

    @property
    def tables(self) -> tuple[str, ...]:
        """The dimensions by which it is split, one table each."""
        found: tuple[str, ...] = () if self.period else ("academic_year", "edition")
        if "section" not in self.codes:
            found += ("section",) if "country" in self.codes else ("country",)
        if "cause" not in self.codes:
            found += ("cause",)
        return (*found, "month") if self.period else found

    @property
    def is_possible(self) -> bool:
        """Whether its codes are written as codes are, so that one can look for them."""
        return all(_CODE.fullmatch(code) for code in self.codes.values())

    def of(self, name: str, code: str) -> View:
        """The view that is narrower by one code; a period takes another's place, and a section its country's."""
        codes = {**self.codes, name: code}
        if name == "section":
            codes.pop("country", None)
        return View(codes)

    def address(self) -> str:
        """The one address of the view, below that of the service."""
        # The folder is that of the first dimension; a period comes first where there is nothing else.
        names = [name for name in _FOLDERS if name in self.codes]
        if not names:
            return ""
        rest = {}
        for name in names[1:]:
            is_period = name in {"edition", "academic_year"}
            rest["period" if is_period else name] = written(self.codes[name])
        query = f"?{urlencode(rest)}" if rest else ""
        return f"{_FOLDERS[names[0]]}/{quote(written(self.codes[names[0]]), safe='')}{query}"


def written(code: str) -> str:
    """A code as a part of an address: an academic year without its slash.

    >>> written("2026/27"), written("2026-autumn")
    ('2026-27', '2026-autumn')
    """
    return code.replace("/", "-")


def period(text: str) -> tuple[str, str]:
    """The dimension and the code of a period as addresses write it.

    >>> period("2026-27"), period("1999-00"), period("2026-autumn"), period("2026-28")
    (('academic_year', '2026/27'), ('academic_year', '1999/00'), ('edition', '2026-autumn'), ('edition', '2026-28'))
    """
    year = _YEAR.fullmatch(text)
    if year and (int(year[1]) + 1) % 100 == int(year[2]):
        return "academic_year", f"{year[1]}/{year[2]}"
    return "edition", text


def place(parts: Mapping[str, str | None]) -> View:
    """The view of what stands in an address or was chosen in the form; what is empty was not chosen."""
    codes = {name: value for name, value in parts.items() if value and name != "period"}
    chosen = parts.get("period")
    return View(codes | dict([period(chosen)]) if chosen else codes)
