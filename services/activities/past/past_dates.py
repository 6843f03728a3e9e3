"""When a past activity took place, as far as its source knows, and what in its title speaks against it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from services.kernel.import_values import PartialDate, partial_date, text
from services.kernel.imports import Refused, Remark

DatePrecision = Literal["day", "week", "edition", "month", "semester", "year", "unknown"]

_PLAINLY_STATED = re.compile(r"stated( \(\w+\))?")
_YEAR_IN_TITLE = re.compile(r"\b(20[0-9]{2})\b")
_SEASONS = (
    ("Christmas", re.compile(r"\bchristmas\b", re.IGNORECASE), {11, 12, 1}),
    ("St Nicholas", re.compile(r"\bst\.? nic(h?olas|olaus)\b", re.IGNORECASE), {11, 12}),
    ("Easter", re.compile(r"\beaster\b", re.IGNORECASE), {3, 4, 5}),
    ("Halloween", re.compile(r"\bhalloween\b", re.IGNORECASE), {10, 11}),
    ("Valentine's Day", re.compile(r"\bvalentine", re.IGNORECASE), {2}),
)


@dataclass(frozen=True, slots=True)
class PastDates:
    """The days between which the activity lay, inclusive; `known_start` only where its first day can be trusted."""

    starts_on: date | None
    ends_on: date | None
    known_start: date | None
    precision: DatePrecision
    certainty: str


def dates_of(values: Mapping[str, Any], remarks: list[Remark]) -> PastDates:
    """Read start, end and certainty; raise Refused for an end before the start and for an end without a start."""
    certainty = text(values, "date_certainty") or "not stated"
    start, end = partial_date(values, "start_date"), partial_date(values, "end_date")
    if start is None:
        if end is not None:
            raise Refused("start_date", "is missing, though an end is given")
        remarks.append(Remark("start_date", f"the date is not known: {certainty}"))
        return PastDates(None, None, None, "unknown", certainty)
    if end is not None and end.last < start.first:
        raise Refused("end_date", f"{end.last} is before the start, {start.first}")
    if end is None:
        remarks.append(Remark("end_date", f"the end is not known: {certainty}"))
    precision = _precision(start, end or start, certainty)
    if precision != "day":
        remarks.append(_vagueness(start, end or start, precision, certainty))
    elif not _PLAINLY_STATED.fullmatch(certainty):
        remarks.append(Remark("date_certainty", certainty))
    known_start = start.first if start.part == "day" else None
    return PastDates(start.first, end.last if end else None, known_start, precision, certainty)


def contradictions(title: str, dates: PastDates) -> list[Remark]:
    """Say where the title names a feast or a year that the date does not agree with."""
    if dates.starts_on is None or dates.precision == "unknown":
        return []
    last = dates.ends_on or dates.starts_on
    remarks = [
        Remark("title", f"names the year {year}, the date lies in {dates.starts_on.year}")
        for year in _YEAR_IN_TITLE.findall(title)
        if not dates.starts_on.year <= int(year) <= last.year
    ]
    if dates.precision in ("day", "week", "month"):
        remarks += [
            Remark("title", f"names {feast}, the date is {dates.starts_on}; it may be the date of entry")
            for feast, sign, months in _SEASONS
            if sign.search(title) and not {dates.starts_on.month, last.month} & months
        ]
    return remarks


def _vagueness(start: PartialDate, end: PartialDate, precision: DatePrecision, certainty: str) -> Remark:
    if start.part == "day" and end.part != "day":
        return Remark("end_date", f"known to the {end.part} only: {certainty}")
    if start.part != "day" and end.part == "day":
        return Remark("start_date", f"the start is known to the {start.part} only: {certainty}")
    return Remark("start_date", f"known to the {precision} only: {certainty}")


def _precision(start: PartialDate, end: PartialDate, certainty: str) -> DatePrecision:
    parts = {start.part, end.part}
    if "year" in parts:
        return "year"
    if "month" in parts:
        return "semester" if "semester" in certainty else "month"
    if "week" in certainty:
        return "week"
    return "edition" if "edition" in certainty or "national period" in certainty else "day"
