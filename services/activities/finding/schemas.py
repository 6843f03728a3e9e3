"""What is found as it goes over the wire: the list of activities, and a partner with its own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.activities.catalogue.rules import State
from services.activities.catalogue.schemas import ActivityOut
from services.activities.partners.schemas import PartnerOut
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
    is_cut_off: bool = Field(
        description="Whether as many have the words of `q` as are ranked at most, so that there may be more."
    )


class PartnersActivityOut(Sent):
    """One of a partner's activities, in short."""

    id: UUID
    url: str
    state: State
    title: str
    starts_at: datetime | None
    country: str | None
    sections: list[str]
    contributions: list[str]


class PartnerDetailOut(PartnerOut):
    """A partner with its latest public activities."""

    activities: list[PartnersActivityOut] = Field(description="The latest public ones.")
    activities_url: str = Field(description="The list of all its public activities.")
    contributions: dict[str, int] = Field(description="To how many public activities it contributed what.")
    sections: list[str] = Field(description="The sections that it worked with.")
