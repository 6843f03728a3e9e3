"""Campaign editions as `social_weeks_and_secm.csv` gives them, and the edition that an activity's date falls into."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from services.kernel.import_values import needed, partial_date, text
from services.kernel.imports import Refused, Remark

COLUMNS = ("series", "edition", "start", "end", "certainty", "source")
OPTIONAL_COLUMNS = ("theme", "published_numbers")

GATHERINGS = "SECM"
"""The series of the SocialErasmus coordinators' meetings; they are gatherings and claim no activities."""

Season = Literal["spring", "autumn"]
Precision = Literal["day", "month", "unknown"]

_YEAR = re.compile(r"\b(20[0-9]{2})\b")
_SEASON = re.compile(r"\b(spring|autumn)\b")
_SEVERAL = re.compile(r"\bboth\b|\band later\b")
_FIRST_AUTUMN_MONTH = 8


@dataclass(frozen=True, slots=True)
class EditionRow:
    """One edition; `starts_on` and `ends_on` are inclusive.

    With precision "month" they are the first and the last day of the months named, with "unknown" they are None.
    `code` is `2016-autumn`, or `secm-2014` for a gathering, which has no season. `source` is
    empty where nothing was found.
    """

    code: str
    series: str
    season: Season | None
    year: int
    starts_on: date | None
    ends_on: date | None
    precision: Precision
    certainty: str
    theme: str | None
    published_numbers: str | None
    source: str


class DatedEdition(Protocol):
    """What `edition_for` needs to know of an edition."""

    @property
    def code(self) -> str:
        """Its key."""

    @property
    def series(self) -> str:
        """The name of its series."""

    @property
    def starts_on(self) -> date | None:
        """Its first day."""

    @property
    def ends_on(self) -> date | None:
        """Its last day."""

    @property
    def precision(self) -> str:
        """How exactly its dates are known."""


def edition_in_list(values: Mapping[str, Any]) -> tuple[EditionRow, list[Remark]]:
    """Read one row; raise Refused for one that names no edition or several, or whose dates contradict it."""
    remarks: list[Remark] = []
    series = needed(values, "series", longest=100)
    named = needed(values, "edition")
    year = _year(named)
    starts_on, ends_on, precision = _dates(values)
    if starts_on and starts_on.year != year:
        raise Refused("start", f"{starts_on} does not lie in {year}")
    season = None if series == GATHERINGS else _season(named, starts_on, precision, remarks)
    certainty = needed(values, "certainty")
    if precision == "unknown":
        remarks.append(Remark("start", f"the dates are not known: {certainty}"))
    elif precision == "month":
        remarks.append(Remark("start", f"only the month is known, so no activity is claimed by date: {certainty}"))
    elif "inferred" in certainty:
        remarks.append(Remark("certainty", certainty))
    if left_out := _words_left(named):
        remarks.append(Remark("edition", f"words left out: {left_out}"))
    edition = EditionRow(
        code=f"{GATHERINGS.lower()}-{year}" if season is None else f"{year}-{season}",
        series=series,
        season=season,
        year=year,
        starts_on=starts_on,
        ends_on=ends_on,
        precision=precision,
        certainty=certainty,
        theme=text(values, "theme"),
        published_numbers=text(values, "published_numbers"),
        source=text(values, "source") or "",
    )
    return edition, remarks


def edition_for(starts_on: date | None, ends_on: date | None, editions: Iterable[DatedEdition]) -> str | None:
    """Return the code of the campaign edition that contains the first day of an activity, or None.

    Only editions whose days are known claim by date, never gatherings; of several the shortest does, then the latest.
    Pass None for a first day that is not known exactly: the first day of a month would fall into an edition by chance.
    Raises ValueError for an activity that ends before it starts.
    """
    if starts_on is None:
        return None
    if ends_on is not None and ends_on < starts_on:
        raise ValueError("an activity cannot end before it starts")
    claims = [
        (edition.ends_on - edition.starts_on, -edition.starts_on.toordinal(), edition.code)
        for edition in editions
        if edition.precision == "day" and edition.series != GATHERINGS
        if edition.starts_on is not None and edition.ends_on is not None
        if edition.starts_on <= starts_on <= edition.ends_on
    ]
    return min(claims)[2] if claims else None


def _year(named: str) -> int:
    years = set(_YEAR.findall(named))
    if len(years) > 1 or _SEVERAL.search(named):
        raise Refused("edition", f"{named!r} names several editions; each needs a row of its own")
    if not years:
        raise Refused("edition", f"{named!r} names no year")
    return int(years.pop())


def _season(named: str, starts_on: date | None, precision: Precision, remarks: list[Remark]) -> Season:
    by_date: Season | None = None
    if starts_on is not None:
        by_date = "autumn" if starts_on.month >= _FIRST_AUTUMN_MONTH else "spring"
    stated = set(_SEASON.findall(named))
    if len(stated) > 1:
        raise Refused("edition", f"{named!r} names several editions; each needs a row of its own")
    if not stated:
        if by_date is None:
            raise Refused("edition", f"{named!r} names no season, and there is no date to tell it")
        remarks.append(Remark("edition", f"no season is named; {by_date} was taken from the start"))
        return by_date
    season: Season = "spring" if "spring" in stated else "autumn"
    if by_date not in (None, season):
        remarks.append(Remark("start", f"{starts_on} is an odd {precision} for an edition in {season}"))
    return season


def _dates(values: Mapping[str, Any]) -> tuple[date | None, date | None, Precision]:
    start, end = partial_date(values, "start"), partial_date(values, "end")
    if start is None and end is None:
        return None, None, "unknown"
    if start is None or end is None:
        raise Refused("start" if start is None else "end", "is missing; an edition has both dates or none")
    if "year" in (start.part, end.part):
        raise Refused("start", "a year alone says no more than the name of the edition")
    if end.last < start.first:
        raise Refused("end", f"{end.last} is before the start, {start.first}")
    return start.first, end.last, "day" if start.part == end.part == "day" else "month"


def _words_left(named: str) -> str:
    words = _SEASON.sub("", _YEAR.sub("", named)).strip()
    if words.startswith("(") and words.endswith(")"):
        words = words[1:-1]
    return words.strip(" ,")
