"""Fills the texts of a language with the facts of a registration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from services.kernel.texts import one_line
from services.registration.mail.english import ENGLISH
from services.registration.mail.languages import Language, Letter, Page, PageText, choose

LANGUAGES = MappingProxyType({language.tag: language for language in (ENGLISH,)})


@dataclass(frozen=True, slots=True)
class Facts:
    """What letters and pages speak of."""

    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    location: str | None
    minimum_age: int | None
    held_until: datetime
    given_name: str = ""
    code: str = ""
    link: str = ""


def language_of(tag: str) -> Language:
    """The language in which somebody who asked for `tag` is written to."""
    return choose(LANGUAGES, tag)


def write(letter: Letter, language: Language, facts: Facts) -> tuple[str, str]:
    """Subject and text of a letter."""
    subject, body = language.letters[letter]
    said = words(language, facts)
    said["details"] = language.details.format_map(said)
    said["minimum_age"] = f"\n{said['minimum_age']}\n" if said["minimum_age"] else ""
    return subject.format_map(said), body.format_map(said)


def page(kind: Page, language: Language, facts: Facts | None) -> PageText:
    """The words of a page, not yet escaped."""
    text = language.pages[kind]
    said = words(language, facts) if facts else {}
    return PageText(text.heading.format_map(said), text.paragraph.format_map(said), text.button)


def words(language: Language, facts: Facts) -> dict[str, str]:
    """The facts as they are said in a language."""
    zone = ZoneInfo(facts.time_zone)
    age = facts.minimum_age
    return {
        "title": one_line(facts.title),
        "when": language.when(facts.starts_at, facts.ends_at, zone),
        "location": one_line(facts.location) if facts.location else language.labels["location_unknown"],
        "minimum_age": language.minimum_age.format(age=age) if age else "",
        "held_until": language.zone.format(moment=language.date(facts.held_until, zone), zone=zone.key),
        "given_name": one_line(facts.given_name),
        "code": facts.code,
        "link": facts.link,
    }
