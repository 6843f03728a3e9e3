"""Pure decisions about certificates: their numbers, how they stand, what a printer can't print, problems."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Final

from services.kernel.problems import Conflict, Forbidden, NotFound
from services.registration.places.rules import ALPHABET, read_code

PREFIX: Final = "SE"
_RANDOM: Final = 15
_GROUP: Final = 4

MOST_ACTIVITIES: Final = 200
"""How many activities one certificate can state."""

MOST_CERTIFICATES: Final = 100
"""How many certificates of one person there can be at a time."""


class Standing(StrEnum):
    """What somebody who verifies a certificate is told."""

    VALID = "valid"
    FIGURES_CHANGED = "figures_changed"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"


class CertificateNotFound(NotFound):
    """There is no certificate with this number. Perhaps a character was mistyped."""

    title = "Unknown certificate"


class CertificateOutOfReach(Forbidden):
    """None of the activities on this certificate belongs to your section or country."""


class CertificateEnded(Conflict):
    """Its holder has withdrawn this certificate."""

    title = "Certificate withdrawn"


class NothingToCertify(Conflict):
    """No attendance of yours with hours is recorded there, of an activity that is over."""

    title = "Nothing to certify"


class TooMuchToCertify(Conflict):
    """So many activities, or so many certificates, are too much. Name a shorter period, or use those that you have."""

    title = "Too much to certify"


class NotPrintable(Conflict):
    """No font is at hand for every character of this certificate. Its page shows them, and can be printed."""

    title = "Not printable"


def new_number() -> str:
    """The number of a new certificate: 75 random bits, which nobody guesses, and a character that checks them.

    >>> len(new_number())
    22
    """
    random = "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM))
    return _shown(random + check_character(random))


def read_number(written: str) -> str | None:
    """A number as it is kept, from how people write it; None is no number of any certificate.

    >>> read_number("se 7k3m qx2d 0v9a o1lq") is None, read_number("nonsense")
    (True, None)
    """
    if len(written) > 60:
        return None
    code = read_code(written)
    code = code.removeprefix(PREFIX) if len(code) > _RANDOM + 1 else code
    if len(code) != _RANDOM + 1 or not set(code) <= set(ALPHABET) or check_character(code[:-1]) != code[-1]:
        return None
    return _shown(code)


def check_character(code: str) -> str:
    """The character that Luhn's algorithm, modulo 32, adds: it finds any one wrong and nearly any two swapped.

    >>> check_character("0" * 15), check_character("0" * 14 + "1")
    ('0', 'Y')
    """
    total = 0
    for place, character in enumerate(reversed(code)):
        value = ALPHABET.index(character) * (2 if place % 2 == 0 else 1)
        total += value // len(ALPHABET) + value % len(ALPHABET)
    return ALPHABET[-total % len(ALPHABET)]


def _shown(code: str) -> str:
    return "-".join([PREFIX, *(code[place : place + _GROUP] for place in range(0, len(code), _GROUP))])


def academic_year_of(day: date) -> str:
    """The academic year, from 1 August to 31 July, as the statistics count it.

    >>> academic_year_of(date(2026, 8, 1)), academic_year_of(date(2027, 7, 31))
    ('2026/27', '2026/27')
    """
    first = day.year if day.month >= 8 else day.year - 1
    return f"{first}/{(first + 1) % 100:02}"


def printable(text: str) -> str:
    """A text without pictographs, for which no font for letters has a glyph.

    >>> printable("Beach 🏖️ clean-up 👩‍👩‍👧 20 °C")
    'Beach clean-up 20 °C'
    """
    kept: list[str] = []
    follows_picture = False
    for character in text:
        if _is_picture(character):
            follows_picture = True
        elif not (follows_picture and character == "\u200d"):
            kept.append(character)
            follows_picture = False
    return " ".join("".join(kept).split())


def _is_picture(character: str) -> bool:
    kind = unicodedata.category(character)
    is_symbol = character >= "\u2190" and kind in {"So", "Sk", "Cn", "Co", "Cs"}
    return is_symbol or "\ufe00" <= character <= "\ufe0f" or "\U000e0020" <= character <= "\U000e007f"
