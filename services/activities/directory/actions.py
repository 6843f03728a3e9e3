"""What is done with the directory: its entries, and tokens for the coordinators of its sections and countries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.activities.directory import ownership, rules, store
from services.activities.directory.country_codes import COUNTRIES
from services.activities.directory.country_rows import CountryRow
from services.activities.directory.platforms import Membership, flaws_of
from services.activities.directory.schemas import MembershipsIn, OrganisationIn, SectionChanges
from services.activities.directory.section_rows import SectionRow
from services.activities.directory.tables import Country, OrganisationChange, Section
from services.kernel import auth, events
from services.kernel.auth import Actor, Role
from services.kernel.failures import Stop
from services.kernel.problems import FieldError, Invalid

_NETWORK = frozenset({Role.INTERNATIONAL, Role.OPERATOR})


async def issue_token(
    session: AsyncSession, *, role: Role, section: str | None, country: str | None, label: str, lasts: timedelta
) -> str:
    """A bearer token for a role; a local coordinator's country is that of the section. `Stop` when they don't fit."""
    if (role is Role.LOCAL_COORDINATOR) != (section is not None):
        raise Stop("A local coordinator's token needs --section, and no other role's takes one.")
    if section is not None:
        known = await store.section(session, section)
        if known is None:
            raise Stop("There is no section with this code in the directory.")
        country = known.country
    elif (role is Role.NATIONAL_COORDINATOR) != (country is not None):
        raise Stop("A national coordinator's token needs --country, and no other role's takes one.")
    return await auth.issue(session, role=role, section=section, country=country, label=label, lasts=lasts)


def check_network(actor: Actor) -> None:
    """Refuse everybody but ESN International and operators."""
    if actor.role not in _NETWORK:
        raise rules.NetworkOnly


def check_reach(actor: Actor, row: Section) -> None:
    """Refuse an actor who does not coordinate a section."""
    if not actor.reaches(sections=frozenset({row.code}), country=row.country):
        raise rules.SectionOutOfReach


async def record_section(session: AsyncSession, row: SectionRow) -> bool:
    """Enter a section into the directory, or bring its entry up to date; answers whether anything changed."""
    await store.hold_naming(session)
    known = await store.section(session, row.code)
    if known is None:
        entry = Section(
            code=row.code, name=row.name, country=row.country, cities=list(row.cities), university=row.university,
            website=row.website, latitude=row.latitude, longitude=row.longitude, state=row.state, same_as=row.same_as,
            time_zone=row.time_zone, edited=[], is_followed=True, former_names=[],
        )  # fmt: skip
        store.add(session, entry)
        await _recorded(session, entry)
        return True
    wanted = {
        each.column: each.listed
        for each in ownership.differences(values_of(known), row, known.edited)
        if each.wins == "source"
    }
    if known.same_as != row.same_as:
        wanted["same_as"] = row.same_as
    return await change_section(session, known, wanted)


def values_of(entry: Section) -> dict[str, Any]:
    """An entry's columns by their names."""
    return {column.name: getattr(entry, column.name) for column in Section.__table__.columns}


async def change_section(session: AsyncSession, entry: Section, changes: Mapping[str, Any]) -> bool:
    """Write what differs; a section that is not merged any more has no successor, and its activities follow it."""
    wanted = dict(changes)
    if wanted.get("state", entry.state) != "merged":
        wanted["merged_into"] = None
    differing = {name: value for name, value in wanted.items() if getattr(entry, name) != value}
    if "name" in differing:
        entry.former_names = [*(name for name in entry.former_names if name != entry.name), entry.name]
    if differing.keys() & {"name", "country", "time_zone"}:
        entry.is_followed = False
    for name, value in differing.items():
        setattr(entry, name, value)
    if differing:
        await _recorded(session, entry)
    return bool(differing)


async def edit_section(session: AsyncSession, actor: Actor, row: Section, changes: SectionChanges) -> Section:
    """Change a locked section as its coordinators say; what they state, no list overwrites from then on."""
    fields = changes.model_fields_set
    if fields & {"state", "merged_into"}:
        check_network(actor)
    wanted: dict[str, Any] = {name: getattr(changes, name) for name in fields}
    successor = wanted.get("merged_into")
    if successor is not None:
        if wanted.get("state", row.state) != "merged":
            raise Invalid.at("#/merged_into", "Only a merged section has a successor.")
        await _check_successor(session, actor, row, successor)
    wanted["edited"] = sorted({*row.edited, *ownership.edited_by(fields)})
    await change_section(session, row, wanted)
    return row


async def _check_successor(session: AsyncSession, actor: Actor, row: Section, code: str) -> None:
    await store.hold_merging(session)
    successor = await store.section(session, code)
    if successor is None:
        raise Invalid.at("#/merged_into", "There is no section with this code.")
    line = [successor, *await store.successors(session, successor)]
    if row in line:
        raise Invalid.at("#/merged_into", "A section can't merge into itself, nor into one that merged into it.")
    if line[-1].state not in ownership.ACTIVE:
        raise Invalid.at("#/merged_into", "This section is no more, and nobody else is known to be its successor.")
    if line[-1].country != row.country and actor.role is not Role.INTERNATIONAL:
        raise Invalid.at("#/merged_into", "Only ESN International lets sections of two countries merge.")


async def _recorded(session: AsyncSession, entry: Section) -> None:
    entry.updated_at = await store.now(session)
    if (country := COUNTRIES.get(entry.country)) is not None:
        await store.ensure_country(session, entry.country, country.name)
    await events.record(
        session,
        contracts.SectionRecorded(
            code=entry.code,
            title=entry.name,
            country=entry.country,
            state=entry.state,
            time_zone=entry.time_zone,
            successor=entry.merged_into,
        ),
    )


async def record_country(session: AsyncSession, row: CountryRow) -> bool:
    """Enter a country's organisation, and its platform where none was ever known; answers whether anything changed."""
    await store.ensure_country(session, row.code, row.name)
    entry = await store.lock_country(session, row.code)
    assert entry is not None
    has_changed = False
    # What the country states of itself, no list overwrites.
    listed = () if entry.organisation_revision else ("organisation_name", "organisation_website")
    for name in listed:
        if getattr(entry, name) != getattr(row, name):
            setattr(entry, name, getattr(row, name))
            entry.updated_at = await store.now(session)
            has_changed = True
    if row.platform is not None and not await store.memberships(session, country=row.code):
        stated = Membership(row.platform, None, None, "stated", row.note or "a list of countries")
        await _replace_memberships(session, row.code, [stated])
        has_changed = True
    return has_changed


def check_organisation_reach(actor: Actor, country: str) -> None:
    """Refuse everybody but the country's national coordinator, ESN International and operators."""
    if not actor.reaches(sections=frozenset(), country=country):
        raise rules.OrganisationOutOfReach


async def edit_organisation(session: AsyncSession, actor: Actor, country: Country, wanted: OrganisationIn) -> None:
    """Say what a locked country's organisation is; what is as it was is no change."""
    before = {"name": country.organisation_name, "website": country.organisation_website}
    after = {"name": wanted.name, "website": wanted.website}
    if before == after:
        return
    country.organisation_name, country.organisation_website = wanted.name, wanted.website
    country.organisation_revision += 1
    country.updated_at = await store.now(session)
    change = OrganisationChange(
        country=country.code, revision=country.organisation_revision, actor_id=actor.id, actor_role=actor.role.value,
        before=before, after=after,
    )  # fmt: skip
    store.add(session, change)


async def set_memberships(session: AsyncSession, actor: Actor, country: Country, wanted: MembershipsIn) -> None:
    """Put other memberships in the place of a locked country's; its activities follow, batch by batch."""
    check_network(actor)
    listed = [
        Membership(each.platform, each.starts_on, each.ends_on, each.certainty, each.source)
        for each in wanted.memberships
    ]
    known = {platform.code for platform in await store.platforms(session)}
    faults = [
        FieldError(pointer=f"#/memberships/{number}/platform", detail="There is no platform with this code.")
        for number, each in enumerate(listed)
        if each.platform not in known
    ]
    faults += [
        FieldError(pointer=f"#/memberships/{flaw.number}/{flaw.field}", detail=flaw.detail) for flaw in flaws_of(listed)
    ]
    if faults:
        raise Invalid(errors=faults)
    country.updated_at = await store.now(session)
    await _replace_memberships(session, country.code, listed)


async def _replace_memberships(session: AsyncSession, country: str, listed: Collection[Membership]) -> None:
    await store.replace_memberships(session, country, listed)
    store.begin_round(session, country)
