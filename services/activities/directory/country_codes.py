"""Countries of the network by ISO 3166-1 alpha-2 code, ESN's own codes for them, and the time zones of their cities."""

import unicodedata
from typing import NamedTuple


class Country(NamedTuple):
    """The English short name and the IANA zone of most of the country."""

    name: str
    time_zone: str


COUNTRIES = {
    "AL": Country("Albania", "Europe/Tirane"),
    "AM": Country("Armenia", "Asia/Yerevan"),
    "AT": Country("Austria", "Europe/Vienna"),
    "AZ": Country("Azerbaijan", "Asia/Baku"),
    "BA": Country("Bosnia and Herzegovina", "Europe/Sarajevo"),
    "BE": Country("Belgium", "Europe/Brussels"),
    "BG": Country("Bulgaria", "Europe/Sofia"),
    "BY": Country("Belarus", "Europe/Minsk"),
    "CH": Country("Switzerland", "Europe/Zurich"),
    "CY": Country("Cyprus", "Asia/Nicosia"),
    "CZ": Country("Czechia", "Europe/Prague"),
    "DE": Country("Germany", "Europe/Berlin"),
    "DK": Country("Denmark", "Europe/Copenhagen"),
    "EE": Country("Estonia", "Europe/Tallinn"),
    "ES": Country("Spain", "Europe/Madrid"),
    "FI": Country("Finland", "Europe/Helsinki"),
    "FR": Country("France", "Europe/Paris"),
    "GB": Country("United Kingdom", "Europe/London"),
    "GE": Country("Georgia", "Asia/Tbilisi"),
    "GR": Country("Greece", "Europe/Athens"),
    "HR": Country("Croatia", "Europe/Zagreb"),
    "HU": Country("Hungary", "Europe/Budapest"),
    "IE": Country("Ireland", "Europe/Dublin"),
    "IS": Country("Iceland", "Atlantic/Reykjavik"),
    "IT": Country("Italy", "Europe/Rome"),
    "JO": Country("Jordan", "Asia/Amman"),
    "KZ": Country("Kazakhstan", "Asia/Almaty"),
    "LI": Country("Liechtenstein", "Europe/Vaduz"),
    "LT": Country("Lithuania", "Europe/Vilnius"),
    "LU": Country("Luxembourg", "Europe/Luxembourg"),
    "LV": Country("Latvia", "Europe/Riga"),
    "MD": Country("Moldova", "Europe/Chisinau"),
    "ME": Country("Montenegro", "Europe/Podgorica"),
    "MK": Country("North Macedonia", "Europe/Skopje"),
    "MT": Country("Malta", "Europe/Malta"),
    "NL": Country("Netherlands", "Europe/Amsterdam"),
    "NO": Country("Norway", "Europe/Oslo"),
    "PL": Country("Poland", "Europe/Warsaw"),
    "PT": Country("Portugal", "Europe/Lisbon"),
    "RO": Country("Romania", "Europe/Bucharest"),
    "RS": Country("Serbia", "Europe/Belgrade"),
    "RU": Country("Russia", "Europe/Moscow"),
    "SE": Country("Sweden", "Europe/Stockholm"),
    "SI": Country("Slovenia", "Europe/Ljubljana"),
    "SK": Country("Slovakia", "Europe/Bratislava"),
    "TR": Country("Türkiye", "Europe/Istanbul"),
    "UA": Country("Ukraine", "Europe/Kyiv"),
}

OTHER_CODES = {"EL": "GR", "UK": "GB", "YU": "RS"}
"""Codes met in ESN's lists that are not ISO's code of today. A section keeps such a code as its key."""

_OTHER_NAMES = {
    "bosnia & herzegovina": "BA",
    "czech republic": "CZ",
    "great britain": "GB",
    "macedonia": "MK",
    "republic of moldova": "MD",
    "russian federation": "RU",
    "slovak republic": "SK",
    "the netherlands": "NL",
    "turkey": "TR",
    "uk": "GB",
}

CITIES_BY_ZONE = {
    ("DK", "America/Nuuk"): "Nuuk",
    ("DK", "Atlantic/Faroe"): "Torshavn",
    ("ES", "Africa/Ceuta"): "Ceuta, Melilla",
    ("ES", "Atlantic/Canary"): "Las Palmas, Las Palmas de Gran Canaria, Santa Cruz de Tenerife, La Laguna, "
    "San Cristobal de La Laguna, Tenerife, Gran Canaria",
    ("FR", "America/Cayenne"): "Cayenne",
    ("FR", "America/Guadeloupe"): "Pointe-a-Pitre, Guadeloupe",
    ("FR", "America/Martinique"): "Fort-de-France, Schoelcher, Martinique",
    ("FR", "Indian/Reunion"): "Saint-Denis de La Reunion, La Reunion, Reunion",
    ("FR", "Pacific/Noumea"): "Noumea",
    ("FR", "Pacific/Tahiti"): "Papeete, Punaauia",
    # One time in the whole of Kazakhstan since March 2024; the zones still tell older dates apart.
    ("KZ", "Asia/Aqtau"): "Aktau, Aqtau",
    ("KZ", "Asia/Aqtobe"): "Aktobe, Aqtobe",
    ("KZ", "Asia/Atyrau"): "Atyrau",
    ("KZ", "Asia/Oral"): "Oral, Uralsk",
    ("KZ", "Asia/Qostanay"): "Kostanay, Qostanay",
    ("KZ", "Asia/Qyzylorda"): "Kyzylorda, Qyzylorda",
    ("PT", "Atlantic/Azores"): "Ponta Delgada, Angra do Heroismo, Horta, Azores, Acores",
    ("PT", "Atlantic/Madeira"): "Funchal, Madeira",
    ("RU", "Asia/Irkutsk"): "Irkutsk, Ulan-Ude",
    ("RU", "Asia/Krasnoyarsk"): "Krasnoyarsk",
    ("RU", "Asia/Kamchatka"): "Petropavlovsk-Kamchatsky",
    ("RU", "Asia/Magadan"): "Magadan",
    ("RU", "Asia/Novosibirsk"): "Novosibirsk",
    ("RU", "Asia/Omsk"): "Omsk",
    ("RU", "Asia/Sakhalin"): "Yuzhno-Sakhalinsk",
    ("RU", "Asia/Tomsk"): "Tomsk",
    ("RU", "Asia/Barnaul"): "Barnaul",
    ("RU", "Asia/Novokuznetsk"): "Kemerovo, Novokuznetsk",
    ("RU", "Asia/Vladivostok"): "Vladivostok, Khabarovsk",
    ("RU", "Asia/Yakutsk"): "Yakutsk, Blagoveshchensk",
    ("RU", "Asia/Chita"): "Chita",
    ("RU", "Asia/Yekaterinburg"): "Yekaterinburg, Ekaterinburg, Chelyabinsk, Perm, Tyumen, Ufa, Orenburg, Magnitogorsk",
    ("RU", "Europe/Astrakhan"): "Astrakhan",
    ("RU", "Europe/Kaliningrad"): "Kaliningrad",
    ("RU", "Europe/Moscow"): "Moscow, Saint Petersburg, St Petersburg, St. Petersburg, Kazan, Nizhny Novgorod, "
    "Voronezh, Rostov-on-Don, Krasnodar, Sochi, Yaroslavl, Petrozavodsk, Arkhangelsk, Murmansk, Veliky Novgorod, Tver",
    ("RU", "Europe/Samara"): "Samara, Tolyatti, Izhevsk",
    ("RU", "Europe/Saratov"): "Saratov",
    ("RU", "Europe/Ulyanovsk"): "Ulyanovsk",
    ("RU", "Europe/Volgograd"): "Volgograd",
}
"""Cities, by country and IANA zone, whose time is not that of most of their country; Moscow's are there to be known."""


LANGUAGES = {
    "AL": "sq", "AM": "hy", "AT": "de", "AZ": "az", "BA": "bs hr sr", "BE": "nl fr de", "BG": "bg", "BY": "be ru",
    "CH": "de fr it", "CY": "el tr", "CZ": "cs", "DE": "de", "DK": "da", "EE": "et", "ES": "es", "FI": "fi sv",
    "FR": "fr", "GB": "en", "GE": "ka", "GR": "el", "HR": "hr", "HU": "hu", "IE": "en ga", "IS": "is", "IT": "it",
    "JO": "ar", "KZ": "kk ru", "LI": "de", "LT": "lt", "LU": "lb fr de", "LV": "lv", "MD": "ro", "ME": "cnr",
    "MK": "mk sq", "MT": "mt en", "NL": "nl", "NO": "nb nn", "PL": "pl", "PT": "pt", "RO": "ro", "RS": "sr",
    "RU": "ru", "SE": "sv", "SI": "sl", "SK": "sk", "TR": "tr", "UA": "uk",
}  # fmt: skip
"""The languages in which people of a country are spoken to, as BCP 47 tags; regional ones are left to the sections."""


def languages_of(country: str) -> list[str]:
    """The languages of a country, none for one that is not in the table."""
    return LANGUAGES.get(country, "").split()


def country_of(code: str) -> str | None:
    """Return the ISO code that a code of ESN stands for, or None for a country that is not in the table."""
    upper = code.strip().upper()
    iso = OTHER_CODES.get(upper, upper)
    return iso if iso in COUNTRIES else None


def country_named(name: str) -> str | None:
    """Return the ISO code of a country by its English name, or None."""
    return _BY_NAME.get(folded(name))


def time_zone_of(country: str, city: str | None) -> tuple[str, bool]:
    """Return the IANA zone of a city, and whether it was assumed because the country has several and the city is new.

    Raises KeyError for a country that is not in COUNTRIES.
    """
    zone = _BY_CITY.get((country, folded(city))) if city else None
    return (zone, False) if zone else (COUNTRIES[country].time_zone, country == "RU")


def folded(text: str) -> str:
    """Return a text without accents and letter case, for comparing names."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("\N{LATIN SMALL LETTER DOTLESS I}", "i"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).strip()


_BY_NAME = {folded(country.name): code for code, country in COUNTRIES.items()} | _OTHER_NAMES
_BY_CITY = {
    (country, folded(city)): zone for (country, zone), cities in CITIES_BY_ZONE.items() for city in cities.split(", ")
}
