"""What goes over the wire about people: what they consent to, and the links that they are mailed."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.kernel.texts import Code, Received, Storable
from services.registration.people import agreements
from services.registration.people.rules import PARTICIPATION


class ConsentIn(Received):
    """One purpose that the person was asked about, and the version of the text that they read."""

    purpose: Annotated[Code, Field(examples=[PARTICIPATION])]
    text_version: Annotated[Code, Field(examples=["2026-09"])]

    @field_validator("purpose")
    @classmethod
    def _is_asked_for(cls, value: str) -> str:
        if value in agreements.known():
            return value
        raise PydanticCustomError("purpose_unknown", "Nobody asks for consent to this purpose.")

    @field_validator("text_version")
    @classmethod
    def _is_a_text(cls, value: str, info: ValidationInfo) -> str:
        if "purpose" in info.data and value not in agreements.known()[info.data["purpose"]]:
            raise PydanticCustomError("text_unknown", "There is no text of this version.")
        return value


def _with_participation(consents: list[ConsentIn]) -> list[ConsentIn]:
    purposes = [consent.purpose for consent in consents]
    if len(set(purposes)) != len(purposes):
        raise PydanticCustomError("not_unique", "Names a purpose twice.")
    if PARTICIPATION not in purposes:
        raise PydanticCustomError("participation_needed", "Consent to the purpose `participation` is needed.")
    return consents


Consents = Annotated[
    list[ConsentIn],
    Field(
        max_length=10,
        description="`participation` and `of_age` from everybody: whoever is younger than the terms say can't sign up. "
        "The texts to ask with are at `/consents/{purpose}`.",
    ),
    AfterValidator(_with_participation),
]

Token = Annotated[str, Storable, StringConstraints(min_length=16, max_length=200)]


class LinkToken(Received):
    """The secret part of a link that was mailed."""

    token: Annotated[Token, Field(description="What follows `/links/` in the mailed address.")]
