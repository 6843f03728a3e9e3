"""The cities of a section as its list names them: two in one field, addresses, districts, capitals."""

import re

from services.activities.directory.country_codes import COUNTRIES, country_named, folded
from services.kernel.imports import Remark

_RIVERS = {"main", "oder", "saale", "neckar", "rhein", "donau", "inn", "lahn", "spree", "weser", "elbe", "havel"}
_BETWEEN_CITIES = re.compile(r"\s+and\s+|\s*&\s*|\s*[/;+]\s*", re.IGNORECASE)
_POSTCODE = re.compile(r"^[0-9][0-9 -]{2,8}\s+(?=\D)")
_DISTRICT_NUMBER = re.compile(r"\s+(cedex\s*)?[0-9]{1,2}$|\s+cedex$", re.IGNORECASE)
_DOTLESS_I = "\N{LATIN SMALL LETTER DOTLESS I}"
_IN_PARENTHESES = re.compile(r"\s*\(([^()]*)\)")


def cities_of(given: str, country: str, column: str) -> tuple[tuple[str, ...], list[Remark]]:
    """Return the cities in a field, in the order given, and a remark for everything that was changed or left out.

    `country` is an ISO code. A field that names no city gives an empty tuple.
    """
    remarks: list[Remark] = []
    cities: list[str] = []
    for part in _split(given):
        city, left_out = _without_surroundings(part)
        if left_out:
            remarks.append(Remark(column, f"{part!r} was read as {city!r}"))
        if _is_the_country(city, country):
            remarks.append(Remark(column, f"{city!r} is the country, not a city"))
            continue
        if city.isupper() and len(city) > 3:
            remarks.append(Remark(column, f"{city!r} in capitals was read as {_title(city, country)!r}"))
            city = _title(city, country)
        if city and city not in cities:
            cities.append(city)
    if len(cities) > 1:
        remarks.append(Remark(column, f"a section in several cities: {'; '.join(cities)}"))
    return tuple(cities), remarks


def _split(given: str) -> list[str]:
    parts = _BETWEEN_CITIES.split(given)
    if any(folded(part) in _RIVERS for part in parts[1:]):
        return [given]
    return [part for part in parts if part.strip()]


def _without_surroundings(part: str) -> tuple[str, bool]:
    """Take postcode, street, district and province off a city; a river in its name stays."""
    city = _IN_PARENTHESES.sub(lambda match: match[0] if folded(match[1]) in _RIVERS else "", part)
    pieces = [piece.strip(" .") for piece in re.split(r",| - ", city)]
    pieces = [piece for piece in pieces if piece]
    with_numbers = [piece for piece in pieces if re.search(r"[0-9]", piece)]
    if len(pieces) > 1 and len(with_numbers) < len(pieces):
        pieces = [piece for piece in pieces if piece not in with_numbers]
    city = pieces[0] if pieces else ""
    city = _DISTRICT_NUMBER.sub("", _POSTCODE.sub("", city)).strip()
    return city, city != part.strip()


def _is_the_country(city: str, country: str) -> bool:
    return country != "LU" and (country_named(city) == country or folded(city) == folded(COUNTRIES[country].name))


def _title(city: str, country: str) -> str:
    # Two Turkic alphabets have an I with and one without a dot, which Python's lower() knows nothing of.
    letters = city.replace("İ", "i").replace("I", _DOTLESS_I) if country in ("TR", "AZ") else city
    lower = letters.lower()
    return re.sub(r"(?<!\w)\w", lambda match: city[match.start()], lower)
