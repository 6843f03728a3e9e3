"""Fills the texts of a language with the facts of a registration."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader
from pydantic import TypeAdapter

from services.kernel.mail import content_id
from services.kernel.texts import one_line
from services.registration.mail.languages import Language, Letter, Page, PageText, language_of

__all__ = ["FIELDS", "Facts", "Written", "kept", "language_of", "page", "read", "words", "write"]

WIDTH: Final = 76
# It loads nothing and tells nobody that it was opened: no style sheet, no script, no picture but those within it.
_pages = Environment(loader=PackageLoader("services.registration.mail", "."), autoescape=True)


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
    stop: str = ""
    position: int | None = None
    scanned: str = ""
    """What the check-in code's picture says to a phone."""
    dates: tuple[Facts, ...] = ()
    """Each of several dates, where they are written about together; a code or link of its own is said beside it."""


_facts: TypeAdapter[Facts] = TypeAdapter(Facts)
_NAMES: Final = tuple(each.name for each in fields(Facts))
_ALWAYS: Final = frozenset(each.name for each in fields(Facts) if each.default is MISSING)

FIELDS: Final = frozenset({
    "title", "when", "location", "details", "minimum_age", "held_until", "given_name", "code", "link", "position",
    "stop",
})  # fmt: skip
"""The fields that a text may hold."""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter, in both of the ways in which mail programs show it."""

    subject: str
    text: str
    html: str
    scanned: tuple[str, ...] = ()
    """What the pictures of codes say that the HTML shows, in their order."""


def kept(facts: Facts) -> dict[str, Any]:
    """Facts as they are kept until the letter is written."""
    told = {name: getattr(facts, name) for name in _NAMES}
    told["dates"] = [kept(each) for each in facts.dates]
    # By hand: a model takes ten times as long, for each of many who sign up at once.
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in told.items()
        if name in _ALWAYS or (value is not None and value not in ("", []))
    }


def read(told: dict[str, Any]) -> Facts:
    """Facts as they were kept."""
    return _facts.validate_python(told)


def write(letter: Letter, language: Language, facts: Facts) -> Written:
    """A letter as text and as HTML, of the same words."""
    said = words(language, facts)
    dates = [words(language, each) for each in facts.dates] or [{**said, "code": "", "link": ""}]
    scanned = tuple(each.scanned for each in facts.dates or (facts,) if each.code and each.scanned)
    pictures = iter(content_id(number) for number in range(1, len(scanned) + 1))
    for each, date in zip(facts.dates, dates, strict=False):
        date["picture"] = next(pictures) if each.code and each.scanned else ""
    subject = language.text(f"letter.{letter}.subject").format_map(said)
    paragraphs = [*_with_picture(language.text(f"letter.{letter}.body").split("\n\n"), said), "{closing}"]
    if not facts.dates and "{picture}" not in paragraphs:
        scanned = ()
    said["picture"] = next(pictures, "") if not facts.dates and scanned else ""
    blocks = [(_kind(text), text.format_map({**said, "details": ""})) for text in paragraphs]
    blocks = [(kind, text) for kind, text in blocks if text or kind == "details"]
    html = _pages.get_template("letter.html").render(
        tag=language.tag,
        direction=language.direction,
        subject=subject,
        said=said,
        dates=dates,
        blocks=blocks,
        labels={name: language.text(f"label.{name}") for name in ("when", "where", "code")},
        button=language.perhaps(f"letter.{letter}.button"),
        stop=language.text("label.stop"),
    )
    plain = "\n\n".join(_in_lines(language, kind, text, dates) for kind, text in blocks if kind != "picture") + "\n"
    return Written(subject, plain, html, scanned)


def _with_picture(paragraphs: list[str], said: dict[str, str]) -> Iterator[str]:
    """The paragraphs, with the check-in code as a picture below it, and below the link where else there is one."""
    says_code = any("{code}" in paragraph for paragraph in paragraphs)
    for paragraph in paragraphs:
        yield paragraph
        if "{code}" in paragraph:
            yield "{picture}"
        if paragraph == "{link}" and says_code and said["code"]:
            yield "{qr}"


def _kind(paragraph: str) -> str:
    """What a paragraph is when it consists of one field that is shown in a way of its own."""
    return paragraph[1:-1] if paragraph in {"{details}", "{link}", "{closing}", "{stop}", "{picture}"} else "words"


def _in_lines(language: Language, kind: str, text: str, dates: list[dict[str, str]]) -> str:
    if kind == "details":
        return "\n\n".join("\n".join(f"    {line}" for line in _date(language, said)) for said in dates)
    if kind == "stop":
        text = f"{language.text('label.stop')}: {text}"
    # A link must stay whole.
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _date(language: Language, said: dict[str, str]) -> list[str]:
    code = f"{language.text('label.code')}: {said['code']}" if said["code"] else ""
    return [line for line in (said["title"], said["when"], said["location"], code, said["link"]) if line]


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
        "qr": f"{language.text('label.qr')}: {facts.link}/code",
        "stop": facts.stop,
        "picture": "",
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
