"""What organisers ask those who sign up, and whether the answers are answers to that. Never anything about health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Final

from services.kernel.problems import FieldError


class Kind(StrEnum):
    """What an answer is: a text, one of some choices, a number, a day, or an agreement."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    DATE = "date"
    CONSENT = "consent"


MISSING: Final = "An answer is needed."


def faults(questions: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> list[FieldError]:
    """Each answer that is none to what was asked, and each that is missing."""
    asked = {question["code"]: question for question in questions}
    found = [
        FieldError(pointer=f"#/answers/{code}", detail="The organisers do not ask this.")
        for code in answers
        if code not in asked
    ]
    for code, question in asked.items():
        detail = _fault(question, answers.get(code))
        if detail is not None:
            found.append(FieldError(pointer=f"#/answers/{code}", detail=detail))
    return found


def _fault(question: Mapping[str, Any], answer: Any) -> str | None:
    if answer is None or answer == "":
        return MISSING if question["required"] else None
    return _WRONG[Kind(question["kind"])](question, answer)


def _no_text(_: Mapping[str, Any], answer: Any) -> str | None:
    return None if isinstance(answer, str) else "Must be text."


def _no_choice(question: Mapping[str, Any], answer: Any) -> str | None:
    codes = [option["code"] for option in question["options"]]
    return None if isinstance(answer, str) and answer in codes else f"Must be one of: {', '.join(codes)}."


def _no_number(_: Mapping[str, Any], answer: Any) -> str | None:
    return None if isinstance(answer, int | float) and not isinstance(answer, bool) else "Must be a number."


def _no_day(_: Mapping[str, Any], answer: Any) -> str | None:
    try:
        # Only as it is written in every example: Python reads other forms too.
        return None if isinstance(answer, str) and date.fromisoformat(answer).isoformat() == answer else _NO_DAY
    except ValueError:
        return _NO_DAY


def _no_consent(question: Mapping[str, Any], answer: Any) -> str | None:
    if not isinstance(answer, bool):
        return "Must be true or false."
    return "This must be agreed to." if question["required"] and not answer else None


_NO_DAY = "Must be a date, as 2026-11-14."
_WRONG = {
    Kind.TEXT: _no_text,
    Kind.CHOICE: _no_choice,
    Kind.NUMBER: _no_number,
    Kind.DATE: _no_day,
    Kind.CONSENT: _no_consent,
}
