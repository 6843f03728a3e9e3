"""The texts that volunteers translate: one gettext file a language, read when somebody is first written to in it.

A text is found by its context, a name that stays (`letter.confirm.subject`). Its msgid is the English, so that every
gettext editor shows translators what they translate, and a test shows them whose English was changed since. English
itself is the msgids of `en.po`, which is also the template: to add a language, copy it and fill in the msgstrs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages import Message
from babel.messages.pofile import read_po

FOLDER: Final = Path(__file__).with_name("catalogues")
ENGLISH: Final = "en"
# English without a region writes dates as in the United States.
_LOCALES: Final = {ENGLISH: "en_GB"}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every text in one language, each with its plural forms, and how the language writes dates."""

    tag: str
    locale: Locale
    texts: Mapping[str, tuple[str, ...]]
    form_of: Callable[[int], int]

    def text(self, name: str) -> str:
        """A text in which nothing is counted."""
        return self.texts[name][0]

    def counted(self, name: str, number: int) -> str:
        """A text in the form that fits a number."""
        return self.texts[name][self.form_of(number)]


@cache
def tags() -> tuple[str, ...]:
    """The languages that somebody can be written to in."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.po")))


@cache
def catalogue(tag: str) -> Catalogue:
    """The catalogue of one of the `tags`."""
    with (FOLDER / f"{tag}.po").open("rb") as file:
        read = read_po(file, abort_invalid=True)
    texts = {message.context: _forms(message) for message in read if message.context}
    return Catalogue(tag, Locale.parse(_LOCALES.get(tag, tag)), texts, c2py(read.plural_expr))


def choose(tag: str) -> Catalogue:
    """The catalogue that fits a BCP 47 tag best: of the language itself, of its main language, else English."""
    return next(catalogue(fit) for fit in (tag, tag.partition("-")[0], ENGLISH) if fit in tags())


def _forms(message: Message) -> tuple[str, ...]:
    """A text as it is translated, else in English: gettext takes what is doubtful for not translated."""
    english, translated = _tuple(message.id), _tuple(message.string)
    return translated if all(translated) and not message.fuzzy else english


def _tuple(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, tuple | list) else (str(text or ""),)
