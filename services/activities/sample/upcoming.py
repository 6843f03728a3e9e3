"""The upcoming edition of the sample network: its dates by the calendar, its activities from templates."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, NamedTuple

from services.activities.directory.country_codes import country_of
from services.activities.directory.section_rows import SECTION_CODE
from services.activities.taxonomies.rules import AREAS, CAUSES, KINDS, MODES, PROGRAMMES
from services.kernel.import_values import decimal, listed, needed, needed_choice, text, whole_number
from services.kernel.imports import CsvRows, Refused, Remark, parsed

SERIES = "Social Impact Days"
LENGTH = timedelta(days=14)
LEAST_DAYS_LEFT = timedelta(days=7)

COLUMNS = (
    "key",
    "title",
    "summary",
    "language",
    "local_language",
    "local_title",
    "local_summary",
    "section_code",
    "section_name",
    "city",
    "country",
    "area",
    "cause",
    "kind",
    "programme",
    "mode",
    "capacity",
    "day_offset",
    "starts_at_local",
    "ends_at_local",
    "place_name",
    "latitude",
    "longitude",
    "online_url",
    "partner_kind",
    "requirements_notes",
    "required_languages",
    "languages",
    "minimum_age",
    "accessibility",
)

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_MONDAY = 0


class UpcomingEdition(NamedTuple):
    """An edition to come: both days are inclusive."""

    code: str
    series: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class LocalText:
    """Title and summary in the language of the place (BCP 47)."""

    language: str
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class SamplePlace:
    """A public place; its position in degrees (WGS 84) is rounded to 0.01, about a kilometre."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class SampleActivity:
    """A template of an activity; `day_offset` counts days from the first of the edition, clock times are local.

    `languages` are spoken there, `required_languages` are the ones of which a participant needs at least one (BCP 47).
    An online activity has an `online_url` and no `place`.
    """

    key: str
    title: str
    summary: str
    language: str
    local_text: LocalText | None
    section_code: str
    section_name: str
    city: str
    country: str
    area: str
    cause: str
    kind: str
    programme: str
    mode: str
    capacity: int
    day_offset: int
    starts_at_local: time
    ends_at_local: time
    place: SamplePlace | None
    online_url: str | None
    partner_kind: str | None
    requirements_notes: str | None
    required_languages: tuple[str, ...]
    languages: tuple[str, ...]
    minimum_age: int | None
    accessibility: tuple[str, ...]

    def begins(self, edition: UpcomingEdition) -> datetime:
        """Return the wall-clock time, without zone, at which it begins in this edition."""
        return datetime.combine(edition.starts_on + timedelta(days=self.day_offset), self.starts_at_local)

    def ends(self, edition: UpcomingEdition) -> datetime:
        """Return the wall-clock time, without zone, at which it ends in this edition."""
        return datetime.combine(edition.starts_on + timedelta(days=self.day_offset), self.ends_at_local)


def next_edition(today: date) -> UpcomingEdition:
    """Return the first edition that ends at least seven days after `today`, running or to come.

    The spring one begins on the Monday of the first full week of May, the autumn one on the second Monday of November.
    """
    for year in (today.year, today.year + 1):
        starts = {"spring": _monday(date(year, 5, 1)), "autumn": _monday(date(year, 11, 8))}
        for season, starts_on in starts.items():
            ends_on = starts_on + LENGTH - timedelta(days=1)
            if ends_on - today >= LEAST_DAYS_LEFT:
                return UpcomingEdition(f"{year}-{season}", SERIES, starts_on, ends_on)
    raise AssertionError("the spring edition of next year always ends more than seven days ahead")


def sample_activities(stream: BinaryIO) -> Iterator[SampleActivity]:
    """Read the templates from a stream opened in binary mode; raise Refused or UnreadableFile at the first fault."""
    for row in CsvRows(stream, required=COLUMNS):
        yield parsed(row, sample_activity)[0]


def sample_activity(values: Mapping[str, Any]) -> tuple[SampleActivity, list[Remark]]:
    """Read one template; raise Refused for anything that an activity of this kind cannot have."""
    mode = needed_choice(values, "mode", _themselves(MODES))
    place = _place(values)
    online_url = text(values, "online_url")
    if (mode == "online") != (place is None) or (mode == "physical") != (online_url is None):
        raise Refused("mode", f"{mode!r} does not go with the place and the address given")
    activity = SampleActivity(
        key=needed(values, "key"),
        title=needed(values, "title", longest=200),
        summary=needed(values, "summary", longest=2_000),
        language=_languages(values, "language")[0],
        local_text=_local_text(values),
        section_code=_section_code(values),
        section_name=needed(values, "section_name"),
        city=needed(values, "city"),
        country=_country(values),
        area=needed_choice(values, "area", _themselves(AREAS)),
        cause=needed_choice(values, "cause", _themselves(CAUSES)),
        kind=needed_choice(values, "kind", _themselves(KINDS)),
        programme=needed_choice(values, "programme", _themselves(PROGRAMMES)),
        mode=mode,
        capacity=_number(values, "capacity", 1, 1_000),
        day_offset=_number(values, "day_offset", 0, LENGTH.days - 1),
        starts_at_local=_clock(values, "starts_at_local"),
        ends_at_local=_clock(values, "ends_at_local"),
        place=place,
        online_url=online_url,
        partner_kind=text(values, "partner_kind"),
        requirements_notes=text(values, "requirements_notes", longest=1_000),
        required_languages=_languages(values, "required_languages"),
        languages=_languages(values, "languages"),
        minimum_age=_number(values, "minimum_age", 0, 99) if text(values, "minimum_age") else None,
        accessibility=listed(values, "accessibility"),
    )
    if activity.ends_at_local <= activity.starts_at_local:
        raise Refused("ends_at_local", f"{activity.ends_at_local} is not after {activity.starts_at_local}")
    return activity, []


def _monday(earliest: date) -> date:
    return earliest + timedelta(days=(_MONDAY - earliest.weekday()) % 7)


def _themselves(codes: Mapping[str, str]) -> dict[str, str]:
    return {code: code for code in codes}


def _section_code(values: Mapping[str, Any]) -> str:
    code = needed(values, "section_code")
    if not SECTION_CODE.fullmatch(code):
        raise Refused("section_code", f"{code!r} is not a section code")
    return code


def _country(values: Mapping[str, Any]) -> str:
    country = needed(values, "country")
    if country_of(country) != country:
        raise Refused("country", f"{country!r} is not the ISO code of a country of the network")
    return country


def _local_text(values: Mapping[str, Any]) -> LocalText | None:
    language = _languages(values, "local_language")
    if not language:
        return None
    return LocalText(language[0], needed(values, "local_title"), needed(values, "local_summary", longest=2_000))


def _languages(values: Mapping[str, Any], column: str) -> tuple[str, ...]:
    codes = listed(values, column)
    if not all(_LANGUAGE.fullmatch(code) for code in codes) or (column == "language" and not codes):
        raise Refused(column, f"{'; '.join(codes)!r} are not language codes")
    return codes


def _place(values: Mapping[str, Any]) -> SamplePlace | None:
    name = text(values, "place_name")
    latitude, longitude = decimal(values, "latitude"), _east(values)
    if name is None and latitude is None and longitude is None:
        return None
    if name is None or latitude is None or longitude is None or latitude > 90 or abs(longitude) > 180:
        raise Refused("place_name", "a place has a name and a position")
    return SamplePlace(name, float(latitude), longitude)


def _east(values: Mapping[str, Any]) -> float | None:
    given = text(values, "longitude")
    if given is None:
        return None
    size = decimal({"longitude": given.removeprefix("-")}, "longitude")
    return None if size is None else float(-size if given.startswith("-") else size)


def _number(values: Mapping[str, Any], column: str, least: int, most: int) -> int:
    number = whole_number(values, column)
    if number is None or not least <= number <= most:
        raise Refused(column, f"a number from {least} to {most} is needed")
    return number


def _clock(values: Mapping[str, Any], column: str) -> time:
    clock = needed(values, column)
    if not _CLOCK.fullmatch(clock):
        raise Refused(column, f"{clock!r} is not a time like 18:30")
    return time.fromisoformat(clock)
