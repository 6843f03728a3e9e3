"""What a language must bring so that students are written to in it, and the choice among the languages there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Letter(StrEnum):
    """The occasions on which a student is written to."""

    CONFIRM = "confirm"
    STILL_TO_CONFIRM = "still_to_confirm"
    HAS_PLACE = "has_place"
    STILL_HAS_PLACE = "still_has_place"
    CANCELLED = "cancelled"
    CALLED_OFF = "called_off"


class Page(StrEnum):
    """The pages behind a mailed link."""

    CONFIRM = "confirm"
    CONFIRMED = "confirmed"
    ALREADY_CONFIRMED = "already_confirmed"
    MANAGE = "manage"
    CANCELLED = "cancelled"
    CALLED_OFF = "called_off"
    TOO_LATE = "too_late"
    HOLD_ENDED = "hold_ended"
    LINK_EXPIRED = "link_expired"
    LINK_NOT_FOUND = "link_not_found"


@dataclass(frozen=True, slots=True)
class PageText:
    """The words of a page: a heading, a paragraph, and the button if there is one."""

    heading: str
    paragraph: str
    button: str | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """Everything a student reads in one language. Texts hold `{fields}` of `Facts`."""

    tag: str
    days: tuple[str, ...]
    months: tuple[str, ...]
    moment: str
    until_same_day: str
    until: str
    zone: str
    date_unknown: str
    minimum_age: str
    details: str
    labels: Mapping[str, str]
    letters: Mapping[Letter, tuple[str, str]]
    pages: Mapping[Page, PageText]

    def __post_init__(self) -> None:
        missing = [*(set(Letter) - set(self.letters)), *(set(Page) - set(self.pages))]
        if missing:
            raise ValueError(f"{self.tag} lacks {', '.join(missing)}")

    def date(self, moment: datetime, zone: ZoneInfo) -> str:
        """A moment as people of this language write it, in a zone."""
        local = moment.astimezone(zone)
        return self.moment.format(
            day=self.days[local.weekday()],
            date=local.day,
            month=self.months[local.month - 1],
            year=local.year,
            time=f"{local:%H:%M}",
        )

    def when(self, starts_at: datetime | None, ends_at: datetime | None, zone: ZoneInfo) -> str:
        """From when until when something is, in its own zone, which is named."""
        if starts_at is None:
            return self.date_unknown
        text = self.date(starts_at, zone)
        if ends_at is not None:
            same_day = ends_at.astimezone(zone).date() == starts_at.astimezone(zone).date()
            form = self.until_same_day if same_day else self.until
            text = form.format(begin=text, time=f"{ends_at.astimezone(zone):%H:%M}", end=self.date(ends_at, zone))
        return self.zone.format(moment=text, zone=zone.key)


def choose(languages: Mapping[str, Language], tag: str) -> Language:
    """The language that fits a tag best: itself, its main language, else English."""
    return languages.get(tag) or languages.get(tag.partition("-")[0]) or languages["en"]
