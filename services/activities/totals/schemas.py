"""What goes over the wire about how an edition stands."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from services.activities.campaigns.schemas import EditionOut
from services.kernel.texts import Sent


class ActivityCounts(Sent):
    """Activities by what became of them: a series once, a joint day by its local parts.

    Sample activities count in sample editions only.
    """

    published: int = Field(description="To come or under way, or past and not yet said to have taken place.")
    held: int
    cancelled: int
    reported: int | None = Field(
        description="Whose verified report says that they took place: people and hours are theirs. Null: none yet."
    )


class People(Sent):
    """People who took part according to verified reports; null where none was verified."""

    international: int | None
    local: int | None
    esn_volunteer: int | None
    unclassified: int | None = Field(description="Whose class the report does not state.")


class Totals(Sent):
    """What an edition amounts to so far."""

    activities: ActivityCounts
    sections: int = Field(description="That organise one that is published or held, alone or with others.")
    countries: int = Field(description="In which sections lead one that is published or held.")
    participants: People
    attendances: int | None
    hours: float | None
    as_of: datetime | None = Field(description="Until when verified reports are counted; activities count as of now.")


class Growth(Sent):
    """How far a figure is from what it was: above it, or below."""

    absolute: float | None = Field(description="Null where one of the two is not known.")
    ratio: float | None = Field(description="As a part of what it was; null where that is nought or not known.")


class Comparison(Sent):
    """An earlier edition, as it stands now, and how this one compares with it so far."""

    code: str
    totals: Totals
    growth: dict[str, Growth] = Field(
        description="By figure: activities_published, activities_held, activities_cancelled, activities_reported, "
        "sections, countries, participants_…, attendances and hours."
    )


class EditionStanding(EditionOut):
    """An edition with its totals so far."""

    totals: Totals
    previous: Comparison | None = Field(
        description="The edition before it in time, in its own series or in those it took the place of."
    )
    same_season_before: Comparison | None = Field(description="Likewise, of the same season a year earlier.")
