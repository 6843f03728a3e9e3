"""Texts that say nothing: filler, placeholders, keyboard runs, and a summary that is the title again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from services.activities.review.rules import Described, Hint

SHORTEST_TITLE: Final = 4
SHORTEST_SUMMARY: Final = 20

_FILLER: Final = re.compile(r"\b(bla[\s,.-]*bla|lorem ipsum|dolor sit amet|foo ?bar|blah[\s,.-]*blah)", re.IGNORECASE)
_PLACEHOLDERS: Final = frozenset({
    "test", "testing", "prova", "prueba", "essai", "probe", "próba", "title", "titolo", "título", "titre", "titel",
    "tytuł", "summary", "description", "descrizione", "descripción", "beschreibung", "opis", "todo", "tbd", "tba",
    "na", "none", "nothing", "xxx", "activity", "event", "untitled", "name", "text",
})  # fmt: skip
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn")
_RUN: Final = 5
_RUNS: Final = frozenset(
    row[place : place + _RUN]
    for forwards in _ROWS
    for row in (forwards, forwards[::-1])
    for place in range(len(row) - _RUN + 1)
)
# Beginnings of the rows that no word holds.
_SHORT_RUNS: Final = ("asdf", "qsdf", "zxcv", "yxcv", "wxcv", "fdsa", "vcxz")
_REPEATED_LETTER: Final = re.compile(r"([^\W\d_])\1{4}", re.IGNORECASE)
_REPEATED_WORD: Final = re.compile(r"\b([^\W\d_]{4,})(?:\s+\1\b){2}", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W\d_]+")
_SPOKEN: Final = re.compile(r"[aeiouyrl]", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"(https?://|www\.|[@#])\S+", re.IGNORECASE)


def of_texts(given: Described) -> Iterator[Hint]:
    """What the texts lack."""
    texts = {"#/title": given.title, "#/summary": given.summary or "", **given.further_texts}
    for pointer, text in texts.items():
        if text and (reason := _emptiness(text)):
            yield Hint("filler_text", pointer, reason, 3)
    if sum(character.isalnum() for character in given.title) < SHORTEST_TITLE:
        yield Hint("too_short", "#/title", f"The title has fewer than {SHORTEST_TITLE} letters and digits.", 2)
    if given.summary is None:
        yield Hint("too_short", "#/summary", "There is no summary: nobody can tell what will be done.", 1)
    elif _plain(given.summary) == _plain(given.title):
        yield Hint("title_repeated", "#/summary", "The summary is the title again.", 2)
    elif len(given.summary) < SHORTEST_SUMMARY:
        yield Hint("too_short", "#/summary", f"The summary is shorter than {SHORTEST_SUMMARY} characters.", 1)


def _emptiness(text: str) -> str | None:
    text = _ADDRESS.sub(" ", text)
    words = [word.casefold() for word in _WORD.findall(text)]
    if not words:
        return "It holds no word."
    if _FILLER.search(text):
        return "It holds filler instead of words."
    if set(words) <= _PLACEHOLDERS:
        return "It is a placeholder."
    if (len(words) > 1 and len(set(words)) == 1) or _REPEATED_WORD.search(text):
        return "It repeats a word again and again."
    if _REPEATED_LETTER.search(text):
        return "It repeats a letter again and again."
    if any(_is_typed_blindly(word) for word in words) or any(_is_unspeakable(word) for word in _WORD.findall(text)):
        return "It holds letters that make no word."
    return None


def _is_typed_blindly(word: str) -> bool:
    return any(run in word for run in _SHORT_RUNS) or any(
        word[place : place + _RUN] in _RUNS for place in range(len(word) - _RUN + 1)
    )


def _is_unspeakable(word: str) -> bool:
    # Capitals are a name's short form, and letters beyond ASCII another script or a language with few vowels.
    return len(word) >= 6 and word.isascii() and word[1:].islower() and not _SPOKEN.search(word)


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))
