"""The texts that people consent to. A file never changes once somebody may have read it.

`agreements/<purpose>/<version>/<language>.txt`: a new text is a new version, and the version that sorts last is the one
to ask with. What people agreed to is kept with the hash of the text, so that a text that was changed shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("agreements")
ENGLISH: Final = "en"


@dataclass(frozen=True, slots=True)
class Agreement:
    """One text, in one language."""

    language: str
    text: str

    @property
    def sha256(self) -> str:
        """The hash of the text in UTF-8, in hexadecimal."""
        return _sha256(self.text)


@cache
def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def known() -> Mapping[str, Mapping[str, tuple[Agreement, ...]]]:
    """Every text by purpose and version, the current version last."""
    return {
        purpose.name: {version.name: _read(version) for version in sorted(purpose.iterdir())}
        for purpose in sorted(FOLDER.iterdir())
    }


def agreement(purpose: str, version: str, language: str) -> Agreement:
    """The text that somebody of a language read: in it, in its main language, else in English."""
    texts = {text.language: text for text in known()[purpose][version]}
    return texts.get(language) or texts.get(language.partition("-")[0]) or texts[ENGLISH]


def _read(folder: Path) -> tuple[Agreement, ...]:
    return tuple(Agreement(path.stem, path.read_text("utf-8").strip()) for path in sorted(folder.glob("*.txt")))
