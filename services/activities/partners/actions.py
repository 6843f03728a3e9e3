"""What coordinators do to partners: enter, revise, merge."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.directory import store as directory
from services.activities.partners import rules, store
from services.activities.partners.rendering import may_change
from services.activities.partners.schemas import NewPartner, PartnerDraft
from services.activities.partners.tables import Partner
from services.activities.taxonomies import actions as taxonomies
from services.activities.taxonomies.actions import Named
from services.activities.taxonomies.rules import Label
from services.kernel.auth import Actor, Role
from services.kernel.ids import new_id
from services.kernel.problems import FieldError, Invalid

_PLAIN = ("name", "kind", "level", "city", "country", "website", "causes", "areas", "description")


async def enter(session: AsyncSession, actor: Actor, wanted: NewPartner) -> Partner:
    """Enter a partner for one's section or country, unless it seems to be known already."""
    section, country = await _owner(session, actor, wanted.section)
    row = Partner(id=new_id(), revision=1, section=section, owner_country=country, merged_into=None, is_followed=True)
    check_reach(actor, row)
    _check_country(wanted)
    await _check_labels(session, wanted)
    await store.hold_names(session, wanted.country)
    if not wanted.even_if_similar:
        known = await store.similar(session, name=wanted.name, country=wanted.country)
        if known:
            raise rules.SimilarPartner(
                errors=[FieldError(pointer="#/name", detail=f"Similar: {address(each)}") for each in known]
            )
    _fill(row, wanted)
    row.created_at = row.updated_at = await store.now(session)
    store.add(session, row)
    return row


async def revise(session: AsyncSession, actor: Actor, row: Partner, wanted: PartnerDraft) -> Partner:
    """Change a locked partner; the activities that name it follow a new name."""
    check_reach(actor, row)
    _check_country(wanted)
    await _check_labels(session, wanted, kept=_labels(row.areas, row.causes))
    if row.name != wanted.name:
        row.is_followed = False
    _fill(row, wanted)
    row.revision += 1
    row.updated_at = await store.now(session)
    return row


async def _check_labels(session: AsyncSession, wanted: PartnerDraft, *, kept: list[Label] | None = None) -> None:
    named = [
        *(Named(f"#/areas/{number}", Label("areas", code)) for number, code in enumerate(wanted.areas)),
        *(Named(f"#/causes/{number}", Label("causes", code)) for number, code in enumerate(wanted.causes)),
    ]
    faults = await taxonomies.faults_of(session, named, kept=kept or []) if named else []
    if faults:
        raise Invalid(errors=faults)


def _labels(areas: list[str], causes: list[str]) -> list[Label]:
    return [*(Label("areas", code) for code in areas), *(Label("causes", code) for code in causes)]


async def merge(session: AsyncSession, actor: Actor, identity: UUID, into: UUID) -> Partner:
    """Say that one partner is another one: its activities follow, and its id leads there. Once more changes nothing."""
    if actor.role not in {Role.NATIONAL_COORDINATOR, Role.INTERNATIONAL, Role.OPERATOR}:
        raise rules.MergingNeedsACountry
    if identity == into:
        raise Invalid.at("#/into", "Must be another partner.")
    # Both in one order, so that two people who merge them crosswise don't wait for each other.
    rows = {each: await store.lock_partner(session, each) for each in sorted((identity, into))}
    row, target = rows[identity], rows[into]
    if row is None:
        raise rules.PartnerNotFound
    if target is None:
        raise Invalid.at("#/into", "There is no such partner.")
    check_reach(actor, row)
    if target.level != "international":
        check_reach(actor, target)
    if row.merged_into == target.id:
        return target
    if row.merged_into is not None or target.merged_into is not None:
        raise rules.PartnerMerged
    row.merged_into, row.is_followed = target.id, False
    row.revision += 1
    row.updated_at = await store.now(session)
    await store.lead_on(session, old=row.id, new=target.id)
    return target


async def lock(session: AsyncSession, identity: UUID) -> Partner:
    """The partner, locked, or a 404."""
    row = await store.lock_partner(session, identity)
    if row is None:
        raise rules.PartnerNotFound
    return row


def check_reach(actor: Actor, row: Partner) -> None:
    """Refuse an actor into whose reach the partner's owner does not fall."""
    if not may_change(actor, row):
        raise rules.PartnerOutOfReach


def address(identity: UUID) -> str:
    """Where a partner is read, on this host."""
    return f"/activities/v1/partners/{identity}"


async def _owner(session: AsyncSession, actor: Actor, section: str | None) -> tuple[str | None, str | None]:
    code = section or actor.section
    if code is None:
        return None, actor.country
    known = await directory.section(session, code)
    if known is None:
        raise Invalid.at("#/section", "There is no section with this code.")
    return code, known.country


def _check_country(wanted: PartnerDraft) -> None:
    if wanted.country is None and wanted.level != "international":
        raise Invalid.at("#/country", "A partner that is not international has a country.")


def _fill(row: Partner, wanted: PartnerDraft) -> None:
    for name in _PLAIN:
        setattr(row, name, getattr(wanted, name))
    row.contact_email = wanted.contact_email.given if wanted.contact_email else None


def description(row: Partner) -> dict[str, object]:
    """The row in the words of `PartnerDraft`, so that a change can be laid over it."""
    return {**{name: getattr(row, name) for name in _PLAIN}, "contact_email": row.contact_email}
