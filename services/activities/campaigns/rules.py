"""What holds of series, editions and their dates, and the problems they raise."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final, Literal

from services.kernel.problems import Conflict, FieldError, Forbidden, Invalid, NotFound

LONGEST_DAYS: Final = 92
"""No campaign is as long as a quarter of a year; a longer one is a slip of the pen."""

Precision = Literal["day", "month", "unknown"]
Season = Literal["spring", "autumn"]
Days = tuple[date, date]
"""The first and the last day of a span."""


class SeriesNotFound(NotFound):
    """There is no series with this code."""


class EditionNotFound(NotFound):
    """There is no edition with this code."""


class NationalDatesNotFound(NotFound):
    """This country keeps to the dates of the edition."""


class EditionExists(Conflict):
    """There is an edition of this season and year already; it can be revised."""


class InternationalNeeded(Forbidden):
    """Only ESN International announces and revises editions."""


class NationalNeeded(Forbidden):
    """Only the country's own national coordinator, or ESN International, sets its dates."""


def code_of(series: str, season: Season | None, year: int) -> str:
    """The code of an edition.

    >>> code_of("social-impact-days", "autumn", 2026), code_of("secm", None, 2014)
    ('2026-autumn', 'secm-2014')
    """
    return f"{series}-{year}" if season is None else f"{year}-{season}"


def check_dates(year: int, precision: Precision, starts_on: date | None, ends_on: date | None) -> None:
    """Refuse dates that contradict themselves, the year, or how exactly they are said to be known."""
    given = {"starts_on": starts_on, "ends_on": ends_on}
    if precision == "unknown":
        _refuse((name, "Must be null where the dates are not known.") for name, day in given.items() if day is not None)
        return
    _refuse((name, "Is needed unless the dates are not known.") for name, day in given.items() if day is None)
    assert starts_on is not None
    assert ends_on is not None
    check_span(year, starts_on, ends_on)
    if precision == "month":
        faults = []
        if starts_on.day != 1:
            faults.append(("starts_on", "Must be the first of a month where only months are known."))
        if (ends_on + timedelta(days=1)).day != 1:
            faults.append(("ends_on", "Must be the last of a month where only months are known."))
        _refuse(faults)


def check_span(year: int, starts_on: date, ends_on: date) -> None:
    """Refuse a span that begins in another year than its edition, ends before it begins or takes too long."""
    if starts_on.year != year:
        _refuse([("starts_on", "Must lie in the year of the edition.")])
    if ends_on < starts_on:
        _refuse([("ends_on", "Must not lie before the first day.")])
    if (ends_on - starts_on).days >= LONGEST_DAYS:
        _refuse([("ends_on", f"An edition has at most {LONGEST_DAYS} days.")])


def claimed(precision: str | None, starts_on: date | None, ends_on: date | None) -> Days | None:
    """The days on which an edition claims activities where no country says otherwise: only days known as such."""
    return (starts_on, ends_on) if precision == "day" and starts_on is not None and ends_on is not None else None


def version(updated_at: datetime) -> str:
    """What an ETag says of the state of an edition, or of the dates of a country."""
    return f"{updated_at.timestamp():.6f}"


def is_version(tag: str, updated_at: datetime) -> bool:
    """Whether an ETag is of this state of an edition; its figures, which move by themselves, stand behind a dash.

    >>> from datetime import UTC
    >>> moment = datetime(2026, 11, 14, tzinfo=UTC)
    >>> [is_version(f'"{version(moment)}{rest}"', moment) for rest in ("", "-5eaf00d", "1")]
    [True, True, False]
    """
    return re.fullmatch(rf'"{re.escape(version(updated_at))}(-[0-9a-f]+)?"', tag) is not None


def _refuse(faults: Iterable[tuple[str, str]]) -> None:
    if errors := [FieldError(pointer=f"#/{name}", detail=detail) for name, detail in faults]:
        raise Invalid(errors=errors)
