"""What goes over the wire about certificates: what one is asked for, what it states, what verifying it says."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.contracts import ParticipantClass
from services.kernel.texts import (
    Day,
    LanguageTag,
    LongText,
    OneLine,
    Received,
    Sent,
    Storable,
    Trimmed,
    unique,
)
from services.registration.certificates.rules import MOST_ACTIVITIES, Standing


class CertificateWanted(Received):
    """Which of one's attendances to certify: those named, those of a period, or without either all of them."""

    activity_ids: Annotated[
        Annotated[list[UUID], Field(min_length=1, max_length=MOST_ACTIVITIES), AfterValidator(unique)] | None,
        Field(description="Of these activities. Null: of every activity, or of those in the period."),
    ] = None
    since: Annotated[Day | None, Field(description="From this day on.")] = None
    until: Annotated[Day | None, Field(description="Until this day, which is included.")] = None
    language: Annotated[LanguageTag | None, Field(description="Null: the language one is written to in.")] = None

    @field_validator("since", "until")
    @classmethod
    def _one_way_of_choosing(cls, value: date | None, info: ValidationInfo) -> date | None:
        if value is not None and info.data.get("activity_ids") is not None:
            raise PydanticCustomError("one_of", "Name activities or a period, not both.")
        return value

    @field_validator("until")
    @classmethod
    def _not_before(cls, value: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("since")
        if value is not None and since is not None and value < since:
            raise PydanticCustomError("ends_before", "Must not be before `since`.")
        return value


class CertifiedActivity(Sent):
    """One activity as a certificate states it."""

    title: str
    organisers: list[str] = Field(description="The lead organiser first.")
    on: date = Field(description="The day on which it began, in its own time zone.")
    hours: Decimal


class Content(Sent):
    """What a certificate states, frozen when it is issued."""

    language: str
    name: str = Field(description="As the holder gave it when signing up.")
    activities: list[CertifiedActivity] = Field(description="In the order of their days.")
    hours: Decimal
    base_url: str


class Verification(Sent):
    """What anybody is told who holds the number of a certificate."""

    number: str
    standing: Standing = Field(
        description="`figures_changed`: the organisers have corrected the hours since. `withdrawn`: by the holder."
    )
    issued_on: date | None = Field(description="Null once it is `withdrawn`.")
    revoked_on: date | None
    language: str | None = Field(description="In which it is written.")
    name: str | None = Field(
        description="As the holder gave it when signing up. Null: it is not kept any more, and can be checked."
    )
    hours: Decimal | None
    activity_count: int | None
    first_on: date | None = Field(description="The day of the first of its activities.")
    last_on: date | None = Field(description="The day of the last of its activities.")
    activities: list[CertifiedActivity] = Field(description="Empty where they are not kept or not told any more.")


class NameToCheck(Received):
    """A name as it stands on a certificate."""

    name: Annotated[str, Storable, Trimmed, StringConstraints(min_length=1, max_length=500), OneLine]


class NameChecked(Sent):
    """Whether a certificate was issued to this name."""

    matches: bool


class Revocation(Received):
    """Why a certificate is revoked. Only the holder and those who operate the servers can read it."""

    reason: Annotated[LongText, Field(max_length=1000)]


class MyCertificate(Sent):
    """One certificate, for its holder."""

    number: str
    standing: Standing
    issued_at: datetime
    revoked_on: date | None
    language: str
    name: str
    hours: Decimal
    activities: list[CertifiedActivity]
    url: str = Field(description="Where anybody who is told the number verifies it.")
    pdf_url: str = Field(description="The certificate as PDF, for whoever sends the secret of a link.")


class MyCertificates(Sent):
    """One's certificates, latest first."""

    items: list[MyCertificate]
    next: str | None


class HoursOfAYear(Sent):
    """One's hours in one academic year in one class of participants."""

    academic_year: str = Field(description="1 August to 31 July", examples=["2026/27"])
    participant_class: ParticipantClass
    activities: int
    hours: Decimal


class MyHours(Sent):
    """One's hours over all activities that are over, as they are recorded now."""

    items: list[HoursOfAYear] = Field(description="Latest year first.")
    next: str | None
    activities: int
    hours: Decimal
