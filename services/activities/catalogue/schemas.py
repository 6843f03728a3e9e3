"""An activity as everybody reads it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from services.activities.catalogue import rules
from services.activities.label.schemas import LabelOut
from services.kernel.texts import Sent


class OrganiserOut(Sent):
    """An organising section; `code` is null where only a name is known."""

    code: str | None
    name: str
    lead: bool


class CauseOut(Sent):
    """A cause and whether it is the main one."""

    code: str
    main: bool


class ActivityPartnerOut(Sent):
    """An organisation that takes part; `id` is null where only a name is known."""

    id: UUID | None
    name: str
    contribution: str | None
    contribution_note: str | None


class OriginOut(Sent):
    """The idea that an activity was made from, and the activity that the idea was made of."""

    idea_id: UUID
    activity_id: UUID
    title: str


class SignUpOut(Sent):
    """Whether and where students can sign up now."""

    state: Literal["not_offered", "not_yet_open", "open", "full", "closed"]
    opens_at: datetime | None
    closes_at: datetime | None
    url: str | None


class ActivityOut(Sent):
    """An activity, as everybody reads it. Fields that don't apply are null, none is missing."""

    id: UUID
    url: str
    state: rules.State
    revision: int
    title: str
    summary: str | None
    language: str
    languages: list[str]
    kind: str
    programme: str
    mode: str
    edition: str | None
    areas: list[str]
    causes: list[CauseOut]
    sdgs: list[int]
    objectives: list[str]
    organisers: list[OrganiserOut]
    country: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    starts_on: str | None = Field(description="The first day, in the activity's zone.")
    ends_on: str | None
    date_precision: str = Field(description="How exactly the dates are known: time, day, week, edition, month, …")
    time_zone: str
    place: dict[str, Any] | None
    online_url: str | None
    capacity: int | None
    sign_up: SignUpOut
    requirements: dict[str, Any]
    accessibility: list[str]
    cost: dict[str, Any] | None
    partners: list[ActivityPartnerOut]
    image: dict[str, Any] | None
    label: LabelOut
    reason: str | None = Field(description="Why it was returned or cancelled.")
    source_url: str | None
    updated_at: datetime
    sample: bool
    platform: str | None = Field(description="Of the country, on the first day: a regional platform such as NEP.")
    adapted_from: OriginOut | None = Field(description="The idea of others that it was made from.")
    # The last field of a stored document, where a list writes it; see `rendering.at_distance`.
    distance_km: float | None = Field(description="In a list with `near`: how far away it is.")
