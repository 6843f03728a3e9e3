"""An activity as everybody reads it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from services.activities.catalogue import rules
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


class SignUpOut(Sent):
    """Whether and where students can sign up now."""

    state: Literal["not_offered", "not_yet_open", "open", "full", "closed"]
    opens_at: datetime | None
    closes_at: datetime | None
    url: str | None


class ActivityOut(Sent):
    """An activity, as everybody reads it. Fields that don't apply are null, none is missing."""

    id: UUID
    url: str = Field(description="Where to read this again.")
    page_url: str = Field(description="A page for people.")
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
    partners: list[dict[str, Any]]
    image: dict[str, Any] | None
    reason: str | None = Field(description="Why it was returned or cancelled.")
    source_url: str | None
    updated_at: datetime
    sample: bool
    # The last field of a stored document, where a list writes it; see `rendering.at_distance`.
    distance_km: float | None = Field(description="In a list with `near`: how far away it is.")
