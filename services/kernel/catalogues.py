"""The texts that volunteers translate: a folder with one gettext file a language, read when it is first needed.

A text is found by its context, a name that stays (`letter.confirm.subject`). Its msgid is the English, so that every
gettext editor shows translators what they translate, and a test shows them whose English was changed since. English
itself is the msgids of `en.po`, which is also the template: to add a language, copy it and fill in the msgstrs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from gettext import c2py
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages import Message
from babel.messages.pofile import read_po

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


class Catalogues:
    """The catalogues of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Catalogue] = {}
        self._tags: tuple[str, ...] = ()

    def tags(self) -> tuple[str, ...]:
        """The languages that there are."""
        if not self._tags:
            self._tags = tuple(sorted(path.stem for path in self.folder.glob("*.po")))
        return self._tags

    def catalogue(self, tag: str) -> Catalogue:
        """The catalogue of one of the `tags`."""
        if tag not in self._read:
            self._read[tag] = read(self.folder / f"{tag}.po")
        return self._read[tag]

    def choose(self, tag: str) -> Catalogue:
        """The catalogue that fits a BCP 47 tag best: of the language itself, of its main language, else English."""
        return next(self.catalogue(fit) for fit in (tag, tag.partition("-")[0], ENGLISH) if fit in self.tags())


def read(path: Path) -> Catalogue:
    """The catalogue of one file, whose name is its language's tag."""
    with path.open("rb") as file:
        found = read_po(file, abort_invalid=True)
    texts = {message.context: _forms(message) for message in found if message.context}
    return Catalogue(path.stem, Locale.parse(_LOCALES.get(path.stem, path.stem)), texts, c2py(found.plural_expr))


def _forms(message: Message) -> tuple[str, ...]:
    """A text as it is translated, else in English: gettext takes what is doubtful for not translated."""
    english, translated = _tuple(message.id), _tuple(message.string)
    return translated if all(translated) and not message.fuzzy else english


def _tuple(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, tuple | list) else (str(text or ""),)
