"""What goes over the wire about rankings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from services.impact.statistics.schemas import Completeness
from services.kernel.texts import Received, Sent


class PlaceOut(Sent):
    """A section's place."""

    place: int = Field(description="Sections with the same value share one.")
    section: str
    title: str | None
    country: str | None
    value: float
    numerator: float | None = Field(description="Of a ratio: what is above the line.")
    denominator: float | None = Field(description="Of a ratio: what is below the line.")


class RankingOut(Sent):
    """The sections that stand in a ranking, the first first."""

    by: str
    rule: str = Field(description="How it is worked out.")
    filters: dict[str, Any]
    period: dict[str, Any] | None
    before: dict[str, Any] | None = Field(description="The period that it is compared with.")
    as_of: datetime | None
    completeness: Completeness
    sources: dict[str, int]
    items: list[PlaceOut]
    next: str | None


class SizeIn(Received):
    """How many international students a section hosts in an academic year."""

    international_students: Annotated[int, Field(strict=True, ge=1, le=100_000)]


class SizeOut(Sent):
    """How many international students a section hosts in an academic year."""

    section: str
    academic_year: str
    international_students: int
    updated_at: datetime


class SizeList(Sent):
    """What was said of a section, the last academic year first."""

    items: list[SizeOut]
    next: None


class RankingChoice(Sent):
    """Whether a section stands in rankings."""

    section: str
    is_ranked: bool
    since: datetime | None = Field(description="Since when it does not.")
