"""What goes over the wire about reports: the report itself, its draft, and the lists."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.impact.reports.details import (
    CheckedInOut,
    HintOut,
    HistoryOut,
    Hours,
    ParticipantsIn,
    ParticipantsOut,
    PhotoIn,
    PhotoOut,
    QuantityIn,
    QuantityOut,
)
from services.impact.reports.plausibility import HintCode
from services.impact.reports.rules import Outcome, Source, State
from services.kernel.texts import Count, Line, LongText, Received, Sent, unique

_Text = Annotated[LongText, Field(max_length=5000)]


class ReportIn(Received):
    """What happened, as the organiser reports it; what is left out of people and hours comes from the check-ins."""

    outcome: Outcome
    reason: Annotated[
        Annotated[LongText, Field(max_length=2000)] | None,
        Field(validate_default=True, description="Why it shrunk or was cancelled."),
    ] = None
    participants: Annotated[ParticipantsIn | None, Field(description="None: those who were checked in.")] = None
    newcomers: Annotated[Count | None, Field(description="Those who volunteered with ESN for the first time.")] = None
    returning: Annotated[Count | None, Field(description="Those who had volunteered with ESN before.")] = None
    hours: Annotated[
        Hours | None, Field(description="Hours of volunteering by everybody together. None: the sum of the check-ins.")
    ] = None
    beneficiaries: Count | None = None
    quantities: Annotated[list[QuantityIn], Field(max_length=50)] = []
    partner: Line | None = None
    partner_contribution: Annotated[
        Annotated[LongText, Field(max_length=2000)] | None, Field(description="What the partner gave or did.")
    ] = None
    photos: Annotated[list[PhotoIn], Field(max_length=20)] = []
    outcome_text: _Text | None = None
    learned: _Text | None = None

    @field_validator("reason")
    @classmethod
    def _reason_unless_held(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if reason is None and info.data.get("outcome") in {Outcome.SHRUNK, Outcome.CANCELLED}:
            raise PydanticCustomError("reason_missing", "Say why it shrunk or was cancelled.")
        return reason

    @field_validator("partner_contribution")
    @classmethod
    def _of_a_partner(cls, contribution: str | None, info: ValidationInfo) -> str | None:
        if contribution is not None and info.data.get("partner") is None:
            raise PydanticCustomError("partner_missing", "Name the partner whose part it was.")
        return contribution

    @field_validator("photos")
    @classmethod
    def _each_photo_once(cls, photos: list[PhotoIn]) -> list[PhotoIn]:
        unique([photo.url for photo in photos])
        return photos

    @field_validator("participants", "newcomers", "returning", "hours", "beneficiaries", "quantities")
    @classmethod
    def _nothing_when_cancelled(cls, value: Any, info: ValidationInfo) -> Any:
        people = any(value.by_class) or value.total if isinstance(value, ParticipantsIn) else value
        if people and info.data.get("outcome") is Outcome.CANCELLED:
            raise PydanticCustomError("cancelled", "A cancelled activity has no people, hours or quantities.")
        return value

    @field_validator("quantities")
    @classmethod
    def _each_quantity_once(cls, quantities: list[QuantityIn]) -> list[QuantityIn]:
        if len({(each.measure, each.unit) for each in quantities}) != len(quantities):
            raise PydanticCustomError("not_unique", "A measure with a unit may be named once.")
        return quantities


class Reasons(Received):
    """Why a report is returned, in words for its section."""

    reason: Annotated[LongText, Field(max_length=2000)]


class Submission(Received):
    """What is confirmed with a submission."""

    acknowledged: Annotated[
        list[HintCode],
        Field(max_length=len(HintCode), description="Hints that were looked at and are right as they are."),
        AfterValidator(unique),
    ] = []


class ReportOut(Sent):
    """A report, as those in reach of its activity read it."""

    activity_id: UUID
    state: State
    revision: int
    source: Source
    outcome: Outcome
    reason: str | None
    participants: ParticipantsOut
    newcomers: int | None
    returning: int | None
    checked_in: CheckedInOut | None
    hours: float | None
    beneficiaries: int | None
    quantities: list[QuantityOut]
    partner: str | None
    partner_contribution: str | None
    photos: list[PhotoOut]
    outcome_text: str | None
    learned: str | None
    returned_because: str | None
    hints: list[HintOut]
    submitted_at: datetime | None
    updated_at: datetime
    history: list[HistoryOut]


class Suggested(Sent):
    """A report that can be sent as it is; null is for the coordinator to say."""

    outcome: Outcome
    participants: dict[str, int] | None
    hours: str | None
    partner: str | None


class DraftOut(Sent):
    """What is known before anybody writes the report: who was checked in, and what was planned."""

    activity_id: UUID
    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    duration_hours: float | None
    capacity: int | None
    partners: list[str]
    checked_in: CheckedInOut
    hours_by_duration: float | None
    report: Suggested


class QueuedOut(Sent):
    """A report as a list shows it; the whole of it, with its history, is at `url`."""

    activity_id: UUID
    url: str
    title: str
    section: str | None
    country: str | None
    edition: str | None
    starts_on: date | None
    state: State
    revision: int
    source: Source
    outcome: Outcome
    participants: ParticipantsOut
    hours: float | None
    hints: list[HintOut]
    submitted_at: datetime | None
    is_late: bool | None
    updated_at: datetime


class QueuePage(Sent):
    """Reports, those that wait longest first."""

    items: list[QueuedOut]
    next: str | None


class MissingOut(Sent):
    """An activity that is over, and whose report was not submitted."""

    activity_id: UUID
    title: str
    section: str | None
    country: str | None
    edition: str | None
    ended_at: datetime
    due_at: datetime
    days_late: int
    report: State | None
    reminded: list[str]


class MissingPage(Sent):
    """Activities without a submitted report, the last to end first."""

    items: list[MissingOut]
    next: str | None


class KnownMeasureOut(Sent):
    """A measure of quantities, with the units that fit it."""

    code: str
    title: str
    units: list[str]


class KnownMeasureList(Sent):
    """All of them, and how a measure is written that is not among them."""

    items: list[KnownMeasureOut]
    next: None
    other: str
