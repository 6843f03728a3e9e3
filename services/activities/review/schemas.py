"""What goes over the wire about reviews."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from services.activities.catalogue.schemas import ActivityOut
from services.activities.label.schemas import LabelChecklist
from services.kernel.texts import Sent


class HintOut(Sent):
    """What may be wrong with an activity: where, why, and how sure it is."""

    code: str = Field(examples=["title_contradicts_date"])
    pointer: str = Field(description="The field of the draft.", examples=["#/starts_at"])
    detail: str
    weight: int = Field(description="1: worth a look, 2: likely, 3: almost certain.")


class HintList(Sent):
    """Automatic hints, the surest first; they stop nothing."""

    items: list[HintOut]
    next: None


class ReviewOut(Sent):
    """What a reviewer sees of an activity beside what everybody sees."""

    activity: ActivityOut
    asked_at: datetime | None = Field(description="When the label was asked for, last.")
    look_since: datetime | None = Field(
        description="Since when words that were changed after the label was given wait for a fresh look."
    )
    changed: list[str] = Field(description="Those words, by their fields.", examples=[["summary", "title"]])
    note: str | None = Field(description="What the reviewer wrote with the last decision.")
    label_checklist: LabelChecklist | None
    missing: list[str] = Field(description="The fields of the checklist that are not complete.")
    hints: list[HintOut]


class ReviewPage(Sent):
    """One page of the activities that wait for a decision."""

    items: list[ReviewOut]
    next: str | None
