"""What goes over the wire about keys."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.activities.keys.rules import A_YEAR, MOST_DAYS, MOST_HOURS_OF_OVERLAP, MOST_ORIGINS, SCOPES
from services.kernel.access import Kind
from services.kernel.texts import AssignedCountryCode, Code, Name, Received, Sent, Storable, one_of, unique

_ORIGIN = re.compile(
    r"(https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|http://(localhost|127\.0\.0\.1))(:[1-9][0-9]{0,4})?"
)


def _origin(value: str) -> str:
    if _ORIGIN.fullmatch(value):
        return value
    raise PydanticCustomError(
        "origin", "Must be an origin in small letters, as https://section.example, without a path."
    )


Origin = Annotated[
    str, Storable, StringConstraints(max_length=300), AfterValidator(_origin), Field(examples=["https://esn.example"])
]
Scope = Annotated[str, Storable, one_of(dict.fromkeys(SCOPES, ""), "scope")]


class NewKey(Received):
    """A key that is wanted. Without section and country it reaches the whole network."""

    kind: Literal[Kind.PUBLISHABLE, Kind.SECRET]
    name: Annotated[Name, Field(description="What it is for, as you will recognise it; no name of a person.")]
    scopes: Annotated[
        list[Scope],
        Field(max_length=len(SCOPES), description=f"Of a secret key: {', '.join(SCOPES)}. Only a section's may write."),
        AfterValidator(unique),
    ] = []
    origins: Annotated[
        list[Origin],
        Field(max_length=MOST_ORIGINS, description="Of a publishable key: the websites that show it."),
        AfterValidator(unique),
    ] = []
    section: Annotated[Code | None, Field(description="ESN section code", examples=["IT-SASS-ESN"])] = None
    country: AssignedCountryCode | None = None
    valid_days: Annotated[int, Field(strict=True, ge=1, le=MOST_DAYS)] = A_YEAR

    @model_validator(mode="after")
    def _one_reach(self) -> NewKey:
        if self.section is not None and self.country is not None:
            raise PydanticCustomError("one_reach", "Name a section or a country, not both.")
        return self


class Rotation(Received):
    """How the former key ends."""

    overlap_hours: Annotated[
        int, Field(strict=True, ge=0, le=MOST_HOURS_OF_OVERLAP, description="How long the former one goes on working.")
    ] = 24


class KeyOut(Sent):
    """A key without its secret."""

    id: UUID
    kind: Kind
    name: str
    shown_as: str = Field(description="Its beginning and its last four characters.")
    scopes: list[str]
    origins: list[str]
    section: str | None
    country: str | None
    state: Literal["active", "expired", "revoked"]
    made_at: datetime
    expires_at: datetime
    former_until: datetime | None = Field(description="Until when the key before the last rotation goes on working.")
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute; null if it was never used.")


class KeyMade(KeyOut):
    """A key that was made or rotated just now."""

    key: str = Field(description="Shown this once: keep it, for it can't be read again.")


class KeyPage(Sent):
    """One page of keys, the newest first."""

    items: list[KeyOut]
    next: str | None
