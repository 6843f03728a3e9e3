"""What goes over the wire about attendance: check-ins that come in, and what became of each."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.kernel.texts import Instant, Line, Received, Sent, Storable
from services.registration.attendance.rules import MOST_HOURS, Outcome, Reason

MOST_AT_ONCE = 500


class CheckInNote(Received):
    """Somebody was seen at the door: by the code that they show, or picked from the list."""

    code: Annotated[Line | None, Field(max_length=20, examples=["7K3M-QX2D"])] = None
    registration_id: UUID | None = None
    at: Annotated[Instant, Field(description="By the device's clock.")]
    nonce: Annotated[
        str,
        Storable,
        StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$"),
        Field(description="Made by the device for this check-in; telling it again changes nothing."),
    ]
    hours: Annotated[
        Decimal | None, Field(ge=0, le=MOST_HOURS, decimal_places=2, description="Null: the planned duration.")
    ] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> CheckInNote:
        if (self.code is None) == (self.registration_id is None):
            raise PydanticCustomError("one_of", "Give code or registration_id, one of them.")
        return self


def _as_list(value: Any) -> Any:
    # A single one is validated here, where its faults have their places in the body as it was sent.
    return [CheckInNote.model_validate(value)] if isinstance(value, dict) else value


CheckInNotes = Annotated[
    list[CheckInNote],
    Field(min_length=1, max_length=MOST_AT_ONCE),
    BeforeValidator(_as_list, json_schema_input_type=CheckInNote | list[CheckInNote]),
]
"""One check-in, which is taken for a list of one, or what a device gathered while it was offline."""


class CheckInResult(Sent):
    """What became of a check-in."""

    nonce: str
    outcome: Outcome
    reason: Reason | None
    registration_id: UUID | None


class CheckInResults(Sent):
    """What became of each check-in, in the order in which they were sent."""

    items: list[CheckInResult]
