"""Field types for what strangers send: text that Postgres can hold, and models that refuse what they don't know."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from services.kernel.country_codes import ASSIGNED
from services.kernel.currencies import CURRENCIES


def _storable(value: Any) -> Any:
    """Refuse what Postgres or UTF-8 cannot hold before any other check sees it; NFC for the rest."""
    if not isinstance(value, str):
        return value
    if "\x00" in value:
        raise PydanticCustomError("nul_character", "Text must not contain the NUL character.")
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("lone_surrogate", "Text must not contain a lone surrogate.") from None
    return unicodedata.normalize("NFC", value)


def _one_line(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in value):
        raise PydanticCustomError("control_character", "Text must be one line without control characters.")
    return value


def _trimmed(value: Any) -> Any:
    # Not by StringConstraints, which counts the characters first and would keep a blank as an empty line.
    return value.strip() if isinstance(value, str) else value


Storable = BeforeValidator(_storable)
Trimmed = BeforeValidator(_trimmed)
OneLine = AfterValidator(_one_line)

Line = Annotated[str, Storable, Trimmed, StringConstraints(min_length=1, max_length=200), OneLine]
"""One line of text, 1–200 characters."""

# Unicode counts them as letters, and shows nothing.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")


def _shows_a_letter(value: str) -> str:
    if any(unicodedata.category(character)[0] == "L" and character not in _FILLERS for character in value):
        return value
    raise PydanticCustomError("no_letter", "Must hold a letter that can be seen.")


Name = Annotated[Line, AfterValidator(_shows_a_letter)]
"""What somebody is called, in whatever script: a line with a letter at least."""

LongText = Annotated[str, Storable, Trimmed, StringConstraints(min_length=1, max_length=10_000)]
"""Several lines of text, 1–10,000 characters."""

CountryCode = Annotated[str, Storable, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""


def _is_assigned(value: str) -> str:
    if value in ASSIGNED:
        return value
    raise PydanticCustomError("country_unknown", "There is no country with this code.")


AssignedCountryCode = Annotated[CountryCode, AfterValidator(_is_assigned)]
"""The ISO 3166-1 alpha-2 code of a country that there is, or XK for Kosovo."""


def _usual_case(tag: str) -> str:
    """A tag in the case that RFC 5646 (2.1.1) recommends; none of ours has a singleton, after which all is small.

    >>> _usual_case("PT-br"), _usual_case("ZH-HANT-tw"), _usual_case("DE-1901")
    ('pt-BR', 'zh-Hant-TW', 'de-1901')
    """
    language, *others = tag.lower().split("-")
    case_of = {2: str.upper, 4: str.capitalize}
    return "-".join([language, *(case_of.get(len(part), str.lower)(part) for part in others)])


LanguageTag = Annotated[
    str,
    Storable,
    StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35),
    AfterValidator(_usual_case),
]
"""BCP 47, in whatever case it is sent."""


def _each_once(texts: Any) -> Any:
    # Two spellings of a tag would become one key, and one of their texts would be lost in silence.
    if isinstance(texts, dict) and len({str(tag).lower() for tag in texts}) != len(texts):
        raise PydanticCustomError("language_twice", "Names a language twice.")
    return texts


EachLanguageOnce = BeforeValidator(_each_once)

Code = Annotated[str, Storable, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
"""A code of a code list: section, edition, area, cause, kind…"""


def one_of(codes: Mapping[str, str], what: str) -> AfterValidator:
    """Only a code of a code list; the refusal names them all."""

    def check(value: str) -> str:
        if value not in codes:
            raise PydanticCustomError(
                "unknown_code", "Unknown {what}; one of: {codes}.", {"what": what, "codes": ", ".join(codes)}
            )
        return value

    return AfterValidator(check)


def unique(values: list[Any]) -> list[Any]:
    """A list that names nothing twice."""
    if len(set(values)) != len(values):
        raise PydanticCustomError("not_unique", "Names something twice.")
    return values


# Marks that change the direction of the text around them could make a name look like another sentence.
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    r"""Text that somebody sent, fit to stand inside ours.

    >>> one_line("Ann\u202e evil\n")
    'Ann evil'
    """
    return " ".join(_DIRECTION_MARKS.sub("", text).split())


def _plausible_instant(value: Any) -> Any:
    # Years near the ends of the calendar overflow when they are moved to another zone.
    if 1900 <= value.year <= 2200:
        return value
    raise PydanticCustomError("year_out_of_range", "The year must lie between 1900 and 2200.")


def _written_out(value: Any) -> Any:
    # The validator alone would also take seconds since 1970, as a number or in digits.
    if isinstance(value, datetime) or (isinstance(value, str) and re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", value)):
        return value
    raise PydanticCustomError("instant", "Must be a date and time with offset, as 2026-11-14T10:00:00+01:00.")


Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_plausible_instant)]
"""An instant with its offset (RFC 3339)."""


def _plain_date(value: Any) -> Any:
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)):
        return value
    raise PydanticCustomError("day", "Must be a day, as 2026-11-14.")


Day = Annotated[date, BeforeValidator(_plain_date), AfterValidator(_plausible_instant)]
"""A day of the calendar (RFC 3339, full-date)."""


@cache
def _time_zones() -> frozenset[str]:
    # Python looks through the whole database of time zones each time that it is asked.
    return frozenset(available_timezones())


_AREAS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


def _zone(value: str) -> str:
    # A system's database also has names of nowhere: localtime, Factory, posix/…, EST5EDT.
    is_somewhere = value.partition("/")[0] in _AREAS or value == "UTC"
    if value not in _time_zones() or not is_somewhere:
        raise PydanticCustomError("unknown_time_zone", "Must be a time zone of the IANA database, as Europe/Rome.")
    return value


Zone = Annotated[Line, AfterValidator(_zone)]
"""A time zone of the IANA database that is that of a place, or UTC."""


def _currency(value: str) -> str:
    if value in CURRENCIES:
        return value
    raise PydanticCustomError("currency_unknown", "Must be a currency of ISO 4217, as EUR.")


Currency = Annotated[str, Storable, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
"""The code of a currency (ISO 4217)."""


def _web_address(value: str) -> str:
    # Browsers take a backslash for a slash and leave line ends out; whoever sends such a thing means something else.
    if re.search(r"[\x00-\x1f\x7f\\]", value):
        raise PydanticCustomError("web_address", "Must be an http:// or https:// address.")
    try:
        return str(AnyHttpUrl(value))
    except ValidationError:
        raise PydanticCustomError("web_address", "Must be an http:// or https:// address.") from None


Link = Annotated[str, Storable, StringConstraints(max_length=1000), AfterValidator(_web_address)]
"""An address on the web."""


class Received(BaseModel):
    """What comes over the wire: unknown fields are refused and nothing is coerced silently."""

    model_config = ConfigDict(
        extra="forbid", str_strip_whitespace=True, allow_inf_nan=False, hide_input_in_errors=True, frozen=True
    )


class Sent(BaseModel):
    """What goes over the wire: every field is always there."""

    model_config = ConfigDict(frozen=True, from_attributes=True, ser_json_inf_nan="null")


Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
"""A whole number of people or things, never a string or a truth value."""

Flag = Annotated[bool, Field(strict=True)]
"""true or false, never a word or a number."""
