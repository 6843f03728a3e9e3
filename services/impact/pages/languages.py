"""The languages of the pages: their texts, and how each writes numbers, amounts, periods and countries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from babel.dates import format_date, format_datetime, format_interval, format_skeleton
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from services.impact.reports.measures import MONEY, OTHER
from services.kernel.catalogues import ENGLISH, Catalogue, Catalogues
from services.kernel.languages import best

CATALOGUES: Final = Catalogues(Path(__file__).with_name("catalogues"))
UNITS: Final[Mapping[str, str]] = {
    "g": "mass-gram",
    "kg": "mass-kilogram",
    "t": "mass-tonne",
    "ml": "volume-milliliter",
    "l": "volume-liter",
    "m": "length-meter",
    "km": "length-kilometer",
    "m2": "area-square-meter",
    "har": "area-hectare",
    "m3": "volume-cubic-meter",
    "min": "duration-minute",
    "h": "duration-hour",
    "kW.h": "energy-kilowatt-hour",
}
"""The units of UCUM under their names in CLDR."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the pages are written in."""

    catalogue: Catalogue

    @property
    def tag(self) -> str:
        """Its BCP 47 tag."""
        return self.catalogue.tag

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, as HTML wants it."""
        return self.catalogue.locale.text_direction

    @property
    def name(self) -> str:
        """What it calls itself."""
        return self.catalogue.locale.get_language_name(self.tag) or self.tag

    def text(self, name: str, **fields: Any) -> str:
        """A text with its fields filled in."""
        found = self.catalogue.text(name)
        return found.format(**fields) if fields else found

    def number(self, number: float | None) -> str:
        """A number, or that it is not known."""
        if number is None:
            return self.text("unknown")
        return format_decimal(number, format="#,##0.##", locale=self.catalogue.locale)

    def share(self, part: float, whole: float) -> str:
        """A part of a whole in per cent."""
        return format_percent(part / whole, locale=self.catalogue.locale) if whole else ""

    def change(self, grown: Mapping[str, Any]) -> str:
        """By how much and by what part something grew; nothing where that can't be said."""
        absolute, ratio = grown["absolute"], grown["ratio"]
        if absolute is None:
            return ""
        told = f"{_sign(absolute)}{self.number(abs(absolute))}"
        return told if not ratio else f"{told} ({self.part(ratio)})"

    def part(self, ratio: float) -> str:
        """A ratio of growth in per cent, with its sign."""
        return f"{_sign(ratio)}{format_percent(abs(ratio), locale=self.catalogue.locale)}"

    def amount(self, measure: str, unit: str, amount: Decimal) -> str:
        """An amount in its unit."""
        if measure == MONEY:
            return format_currency(amount, unit, locale=self.catalogue.locale)
        if unit in UNITS:
            return str(format_unit(amount, UNITS[unit], locale=self.catalogue.locale))
        return self.number(float(amount))

    def quantity(self, measure: str) -> str:
        """The name of a quantity; what coordinators named themselves stays in their words."""
        known = f"quantity.{measure}"
        if known in self.catalogue.texts:
            return self.text(known)
        return measure.removeprefix(OTHER).replace("_", " ").capitalize()

    def country(self, code: str) -> str:
        """The name of a country."""
        return str(self.catalogue.locale.territories.get(code, code))

    def cause(self, code: str) -> str:
        """The name of a cause."""
        known = f"cause.{code}"
        return self.text(known) if known in self.catalogue.texts else code.replace("-", " ").capitalize()

    def edition(self, code: str) -> str:
        """The name of an edition by its season, or its code."""
        year, _, season = code.partition("-")
        known = f"edition.{season}"
        return self.text(known, year=year) if known in self.catalogue.texts else code

    def month(self, code: str) -> str:
        """A month of a year."""
        first = date(int(code[:4]), int(code[5:]), 1)
        return str(format_skeleton("yMMMM", first, locale=self.catalogue.locale))

    def days(self, first: date, last: date) -> str:
        """From one day to another."""
        if first == last:
            return format_date(first, "long", locale=self.catalogue.locale)
        return str(format_interval(first, last, "yMMMMd", locale=self.catalogue.locale))

    def moment(self, at: datetime) -> str:
        """A moment, to the minute, in UTC."""
        locale = self.catalogue.locale
        day, time = format_date(at.astimezone(UTC), "long", locale=locale), at.astimezone(UTC)
        return f"{day}, {format_datetime(time, 'HH:mm', locale=locale)} UTC"


def languages() -> list[Language]:
    """Every language of the pages."""
    return [Language(CATALOGUES.catalogue(tag)) for tag in CATALOGUES.tags()]


def chosen(asked: str | None, accepted: str) -> Language:
    """The language of a page: the one that its address asks for, else the visitor's best, else English."""
    return Language(CATALOGUES.choose(best(CATALOGUES.tags(), asked=asked, accept=accepted, otherwise=ENGLISH)))


def _sign(number: float) -> str:
    return "+" if number > 0 else "−" if number < 0 else "±"
