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
    url: str | None = Field(description="Where programs sign people up.")
    page_url: str | None = Field(description="The page where people sign up by themselves.")


class TranslationOut(Sent):
    """What an activity says in a further language."""

    title: str
    summary: str | None
    requirements_notes: str | None


class WholeOut(Sent):
    """The series or the joint day that an activity is a part of."""

    id: UUID
    relation: Literal["occurrence", "local_part"]
    title: str
    url: str


class PartsOut(Sent):
    """The parts that an activity is made of: activities of their own, with their own times, places and sign-ups."""

    relation: Literal["occurrence", "local_part"]
    count: int = Field(description="Those that are published or were held.")
    url: str = Field(description="The list of those that are public.")


class ActorOut(Sent):
    """Who did something: a role and how far it reaches, and the id of the token; no name."""

    id: UUID | None
    role: str
    section: str | None
    country: str | None


class ChangeOut(Sent):
    """What a field was and what it is since."""

    before: Any
    after: Any


class HistoryEntryOut(Sent):
    """Something that was done to an activity."""

    revision: int
    verb: str
    at: datetime
    by: ActorOut
    reason: str | None
    changes: dict[str, ChangeOut | None] = Field(description="By field; null where only that it changed is kept.")


class HistoryPage(Sent):
    """One page of an activity's history."""

    items: list[HistoryEntryOut]
    next: str | None


class ActivityOut(Sent):
    """An activity, as everybody reads it. Fields that don't apply are null, none is missing."""

    id: UUID
    url: str = Field(description="Where to read this again.")
    page_url: str = Field(description="A page for people.")
    state: rules.State
    revision: int
    title: str
    summary: str | None
    language: str = Field(description="Of the title and the summary as they stand here.")
    original_language: str = Field(description="The one that the organisers wrote it in: it is what a change changes.")
    languages: list[str] = Field(description="Every one that it can be read in, by `lang` or Accept-Language.")
    translations: dict[str, TranslationOut] = Field(description="In every language but the original one.")
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
    audience: list[str]
    pupils_expected: int | None
    cost: dict[str, Any] | None
    partners: list[ActivityPartnerOut]
    image: dict[str, Any] | None
    label: LabelOut
    contact: dict[str, Any] | None = Field(description="Of the organisers' function, never of a person.")
    part_of: WholeOut | None
    joint: Literal["country", "international"] | None = Field(description="Where sections may add their local parts.")
    parts: PartsOut | None
    reason: str | None = Field(description="Why it was returned or cancelled.")
    source_url: str | None
    updated_at: datetime
    sample: bool
    platform: str | None = Field(description="Of the country, on the first day: a regional platform such as NEP.")
    adapted_from: OriginOut | None = Field(description="The idea of others that it was made from.")
    # The last field of a stored document, where a list writes it; see `rendering.at_distance`.
    distance_km: float | None = Field(description="In a list with `near`: how far away it is.")
