"""What goes over the wire about editions."""

from __future__ import annotations

from datetime import date

from services.kernel.texts import Sent


class EditionOut(Sent):
    """An edition of a campaign."""

    code: str
    series: str
    season: str | None
    year: int
    starts_on: date | None
    ends_on: date | None
    precision: str
    certainty: str
    theme: str | None
    published_numbers: str | None
    source: str
    sample: bool


class EditionList(Sent):
    """Every edition; a list of some dozens needs no pages."""

    items: list[EditionOut]
    next: None
