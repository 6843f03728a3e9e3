"""The facts that services tell each other: each event's name, version, content and hearers, defined nowhere else.

No event identifies a person. A new field has a default; a changed meaning is a new version beside the old one.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.kernel.facts import Event

ACTIVITIES, REGISTRATION, IMPACT = "activities", "registration", "impact"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ActivityState(StrEnum):
    """Where a public activity is in its life."""

    PUBLISHED = "published"
    HELD = "held"
    CANCELLED = "cancelled"


class ParticipantClass(StrEnum):
    """The three classes in which ESN counts people; they are never one number."""

    INTERNATIONAL = "international"
    LOCAL = "local"
    ESN_VOLUNTEER = "esn_volunteer"


class Organiser(_Part):
    """A section that organises; `code` is None where only a name is known."""

    code: str | None
    name: str
    lead: bool


class Activity(_Part):
    """A public activity as it stands after the fact; the higher `revision` wins, in whatever order events arrive."""

    activity_id: UUID
    revision: int
    state: ActivityState
    title: str
    language: str
    kind: str
    programme: str
    edition: str | None
    areas: tuple[str, ...] = Field(description="Main area first.")
    causes: tuple[str, ...] = Field(description="Main cause first.")
    sdgs: tuple[int, ...]
    objectives: tuple[str, ...] = ()
    organisers: tuple[Organiser, ...] = Field(description="Lead organiser first.")
    country: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    starts_on: date | None = Field(description="The day, in the activity's own zone, on which it starts.")
    time_zone: str
    place: str | None
    capacity: int | None = Field(description="None is unlimited.")
    takes_sign_ups: bool
    sign_up_opens_at: datetime | None
    sign_up_closes_at: datetime | None
    minimum_age: int | None
    sample: bool
    platform: str | None = Field(default=None, description="The regional platform of the country on the first day.")
    part_of: UUID | None = Field(default=None, description="The series or the joint day that it belongs to.")
    relation: str | None = Field(default=None, description="occurrence or local_part")
    has_parts: bool = Field(default=False, description="Nobody signs up for it, is there or is counted: its parts are.")
    partners: tuple[str, ...] = Field(default=(), description="Organisations that the public activity names.")

    @property
    def section(self) -> str | None:
        """The lead organiser's code."""
        return next((organiser.code for organiser in self.organisers if organiser.lead), None)


class _ActivityEvent(Event):
    heard_by: ClassVar[tuple[str, ...]] = (REGISTRATION, IMPACT)

    activity: Activity

    def aggregate(self) -> str:
        """The activity."""
        return str(self.activity.activity_id)


class ActivityPublished(_ActivityEvent):
    """The activity is in the catalogue and students may sign up in its window."""

    name: ClassVar[str] = "activities.activity_published.v1"


class ActivityRevised(_ActivityEvent):
    """Something of a public activity changed."""

    name: ClassVar[str] = "activities.activity_revised.v1"


class ActivityHeld(_ActivityEvent):
    """The activity took place."""

    name: ClassVar[str] = "activities.activity_held.v1"


class ActivityCancelled(_ActivityEvent):
    """The activity will not or did not take place."""

    name: ClassVar[str] = "activities.activity_cancelled.v1"


class SectionRecorded(Event):
    """A section is in the directory, or something of its entry changed."""

    name: ClassVar[str] = "activities.section_recorded.v1"
    heard_by: ClassVar[tuple[str, ...]] = (REGISTRATION, IMPACT)

    code: str
    title: str
    country: str
    state: str = Field(description="active, warned, merged or withdrew")
    time_zone: str
    successor: str | None = Field(default=None, description="The section that it merged into, if that is known.")

    def aggregate(self) -> str:
        """The section."""
        return self.code


class EditionRecorded(Event):
    """An edition of a campaign is known, or its dates changed."""

    name: ClassVar[str] = "activities.edition_recorded.v1"
    heard_by: ClassVar[tuple[str, ...]] = (IMPACT,)

    code: str
    series: str
    starts_on: date | None
    ends_on: date | None

    def aggregate(self) -> str:
        """The edition."""
        return self.code


class AvailabilityChanged(Event):
    """An activity's last place was taken, or a place is free again: told when that turns, not at every sign-up."""

    name: ClassVar[str] = "registration.availability_changed.v1"
    heard_by: ClassVar[tuple[str, ...]] = (ACTIVITIES,)

    activity_id: UUID
    revision: int = Field(description="Counts the turns of this activity's availability; the higher wins.")
    has_places: bool

    def aggregate(self) -> str:
        """The activity."""
        return str(self.activity_id)


class AttendanceRecorded(Event):
    """Somebody of a class was there, or was not after all.

    Both keys are random and lead to nobody outside of registration; erasure and anonymisation cut their other end.
    """

    name: ClassVar[str] = "registration.attendance_recorded.v1"
    heard_by: ClassVar[tuple[str, ...]] = (IMPACT,)

    attendance_key: UUID
    revision: int
    activity_id: UUID
    participant_class: ParticipantClass
    present: bool
    hours: Decimal | None
    person_key: UUID | None = Field(
        default=None, description="The same for one mailbox at all activities; None of a guest, who is nobody else."
    )
    home_country: str | None = Field(default=None, description="ISO 3166-1 alpha-2, as the person stated it.")
    mobility: str | None = Field(default=None, description="study or traineeship, of an international student.")

    def aggregate(self) -> str:
        """The activity."""
        return str(self.activity_id)


class ReportVerified(Event):
    """A coordinator's report was verified: its figures count from now on."""

    name: ClassVar[str] = "impact.report_verified.v1"
    heard_by: ClassVar[tuple[str, ...]] = (IMPACT,)

    activity_id: UUID
    revision: int

    def aggregate(self) -> str:
        """The activity."""
        return str(self.activity_id)


class ReportReopened(Event):
    """A verified report was returned: its figures no longer count until it is verified again."""

    name: ClassVar[str] = "impact.report_reopened.v1"
    heard_by: ClassVar[tuple[str, ...]] = (IMPACT,)

    activity_id: UUID
    revision: int

    def aggregate(self) -> str:
        """The activity."""
        return str(self.activity_id)


class ReportStage(StrEnum):
    """How often a section was reminded of a report."""

    FIRST = "first"
    DEADLINE = "deadline"


class ReportMissing(Event):
    """An activity is over and its section has submitted no report; told once for each stage."""

    name: ClassVar[str] = "impact.report_missing.v1"
    heard_by: ClassVar[tuple[str, ...]] = (ACTIVITIES,)

    activity_id: UUID
    section: str
    stage: ReportStage
    days_since_end: int
    due_at: datetime = Field(description="Until when a report is in time.")

    def aggregate(self) -> str:
        """The activity."""
        return str(self.activity_id)


class EditionTotalsChanged(Event):
    """What verified reports of an edition add up to changed. Told at most every few seconds, and not at each report.

    The figures are those that the statistics publish for the edition; everybody may know them.
    """

    name: ClassVar[str] = "impact.edition_totals_changed.v1"
    heard_by: ClassVar[tuple[str, ...]] = (ACTIVITIES,)

    edition: str
    revision: int = Field(description="Counts what was told of this edition; the higher wins.")
    as_of: datetime = Field(description="What was verified up to this instant is counted.")
    activities: int = Field(description="Whose verified report says that they took place.")
    participants_international: int
    participants_local: int
    participants_esn_volunteer: int
    participants_unclassified: int
    attendances: int
    hours: Decimal

    def aggregate(self) -> str:
        """The edition."""
        return self.edition


class FigureQuantity(_Part):
    """An amount that an activity moved."""

    measure: str
    unit: str
    amount: Decimal


class ActivityFiguresChanged(Event):
    """What one activity did in figures, as its report was verified; or that they count no longer.

    They are numbers that everybody may know: the public statistics add them up.
    """

    name: ClassVar[str] = "impact.activity_figures_changed.v1"
    heard_by: ClassVar[tuple[str, ...]] = (ACTIVITIES,)

    activity_id: UUID
    revision: int = Field(description="Of the report; the higher wins.")
    is_verified: bool = Field(description="Whether they count now; if not, nothing is stated.")
    participants_international: int | None = None
    participants_local: int | None = None
    participants_esn_volunteer: int | None = None
    participants_unclassified: int | None = None
    hours: Decimal | None = None
    quantities: tuple[FigureQuantity, ...] = ()

    def aggregate(self) -> str:
        """The activity."""
        return str(self.activity_id)


EVENTS: tuple[type[Event], ...] = (
    ActivityPublished,
    ActivityRevised,
    ActivityHeld,
    ActivityCancelled,
    SectionRecorded,
    EditionRecorded,
    AvailabilityChanged,
    AttendanceRecorded,
    ReportVerified,
    ReportReopened,
    ReportMissing,
    EditionTotalsChanged,
    ActivityFiguresChanged,
)
