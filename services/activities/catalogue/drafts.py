"""Activities as their organisers describe them: what comes in, and what of it can't be."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.activities.catalogue.rules import ACCESSIBILITY, AUDIENCES, DOCUMENTS, PROGRAMME_WITH_PUPILS
from services.activities.directory.rules import AREAS, CAUSES, KINDS, MODES, PROGRAMMES
from services.kernel.texts import (
    AssignedCountryCode,
    Code,
    Count,
    CountryCode,
    Flag,
    LanguageTag,
    Line,
    LongText,
    Received,
    Storable,
    Trimmed,
)

MOST_TRANSLATIONS = 24


def _known(codes: dict[str, str], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in codes:
            raise PydanticCustomError(
                "unknown_code", "Unknown {what}; one of: {codes}.", {"what": what, "codes": ", ".join(codes)}
            )
        return value

    return AfterValidator(check)


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise PydanticCustomError("unknown_time_zone", "Must be a time zone of the IANA database, as Europe/Rome.")
    return value


def _wall_clock(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", value
    ):
        raise PydanticCustomError(
            "wall_clock", "Must be a date and time, as 2026-11-14T10:00 (local) or 2026-11-14T10:00:00+01:00."
        )
    return value


def _between_1900_and_2200(value: datetime) -> datetime:
    if not 1900 <= value.year <= 2200:
        raise PydanticCustomError("year_out_of_range", "The year must lie between 1900 and 2200.")
    return value


def _web_address(value: str) -> str:
    try:
        return str(AnyHttpUrl(value))
    except ValidationError:
        raise PydanticCustomError("web_address", "Must be an http:// or https:// address.") from None


def _mail_address(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, allow_smtputf8=False).ascii_email or value
    except EmailNotValidError:
        raise PydanticCustomError("mail_address", "Must be an e-mail address, as section@example.org.") from None


def _unique(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("not_unique", "Names something twice.")
    return values


Area = Annotated[Code, _known(AREAS, "area")]
Cause = Annotated[Code, _known(CAUSES, "cause")]
Kind = Annotated[Code, _known(KINDS, "kind")]
Programme = Annotated[Code, _known(PROGRAMMES, "programme")]
WallClock = Annotated[datetime, BeforeValidator(_wall_clock), AfterValidator(_between_1900_and_2200)]
Zone = Annotated[Line, AfterValidator(_zone)]
Mode = Annotated[Code, _known(MODES, "mode")]
Audience = Annotated[Code, _known(AUDIENCES, "audience")]
Accessibility = Annotated[Code, _known(ACCESSIBILITY, "accessibility")]
Document = Annotated[Code, _known(DOCUMENTS, "document")]
Mailbox = Annotated[str, Storable, Trimmed, StringConstraints(max_length=254), AfterValidator(_mail_address)]
Telephone = Annotated[
    str,
    Storable,
    Trimmed,
    Field(pattern=r"^\+[1-9][0-9 ()-]{5,22}[0-9]$", description="With the country's prefix, as +39 079 123456."),
]
Link = Annotated[str, Storable, StringConstraints(max_length=1000), AfterValidator(_web_address)]


class OrganiserIn(Received):
    """An organising section."""

    code: Annotated[Code, Field(description="ESN section code", examples=["IT-SASS-ESN"])]
    lead: Flag = False


class CauseIn(Received):
    """A cause the activity serves."""

    code: Cause
    main: Flag = False


def _one_leads(organisers: list[OrganiserIn]) -> list[OrganiserIn]:
    if len({each.code for each in organisers}) != len(organisers) or sum(each.lead for each in organisers) > 1:
        raise PydanticCustomError("organisers", "Each organiser once, and only one of them leads.")
    return organisers


def _one_is_main(causes: list[CauseIn]) -> list[CauseIn]:
    if len({cause.code for cause in causes}) != len(causes) or sum(cause.main for cause in causes) > 1:
        raise PydanticCustomError("causes", "Each cause once, and only one of them is the main one.")
    return causes


class Place(Received):
    """Where it takes place."""

    name: Line | None = None
    address: Line | None = None
    city: Line | None = None
    country: CountryCode | None = None
    latitude: Annotated[float, Field(strict=True, ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(strict=True, ge=-180, le=180)] | None = None

    @model_validator(mode="after")
    def _both_coordinates(self) -> Place:
        if (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError("half_a_position", "Give latitude and longitude, or neither.")
        return self


class Requirements(Received):
    """What a participant must bring along, in facts; never anything about health."""

    languages: Annotated[list[LanguageTag], Field(max_length=10), AfterValidator(_unique)] = []
    minimum_age: Annotated[int, Field(strict=True, ge=0, le=99)] | None = None
    resident_in: Annotated[
        AssignedCountryCode | None, Field(description="Only people who live in this country may take part.")
    ] = None
    documents: Annotated[
        list[Document], Field(max_length=10, description="What to have with one."), AfterValidator(_unique)
    ] = []
    bring: Annotated[
        list[Line], Field(max_length=20, description="As gloves; a line each."), AfterValidator(_unique)
    ] = []
    notes: LongText | None = None


class Cost(Received):
    """What taking part costs a person."""

    amount: Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=2)]
    currency: Annotated[str, Storable, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Partner(Received):
    """An organisation that takes part."""

    name: Line


class Image(Received):
    """A picture by its address."""

    url: Link
    alternative_text: Line


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


class SignUpWindow(Received):
    """When students may sign up; without it sign-up opens at once and closes at the start."""

    opens_at: WallClock | None = None
    closes_at: WallClock | None = None


class ActivityDraft(Received):
    """An activity as its organiser describes it. Times may be wall-clock times in `time_zone`."""

    title: Line
    summary: LongText | None = None
    language: LanguageTag = "en"
    kind: Kind = "volunteering"
    programme: Programme = "socialerasmus"
    mode: Mode = "physical"
    edition: Annotated[Code | None, Field(description="None: by date, in the activity's zone.")] = None
    areas: Annotated[
        list[Area], Field(min_length=1, max_length=8, description="Main area first."), AfterValidator(_unique)
    ]
    causes: Annotated[list[CauseIn], Field(min_length=1, max_length=6), AfterValidator(_one_is_main)]
    sdgs: Annotated[
        list[Annotated[int, Field(strict=True, ge=1, le=17)]], Field(max_length=17), AfterValidator(_unique)
    ] = []
    organisers: Annotated[list[OrganiserIn], Field(min_length=1, max_length=40), AfterValidator(_one_leads)]
    starts_at: WallClock
    ends_at: WallClock
    time_zone: Annotated[Zone | None, Field(description="None: the lead organiser's zone.")] = None
    place: Place | None = None
    online_url: Link | None = None
    capacity: Annotated[Count | None, Field(description="None is unlimited.")] = None
    sign_up: SignUpWindow = SignUpWindow()
    takes_sign_ups: Flag = True
    requirements: Requirements = Requirements()
    accessibility: Annotated[list[Accessibility], Field(max_length=20), AfterValidator(_unique)] = []
    audience: Annotated[
        list[Audience], Field(max_length=10, description="Whom it is for."), AfterValidator(_unique)
    ] = []
    pupils_expected: Annotated[
        Count | None, Field(description="In Erasmus in Schools only: pupils are never more than a number.")
    ] = None
    cost: Cost | None = None
    partners: Annotated[list[Partner], Field(max_length=20)] = []
    image: Image | None = None
    contact: Annotated[Contact | None, Field(description="Of the organisers' function, never of a person.")] = None
    translations: Annotated[
        dict[LanguageTag, Translation],
        Field(max_length=MOST_TRANSLATIONS, description="In further languages, by BCP 47 tag."),
    ] = {}

    @field_validator("pupils_expected")
    @classmethod
    def _pupils_at_school(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("programme", PROGRAMME_WITH_PUPILS) != PROGRAMME_WITH_PUPILS:
            raise PydanticCustomError("pupils_elsewhere", "Pupils are expected in Erasmus in Schools only.")
        return value

    @field_validator("translations")
    @classmethod
    def _further_languages(cls, value: dict[str, Translation], info: ValidationInfo) -> dict[str, Translation]:
        tags = [tag.lower() for tag in value]
        if str(info.data.get("language", "")).lower() in tags or len(set(tags)) != len(tags):
            raise PydanticCustomError("further_languages", "Each further language once; `language` is the main one.")
        return value

    def lead(self) -> str:
        """The code of the leading section: the one marked, else the first."""
        return next((organiser.code for organiser in self.organisers if organiser.lead), self.organisers[0].code)

    def cause_codes(self) -> list[str]:
        """The causes, main one first."""
        return [cause.code for cause in sorted(self.causes, key=lambda cause: not cause.main)]


class Reasons(Received):
    """Why something is returned or cancelled, in words for the people concerned."""

    reason: Annotated[LongText, Field(max_length=2000)]
