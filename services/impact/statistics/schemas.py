"""What goes over the wire about figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from services.kernel.texts import Sent


class MeasureOut(Sent):
    """What a figure counts."""

    title: str
    unit: str = Field(description='UCUM; "1" counts; empty where each value states its own.')
    definition: str


class NamedMeasureOut(MeasureOut):
    """A measure with its name."""

    code: str


class MeasureList(Sent):
    """Every measure."""

    items: list[NamedMeasureOut]
    next: None


class Completeness(Sent):
    """How many of the sections that are active today in the countries and sections asked for have reported."""

    sections_reporting: int
    sections_active: int


class StatisticsOut(Sent):
    """Figures by dimension. A null measure is named in `suppressed`; a null dimension is unstated."""

    by: list[str]
    filters: dict[str, Any]
    measures: dict[str, MeasureOut]
    as_of: datetime | None = Field(description="What was verified up to this instant is counted.")
    completeness: Completeness
    sources: dict[str, int] = Field(
        description="How many of the activities held rest on check-ins, on the organiser's word, or on an import."
    )
    items: list[dict[str, Any]] = Field(
        examples=[[{"country": "IT", "activities": 31, "participants": 402, "hours": 977.5, "suppressed": []}]]
    )
    total: dict[str, Any] = Field(description="The sum of the items.")
