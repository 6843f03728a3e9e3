"""Countries as a list gives them: rows of `esn_countries.csv`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.activities.directory.country_codes import COUNTRIES, OTHER_CODES, country_of
from services.activities.directory.section_websites import website_of
from services.kernel.import_values import choice, needed, text
from services.kernel.imports import Refused, Remark

COLUMNS = ("country_code_iso", "national_organisation")
OPTIONAL_COLUMNS = (
    "website_2016",
    "sections_2016_json",
    "sections_2015_16_union",
    "in_2025_list_of_46",
    "in_2026_fallback_list_of_45",
    "regional_platform_stated",
    "note",
)

PLATFORMS = {code.casefold(): code for code in ("NEP", "CEP", "WEP", "SWEP", "SEEP")}


@dataclass(frozen=True, slots=True)
class CountryRow:
    """A country with its national organisation, and the platform that the list states for it."""

    code: str
    name: str
    organisation_name: str
    organisation_website: str | None
    platform: str | None
    note: str | None


def country_in_list(values: Mapping[str, Any]) -> tuple[CountryRow, list[Remark]]:
    """Read a row; raise Refused for one without a country of the network or without its organisation."""
    remarks: list[Remark] = []
    given = needed(values, "country_code_iso")
    code = country_of(given)
    if code is None:
        raise Refused("country_code_iso", f"{given!r} is not a country of the network")
    if given.upper() in OTHER_CODES:
        remarks.append(Remark("country_code_iso", f"{given} was read as {code}"))
    name = needed(values, "national_organisation", longest=200)
    if name == "0":
        raise Refused("national_organisation", "'0' is no name")
    website = None
    if address := text(values, "website_2016", longest=2_000):
        website, changed = website_of(address, "website_2016")
        remarks += changed
    row = CountryRow(
        code=code,
        name=COUNTRIES[code].name,
        organisation_name=name,
        organisation_website=website,
        platform=choice(values, "regional_platform_stated", PLATFORMS),
        note=text(values, "note"),
    )
    return row, remarks
