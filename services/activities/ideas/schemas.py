"""Ideas as their organisers write them down and as everybody reads them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from services.activities.catalogue.drafts import CauseIn, Cost, Place, WallClock
from services.activities.catalogue.schemas import CauseOut, OrganiserOut
from services.activities.ideas.rules import SEASONS, SETTINGS, State
from services.activities.partners.schemas import PartnerKind
from services.kernel.texts import (
    Code,
    Count,
    LanguageTag,
    Line,
    Link,
    LongText,
    Received,
    Sent,
    Zone,
    one_of,
    unique,
)

Season = Annotated[Code, one_of(SEASONS, "season")]
Setting = Annotated[Code, one_of(SETTINGS, "setting")]


class Needs(Received):
    """What it takes."""

    materials: Annotated[list[Line], Field(max_length=50), AfterValidator(unique)] = []
    people: Annotated[Count | None, Field(description="Who organise it.")] = None
    time: Annotated[Line | None, Field(description="As 'two evenings of preparation'.")] = None


class GroupSize(Received):
    """For how many participants it works; null is open."""

    min: Annotated[Count | None, Field(ge=1)] = None
    max: Annotated[Count | None, Field(ge=1)] = None

    @model_validator(mode="after")
    def _in_order(self) -> GroupSize:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("group_size", "The smallest group must not be larger than the largest.")
        return self


class IdeaDraft(Received):
    """A recipe as the organisers of an activity write it down."""

    title: Line
    what: LongText
    how: Annotated[list[LongText], Field(min_length=1, max_length=50, description="Its steps, in their order.")]
    needs: Needs = Needs()
    cost: Annotated[Cost | None, Field(description="What it costs the organisers in all; null: it is free.")]
    group_size: GroupSize = GroupSize()
    seasons: Annotated[list[Season], Field(max_length=4, description="Empty: any."), AfterValidator(unique)] = []
    settings: Annotated[
        list[Setting], Field(max_length=len(SETTINGS), description="Where it works; empty: anywhere."),
        AfterValidator(unique),
    ] = []  # fmt: skip
    partner_kinds: Annotated[
        list[PartnerKind], Field(max_length=10, description="What kinds of partners help."), AfterValidator(unique)
    ] = []
    lessons: Annotated[LongText | None, Field(description="What the organisers would do otherwise next time.")] = None
    language: LanguageTag = "en"


class NewIdea(IdeaDraft):
    """A recipe, and the activity that it was made of."""

    activity_id: Annotated[UUID, Field(description="An activity of yours that was held.")]


class EndorsementIn(Received):
    """Why an idea is recommended."""

    note: Annotated[LongText, Field(max_length=1000)] | None = None


class Adaptation(Received):
    """When and where to hold it; what is not said stays as it is in the idea."""

    section: Annotated[Code | None, Field(description="None: your own section.")] = None
    starts_at: WallClock
    ends_at: WallClock
    time_zone: Zone | None = None
    title: Line | None = None
    summary: LongText | None = None
    language: LanguageTag | None = None
    areas: Annotated[list[Code], Field(min_length=1, max_length=8), AfterValidator(unique)] | None = None
    causes: Annotated[list[CauseIn], Field(min_length=1, max_length=6)] | None = None
    place: Place | None = None
    online_url: Link | None = None
    capacity: Annotated[Count | None, Field(description="None: the largest group of the idea.")] = None


class NeedsOut(Sent):
    """What it takes."""

    materials: list[str]
    people: int | None
    time: str | None


class CostOut(Sent):
    """What it costs the organisers in all."""

    amount: Decimal
    currency: str


class GroupSizeOut(Sent):
    """For how many participants it works; null is open."""

    min: int | None
    max: int | None


class FigureQuantityOut(Sent):
    """An amount that it moved."""

    measure: str
    unit: str
    amount: str = Field(description="A decimal number.")


class ActivityFiguresOut(Sent):
    """What an activity did by its verified report. People are counted in classes; null is not stated."""

    international: int | None
    local: int | None
    esn_volunteer: int | None
    unclassified: int | None
    hours: float | None = Field(description="Of everybody together.")
    quantities: list[FigureQuantityOut] = Field(description="Never added across measures or units.")


class SourceActivityOut(Sent):
    """The activity that an idea was made of."""

    id: UUID
    url: str
    title: str
    held_on: date | None = Field(description="Its first day.")
    hours: float | None = Field(description="How long it lasted.")
    capacity: int | None
    figures: ActivityFiguresOut | None = Field(description="What it did in figures; null until its report is verified.")


class AdaptedOut(Sent):
    """How many have made an activity of an idea that is published or was held."""

    sections: int
    countries: int


class IdeaOut(Sent):
    """An idea as everybody reads it."""

    id: UUID
    url: str
    state: State
    language: str
    title: str
    what: str
    how: list[str]
    needs: NeedsOut
    cost: CostOut | None = Field(description="Null: it is free.")
    group_size: GroupSizeOut
    seasons: list[str]
    settings: list[str]
    partner_kinds: list[str]
    lessons: str | None
    kind: str
    areas: list[str]
    causes: list[CauseOut]
    sdgs: list[int]
    country: str | None
    organisers: list[OrganiserOut]
    activity: SourceActivityOut
    adapted: AdaptedOut = Field(description="By how many others, of their sections and countries.")
    endorsements: int
    offered_at: datetime
    updated_at: datetime


class EndorsementOut(Sent):
    """Who recommends it: the coordinator of a country, or ESN International, whose country is null."""

    role: str
    country: str | None
    note: str | None
    endorsed_at: datetime


class IdeaDetailOut(IdeaOut):
    """An idea with who recommends it."""

    endorsed_by: list[EndorsementOut]


class IdeaPage(Sent):
    """One page of the market."""

    items: list[IdeaOut]
    next: str | None
