"""Quantities in the prose of past reports: only what can be read in one way is taken, the rest is said to be left."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.kernel.imports import Remark

Qualifier = Literal["exactly", "about", "more_than", "almost"]

_QUALIFIERS: dict[str, Qualifier] = {
    "": "exactly",
    "about": "about",
    "around": "about",
    "more than": "more_than",
    "over": "more_than",
    "almost": "almost",
    "nearly": "almost",
}
_CURRENCIES = (
    "ALL|AMD|AZN|BAM|BGN|BYN|CHF|CZK|DKK|EEK|EUR|GBP|GEL|HRK|HUF|ISK|JOD|KZT|LTL|LVL|MDL|MKD|NOK|PLN|RON|RSD|RUB|SEK"
    "|TRY|UAH|USD"
)

_AMOUNT = r"(?P<amount>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)"
_COUNT = rf"(?:(?P<qualifier>{'|'.join(word for word in _QUALIFIERS if word)}) )?{_AMOUNT}"
_MONEY = rf"(?P<currency>{_CURRENCIES})"

_PRICE = re.compile(rf"\b{_AMOUNT} {_MONEY} (?:per|each|a piece|apiece)\b")
_ASIDE = re.compile(r"(?P<said>.*\S)\s*\((?P<aside>[^()]*)\)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One amount: `unit` is a UCUM code, "1" for counted things, or ISO 4217 for the measure "money".

    `qualifier` keeps how the source limits the number, `text` its words.
    """

    measure: str
    amount: Decimal
    unit: str
    qualifier: Qualifier
    text: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """A phrase that has one meaning; what its group `rest` matches is left over."""

    phrase: re.Pattern[str]
    measure: str
    unit: str


def _reading(phrase: str, measure: str, unit: str = "1") -> _Reading:
    return _Reading(re.compile(rf"{_COUNT} {phrase}"), measure, unit)


_READINGS = (
    _Reading(re.compile(rf"{_COUNT} {_MONEY}"), "money", ""),
    _reading(r"kg of waste", "waste", "kg"),
    _reading(r"kg of acorns planted", "acorns", "kg"),
    _reading(r"trees(?: planted)?", "trees"),
    _reading(r"(?:[a-z]+ )?cuttings(?: planted)?", "cuttings"),
    _reading(r"seeds of [a-z ]+ sown", "seeds"),
    _reading(r"boxes of food", "food_boxes"),
    _reading(r"(?:big |small )?boxes of clothes(?: and necessities)?", "goods_boxes"),
    _reading(r"garments", "garments"),
    _reading(r"postcards(?P<rest> to .+)?", "postcards"),
    _reading(r"dogs walked", "dogs_walked"),
    _reading(r"classes visited", "classes"),
)
_BLOOD = re.compile(rf"{_AMOUNT} donations of (?P<each>[0-9]+) ml \((?P<litres>[0-9]+(?:\.[0-9]+)?) l\)")
_DONORS = re.compile(r"(?P<came>[0-9]+ came), (?P<amount>[0-9]+) donated")


def quantities_in(prose: str, column: str) -> tuple[tuple[Quantity, ...], list[Remark]]:
    """Return the quantities in a text of parts separated by semicolons, and a remark for every word not taken."""
    taken: list[Quantity] = []
    remarks: list[Remark] = []
    for part in (part.strip() for part in prose.split(";")):
        if not part:
            continue
        for read in _READERS:
            found = read(part)
            if found is not None:
                quantities, left = found
                taken += quantities
                remarks += [Remark(column, reason) for reason in left]
                break
        else:
            remarks.append(Remark(column, _left(part)))
    return tuple(taken), remarks


_Found = tuple[list[Quantity], list[str]] | None


def _price(part: str) -> _Found:
    if _PRICE.search(part):
        return [], [f"a price is not a total, so nothing was taken: {part!r}"]
    return None


def _blood(part: str) -> _Found:
    match = _BLOOD.fullmatch(part)
    if match is None:
        return None
    donations, litres = _number(match["amount"]), Decimal(match["litres"])
    quantities = [Quantity("donations", donations, "1", "exactly", part)]
    if donations * Decimal(match["each"]) != litres * 1000:
        return quantities, [f"the litres do not agree with the donations, so only those were taken: {part!r}"]
    return [Quantity("blood", litres, "l", "exactly", part), *quantities], []


def _donors(part: str) -> _Found:
    match = _DONORS.fullmatch(part)
    if match is None:
        return None
    return [Quantity("donations", _number(match["amount"]), "1", "exactly", part)], [_left(match["came"])]


def _plain(part: str) -> _Found:
    for reading in _READINGS:
        if match := reading.phrase.fullmatch(part):
            groups = match.groupdict()
            unit = reading.unit or groups["currency"]
            qualifier = _QUALIFIERS[groups["qualifier"] or ""]
            rest = (groups.get("rest") or "").strip()
            quantity = Quantity(reading.measure, _number(groups["amount"]), unit, qualifier, part)
            return [quantity], [_left(rest)] if rest else []
    return None


def _with_aside(part: str) -> _Found:
    match = _ASIDE.fullmatch(part)
    found = _plain(match["said"]) if match else None
    if match is None or found is None:
        return None
    return found[0], [*found[1], _left(match["aside"])]


def _left(words: str) -> str:
    return f"no quantity was taken from {words!r}"


def _number(digits: str) -> Decimal:
    return Decimal(digits.replace(",", ""))


_READERS: tuple[Callable[[str], _Found], ...] = (_price, _blood, _donors, _plain, _with_aside)
