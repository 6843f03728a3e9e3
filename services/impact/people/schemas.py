"""What goes over the wire about distinct people."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from services.impact.people.rules import Kind, Period
from services.kernel.texts import Sent


class PeopleOut(Sent):
    """How many different people were present in a place during a time."""

    scope: Kind
    country: str | None = Field(description="Of a country's number.")
    section: str | None = Field(description="Of a section's number.")
    period: Period
    academic_year: str | None
    edition: str | None
    people: int = Field(description="`with_key` and `without_key` together.", examples=[212])
    with_key: int = Field(description="Different people, each once.")
    without_key: int = Field(description="Presences of guests and walk-ins, each counted as somebody else.")


class PeoplePage(Sent):
    """Numbers of people, one for each place and time. They share people, so they must not be added."""

    items: list[PeopleOut]
    next: str | None
    as_of: datetime | None = Field(description="What was recorded up to this instant is counted.")
    definition: str
