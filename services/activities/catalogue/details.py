"""What a description of an activity is made of: codes, addresses, requirements, contacts, further languages."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.activities.catalogue.rules import ACCESSIBILITY, AUDIENCES, DOCUMENTS
from services.kernel.mailboxes import mailbox
from services.kernel.texts import (
    AssignedCountryCode,
    Code,
    LanguageTag,
    Line,
    Link,
    LongText,
    Received,
    Storable,
    Trimmed,
    one_of,
    unique,
)

MOST_TRANSLATIONS = 24


def _mail_address(value: str) -> str:
    try:
        return mailbox(value).reachable
    except ValueError:
        raise PydanticCustomError("mail_address", "Must be an e-mail address, as section@example.org.") from None


Audience = Annotated[Code, one_of(AUDIENCES, "audience")]
Accessibility = Annotated[Code, one_of(ACCESSIBILITY, "accessibility")]
Document = Annotated[Code, one_of(DOCUMENTS, "document")]
Mailbox = Annotated[str, Storable, Trimmed, StringConstraints(max_length=254), AfterValidator(_mail_address)]
Telephone = Annotated[
    str,
    Storable,
    Trimmed,
    Field(pattern=r"^\+[1-9][0-9 ()-]{5,22}[0-9]$", description="With the country's prefix, as +39 079 123456."),
]


class Requirements(Received):
    """What a participant must bring along, in facts; never anything about health."""

    languages: Annotated[list[LanguageTag], Field(max_length=10), AfterValidator(unique)] = []
    minimum_age: Annotated[int, Field(strict=True, ge=0, le=99)] | None = None
    resident_in: Annotated[
        AssignedCountryCode | None, Field(description="Only people who live in this country may take part.")
    ] = None
    documents: Annotated[
        list[Document], Field(max_length=10, description="What to have with one."), AfterValidator(unique)
    ] = []
    bring: Annotated[
        list[Line], Field(max_length=20, description="As gloves; a line each."), AfterValidator(unique)
    ] = []
    notes: LongText | None = None


class Contact(Received):
    """How the public reaches the organisers, by the address of a function: never a person's name or own address.

    It is shown to everybody with the activity, and stands in no event, no history and no log.
    """

    email: Mailbox | None = None
    url: Link | None = None
    phone: Telephone | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Contact:
        if not (self.email or self.url or self.phone):
            raise PydanticCustomError("empty_contact", "Give an e-mail address, a web address or a telephone number.")
        return self


class Translation(Received):
    """What an activity says, in a further language; what is left out is shown in the main one."""

    title: Line
    summary: LongText | None = None
    requirements_notes: LongText | None = None
