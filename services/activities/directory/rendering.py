"""Entries of the directory as everybody reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from services.activities.directory.country_codes import languages_of
from services.activities.directory.schemas import (
    CountryOut,
    MembershipOut,
    OrganisationEntryOut,
    OrganisationOut,
    SectionOut,
)
from services.activities.directory.store import CountryEntry
from services.activities.directory.tables import Country, PlatformMembership, Section
from services.kernel.texts import Sent


def section_out(row: Section, *, platform: str | None, distance_km: float | None = None) -> SectionOut:
    """A section."""
    return SectionOut(
        code=row.code,
        name=row.name,
        country=row.country,
        platform=platform,
        cities=row.cities,
        university=row.university,
        website=row.website,
        latitude=row.latitude,
        longitude=row.longitude,
        state=row.state,
        same_as=row.same_as,
        merged_into=row.merged_into,
        languages=languages_of(row.country) if row.languages is None else row.languages,
        time_zone=row.time_zone,
        distance_km=None if distance_km is None else round(distance_km, 2),
    )


def country_out(entry: CountryEntry) -> CountryOut:
    """A country."""
    country = entry.country
    organisation = None
    if country.organisation_name is not None:
        organisation = OrganisationOut(name=country.organisation_name, website=country.organisation_website)
    return CountryOut(
        code=country.code,
        name=country.name,
        organisation=organisation,
        sections_active=entry.sections_active,
        platform=entry.platform,
    )


def organisation_out(country: Country) -> OrganisationEntryOut:
    """A country's organisation, to be changed."""
    return OrganisationEntryOut(
        country=country.code,
        name=country.organisation_name,
        website=country.organisation_website,
        revision=country.organisation_revision,
    )


def memberships_out(rows: Iterable[PlatformMembership], names: Mapping[str, str]) -> list[MembershipOut]:
    """Memberships with the names of their countries."""
    return [
        MembershipOut(
            country=row.country,
            country_name=names[row.country],
            platform=row.platform,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            certainty=row.certainty,
            source=row.source,
        )
        for row in rows
    ]


def body_of(content: Sent) -> bytes:
    """The bytes that go over the wire."""
    return content.model_dump_json(by_alias=True).encode()


def etag_of(content: Sent) -> str:
    """The strong ETag of what everybody reads, for If-Match."""
    return f'"{hashlib.sha256(body_of(content)).hexdigest()[:32]}"'
