"""Reads a form as a browser sends it: into a sign-up, or into what is wrong at which field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from pydantic import ValidationError

from services.kernel.problems import FieldError
from services.registration.form.fields import Filled, country_code
from services.registration.people.rules import OF_AGE, PARTICIPATION
from services.registration.places import questions
from services.registration.places.questions import Kind
from services.registration.places.rules import MOST_GUESTS
from services.registration.places.schemas import Details, SignUp
from services.registration.places.tables import Places, Registration

MOST_BYTES: Final = 64 * 1024
MOST_FIELDS: Final = 100
PROOF: Final = "altcha"
"""The field of a proof of work, as ALTCHA calls it."""
_PERSON: Final = (
    "given_name", "family_name", "email", "participant_class", "home_country", "mobility", "host_section",
    "esncard_number",
)  # fmt: skip
_CHANGED: Final = ("given_name", "family_name", "home_country", "mobility", "host_section", "language")
_NAMES: Final = ("given_name", "family_name")
_GUEST: Final = ("given_name", "family_name", "participant_class", "home_country")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,12}(?:[.,][0-9]{1,9})?")
_WORDS: Final = {"missing": "missing", "mailbox": "email"}
_WRONG: Final = {Kind.NUMBER: "form.fault.number", Kind.DATE: "form.fault.date", Kind.CONSENT: "form.fault.agree"}


def parse(content_type: str, body: bytes) -> dict[str, str] | None:
    """The fields of a form, or None when this is none; text areas send the ends of lines as CR LF."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        return None
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def read(places: Places, sent: Mapping[str, str], language: str) -> tuple[SignUp | None, Filled]:
    """The sign-up that was filled in, or None; and what stands in the form when it is shown again."""
    purposes = (PARTICIPATION, OF_AGE)
    agreed = {purpose: sent.get(f"consent.{purpose}", "") for purpose in purposes}
    answers = _answers(places.questions, sent)
    numbers = [each for each in range(1, MOST_GUESTS + 1) if any(_of_guest(sent, each).values())]
    raw = {
        "activity_id": places.activity_id,
        **_said({name: sent.get(name, "") for name in _PERSON}),
        "answers": answers,
        "consents": [{"purpose": purpose, "text_version": version} for purpose, version in agreed.items() if version],
        "language": language,
        "guests": [_guest(sent, number, language) for number in numbers],
        "waiting_list": sent.get("waiting_list") == "yes",
    }
    faults = {f"consent.{purpose}": "form.fault.agree" for purpose, version in agreed.items() if not version}
    faults |= explained(places, questions.faults(places.questions, answers))
    wanted = None
    try:
        wanted = SignUp.model_validate(raw)
    except ValidationError as error:
        for each in error.errors():
            name = _name(each["loc"], [purpose for purpose, version in agreed.items() if version], numbers)
            # What is missing altogether was said already.
            faults.setdefault(name, f"form.fault.{_WORDS.get(each['type'], 'check')}")
    return None if faults else wanted, Filled(sent, faults)


def read_changes(places: Places, sent: Mapping[str, str], *, guests: int) -> tuple[Details | None, Filled]:
    """What somebody with so many guests changed, or None; and what stands in the form when it is shown again."""
    numbers = range(1, guests + 1)
    named = [_said({name: sent.get(f"guest.{number}.{name}", "") for name in _NAMES}) for number in numbers]
    answers = _answers(places.questions, sent)
    faults = explained(places, questions.faults(places.questions, answers))
    wanted = None
    try:
        told = _said({name: sent.get(name, "") for name in _CHANGED})
        wanted = Details.model_validate({**told, "answers": answers, "guests": named})
    except ValidationError as error:
        for each in error.errors():
            faults.setdefault(_name(each["loc"], [], numbers), f"form.fault.{_WORDS.get(each['type'], 'check')}")
    return None if faults else wanted, Filled(sent, faults)


def as_filled(row: Registration, places: Places, language: str, guests: Sequence[Registration]) -> Filled:
    """What somebody told before, as it stands in the form."""
    told = {name: getattr(row, name) or "" for name in _CHANGED} | {"language": language}
    kinds = {question["code"]: Kind(question["kind"]) for question in places.questions}
    answers = {
        f"answer.{code}": ("yes" if answer is True else "") if kinds.get(code) is Kind.CONSENT else str(answer)
        for code, answer in row.answers.items()
        if answer is not None
    }
    named = {
        f"guest.{number}.{name}": getattr(guest, name) for number, guest in enumerate(guests, 1) for name in _NAMES
    }
    return Filled({**told, **answers, **named})


def explained(places: Places, errors: Sequence[FieldError]) -> dict[str, str]:
    """What the rules of the activity found: which text to say at which field."""
    kinds = {question["code"]: Kind(question["kind"]) for question in places.questions}
    found = {}
    for error in errors:
        name, _, code = error.pointer.removeprefix("#/").partition("/")
        if name == "answers":
            kind = kinds[code]
            missing = error.detail == questions.MISSING and kind is not Kind.CONSENT
            found[f"answer.{code}"] = "form.fault.missing" if missing else _WRONG.get(kind, "form.fault.check")
        elif name == "consents":
            found[f"consent.{OF_AGE}"] = "form.fault.agree"
        else:
            found[name] = f"form.fault.{'guests' if name == 'guests' else 'check'}"
    return found


def _answers(asked: Sequence[Mapping[str, Any]], sent: Mapping[str, str]) -> dict[str, Any]:
    answers = {question["code"]: _answer(question, sent.get(f"answer.{question['code']}", "")) for question in asked}
    return {code: answer for code, answer in answers.items() if answer != ""}


def _answer(question: Mapping[str, Any], written: str) -> str | float | bool:
    if question["kind"] == Kind.CONSENT:
        return written == "yes"
    written = written.strip()
    if question["kind"] == Kind.NUMBER and _NUMBER.fullmatch(written):
        number = float(written.replace(",", "."))
        return int(number) if number.is_integer() else number
    return written


def _of_guest(sent: Mapping[str, str], number: int) -> dict[str, str]:
    return {name: sent.get(f"guest.{number}.{name}", "").strip() for name in _GUEST}


def _guest(sent: Mapping[str, str], number: int, language: str) -> dict[str, str]:
    said = _said(_of_guest(sent, number))
    if "home_country" in said:
        said["home_country"] = country_code(said["home_country"], language)
    return said


def _said(values: Mapping[str, str]) -> dict[str, str]:
    """What is not empty: a browser sends every field."""
    return {name: value for name, value in values.items() if value.strip()}


def _name(place: Sequence[int | str], purposes: Sequence[str], numbers: Sequence[int]) -> str:
    """The name of the field in which the validator found something."""
    match list(place):
        case ["guests", int(number), name, *_]:
            return f"guest.{numbers[number]}.{name}"
        case ["answers", code, *_]:
            return f"answer.{code}"
        case ["consents", int(number), *_]:
            return f"consent.{purposes[number]}"
        case ["consents", *_]:
            return f"consent.{PARTICIPATION}"
        case [name, *_]:
            return str(name)
        case _:
            return "form"
