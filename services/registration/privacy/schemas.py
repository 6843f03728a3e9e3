"""What goes over the wire about what is known of somebody: all of it, the register, and the texts of consents."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from services.contracts import ParticipantClass
from services.kernel.mailboxes import Address
from services.kernel.texts import Received, Sent
from services.registration.places.rules import Mobility, State


class LinkWanted(Received):
    """Somebody who lost their link."""

    email: Address


class MyRegistration(Sent):
    """One registration of the person."""

    id: UUID
    activity_id: UUID
    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    state: State
    given_name: str
    family_name: str
    participant_class: ParticipantClass
    home_country: str | None
    host_section: str | None
    mobility: Mobility | None
    answers: dict[str, Any]
    code: str
    signed_up_at: datetime
    checked_in_at: datetime | None
    hours: Decimal | None = Field(description="Null: not there, or nobody knows how long.")


class MyConsent(Sent):
    """What the person last said about one purpose for one registration."""

    registration_id: UUID
    purpose: str
    text_version: str
    given: bool = Field(description="False once it was withdrawn.")
    at: datetime


class MeOut(Sent):
    """The person behind a link."""

    email: str
    known_since: datetime
    registrations: list[MyRegistration]
    attended_hours: Decimal
    consents: list[MyConsent]


class ExportOut(Sent):
    """Everything that is kept of the person, table by table; the privacy notice says what each column is."""

    exported_at: datetime
    notice: str = Field(description="Where the privacy notice is.")
    tables: dict[str, list[dict[str, Any]]]


class ConsentText(Sent):
    """A text that people consent to, in one language."""

    language: str
    text: str
    sha256: str = Field(description="Of the text in UTF-8, in hexadecimal.")


class ConsentVersion(Sent):
    """A version of the text."""

    text_version: str
    texts: list[ConsentText]


class ConsentOut(Sent):
    """A purpose that people are asked about, and every text that they were ever asked with."""

    purpose: str
    current: str = Field(description="The version to ask with now.")
    versions: list[ConsentVersion]


class KeptColumn(Sent):
    """One thing that is known of somebody."""

    name: str
    what: str


class KeptRecord(Sent):
    """Things that are kept for the same reason."""

    table: str
    of: str = Field(description="participants or volunteers")
    purpose: str
    legal_basis: str
    kept: str
    seen_by: str
    columns: list[KeptColumn]


class NoticeOut(Sent):
    """The privacy notice, made of the register of personal data."""

    version: str = Field(description="Changes whenever anything else here does.")
    controller: str
    contact: str | None
    purposes: list[str]
    records: list[KeptRecord]
    rights: dict[str, str] = Field(description="What somebody may ask for, and the request that does it.")
    consenting_ages: dict[str, int] = Field(description="Where it is not 16: from which age one consents alone.")
