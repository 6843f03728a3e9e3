"""What goes over the wire about sections and countries."""

from __future__ import annotations

from services.kernel.texts import Sent


class SectionOut(Sent):
    """A local section of ESN."""

    code: str
    name: str
    country: str
    cities: list[str]
    university: str | None
    website: str | None
    latitude: float | None
    longitude: float | None
    state: str
    same_as: str | None
    time_zone: str


class SectionPage(Sent):
    """One page of sections."""

    items: list[SectionOut]
    next: str | None


class CountryOut(Sent):
    """A country of the network."""

    code: str
    sections_active: int


class CountryList(Sent):
    """Every country that has a section."""

    items: list[CountryOut]
    next: None
