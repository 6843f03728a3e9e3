"""Partners as coordinators enter them and as everybody reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from services.activities.partners.rules import KINDS, LEVELS
from services.kernel.mailboxes import Address
from services.kernel.texts import (
    AssignedCountryCode,
    Code,
    Flag,
    Line,
    Link,
    LongText,
    Name,
    Received,
    Sent,
    one_of,
    unique,
)

PartnerKind = Annotated[Code, one_of(KINDS, "kind")]
Level = Annotated[Code, one_of(LEVELS, "level")]


class PartnerDraft(Received):
    """A partner as a coordinator describes it."""

    name: Name
    kind: PartnerKind
    level: Level = "local"
    city: Line | None = None
    country: Annotated[AssignedCountryCode | None, Field(description="Needed unless it is international.")] = None
    website: Link | None = None
    causes: Annotated[list[Code], Field(max_length=6), AfterValidator(unique)] = []
    areas: Annotated[list[Code], Field(max_length=8), AfterValidator(unique)] = []
    description: LongText | None = None
    contact_email: Annotated[
        Address | None,
        Field(description="A function mailbox, never a person's: only coordinators in reach see it."),
    ] = None


class NewPartner(PartnerDraft):
    """A partner that is not known yet."""

    section: Annotated[
        Code | None, Field(description="Who enters it; None: your own section, else your country or International.")
    ] = None
    even_if_similar: Annotated[
        Flag, Field(description="Enter it although a partner with a similar name is known in its country.")
    ] = False


class Into(Received):
    """The partner that another one turned out to be."""

    into: UUID


class OwnerOut(Sent):
    """Who entered a partner: a section, a country, or with neither ESN International."""

    section: str | None
    country: str | None


class PartnerOut(Sent):
    """A partner as everybody reads it."""

    id: UUID
    url: str
    name: str
    kind: str
    level: str
    city: str | None
    country: str | None
    website: str | None
    causes: list[str]
    areas: list[str]
    description: str | None
    contact_email: str | None = Field(description="Null for all but coordinators in whose reach the partner is.")
    owner: OwnerOut
    updated_at: datetime


class PartnerPage(Sent):
    """One page of partners."""

    items: list[PartnerOut]
    next: str | None
