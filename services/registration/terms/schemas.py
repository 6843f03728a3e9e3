"""What goes over the wire about the terms on which places are given."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from services.contracts import ParticipantClass
from services.kernel.texts import Code, Count, EachLanguageOnce, Flag, Instant, LanguageTag, Line, Received, Sent
from services.registration.places.questions import Kind
from services.registration.places.rules import MOST_GUESTS, Choosing

MOST_QUESTIONS = 20


def _in_some_language(texts: dict[str, str]) -> dict[str, str]:
    if texts:
        return texts
    raise PydanticCustomError("no_language", "Must be there in one language at least.")


Wording = Annotated[dict[LanguageTag, Line], EachLanguageOnce, Field(max_length=24), AfterValidator(_in_some_language)]
"""One line in each language there is of it."""


class Option(Received):
    """One of the choices."""

    code: Code
    text: Wording


class Question(Received):
    """What organisers ask those who sign up; never anything about health, diet or the like."""

    code: Code
    kind: Kind
    text: Wording
    required: Flag = False
    options: Annotated[list[Option], Field(max_length=40)] = []

    @model_validator(mode="after")
    def _options_of_a_choice(self) -> Question:
        codes = [option.code for option in self.options]
        if (self.kind is Kind.CHOICE) != bool(codes) or len(set(codes)) != len(codes):
            raise PydanticCustomError("options", "A choice has options, each with a code of its own; nothing else has.")
        return self


def _asked_once(questions: list[Question]) -> list[Question]:
    if len({question.code for question in questions}) != len(questions):
        raise PydanticCustomError("not_unique", "Asks two questions under one code.")
    return questions


class Terms(Received):
    """On what terms the places of an activity are given."""

    choosing: Choosing = Choosing.FIRST_COME
    quotas: Annotated[
        dict[ParticipantClass, Count], Field(description="The most places of a class; a class that is not named: all.")
    ] = {}
    guests_at_most: Annotated[int, Field(strict=True, ge=0, le=MOST_GUESTS)] = 0
    waiting_list: Flag = True
    hold_minutes: Annotated[
        int | None, Field(strict=True, ge=5, le=10_080, description="How long a sign-up holds a place; null: a day.")
    ] = None
    offer_hours: Annotated[
        int, Field(strict=True, ge=1, le=336, description="How long somebody has to take a place offered to them.")
    ] = 24
    offers_end_hours: Annotated[
        int,
        Field(strict=True, ge=0, le=720, description="So many hours before the start no place is offered any more."),
    ] = 2
    confirm_until: Annotated[
        Instant | None,
        Field(description="Until when whoever is chosen, or offered a place, must confirm it; `offer_hours` at least."),
    ] = None
    asks_esncard: Annotated[
        Flag, Field(description="Whether to ask for the number of the ESNcard, which is checked and not kept.")
    ] = False
    questions: Annotated[list[Question], Field(max_length=MOST_QUESTIONS), AfterValidator(_asked_once)] = []


class TermsOut(Sent):
    """The terms of an activity, for those who draw a form and those who sign up."""

    activity_id: UUID
    choosing: Choosing
    quotas: dict[ParticipantClass, int]
    guests_at_most: int
    from_age: int = Field(
        description="From which age somebody can sign up: the age at which they may consent alone in the activity's "
        "country, or its minimum age where that is higher. To be shown with the text of `of_age`."
    )
    waiting_list: bool
    hold_minutes: int
    offer_hours: int
    offers_end_hours: int
    confirm_until: datetime | None
    asks_esncard: bool = Field(description="False also where no ESNcard can be checked.")
    questions: list[dict[str, Any]]
