"""What goes over the wire about reports."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.impact.reports.rules import Outcome, Qualifier, Source, State
from services.impact.reports.units import fault_of_unit
from services.kernel.texts import Count, Line, LongText, Received, Sent, Storable


def _decimal(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,10})?", value):
        return Decimal(value)
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    raise PydanticCustomError("decimal_number", 'Must be a decimal number, as "12.5".')


_Text = Annotated[LongText, Field(max_length=5000)]
Hours = Annotated[Decimal, BeforeValidator(_decimal), Field(ge=0, le=10_000_000, decimal_places=2)]
Amount = Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0, max_digits=18, decimal_places=6)]


class QuantityIn(Received):
    """An amount that the activity moved."""

    measure: Annotated[
        str,
        Storable,
        StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40),
        Field(description="What it is an amount of, as a code; `money` has currencies as units.", examples=["waste"]),
    ]
    unit: Annotated[
        str,
        Storable,
        StringConstraints(min_length=1, max_length=20),
        Field(description='A UCUM code, "1" for what is counted, an ISO 4217 currency for money.', examples=["kg"]),
    ]
    amount: Annotated[Amount, Field(examples=["130"])]
    qualifier: Qualifier = Qualifier.EXACTLY

    @field_validator("unit")
    @classmethod
    def _unit_of_its_measure(cls, unit: str, info: ValidationInfo) -> str:
        fault = fault_of_unit(info.data.get("measure", ""), unit)
        if fault is not None:
            raise PydanticCustomError("unit", "{fault}", {"fault": fault})
        return unit


class ParticipantsIn(Received):
    """The people who took part, each in one class."""

    international: Count
    local: Count
    esn_volunteer: Count
    unclassified: Annotated[Count, Field(description="Those whose class is not known.")] = 0

    @property
    def by_class(self) -> tuple[int, int, int, int]:
        """The four numbers."""
        return self.international, self.local, self.esn_volunteer, self.unclassified


class ReportIn(Received):
    """What happened, as the organiser reports it; what is left out of people and hours comes from the check-ins."""

    outcome: Outcome
    reason: Annotated[
        Annotated[LongText, Field(max_length=2000)] | None,
        Field(validate_default=True, description="Why it shrunk or was cancelled."),
    ] = None
    participants: Annotated[ParticipantsIn | None, Field(description="None: those who were checked in.")] = None
    hours: Annotated[
        Hours | None, Field(description="Hours of volunteering by everybody together. None: the sum of the check-ins.")
    ] = None
    beneficiaries: Count | None = None
    quantities: Annotated[list[QuantityIn], Field(max_length=50)] = []
    partner: Line | None = None
    outcome_text: _Text | None = None
    learned: _Text | None = None

    @field_validator("reason")
    @classmethod
    def _reason_unless_held(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if reason is None and info.data.get("outcome") in {Outcome.SHRUNK, Outcome.CANCELLED}:
            raise PydanticCustomError("reason_missing", "Say why it shrunk or was cancelled.")
        return reason

    @field_validator("participants", "hours", "beneficiaries", "quantities")
    @classmethod
    def _nothing_when_cancelled(cls, value: Any, info: ValidationInfo) -> Any:
        people = any(value.by_class) if isinstance(value, ParticipantsIn) else value
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


class ParticipantsOut(Sent):
    """The people who took part; null is not stated."""

    international: int | None
    local: int | None
    esn_volunteer: int | None
    unclassified: int | None
    total: int | None


class CheckedInOut(Sent):
    """What the check-ins said when the report was written."""

    international: int
    local: int
    esn_volunteer: int
    hours: float | None


class QuantityOut(Sent):
    """An amount that the activity moved."""

    measure: str
    unit: str
    amount: str
    qualifier: Qualifier


class HistoryOut(Sent):
    """One thing that was done to the report."""

    revision: int
    verb: str
    actor_id: UUID | None
    actor_role: str
    reason: str | None
    at: datetime


class ReportOut(Sent):
    """A report, as those in reach of its activity read it."""

    activity_id: UUID
    state: State
    revision: int
    source: Source
    outcome: Outcome
    reason: str | None
    participants: ParticipantsOut
    checked_in: CheckedInOut | None
    hours: float | None
    beneficiaries: int | None
    quantities: list[QuantityOut]
    partner: str | None
    outcome_text: str | None
    learned: str | None
    returned_because: str | None
    updated_at: datetime
    history: list[HistoryOut]
