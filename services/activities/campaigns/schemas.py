"""What goes over the wire about series and editions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field, model_validator

from services.activities.campaigns import rules
from services.kernel.texts import Code, Day, Line, LongText, Received, Sent


class SeriesOut(Sent):
    """A series of editions. `last_year` null: it goes on."""

    code: str
    names: dict[str, str] = Field(description="By language.", examples=[{"en": "Social Impact Days"}])
    first_year: int
    last_year: int | None
    predecessor: str | None = Field(description="The series that it took the place of.")
    successor: str | None = Field(description="The series that took its place.")
    claims_activities: bool = Field(description="False for gatherings: nothing belongs to them by its date.")


class SeriesList(Sent):
    """Every series."""

    items: list[SeriesOut]
    next: None


class NationalDatesOut(Sent):
    """The days of an edition in one country, in the place of the edition's own."""

    country: str
    starts_on: date
    ends_on: date
    theme: str | None
    note: str | None


class EditionOut(Sent):
    """An edition of a series. Both its days belong to it."""

    code: str
    series: str = Field(description="The code of its series.")
    season: str | None
    year: int
    starts_on: date | None
    ends_on: date | None
    precision: str = Field(description="How exactly the dates are known: day, month or unknown.")
    certainty: str
    theme: str | None
    published_numbers: str | None = Field(description="Figures that were published at the time, in their own words.")
    source: str
    sample: bool
    national_dates: list[NationalDatesOut] = Field(description="Where a country keeps other days.")


class EditionList(Sent):
    """Editions, the newest first; a list of some dozens needs no pages."""

    items: list[EditionOut]
    next: None


class NationalDatesIn(Received):
    """The days of an edition in one country; both belong to it. Its `country`, as it is read, may be sent back."""

    starts_on: Day
    ends_on: Day
    theme: Line | None = None
    note: LongText | None = Field(default=None, description="Why they differ.")

    @model_validator(mode="before")
    @classmethod
    def _as_read(cls, sent: Any) -> Any:
        # The address says which country it is.
        return {name: value for name, value in sent.items() if name != "country"} if isinstance(sent, dict) else sent


class EditionDescription(Received):
    """What can be revised of an edition. Both days belong to it."""

    starts_on: Day | None = None
    ends_on: Day | None = None
    precision: Annotated[
        rules.Precision, Field(description="Where only months are known, give the first and the last day of them.")
    ] = "day"
    theme: Line | None = None
    certainty: Line = "stated"
    source: LongText | None = None
    published_numbers: LongText | None = None


class EditionIn(EditionDescription):
    """An edition to be announced; its code follows from its season and year."""

    series: Code
    season: rules.Season | None = Field(default=None, description="Of a campaign; a gathering has none.")
    year: Annotated[int, Field(strict=True, ge=2000, le=2100)]
