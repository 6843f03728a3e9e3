"""What goes over the wire about the label."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.activities.label.rules import ActionMode, LabelState, Policy
from services.kernel.texts import Flag, LongText, Received, Sent


def _each_once(modes: list[ActionMode]) -> list[ActionMode]:
    if len(set(modes)) != len(modes):
        raise PydanticCustomError("not_unique", "Names something twice.")
    return modes


Sentence = Annotated[LongText, StringConstraints(max_length=500)]


class LabelChecklist(Received):
    """What makes the activity SocialErasmus; it may stay incomplete until the label is asked for."""

    action_modes: Annotated[list[ActionMode], Field(max_length=3), AfterValidator(_each_once)] = []
    for_a_cause: Flag = False
    community_impact: Annotated[
        Sentence | None, Field(description="What it changes for the local community, in a sentence.")
    ] = None
    student_part: Annotated[Sentence | None, Field(description="What the students do themselves, in a sentence.")] = (
        None
    )


class LabelOut(Sent):
    """Where an activity stands on its way to the label."""

    state: LabelState
    decided_at: datetime | None = Field(description="When the label was given or its request returned, last.")


class ChoiceOut(Sent):
    """One of the answers to choose from."""

    code: str
    wording: dict[str, str]


class CriterionOut(Sent):
    """One criterion, the field of `label_checklist` that answers it, and its question by language."""

    field: str
    answer: Literal["choices", "yes", "sentence"]
    question: dict[str, str]
    choices: list[ChoiceOut]


class LabelCriteria(Sent):
    """What an activity must be to carry the label, by language."""

    introduction: dict[str, str]
    criteria: list[CriterionOut]


class PolicyIn(Received):
    """What a country makes of the label."""

    policy: Policy


class PolicyOut(Sent):
    """What a country makes of the label; `since` is null where it has said nothing and the label is required."""

    country: str
    policy: Policy
    since: datetime | None


class PolicyPage(Sent):
    """Countries that have said what they make of the label; in all others it is required."""

    items: list[PolicyOut]
    next: str | None
