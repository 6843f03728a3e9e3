"""Sections as lists give them: rows of `esn_sections_2016.csv` and records of ESN Accounts (`accounts_sections_v2`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.activities.directory.country_codes import OTHER_CODES, country_named, country_of, time_zone_of
from services.activities.directory.section_cities import cities_of
from services.activities.directory.section_websites import website_of
from services.kernel.import_values import choice, needed, text
from services.kernel.imports import Refused, Remark

COLUMNS = ("code", "name", "country_code_esn", "country_code_iso", "city")
OPTIONAL_COLUMNS = ("university", "website", "lat_deg_rounded", "lon_deg_rounded", "state", "same_as", "sources")

FIELDS_IN_ACCOUNTS = (
    "code", "label", "website", "country", "cc", "state", "address", "cities", "geolocation", "university_name",
    "same_as",
)  # fmt: skip
"""What is read of a record of ESN Accounts."""

SECTION_CODE = re.compile(r"[A-Z]{2}-[A-Z0-9]{2,4}-[A-Z0-9]{2,4}")
"""`CZ-BRNO-VUT`; the last two parts have two to four characters each (`NO-AS-ESN`, `GB-UEA-NOR`, `LT-VILN-VGTU`)."""

State = Literal["active", "warned", "merged", "withdrew"]
STATES: Mapping[str, State] = {"active": "active", "warned": "warned", "merged": "merged", "withdrew": "withdrew"}

_COORDINATE = re.compile(r"[+-]?[0-9]{1,3}([.,][0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class SectionRow:
    """One section; position in degrees (WGS 84), as exact as its source, which may be whole degrees.

    `code` is ESN's key and stays as it is; `country` is ISO 3166-1 alpha-2, `country_in_source` what the list says.
    """

    code: str
    name: str
    country: str
    country_in_source: str
    cities: tuple[str, ...]
    university: str | None
    website: str | None
    latitude: float | None
    longitude: float | None
    state: State
    same_as: str | None
    time_zone: str


def section_in_list(values: Mapping[str, Any]) -> tuple[SectionRow, list[Remark]]:
    """Read a row of `esn_sections_2016.csv`; raise Refused for one without a usable code, name or country."""
    remarks: list[Remark] = []
    code = _code(values, remarks)
    in_source = text(values, "country_code_esn") or text(values, "country_code_iso") or code[:2]
    country = _country(in_source, "country_code_esn", remarks)
    stated = text(values, "country_code_iso")
    if stated and country_of(stated) != country:
        raise Refused("country_code_iso", f"{stated!r} contradicts {in_source!r} in country_code_esn")
    name = _name(values, "name", remarks)
    cities, changed = cities_of(text(values, "city") or "", country, "city")
    remarks += changed
    return _section(
        values,
        remarks,
        code=code,
        name=name,
        country=country,
        country_in_source=in_source,
        cities=cities,
        university="university",
        position=(values.get("lat_deg_rounded"), values.get("lon_deg_rounded"), "lat_deg_rounded"),
    )


def section_in_accounts(values: Mapping[str, Any]) -> tuple[SectionRow, list[Remark]]:
    """Read a record of `accounts_sections_v2`; raise Refused for one without a usable code, name or country."""
    remarks: list[Remark] = []
    code = _code(values, remarks)
    in_source = text(values, "cc")
    if in_source is None:
        in_source = country_named(text(values, "country") or "") or code[:2]
        remarks.append(Remark("cc", f"is missing; {in_source} was taken from the country's name or the code"))
    country = _country(in_source, "cc", remarks)
    position = values.get("geolocation") or {}
    if not isinstance(position, dict):
        raise Refused("geolocation", "is not an object")
    return _section(
        values,
        remarks,
        code=code,
        name=_name(values, "label", remarks),
        country=country,
        country_in_source=in_source,
        cities=_cities_in_accounts(values, country, remarks),
        university="university_name",
        position=(position.get("lat"), position.get("lng"), "geolocation"),
    )


def _section(
    values: Mapping[str, Any],
    remarks: list[Remark],
    *,
    code: str,
    name: str,
    country: str,
    country_in_source: str,
    cities: tuple[str, ...],
    university: str,
    position: tuple[object, object, str],
) -> tuple[SectionRow, list[Remark]]:
    """Read what both lists have in common."""
    if country_of(code[:2]) != country:
        remarks.append(Remark("code", f"begins with {code[:2]}, but the section is in {country}"))
    if not cities:
        remarks.append(Remark("city", "no city is named"))
    website = None
    if given := text(values, "website", longest=2_000):
        website, found = website_of(given, "website")
        remarks += found
    latitude, longitude = _position(*position, remarks)
    time_zone, is_assumed = time_zone_of(country, cities[0] if cities else None)
    if is_assumed:
        remarks.append(Remark("city", f"{country} has several time zones; {time_zone} was assumed"))
    same_as = _same_as(values, code, remarks)
    section = SectionRow(
        code=code,
        name=name,
        country=country,
        country_in_source=country_in_source,
        cities=cities,
        university=_university(values, university, remarks),
        website=website,
        latitude=latitude,
        longitude=longitude,
        state=choice(values, "state", STATES) or "active",
        same_as=same_as,
        time_zone=time_zone,
    )
    return section, remarks


def _code(values: Mapping[str, Any], remarks: list[Remark]) -> str:
    given = needed(values, "code")
    code = given.upper()
    if not SECTION_CODE.fullmatch(code):
        raise Refused("code", f"{given!r} is not a section code like CZ-BRNO-VUT")
    if code != values["code"]:
        remarks.append(Remark("code", f"{values['code']!r} was read as {code}"))
    return code


def _name(values: Mapping[str, Any], column: str, remarks: list[Remark]) -> str:
    name = needed(values, column, longest=200)
    if name == "0":
        raise Refused(column, "'0' is no name")
    if values[column] != values[column].strip():
        remarks.append(Remark(column, "blanks around the name were left out"))
    return name


def _country(given: str, column: str, remarks: list[Remark]) -> str:
    country = country_of(given)
    if country is None:
        raise Refused(column, f"{given!r} is not a country of the network")
    if given.upper() in OTHER_CODES:
        remarks.append(Remark(column, f"{given} was read as {country}"))
    return country


def _cities_in_accounts(values: Mapping[str, Any], country: str, remarks: list[Remark]) -> tuple[str, ...]:
    listed = values.get("cities") or []
    if not isinstance(listed, list) or not all(isinstance(city, dict) for city in listed):
        raise Refused("cities", "is not a list of objects")
    cities: list[str] = []
    for city in listed:
        found, changed = cities_of(text(city, "name") or "", country, "cities")
        cities += found
        remarks += changed
        of_city = text(city, "cc")
        if of_city and country_of(of_city) != country:
            remarks.append(Remark("cities", f"{'; '.join(found)} lies in {of_city}, the section in {country}"))
    address = values.get("address")
    if not cities and isinstance(address, dict):
        found, changed = cities_of(text(address, "locality") or "", country, "address")
        cities += found
        remarks += changed
    if len(listed) > 1 and len(cities) > 1:
        remarks.append(Remark("cities", f"a section in several cities: {'; '.join(dict.fromkeys(cities))}"))
    return tuple(dict.fromkeys(cities))


def _university(values: Mapping[str, Any], column: str, remarks: list[Remark]) -> str | None:
    name = text(values, column)
    if name is not None and (name == "0" or re.match(r"https?:", name, re.IGNORECASE)):
        remarks.append(Remark(column, f"{name!r} is no name and was left out"))
        return None
    return name


def _position(
    latitude: object, longitude: object, column: str, remarks: list[Remark]
) -> tuple[float | None, float | None]:
    given = ["" if part is None else str(part).strip() for part in (latitude, longitude)]
    if not any(given):
        return None, None
    shown = " / ".join(given)
    if not all(_COORDINATE.fullmatch(part) for part in given):
        remarks.append(Remark(column, f"{shown!r} is not a position and was left out"))
        return None, None
    north, east = (float(part.replace(",", ".")) for part in given)
    if abs(north) > 90 or abs(east) > 180:
        remarks.append(Remark(column, f"{shown!r} is not on the globe and was left out"))
    elif north == 0 and east == 0:
        remarks.append(Remark(column, "0 / 0 means that the position is not known and was left out"))
    else:
        return north, east
    return None, None


def _same_as(values: Mapping[str, Any], code: str, remarks: list[Remark]) -> str | None:
    given = text(values, "same_as")
    if given is None:
        return None
    if not SECTION_CODE.fullmatch(given) or given == code:
        remarks.append(Remark("same_as", f"{given!r} is not the code of another section and was left out"))
        return None
    remarks.append(Remark("same_as", f"the same section as {given}, under another code"))
    return given
