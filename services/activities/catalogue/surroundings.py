"""What descriptions are filled in with, read for many of them at once and held until the transaction ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns import store as campaigns
from services.activities.catalogue import rules
from services.activities.catalogue.drafts import ActivityDraft
from services.activities.directory import store as directory
from services.activities.directory.platforms import platform_on
from services.activities.directory.tables import PlatformMembership, Section
from services.activities.partners import store as partners
from services.activities.partners.tables import Partner
from services.activities.taxonomies import store as taxonomies
from services.activities.taxonomies.store import Usable

_SCHEMES: Final = frozenset({"kinds", "programmes", "modes", "areas", "causes", "objectives"})


class Surroundings(NamedTuple):
    """Sections, terms, editions, platforms and partners as they are, and stay until the transaction has ended."""

    sections: Mapping[str, Section]
    terms: Sequence[Usable]
    editions: frozenset[str]
    claims: Mapping[tuple[date, str | None], str | None]
    memberships: Mapping[str, Sequence[PlatformMembership]]
    partners: Mapping[UUID, Partner]

    def edition_on(self, day: date, country: str) -> str | None:
        """The edition to which a day of one of the descriptions belongs."""
        return self.claims[day, country]

    def platform_on(self, day: date, country: str) -> str | None:
        """The platform that a country is in on a day."""
        return platform_on(self.memberships.get(country, ()), day)


async def read(session: AsyncSession, drafts: Sequence[ActivityDraft]) -> Surroundings:
    """What these descriptions need, in as many statements as for one of them.

    It must be read where nothing takes it back: what a savepoint has locked, its rollback lets go.
    """
    known = await directory.sections_to_name(session, {each.code for draft in drafts for each in draft.organisers})
    terms = await taxonomies.usable(session, _SCHEMES)
    named = {draft.edition for draft in drafts if draft.edition is not None}
    editions = await campaigns.known_among(session, named) if named else frozenset()
    identities = {each.id for draft in drafts for each in draft.partners if each.id is not None}
    held = await partners.held(session, identities) if identities else {}
    memberships = await directory.held_memberships(session, {section.country for section in known.values()})
    days = {place for draft in drafts if (place := _day_and_country(draft, known)) is not None}
    claims = await campaigns.editions_on(session, days) if days else {}
    return Surroundings(known, terms, editions, claims, memberships, held)


def _day_and_country(draft: ActivityDraft, known: Mapping[str, Section]) -> tuple[date, str | None] | None:
    lead = known.get(draft.lead())
    if lead is None:
        return None
    try:
        starts_at = rules.instant(draft.starts_at, ZoneInfo(draft.time_zone or lead.time_zone))
    except rules.WallClockError:
        # Filling it in says so.
        return None
    return rules.edition_day(starts_at, lead.time_zone), lead.country
