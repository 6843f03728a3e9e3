"""What follows for activities when something beside them changes: time, places, platforms, editions, names."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.activities.campaigns import store as campaigns
from services.activities.catalogue import rules, store
from services.activities.catalogue.actions import FOLLOW, REGROUP, changed, touch
from services.activities.catalogue.describing import edition_by_date
from services.activities.catalogue.rendering import render
from services.activities.catalogue.tables import Activity
from services.activities.directory import store as directory
from services.activities.directory.platforms import platform_on
from services.activities.partners import store as partners
from services.activities.taxonomies import store as taxonomies
from services.activities.taxonomies.rules import SINGULAR
from services.activities.taxonomies.words import REMEMBERED_SECONDS
from services.kernel.settings import Settings


async def turn_due(session: AsyncSession, settings: Settings, *, limit: int = 100) -> int:
    """Render activities anew whose sign-up opened or closed because time passed; answers how many."""
    rows = await store.lock_due_to_turn(session, limit=limit)
    moment = await store.now(session)
    for row in rows:
        row.updated_at = moment
        render(row, settings, now=moment)
    return len(rows)


async def follow_platforms(session: AsyncSession, settings: Settings, *, limit: int = 100) -> int:
    """Put a batch of a country's activities into its platform of their day, and tell of those that moved."""
    asked = await directory.next_round(session)
    if asked is None:
        return 0
    members = await directory.memberships(session, country=asked.country)
    rows = await store.lock_of_country(session, asked.country, after=asked.after, limit=limit)
    for row in rows:
        platform = platform_on(members, row.starts_on) if row.starts_on else None
        if platform != row.platform or asked.announces:
            row.platform = platform
            await changed(session, settings, row, None, FOLLOW)
    if len(rows) < limit:
        await directory.end_round(session, asked)
    else:
        asked.after = rows[-1].id
    return max(1, len(rows))


async def regroup_due(session: AsyncSession, settings: Settings, *, limit: int = 100) -> int:
    """Move activities into the edition to which they belong by date, where the days of editions changed.

    What was set by hand stays. Answers how much was done; 0 also while somebody else works on what is left.
    """
    days = await campaigns.lock_changed_days(session)
    if days is None:
        return 0
    await campaigns.hold_dates(session)
    misplaced = await store.lock_misplaced(session, days, limit=limit)
    for row, edition in misplaced:
        row.edition = edition
        await changed(session, settings, row, None, REGROUP)
    if misplaced:
        return len(misplaced)
    if await store.are_misplaced(session, days):
        return 0
    await store.settle(session, days)
    return 1


async def follow_a_partner(session: AsyncSession, settings: Settings, *, limit: int = 100) -> int:
    """Let activities show the present name of a partner, or the one that it was merged into; answers how many."""
    partner = await partners.take_one_to_follow(session)
    if partner is None:
        return 0
    known = await partners.hold_if_free(session, partner.merged_into) if partner.merged_into else partner
    if known is None:
        return 0
    rows = await store.lock_with_partner(session, partner.id, known.id, known.name, limit=limit)
    moment = await store.now(session)
    for row in rows:
        row.partners = rules.with_partner(row.partners, str(partner.id), str(known.id), known.name)
        row.updated_at = moment
        render(row, settings, now=moment)
    await session.flush()
    # Rows that somebody else holds just now were passed over: they come with the next turn.
    partner.is_followed = not await store.has_partner_left(session, partner.id, known.id, known.name)
    return len(rows)


async def follow_a_section(session: AsyncSession, settings: Settings, *, limit: int = 100) -> int:
    """Let activities show the present name of a section, and those that it leads its country and clock.

    A name is no revision; another country is one, with all that follows from it. Answers how much was done.
    """
    section = await directory.take_one_to_follow(session)
    if section is None:
        return 0
    await campaigns.hold_dates(session)
    rows = await store.lock_with_section(session, section, limit=limit)
    for row, has_moved, is_misplaced, edition in rows:
        row.organisers = rules.with_section(row.organisers, section.code, section.former_names, section.name)
        if has_moved:
            await _move(session, settings, row, section.country)
        elif is_misplaced:
            row.edition = edition
            await changed(session, settings, row, None, REGROUP)
        else:
            await touch(session, settings, row)
    await session.flush()
    # Rows that somebody else holds just now were passed over: they come with the next turn.
    section.is_followed = not await store.has_section_left(session, section)
    if section.is_followed:
        section.former_names = []
    return len(rows) or int(section.is_followed)


async def _move(session: AsyncSession, settings: Settings, row: Activity, country: str) -> None:
    changes = {"country": {"before": row.country, "after": country}}
    row.country = country
    if row.starts_on is not None:
        row.platform = await directory.platform_on(session, country, row.starts_on)
        if not row.edition_set_by_hand:
            row.edition = await edition_by_date(session, row)
    await changed(session, settings, row, None, FOLLOW, changes=changes)


async def follow_a_term(session: AsyncSession, settings: Settings, *, limit: int = 100) -> int:
    """Say of a batch of public activities that they changed, because a term that they carry is called otherwise now.

    Feeds put the names in as they are read: without this nobody who has read them would read them again.
    """
    asked = await taxonomies.next_round(session, older_than=REMEMBERED_SECONDS + 5)
    if asked is None:
        return 0
    label = f"{SINGULAR[asked.scheme]}:{asked.code}"
    rows = await store.lock_with_label(session, label, after=asked.after, limit=limit)
    for row in rows:
        await touch(session, settings, row)
    if len(rows) < limit:
        await taxonomies.end_round(session, asked)
    else:
        asked.after = rows[-1].id
    return max(1, len(rows))


async def hear_of_availability(session: AsyncSession, settings: Settings, event: contracts.AvailabilityChanged) -> None:
    """Show whether an activity has places; what was heard before is passed over."""
    row = await store.lock_activity(session, event.activity_id)
    if row is None or row.availability_revision >= event.revision:
        return
    row.has_places, row.availability_revision = event.has_places, event.revision
    row.updated_at = moment = await store.now(session)
    render(row, settings, now=moment)
