"""Enquiries and mailboxes as they go over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from services.activities.enquiries.rules import KEPT_AFTER_SENDING, Level, State
from services.activities.partners.schemas import PartnerKind
from services.kernel.mailboxes import Address
from services.kernel.texts import AssignedCountryCode, Code, Flag, LanguageTag, Line, LongText, Name, Received, Sent


def _given(value: bool) -> bool:
    if not value:
        raise PydanticCustomError("consent_needed", "Without consent nothing is sent.")
    return value


class EnquiryIn(Received):
    """An organisation that wants to become a partner."""

    organisation: Name
    kind: PartnerKind
    city: Line | None = None
    country: AssignedCountryCode
    section: Annotated[Code | None, Field(description="ESN section code; without one the country's mailbox.")] = None
    message: Annotated[LongText, Field(max_length=5000)]
    email: Annotated[Address, Field(description="The answer goes there.")]
    name: Line | None = None
    language: LanguageTag = "en"
    consent: Annotated[
        Flag,
        AfterValidator(_given),
        Field(
            description="That the section, country or International gets all this by mail, and that it is kept here "
            f"for {KEPT_AFTER_SENDING.days} days after that.",
        ),
    ]


class EnquiryTaken(Sent):
    """An enquiry that is on its way; no mail goes to the address that was given."""

    id: UUID
    level: Level = Field(description="Whose mailbox gets it.")
    code: str | None = Field(description="Of the section or country.")
    kept_days: int = Field(description="It is deleted so many days after its mail was sent.")


class EnquiryOut(Sent):
    """An enquiry as coordinators in reach see it."""

    id: UUID
    state: State
    organisation: str
    kind: str
    city: str | None
    country: str
    section: str | None
    level: Level
    message: str
    email: str
    name: str | None
    language: str
    asked_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None


class EnquiryPage(Sent):
    """One page of enquiries."""

    items: list[EnquiryOut]
    next: str | None


class MailboxIn(Received):
    """Where the mail of a section or country is read; null takes the mailbox away."""

    address: Annotated[Address | None, Field(description="A function mailbox, never a person's.")]


class MailboxOut(Sent):
    """The mailbox of a section or country."""

    code: str
    address: str | None
    updated_at: datetime | None
