"""The list of activities as it goes over the wire."""

from __future__ import annotations

from pydantic import Field

from services.activities.catalogue.schemas import ActivityOut
from services.kernel.texts import Sent


class CountOut(Sent):
    """How many activities have a code."""

    code: str
    count: int


class ActivityPage(Sent):
    """One page of activities."""

    items: list[ActivityOut]
    next: str | None
    facets: dict[str, list[CountOut]] | None = Field(description="On the first page, where `facets` asked for them.")
