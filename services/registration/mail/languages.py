"""What students are written: the letters, the pages behind mailed links, and moments as each language writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_datetime_format, get_timezone_location

from services.kernel.languages import best
from services.registration.mail import catalogues
from services.registration.mail.catalogues import Catalogue


class Letter(StrEnum):
    """The occasions on which a student is written to."""

    CONFIRM = "confirm"
    STILL_TO_CONFIRM = "still_to_confirm"
    CONFIRM_TOGETHER = "confirm_together"
    HAS_PLACE = "has_place"
    HAVE_PLACES = "have_places"
    STILL_HAS_PLACE = "still_has_place"
    CANCELLED = "cancelled"
    CALLED_OFF = "called_off"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"
    OFFER_ENDED = "offer_ended"
    PENDING = "pending"
    NOT_CHOSEN = "not_chosen"
    MOVED = "moved"
    MOVED_TOGETHER = "moved_together"
    MOVED_WAITING = "moved_waiting"
    REMINDER = "reminder"
    WITHDRAWN = "withdrawn"
    YOUR_LINKS = "your_links"


class Page(StrEnum):
    """The pages behind a mailed link."""

    CONFIRM = "confirm"
    CONFIRMED = "confirmed"
    CONFIRM_TOGETHER = "confirm_together"
    CONFIRMED_TOGETHER = "confirmed_together"
    ALREADY_CONFIRMED = "already_confirmed"
    MANAGE = "manage"
    CANCELLED = "cancelled"
    CALLED_OFF = "called_off"
    TOO_LATE = "too_late"
    HOLD_ENDED = "hold_ended"
    LINK_EXPIRED = "link_expired"
    LINK_NOT_FOUND = "link_not_found"
    WAITING = "waiting"
    OFFERED = "offered"
    OFFER_DECLINED = "offer_declined"
    PENDING = "pending"
    NOT_CHOSEN = "not_chosen"
    WITHDRAWN = "withdrawn"
    ASKED_AGAIN = "asked_again"
    STILL_COMES = "still_comes"
    REMINDERS = "reminders"
    NO_REMINDERS = "no_reminders"


@dataclass(frozen=True, slots=True)
class PageText:
    """The words of a page: a heading, a paragraph, and the buttons if there are any."""

    heading: str
    paragraph: str
    button: str | None = None
    decline: str | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """A language that students are written to in. Its texts hold `{fields}`."""

    catalogue: Catalogue

    @property
    def tag(self) -> str:
        """The language's BCP 47 tag."""
        return self.catalogue.tag

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, as HTML wants it."""
        return self.catalogue.locale.text_direction

    def text(self, name: str) -> str:
        """A text in which nothing is counted."""
        return self.catalogue.text(name)

    def counted(self, name: str, number: int) -> str:
        """A text in the form that fits a number."""
        return self.catalogue.counted(name, number)

    def perhaps(self, name: str) -> str | None:
        """A text that not every letter or page has."""
        return self.text(name) if name in self.catalogue.texts else None

    def moment(self, at: datetime, zone: ZoneInfo) -> str:
        """A day and a time as people of this language write them, in a zone."""
        return _moment(self.tag, at, zone)

    def date(self, at: datetime, zone: ZoneInfo) -> str:
        """A moment in a zone, which is named."""
        return self._zoned(self.moment(at, zone), zone)

    def when(self, starts_at: datetime | None, ends_at: datetime | None, zone: ZoneInfo) -> str:
        """From when until when something is, in its own zone, which is named."""
        if starts_at is None:
            return self.text("date.unknown")
        told = self.moment(starts_at, zone)
        if ends_at is not None:
            local = ends_at.astimezone(zone)
            same_day = local.date() == starts_at.astimezone(zone).date()
            end = _time(self.tag, local.time()) if same_day else self.moment(ends_at, zone)
            told = self.text("date.same_day" if same_day else "date.span").format(begin=told, end=end)
        return self._zoned(told, zone)

    def _zoned(self, told: str, zone: ZoneInfo) -> str:
        return self.text("date.zone").format(moment=told, zone=_city(self.tag, zone))


# Hundreds who sign up at once are told of the same moments.
@lru_cache(maxsize=4096)
def _moment(tag: str, at: datetime, zone: ZoneInfo) -> str:
    locale, local = catalogues.choose(tag).locale, at.astimezone(zone)
    together = str(get_datetime_format("medium", locale=locale))
    return together.format(_time(tag, local.time()), format_date(local, "full", locale=locale))


@lru_cache(maxsize=4096)
def _time(tag: str, at: time) -> str:
    return format_time(at, "short", locale=catalogues.choose(tag).locale)


@lru_cache(maxsize=4096)
def _city(tag: str, zone: ZoneInfo) -> str:
    return get_timezone_location(zone, catalogues.choose(tag).locale, return_city=True)


def language_of(tag: str) -> Language:
    """The language in which somebody who asked for `tag` is written to."""
    return Language(catalogues.choose(tag))


def chosen(asked: str | None, accepted: str) -> Language:
    """The language of a page: the one that its address asks for, else the visitor's best, else English."""
    return language_of(best(catalogues.tags(), asked=asked, accept=accepted, otherwise=catalogues.ENGLISH))


def others(language: Language) -> list[tuple[str, str]]:
    """Every other language that a page can be read in, with its name as those say it who speak it."""
    named = [(tag, language_of(tag).catalogue.locale.get_language_name(tag) or tag) for tag in catalogues.tags()]
    return [(tag, name) for tag, name in named if tag != language.tag]
