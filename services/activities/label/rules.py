"""Decisions about the label: its criteria, its states, and what a country makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from services.kernel.problems import Conflict, FieldError, Forbidden


class LabelState(StrEnum):
    """Where an activity stands on its way to the label, whatever its own state."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"
    GIVEN = "given"
    RETURNED = "returned"


class Policy(StrEnum):
    """What a country makes of the label: no activity is published without it, or it is only recorded."""

    REQUIRED = "required"
    RECORDED = "recorded"


DEFAULT_POLICY: Final = Policy.REQUIRED
"""Where a country has said nothing."""


class ActionMode(StrEnum):
    """The three ways of doing something for a cause: one at least is what makes an activity SocialErasmus."""

    AWARENESS = "awareness"
    COLLECTION = "collection"
    ACTION = "action"


CRITERIA: Final[Mapping[str, str]] = {
    "action_modes": "Name at least one of awareness, collection and action.",
    "for_a_cause": "It must be done for one of the causes.",
    "community_impact": "Say in a sentence what it changes for the local community.",
    "student_part": "Say in a sentence what the students do themselves.",
}
"""Each criterion of the checklist with what to do when it is not met."""


class ChecklistIncomplete(Conflict):
    """The label's checklist must be complete before the label is asked for; `errors` names what is missing."""

    title = "Checklist incomplete"


class PolicyOutOfReach(Forbidden):
    """Only the country's national coordinator, or ESN International, decides what it makes of the label."""


def missing(checklist: Mapping[str, Any] | None) -> list[str]:
    """The criteria that a checklist does not meet."""
    return [name for name in CRITERIA if not (checklist or {}).get(name)]


def check_complete(checklist: Mapping[str, Any] | None) -> None:
    """Refuse to ask for the label with a checklist that is not complete."""
    faults = [FieldError(pointer=f"#/label_checklist/{name}", detail=CRITERIA[name]) for name in missing(checklist)]
    if faults:
        raise ChecklistIncomplete(errors=faults)
