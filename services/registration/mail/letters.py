"""Fills the texts of a language with the facts of a registration."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.kernel.texts import one_line
from services.registration.mail.languages import Language, Letter, Page, PageText, language_of

__all__ = ["FIELDS", "Facts", "language_of", "page", "words", "write"]

WIDTH: Final = 76


@dataclass(frozen=True, slots=True)
class Facts:
    """What letters and pages speak of."""

    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    location: str | None
    minimum_age: int | None
    held_until: datetime | None
    given_name: str = ""
    code: str = ""
    link: str = ""
    position: int | None = None


FIELDS: Final = frozenset({
    "title", "when", "location", "details", "minimum_age", "held_until", "given_name", "code", "link", "position",
})  # fmt: skip
"""The fields that a text may hold."""


def write(letter: Letter, language: Language, facts: Facts) -> tuple[str, str]:
    """Subject and text of a letter."""
    said = words(language, facts)
    subject = language.text(f"letter.{letter}.subject").format_map(said)
    body = language.text(f"letter.{letter}.body")
    paragraphs = [_paragraph(text, said) for text in [*body.split("\n\n"), "{closing}"]]
    return subject, "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _paragraph(text: str, said: dict[str, str]) -> str:
    if text == "{details}":
        return "\n".join(f"    {line}" for line in (said["title"], said["when"], said["location"]))
    # A link must stay whole.
    return textwrap.fill(text.format_map(said), WIDTH, break_long_words=False, break_on_hyphens=False)


def page(kind: Page, language: Language, facts: Facts | None) -> PageText:
    """The words of a page, not yet escaped."""
    said = words(language, facts) if facts else {}
    return PageText(
        heading=language.text(f"page.{kind}.heading").format_map(said),
        paragraph=language.text(f"page.{kind}.paragraph").format_map(said),
        button=language.perhaps(f"page.{kind}.button"),
        decline=language.perhaps(f"page.{kind}.decline"),
    )


def words(language: Language, facts: Facts) -> dict[str, str]:
    """The facts as they are said in a language."""
    zone = ZoneInfo(facts.time_zone)
    age = facts.minimum_age
    return {
        "title": one_line(facts.title),
        "when": language.when(facts.starts_at, facts.ends_at, zone),
        "location": one_line(facts.location) if facts.location else language.text("label.place_unknown"),
        "minimum_age": language.counted("minimum_age", age).format(age=age) if age else "",
        "held_until": language.date(facts.held_until, zone) if facts.held_until else "",
        "given_name": one_line(facts.given_name),
        "code": facts.code,
        "link": facts.link,
        "position": _position(language, facts.position),
        "closing": language.text("closing"),
    }


def _position(language: Language, position: int | None) -> str:
    """Where somebody stands on a waiting list; `position` counts from 1."""
    if position is None:
        return ""
    if position == 1:
        return language.text("position.first")
    return language.counted("position", position - 1).format(ahead=position - 1)
