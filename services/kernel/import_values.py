"""Reading of single values from an import row: texts, numbers, choices and dates of which only a part is known."""

import calendar
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeVar

from services.kernel.imports import Refused

LONGEST_TEXT = 500
EARLIEST_YEAR, LATEST_YEAR = 1980, 2100

DatePart = Literal["day", "month", "year"]
Choice = TypeVar("Choice")

_WHOLE_NUMBER = re.compile(r"[0-9]{1,7}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_PARTIAL_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """The first and the last day that a date can mean, and the part of it that is known."""

    first: date
    last: date
    part: DatePart


def text(values: Mapping[str, Any], column: str, *, longest: int = LONGEST_TEXT) -> str | None:
    """Return a text in NFC with single blanks and none around it, or None; Refused where it is longer or no text."""
    value = values.get(column)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refused(column, "is not a text")
    tidy = " ".join(unicodedata.normalize("NFC", value).split())
    if len(tidy) > longest:
        raise Refused(column, f"longer than {longest} characters")
    return tidy or None


def needed(values: Mapping[str, Any], column: str, *, longest: int = LONGEST_TEXT) -> str:
    """Return a text like `text`; Refused where there is none."""
    value = text(values, column, longest=longest)
    if value is None:
        raise Refused(column, "is missing")
    return value


def listed(values: Mapping[str, Any], column: str, *, longest: int = LONGEST_TEXT) -> tuple[str, ...]:
    """Return the different parts of a text separated by semicolons, in their order."""
    parts = (part.strip() for part in (text(values, column, longest=longest) or "").split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))


def choice(values: Mapping[str, Any], column: str, choices: Mapping[str, Choice]) -> Choice | None:
    """Return what a text stands for, letter case aside, or None without a text; Refused for a word not in `choices`."""
    word = text(values, column)
    if word is None:
        return None
    if word.casefold() not in choices:
        raise Refused(column, f"{word!r} is none of {', '.join(sorted(choices))}")
    return choices[word.casefold()]


def needed_choice(values: Mapping[str, Any], column: str, choices: Mapping[str, Choice]) -> Choice:
    """Return what a text stands for like `choice`; Refused where there is none."""
    word = choice(values, column, choices)
    if word is None:
        raise Refused(column, "is missing")
    return word


def whole_number(values: Mapping[str, Any], column: str) -> int | None:
    """Return a number from 0 to 9,999,999, or None; Refused for anything else."""
    word = text(values, column)
    if word is None:
        return None
    if not _WHOLE_NUMBER.fullmatch(word):
        raise Refused(column, f"{word!r} is not a whole number from 0 to 9,999,999")
    return int(word)


def decimal(values: Mapping[str, Any], column: str) -> Decimal | None:
    """Return a number of at least 0 written with a decimal point, or None; Refused for anything else."""
    word = text(values, column)
    if word is None:
        return None
    if not _DECIMAL.fullmatch(word):
        raise Refused(column, f"{word!r} is not a number like 1.5")
    return Decimal(word)


def partial_date(values: Mapping[str, Any], column: str) -> PartialDate | None:
    """Return the days that `2014-09-30`, `2014-09` or `2014` can mean, or None; Refused for anything else."""
    word = text(values, column)
    if word is None:
        return None
    match = _PARTIAL_DATE.fullmatch(word)
    if match is None or not EARLIEST_YEAR <= int(match[1]) <= LATEST_YEAR:
        raise Refused(column, f"{word!r} is not a date like 2014-09-30, 2014-09 or 2014")
    year = int(match[1])
    if match[2] is None:
        return PartialDate(date(year, 1, 1), date(year, 12, 31), "year")
    month = int(match[2])
    if not 1 <= month <= 12:
        raise Refused(column, f"{word!r} is not in the calendar")
    last_day = calendar.monthrange(year, month)[1]
    if match[3] is None:
        return PartialDate(date(year, month, 1), date(year, month, last_day), "month")
    if not 1 <= int(match[3]) <= last_day:
        raise Refused(column, f"{word!r} is not in the calendar")
    day = date(year, month, int(match[3]))
    return PartialDate(day, day, "day")
