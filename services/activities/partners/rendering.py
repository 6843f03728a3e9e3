"""Turns a partner's row into what a reader may see of it."""

from __future__ import annotations

from services.activities.partners.schemas import OwnerOut, PartnerOut
from services.activities.partners.tables import Partner
from services.kernel.auth import Actor
from services.kernel.settings import Settings


def may_change(actor: Actor, row: Partner) -> bool:
    """Whether somebody may change a partner: it was entered by their section or country, or they reach further."""
    return actor.reaches(sections=frozenset({row.section} if row.section else ()), country=row.owner_country)


def shown(row: Partner, settings: Settings, actor: Actor | None) -> PartnerOut:
    """The partner; its mailbox only for coordinators in reach."""
    in_reach = actor is not None and may_change(actor, row)
    return PartnerOut(
        id=row.id,
        url=f"{settings.base_url}/activities/v1/partners/{row.id}",
        name=row.name,
        kind=row.kind,
        level=row.level,
        city=row.city,
        country=row.country,
        website=row.website,
        causes=row.causes,
        areas=row.areas,
        description=row.description,
        contact_email=row.contact_email if in_reach else None,
        owner=OwnerOut(section=row.section, country=row.owner_country),
        updated_at=row.updated_at,
    )
