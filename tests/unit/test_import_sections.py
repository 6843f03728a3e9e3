"""Sections from their lists: what is taken, what is put right with a remark, what is refused."""

import os
import zoneinfo
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.directory.country_codes import (
    CITIES_BY_ZONE,
    COUNTRIES,
    country_named,
    country_of,
    time_zone_of,
)
from services.activities.directory.section_cities import cities_of
from services.activities.directory.section_rows import (
    COLUMNS,
    OPTIONAL_COLUMNS,
    SECTION_CODE,
    SectionRow,
    section_in_accounts,
    section_in_list,
)
from services.activities.directory.section_websites import website_of
from services.kernel.imports import CsvRows, Refused, Remark, parsed

RECORD: dict[str, Any] = {
    "label": "ESN Test",
    "code": "CZ-BRNO-VUT",
    "website": "https://test.example.cz/",
    "country": "Czechia",
    "cc": "CZ",
    "state": "active",
    "address": {"locality": "Brno", "country": "Czechia"},
    "cities": [{"name": "Brno", "cc": "CZ"}],
    "geolocation": {"lat": "49.2311847", "lng": "16.5736247", "lat_sin": 0},
    "university_name": "University of Testing",
}


def listed(**changes: str) -> tuple[SectionRow, list[Remark]]:
    row = dict.fromkeys((*COLUMNS, *OPTIONAL_COLUMNS), "")
    row |= {"code": "CZ-BRNO-VUT", "name": "ESN Test", "country_code_esn": "CZ", "country_code_iso": "CZ"}
    return section_in_list(row | {"city": "Brno"} | changes)


def accounts(**changes: Any) -> tuple[SectionRow, list[Remark]]:
    return section_in_accounts(RECORD | changes)


def test_a_plain_row_is_taken_without_remarks() -> None:
    section, remarks = listed(
        university="Testing", website="http://test.example.cz", lat_deg_rounded="49", lon_deg_rounded="17"
    )

    assert remarks == []
    assert section == SectionRow(
        code="CZ-BRNO-VUT",
        name="ESN Test",
        country="CZ",
        country_in_source="CZ",
        cities=("Brno",),
        university="Testing",
        website="http://test.example.cz",
        latitude=49.0,
        longitude=17.0,
        state="active",
        same_as=None,
        time_zone="Europe/Prague",
    )


def test_a_record_of_accounts_gives_the_same_section_as_a_row() -> None:
    section, remarks = accounts()

    assert remarks == []
    assert (section.name, section.cities, section.latitude, section.longitude) == (
        "ESN Test",
        ("Brno",),
        49.2311847,
        16.5736247,
    )


@pytest.mark.parametrize("code", ["NO-AS-ESN", "GB-UEA-NOR", "LT-VILN-VGTU", "LT-KAUN-KK1", "YU-BELG-UPG"])
def test_codes_of_three_parts_of_two_to_four_characters_are_accepted(code: str) -> None:
    assert SECTION_CODE.fullmatch(code)


@pytest.mark.parametrize(
    "code", ["", "ESN Brno", "CZ-BRNO", "CZ-BRNO-VUT-X", "CZ-B-VUT", "CZ-BRNOO-VUT", "CZ_BRNO_VUT"]
)
def test_anything_else_is_refused_by_its_code(code: str) -> None:
    with pytest.raises(Refused) as refused:
        listed(code=code)
    assert refused.value.column == "code"


@pytest.mark.parametrize(
    ("in_source", "code", "country"),
    [("YU", "YU-BELG-UPG", "RS"), ("UK", "GB-UEA-NOR", "GB"), ("EL", "GR-ATHE-ESN", "GR"), ("gb", "UK-LOND-ESN", "GB")],
)
def test_esns_own_country_codes_are_read_as_iso_codes_and_the_key_stays(
    in_source: str, code: str, country: str
) -> None:
    section, _ = listed(code=code, country_code_esn=in_source, country_code_iso=country)

    assert (section.code, section.country, section.country_in_source) == (code, country, in_source)


def test_a_legacy_code_is_explained() -> None:
    assert listed(code="YU-BELG-UPG", country_code_esn="YU", country_code_iso="RS")[1] == [
        Remark("country_code_esn", "YU was read as RS")
    ]


def test_a_code_of_another_country_is_a_remark() -> None:
    assert listed(country_code_esn="SK", country_code_iso="SK")[1] == [
        Remark("code", "begins with CZ, but the section is in SK")
    ]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"country_code_esn": "XX", "country_code_iso": "XX"}, "country_code_esn"),
        ({"country_code_iso": "SK"}, "country_code_iso"),
        ({"name": "  "}, "name"),
        ({"name": "0"}, "name"),
        ({"state": "asleep"}, "state"),
    ],
)
def test_what_cannot_be_understood_is_refused(changes: dict[str, str], column: str) -> None:
    with pytest.raises(Refused) as refused:
        listed(**changes)
    assert refused.value.column == column


def test_blanks_around_a_name_are_left_out_with_a_remark() -> None:
    section, remarks = listed(name="\u00a0 ESN  Test")

    assert section.name == "ESN Test"
    assert remarks == [Remark("name", "blanks around the name were left out")]


@pytest.mark.parametrize("state", ["active", "warned", "merged", "withdrew"])
def test_every_state_of_accounts_is_kept(state: str) -> None:
    assert accounts(state=state)[0].state == state


@pytest.mark.parametrize(
    ("given", "website", "remark"),
    [
        ("http://www.esn.example", "http://www.esn.example", None),
        ("https://ESN.Example/Path?Q=1", "https://esn.example/Path?Q=1", None),
        ("http://esn.example:8080/", "http://esn.example:8080/", None),
        ("http://esnköln.example/", "http://xn--esnkln-zxa.example/", None),
        ("www.esn.example/x", "http://www.esn.example/x", "http:// was missing and was added"),
        ("http:/esn.example", "http://esn.example", "http:/ was read as http://"),
        ("http://https://esn.example/a", "https://esn.example/a", "http://https:// was read as https://"),
        ("http://esn.example (under construction)", "http://esn.example", "words after the address left out"),
        ("http:/", None, "is no address"),
        ("http://", None, "is no address"),
        ("0", None, "is no address"),
        ("http://none.none.fi", None, "is no address"),
        ("info@esn.example", None, "an e-mail address"),
        ("http://www.tu@esn.example", None, "an e-mail address"),
        ("mailto:info@esn.example", None, "not an address on the web"),
        ("javascript:alert(1)", None, "not an address on the web"),
        ("ftp://esn.example", None, "not an address on the web"),
        ("http://localhost/", None, "cannot be an address"),
        ("http://esn", None, "cannot be an address"),
        ("http://esn.example/<script>", None, "cannot be an address"),
        ("http://esn.example/" + "x" * 500, None, "more than 500 characters"),
    ],
)
def test_websites_are_saved_where_possible(given: str, website: str | None, remark: str | None) -> None:
    found, remarks = website_of(given, "website")

    assert found == website
    assert [remark is not None and remark in reason for _, reason in remarks] == [True] * (remark is not None)


@given(st.text(max_size=60) | st.from_regex(r"(https?:/{0,3}){0,2}[a-z@.:\[\]/?#-]{0,20}", fullmatch=True))
def test_no_text_in_the_place_of_a_website_breaks_the_import(given: str) -> None:
    website, remarks = website_of(given, "website")

    assert website is None or website.startswith(("http://", "https://"))
    assert website is not None or remarks


@pytest.mark.parametrize(
    ("given", "country", "cities"),
    [
        ("Vilnius and Klaipeda", "LT", ("Vilnius", "Klaipeda")),
        ("Vilnius / Kaunas", "LT", ("Vilnius", "Kaunas")),
        ("Székesfehérvár/Budapest", "HU", ("Székesfehérvár", "Budapest")),
        ("Braga & Guimarães", "PT", ("Braga", "Guimarães")),
        ("Portland", "GB", ("Portland",)),
        ("Frankfurt/Main", "DE", ("Frankfurt/Main",)),
        ("Frankfurt (Oder)", "DE", ("Frankfurt (Oder)",)),
        ("Halle (Saale)", "DE", ("Halle (Saale)",)),
        ("Tavagnacco (UD)", "IT", ("Tavagnacco",)),
        ("Alcala de Henares - Madrid", "ES", ("Alcala de Henares",)),
        ("Cluj-Napoca", "RO", ("Cluj-Napoca",)),
        ("Getafe, Madrid.", "ES", ("Getafe",)),
        ("al. Niepodległości 10, Poznań", "PL", ("Poznań",)),
        ("1700 Fribourg", "CH", ("Fribourg",)),
        ("Praha 6", "CZ", ("Praha",)),
        ("Montpellier cedex 2", "FR", ("Montpellier",)),
        ("St. Gallen", "CH", ("St. Gallen",)),
        ("MARSEILLE", "FR", ("Marseille",)),
        ("ELAZIĞ", "TR", ("Elaz\N{LATIN SMALL LETTER DOTLESS I}ğ",)),
        ("İSTANBUL", "TR", ("İstanbul",)),
        ("Ås", "NO", ("Ås",)),
        ("Turkey", "TR", ()),
        ("Luxembourg", "LU", ("Luxembourg",)),
        ("Vilnius and Vilnius", "LT", ("Vilnius",)),
        ("", "LT", ()),
    ],
)
def test_cities_are_taken_out_of_what_stands_around_them(given: str, country: str, cities: tuple[str, ...]) -> None:
    assert cities_of(given, country, "city")[0] == cities


def test_every_change_of_a_city_is_explained() -> None:
    assert cities_of("Praha 6", "CZ", "city")[1] == [Remark("city", "'Praha 6' was read as 'Praha'")]
    assert cities_of("A-town and BTOWN", "CZ", "city")[1] == [
        Remark("city", "'BTOWN' in capitals was read as 'Btown'"),
        Remark("city", "a section in several cities: A-town; Btown"),
    ]


def test_cities_of_accounts_come_from_the_list_else_from_the_address() -> None:
    several = [{"name": "Vilnius", "cc": "LT"}, {"name": "Riga", "cc": "LV"}]
    section, remarks = accounts(code="LT-VILN-SMK", cc="LT", cities=several)

    assert section.cities == ("Vilnius", "Riga")
    assert remarks == [
        Remark("cities", "Riga lies in LV, the section in LT"),
        Remark("cities", "a section in several cities: Vilnius; Riga"),
    ]
    assert accounts(cities=[])[0].cities == ("Brno",)
    assert accounts(cities=None, address=None)[1] == [Remark("city", "no city is named")]


def test_without_a_country_code_accounts_are_read_by_the_countrys_name() -> None:
    section, remarks = accounts(cc="", country="Czech Republic")

    assert section.country == "CZ"
    assert remarks == [Remark("cc", "is missing; CZ was taken from the country's name or the code")]


@pytest.mark.parametrize(
    ("latitude", "longitude", "position"),
    [
        ("49.2", "16.5", (49.2, 16.5)),
        ("49,2", "-16,5", (49.2, -16.5)),
        (49.2, 16, (49.2, 16.0)),
        ("0", "6.5", (0.0, 6.5)),
        ("0", "0.0", None),
        ("91", "16", None),
        ("49", "181", None),
        ("49", "", None),
        ("nan", "inf", None),
        ("north", "east", None),
    ],
)
def test_positions_off_the_globe_are_left_out(
    latitude: object, longitude: object, position: tuple[float, float] | None
) -> None:
    section, remarks = accounts(geolocation={"lat": latitude, "lng": longitude})

    assert (section.latitude, section.longitude) == (position or (None, None))
    assert [remark.column for remark in remarks] == ([] if position else ["geolocation"])


@pytest.mark.parametrize("changes", [{"cities": "Brno"}, {"cities": ["Brno"]}, {"geolocation": [1, 2]}, {"label": 7}])
def test_records_of_another_shape_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        accounts(**changes)


def test_a_section_under_a_second_code_names_the_first() -> None:
    section, remarks = listed(code="LT-VILN-VGTU", country_code_esn="LT", country_code_iso="LT", same_as="LT-VILN-VGT")

    assert section.same_as == "LT-VILN-VGT"
    assert remarks == [Remark("same_as", "the same section as LT-VILN-VGT, under another code")]
    for wrong in ("CZ-BRNO-VUT", "somewhere"):
        assert listed(same_as=wrong)[0].same_as is None
        assert listed(same_as=wrong)[1][0].column == "same_as"


@pytest.mark.parametrize("university", ["0", "http://www.esn.example/universities"])
def test_what_is_no_university_is_left_out(university: str) -> None:
    section, remarks = listed(university=university)

    assert section.university is None
    assert [remark.column for remark in remarks] == ["university"]


@pytest.mark.parametrize(
    ("country", "city", "zone", "is_assumed"),
    [
        ("ES", "Huelva", "Europe/Madrid", False),
        ("ES", "Las Palmas de Gran Canaria", "Atlantic/Canary", False),
        ("PT", "Funchal", "Atlantic/Madeira", False),
        ("PT", "Ponta Delgada", "Atlantic/Azores", False),
        ("PT", None, "Europe/Lisbon", False),
        ("RU", "Ekaterinburg", "Asia/Yekaterinburg", False),
        ("RU", "Kaliningrad", "Europe/Kaliningrad", False),
        ("RU", "Saint Petersburg", "Europe/Moscow", False),
        ("RU", "Omutninsk", "Europe/Moscow", True),
        ("KZ", "Almaty", "Asia/Almaty", False),
        ("KZ", "Aktau", "Asia/Aqtau", False),
    ],
)
def test_cities_off_the_mainland_have_their_own_time(
    country: str, city: str | None, zone: str, is_assumed: bool
) -> None:
    assert time_zone_of(country, city) == (zone, is_assumed)


def test_every_zone_exists() -> None:
    zones = {country.time_zone for country in COUNTRIES.values()}
    assert {country for country, _ in CITIES_BY_ZONE} <= set(COUNTRIES)
    assert zones | {zone for _, zone in CITIES_BY_ZONE} <= zoneinfo.available_timezones()


def test_countries_are_found_by_code_and_by_name() -> None:
    assert (country_of("uk"), country_of("YU"), country_of("XX")) == ("GB", "RS", None)
    assert (country_named("Turkey"), country_named("türkiye"), country_named("Atlantis")) == ("TR", "TR", None)


@pytest.fixture
def real_sections() -> Path:
    folder = os.environ.get("SOCIALERASMUS_SHARED_DATA")
    if not folder:
        pytest.skip("needs SOCIALERASMUS_SHARED_DATA: the sections and countries, which are not ours to ship")
    return Path(folder) / "esn_sections_2016.csv"


def test_every_row_of_the_real_list_is_taken_and_its_oddities_are_named(real_sections: Path) -> None:
    sections: dict[str, SectionRow] = {}
    columns: Counter[str | None] = Counter()
    with real_sections.open("rb") as file:
        for row in CsvRows(file, required=COLUMNS, optional=OPTIONAL_COLUMNS):
            section, remarks = parsed(row, section_in_list)
            sections[section.code] = section
            columns.update(remark.column for remark in remarks)

    assert len(sections) == 507
    assert columns == {"city": 27, "university": 19, "website": 10, "country_code_esn": 3, "same_as": 2}
    assert {code for code, section in sections.items() if section.country == "RS"} == {
        code for code in sections if code.startswith("YU-")
    }
    assert {code for code, section in sections.items() if len(section.cities) > 1} == {
        "FI-HELS-TKY",
        "HU-SZEK-KOD",
        "LT-VILN-ISM",
        "LT-VILN-SMK",
        "PT-MINH-UOM",
    }
    assert sections["PT-FUNC-ESN"].time_zone == "Atlantic/Madeira"
    assert sections["RU-EKAT-ESN"].time_zone == "Asia/Yekaterinburg"


def test_every_country_of_the_real_list_is_known(real_sections: Path) -> None:
    with real_sections.with_name("esn_countries.csv").open("rb") as file:
        codes = {row.values["country_code_iso"] for row in CsvRows(file, required=["country_code_iso"])}

    assert codes <= set(COUNTRIES)
