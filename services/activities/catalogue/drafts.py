"""Activities as their organisers describe them: what comes in, and what of it can't be."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.activities.catalogue.details import (
    MOST_TRANSLATIONS,
    Accessibility,
    Audience,
    Contact,
    Requirements,
    Translation,
)
from services.activities.catalogue.rules import PROGRAMME_WITH_PUPILS
from services.activities.label.schemas import LabelChecklist
from services.activities.partners.rules import CONTRIBUTIONS
from services.kernel.currencies import written
from services.kernel.texts import (
    Code,
    Count,
    CountryCode,
    Currency,
    EachLanguageOnce,
    Flag,
    LanguageTag,
    Line,
    Link,
    LongText,
    Received,
    Zone,
    one_of,
    unique,
)


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


WallClock = Annotated[datetime, BeforeValidator(_wall_clock), AfterValidator(_between_1900_and_2200)]


def _without(*read_only: str) -> Any:
    def left_out(sent: Any) -> Any:
        return (
            {name: value for name, value in sent.items() if name not in read_only} if isinstance(sent, dict) else sent
        )

    return model_validator(mode="before")(left_out)


class OrganiserIn(Received):
    """An organising section; its `name`, as it is read, may be sent back and says nothing."""

    _as_read = _without("name")

    code: Annotated[Code, Field(description="ESN section code", examples=["IT-SASS-ESN"])]
    lead: Flag = False


class CauseIn(Received):
    """A cause the activity serves."""

    code: Annotated[Code, Field(description="Of the taxonomy `causes`", examples=["culture"])]
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


class Cost(Received):
    """What taking part costs a person; the amount is read with the decimals of its currency, as 12.50."""

    # Before the amount, whose decimals depend on it.
    currency: Currency
    amount: Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=2)]

    @field_validator("amount")
    @classmethod
    def _as_written(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        if (currency := info.data.get("currency")) is None:
            return value
        if (exact := written(value, currency)) is None:
            raise PydanticCustomError("too_fine", "This currency has no decimals.")
        return exact


class Partner(Received):
    """An organisation that takes part: one of the partners by its id, or any by its name."""

    id: Annotated[UUID | None, Field(description="A partner's; its name is then the one shown.")] = None
    name: Line | None = None
    contribution: Annotated[Code, one_of(CONTRIBUTIONS, "contribution")] | None = None
    contribution_note: Line | None = None

    @model_validator(mode="after")
    def _named(self) -> Partner:
        if self.id is None and self.name is None:
            raise PydanticCustomError("partner_unnamed", "Give the id of a partner, or a name.")
        return self


class Image(Received):
    """A picture by its address."""

    url: Link
    alternative_text: Line


class SignUpWindow(Received):
    """When students may sign up; without it sign-up opens at once and closes at the start.

    Its `state` and `url`, as they are read, may be sent back and say nothing.
    """

    _as_read = _without("state", "url", "page_url")

    opens_at: WallClock | None = None
    closes_at: WallClock | None = None


def _further_languages(value: dict[str, Translation], info: ValidationInfo) -> dict[str, Translation]:
    if info.data.get("language") in value:
        raise PydanticCustomError("further_languages", "Each further language once; `language` is the main one.")
    return value


Translations = Annotated[
    dict[LanguageTag, Translation],
    EachLanguageOnce,
    Field(max_length=MOST_TRANSLATIONS, description="In further languages, by BCP 47 tag."),
    AfterValidator(_further_languages),
]


class Corrections(Received):
    """What can be put right of what is over; records of the past may lack what a draft must have."""

    language: LanguageTag
    title: Line
    summary: LongText | None
    image: Image | None
    contact: Contact | None
    translations: Translations


class ActivityDraft(Received):
    """An activity as its organiser describes it. Times may be wall-clock times in `time_zone`."""

    title: Line
    summary: LongText | None = None
    language: LanguageTag = "en"
    kind: Code = "volunteering"
    programme: Code = "socialerasmus"
    mode: Code = "physical"
    edition: Annotated[Code | None, Field(description="None: by date, in the activity's zone.")] = None
    areas: Annotated[
        list[Code], Field(min_length=1, max_length=8, description="Main area first."), AfterValidator(unique)
    ]
    causes: Annotated[list[CauseIn], Field(min_length=1, max_length=6), AfterValidator(_one_is_main)]
    sdgs: Annotated[
        list[Annotated[int, Field(strict=True, ge=1, le=17)]], Field(max_length=17), AfterValidator(unique)
    ] = []
    objectives: Annotated[
        list[Code], Field(max_length=10, description="Of the taxonomy `objectives`."), AfterValidator(unique)
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
    accessibility: Annotated[list[Accessibility], Field(max_length=20), AfterValidator(unique)] = []
    audience: Annotated[
        list[Audience], Field(max_length=10, description="Whom it is for."), AfterValidator(unique)
    ] = []
    pupils_expected: Annotated[
        Count | None, Field(description="In Erasmus in Schools only: pupils are never more than a number.")
    ] = None
    cost: Cost | None = None
    partners: Annotated[list[Partner], Field(max_length=20)] = []
    image: Image | None = None
    label_checklist: Annotated[
        LabelChecklist | None, Field(description="Must be complete when the label is asked for.")
    ] = None
    contact: Annotated[Contact | None, Field(description="Of the organisers' function, never of a person.")] = None
    translations: Translations = {}
    joint: Annotated[
        Literal["country", "international"] | None,
        Field(
            description="A joint day, to which sections of the country, or of all, add local parts; fixed from then."
        ),
    ] = None
    part_of: Annotated[
        UUID | None, Field(description="The joint day of which this is a local part; fixed from then on.")
    ] = None

    @field_validator("part_of")
    @classmethod
    def _part_or_whole(cls, value: UUID | None, info: ValidationInfo) -> UUID | None:
        if value is not None and info.data.get("joint") is not None:
            raise PydanticCustomError("part_or_whole", "A joint day can't be a part of another.")
        return value

    @field_validator("pupils_expected")
    @classmethod
    def _pupils_at_school(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("programme", PROGRAMME_WITH_PUPILS) != PROGRAMME_WITH_PUPILS:
            raise PydanticCustomError("pupils_elsewhere", "Pupils are expected in Erasmus in Schools only.")
        return value

    def lead(self) -> str:
        """The code of the leading section: the one marked, else the first."""
        return next((organiser.code for organiser in self.organisers if organiser.lead), self.organisers[0].code)

    def cause_codes(self) -> list[str]:
        """The causes, main one first."""
        return [cause.code for cause in sorted(self.causes, key=lambda cause: not cause.main)]


class Approval(Received):
    """Giving the label, with a word to the section if there is one."""

    note: Annotated[LongText, Field(max_length=2000)] | None = None


class Reasons(Received):
    """Why something is returned or cancelled, in words for the people concerned."""

    reason: Annotated[LongText, Field(max_length=2000)]
