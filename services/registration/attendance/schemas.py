"""What goes over the wire about attendance: check-ins that come in, what became of each, and what they come to."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.contracts import ParticipantClass
from services.kernel.texts import Flag, Instant, Line, Received, Sent, Storable, unique
from services.registration.attendance.rules import MOST_HOURS, Act, Outcome, Presence, Reason
from services.registration.places.schemas import RegistrationEntry

MOST_AT_ONCE = 500

Nonce = Annotated[
    str,
    Storable,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$"),
    Field(description="Made by the device for this check-in; telling it again changes nothing."),
]
Hours = Annotated[
    Decimal | None, Field(ge=0, le=MOST_HOURS, decimal_places=2, description="Null: the planned duration.")
]


class CheckInNote(Received):
    """Somebody was seen at the door: by the code that they show, or picked from the list."""

    code: Annotated[Line | None, Field(max_length=20, examples=["7K3M-QX2D"])] = None
    registration_id: UUID | None = None
    at: Annotated[Instant, Field(description="By the device's clock.")]
    nonce: Nonce
    hours: Hours = None

    @model_validator(mode="after")
    def _one_of_both(self) -> CheckInNote:
        if (self.code is None) == (self.registration_id is None):
            raise PydanticCustomError("one_of", "Give code or registration_id, one of them.")
        return self


class WalkInNote(Received):
    """Somebody came without a place. Nothing is asked of them but their class: there is no name to give."""

    participant_class: ParticipantClass
    at: Annotated[Instant, Field(description="By the device's clock.")]
    nonce: Nonce
    hours: Hours = None


def _as_list(value: Any) -> Any:
    # A single one is validated here, where its faults have their places in the body as it was sent.
    return [CheckInNote.model_validate(value)] if isinstance(value, dict) else value


def _as_list_of_walk_ins(value: Any) -> Any:
    return [WalkInNote.model_validate(value)] if isinstance(value, dict) else value


CheckInNotes = Annotated[
    list[CheckInNote],
    Field(min_length=1, max_length=MOST_AT_ONCE),
    BeforeValidator(_as_list, json_schema_input_type=CheckInNote | list[CheckInNote]),
]
"""One check-in, which is taken for a list of one, or what a device gathered while it was offline."""

WalkInNotes = Annotated[
    list[WalkInNote],
    Field(min_length=1, max_length=MOST_AT_ONCE),
    BeforeValidator(_as_list_of_walk_ins, json_schema_input_type=WalkInNote | list[WalkInNote]),
]
"""One who came without a place, or those whom a device counted while it was offline."""


class CheckInResult(Sent):
    """What became of a check-in."""

    nonce: str
    outcome: Outcome
    reason: Reason | None
    registration_id: UUID | None


class CheckInResults(Sent):
    """What became of each check-in, in the order in which they were sent."""

    items: list[CheckInResult]


class WalkInResult(Sent):
    """What became of telling that somebody came without a place."""

    nonce: str
    outcome: Outcome
    reason: Reason | None
    id: UUID | None = Field(description="For a correction at `/attendances/{id}`.")


class WalkInResults(Sent):
    """What became of each, in the order in which they were sent, and whether there is room for all who are there."""

    items: list[WalkInResult]
    present: int = Field(description="All who are there, with a place and without.")
    capacity: int | None
    over_capacity: bool = Field(description="Nobody is refused for it: they are standing there.")


class WalkInEntry(Sent):
    """Somebody who came without a place."""

    id: UUID = Field(description="For a correction at `/attendances/{id}`.")
    participant_class: ParticipantClass
    at: datetime = Field(description="By the clock of the device that told of them.")
    present: bool = Field(description="False where a correction took them back.")
    hours: Decimal | None
    corrected: bool


class WalkInPage(Sent):
    """One page of those who came without a place, in the order in which it was told."""

    items: list[WalkInEntry]
    next: str | None


class DayEntry(RegistrationEntry):
    """A registration as its activity's organisers see it, with what is recorded of the day."""

    checked_in_at: datetime | None
    presence: Presence
    hours: Decimal | None
    corrected: bool = Field(description="Whether organisers corrected it; that stands above every check-in.")


class DayPage(Sent):
    """One page of an activity's registrations, in the order of sign-up."""

    items: list[DayEntry]
    next: str | None


class ClassCount(Sent):
    """The people of one class."""

    participant_class: ParticipantClass
    expected: int = Field(description="Who has a place, if only until they should have confirmed it.")
    present: int = Field(description="Who of them was there.")
    no_shows: int = Field(description="Who of them was not.")
    not_recorded: int = Field(description="Of whom nobody has said either.")
    walk_ins: int = Field(description="Who was there without a place.")


class AnswerSumOut(Sent):
    """What the answers of all who have a place come to, for one question."""

    code: str
    answered: int
    counts: dict[str, int] = Field(description="How often each choice was taken; of a consent, `true` and `false`.")
    total: Decimal | None = Field(description="The sum of numbers.")


class DayOut(Sent):
    """Who was expected and who was there."""

    activity_id: UUID
    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    capacity: int | None
    over_capacity: bool
    expected: int
    present: int
    no_shows: int
    not_recorded: int
    walk_ins: int
    by_class: list[ClassCount]
    planned_duration: Decimal | None = Field(description="In hours.")
    hours_planned: Decimal | None = Field(description="The planned duration of everybody who was there.")
    hours_actual: Decimal
    without_hours: int = Field(description="How many were there of whom nobody knows for how long.")
    answers: list[AnswerSumOut]


class NoShows(Received):
    """Those who did not come."""

    registration_ids: Annotated[
        Annotated[list[UUID], Field(min_length=1, max_length=MOST_AT_ONCE), AfterValidator(unique)] | None,
        Field(description="Null: everybody with a confirmed place of whom nothing is recorded."),
    ] = None


class NoShowsOut(Sent):
    """Who was marked now. Of anybody else something is recorded already, or they have no confirmed place."""

    marked: list[UUID]


class Correction(Received):
    """What was the case, whatever was recorded."""

    present: Flag
    hours: Hours = None
    reason: Annotated[Line, Field(description="Why, for those who ask later. Name nobody.")]

    @model_validator(mode="after")
    def _no_hours_of_nobody(self) -> Correction:
        if not self.present and self.hours is not None:
            raise PydanticCustomError("no_hours", "Whoever was not there has no hours.")
        return self


class AttendanceOut(Sent):
    """What is recorded of somebody; `id` is the registration's, or that of a walk-in."""

    id: UUID
    activity_id: UUID
    walk_in: bool
    participant_class: ParticipantClass
    presence: Presence
    hours: Decimal | None
    corrected: bool


class HistoryEntry(Sent):
    """One decision about somebody's attendance."""

    act: Act
    present_before: bool | None = Field(description="Null: nothing was recorded.")
    hours_before: Decimal | None
    present_after: bool
    hours_after: Decimal | None
    reason: str | None
    actor_id: UUID | None = Field(description="The access that decided; null: the time that passed.")
    actor_role: str | None
    at: datetime


class HistoryPage(Sent):
    """One page of what was decided, oldest first."""

    items: list[HistoryEntry]
    next: str | None
