"""What goes over the wire about figures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from services.kernel.texts import Sent


class MeasureOut(Sent):
    """What a figure counts."""

    title: str
    unit: str = Field(description='UCUM; "1" counts; empty where each value states its own.')
    definition: str
    counting: str = Field(description="main, or touches: then an activity counts at each label that it has.")
    numerator: str | None = Field(description="Of a ratio: the measure above the line.")
    denominator: str | None = Field(description="Of a ratio: the measure below the line.")


class NamedMeasureOut(MeasureOut):
    """A measure with its name."""

    code: str
    splits: list[str] = Field(description="The dimensions by which it can be split.")
    since: date | None = Field(description="The first day on which there is something to count; null: nothing yet.")


class MeasureList(Sent):
    """Every measure."""

    items: list[NamedMeasureOut]
    next: None


class Completeness(Sent):
    """How many of the sections that are active today in the countries and sections asked for have reported."""

    sections_reporting: int
    sections_active: int


class Answer(Sent):
    """What every answer with figures says of them."""

    filters: dict[str, Any]
    period: dict[str, Any] | None = Field(description="What the relative period that was asked for means today.")
    counting: str = Field(
        description="main: each activity counts once. touches: at each of its labels, so that items may add up to more "
        "than the total, in which each counts once."
    )
    measures: dict[str, MeasureOut]
    as_of: datetime | None = Field(description="What was verified up to this instant is counted.")
    completeness: Completeness
    sources: dict[str, int] = Field(
        description="How many of the activities held rest on check-ins, on the organiser's word, or on an import."
    )
    reasons: dict[str, str] = Field(description="Why a measure is null in all of the answer.")


class StatisticsOut(Answer):
    """Figures by dimension. A null measure is named in `suppressed`; a null dimension is unstated."""

    by: list[str]
    compared: dict[str, Any] | None = Field(description="With which period each is compared; null: that is not known.")
    items: list[dict[str, Any]] = Field(
        examples=[[{"country": "IT", "activities": 31, "participants": 402, "hours": 977.5, "suppressed": []}]]
    )
    total: dict[str, Any] = Field(description="The sum of the items; of touches each activity once.")


class GrowthOut(Answer):
    """A series of periods, the first first, each beside the one before it."""

    over: str
    items: list[dict[str, Any]]
    next: None


class SectionReporting(Sent):
    """Whether a section has reported in a period, and when it was active last."""

    section: str
    title: str
    country: str
    has_reported: bool = Field(description="Has a verified report in the period, whatever it says.")
    activities_reported: int
    last_reported_on: date | None = Field(description="The last day in the period of an activity with such a report.")
    last_active_on: date | None = Field(
        description="When an activity that it organised began last, alone or with others, that was not called off."
    )
    is_active_this_academic_year: bool
    is_active_this_semester: bool = Field(description="Semesters begin on 1 August and 1 February.")


class Inactive(Sent):
    """How many of the active sections were not active lately."""

    this_academic_year: int
    this_semester: int


class CompletenessOut(Sent):
    """Which active sections have reported."""

    filters: dict[str, Any]
    period: dict[str, Any] | None
    as_of: datetime | None
    completeness: Completeness
    not_active: Inactive
    items: list[SectionReporting]
    next: str | None
