"""What a report is made of, as it is received and as it is sent: people, amounts, photos, hints, history."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.impact.reports.measures import fault_of_measure, fault_of_unit
from services.impact.reports.plausibility import HintCode, Severity
from services.impact.reports.rules import Permission, Qualifier
from services.kernel.texts import Count, Line, Link, Received, Sent, Storable


def _decimal(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,10})?", value):
        return Decimal(value)
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    raise PydanticCustomError("decimal_number", 'Must be a decimal number, as "12.5".')


def _known_measure(code: str) -> str:
    fault = fault_of_measure(code)
    if fault is not None:
        raise PydanticCustomError("measure", "{fault}", {"fault": fault})
    return code


def _encrypted(url: str) -> str:
    if not url.startswith("https://"):
        raise PydanticCustomError("https", "Must be an https:// address.")
    return url


Hours = Annotated[Decimal, BeforeValidator(_decimal), Field(ge=0, le=10_000_000, decimal_places=2)]
Amount = Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0, max_digits=18, decimal_places=6)]


class QuantityIn(Received):
    """An amount that the activity moved."""

    measure: Annotated[
        str,
        Storable,
        StringConstraints(min_length=1, max_length=60),
        AfterValidator(_known_measure),
        Field(
            description="One of GET /impact/v1/quantities, or `other:` with a code of your own; `money` has currencies "
            "as units.",
            examples=["waste"],
        ),
    ]
    unit: Annotated[
        str,
        Storable,
        StringConstraints(min_length=1, max_length=20),
        Field(description='A UCUM code, "1" for what is counted, an ISO 4217 currency for money.', examples=["kg"]),
    ]
    amount: Annotated[Amount, Field(examples=["130"])]
    qualifier: Qualifier = Qualifier.EXACTLY
    given_to: Annotated[
        Line | None, Field(description="The organisation that got it; never a person.", examples=["City food bank"])
    ] = None

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
    total: Annotated[
        Count | None,
        Field(description="Everybody, as counted apart from the classes; what does not agree with them is a hint."),
    ] = None

    @property
    def by_class(self) -> tuple[int, int, int, int]:
        """The four numbers."""
        return self.international, self.local, self.esn_volunteer, self.unclassified


class PhotoIn(Received):
    """A picture of what happened, by its address; it is shown to nobody who may not read the report."""

    url: Annotated[Link, AfterValidator(_encrypted)]
    alternative_text: Line
    permission: Annotated[Permission, Field(description="Why it may be published.")]


class ParticipantsOut(Sent):
    """The people who took part; null is not stated."""

    international: int | None
    local: int | None
    esn_volunteer: int | None
    unclassified: int | None
    total: int | None
    stated_total: int | None


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
    given_to: str | None


class PhotoOut(Sent):
    """A picture by its address."""

    url: str
    alternative_text: str
    permission: Permission


class HintOut(Sent):
    """What may be wrong with the report, where in it, and whether its section said that it is right."""

    code: HintCode
    pointer: str
    detail: str
    severity: Severity
    acknowledged: bool


class HistoryOut(Sent):
    """One thing that was done to the report."""

    revision: int
    verb: str
    actor_id: UUID | None
    actor_role: str
    reason: str | None
    acknowledged: list[str]
    figures: dict[str, Any] | None
    at: datetime
