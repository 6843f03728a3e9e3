"""Activities as their organisers describe them: what comes in, and what of it can't be."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.activities.directory.rules import AREAS, CAUSES, KINDS, MODES, PROGRAMMES
from services.activities.label.schemas import LabelChecklist
from services.kernel.texts import Code, Count, CountryCode, Flag, LanguageTag, Line, LongText, Received, Storable


def _known(codes: dict[str, str], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in codes:
            raise PydanticCustomError(
                "unknown_code", "Unknown {what}; one of: {codes}.", {"what": what, "codes": ", ".join(codes)}
            )
        return value

    return AfterValidator(check)


@cache
def _time_zones() -> frozenset[str]:
    # Python looks through the whole database of time zones each time that it is asked.
    return frozenset(available_timezones())


def _zone(value: str) -> str:
    if value not in _time_zones():
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
    mode: Annotated[Code, _known(MODES, "mode")] = "physical"
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
    accessibility: Annotated[list[Code], Field(max_length=20), AfterValidator(_unique)] = []
    cost: Cost | None = None
    partners: Annotated[list[Partner], Field(max_length=20)] = []
    image: Image | None = None
    label_checklist: Annotated[
        LabelChecklist | None, Field(description="Must be complete when the label is asked for.")
    ] = None

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
