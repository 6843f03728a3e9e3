"""What follows for activities when something beside them changes: time, places, platforms, editions, partners."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.activities.campaigns import store as campaigns
from services.activities.catalogue import rules, store
from services.activities.catalogue.actions import FOLLOW, REGROUP, changed
from services.activities.catalogue.rendering import render
from services.activities.directory import store as directory
from services.activities.directory.platforms import platform_on
from services.activities.partners import store as partners
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


async def hear_of_availability(session: AsyncSession, settings: Settings, event: contracts.AvailabilityChanged) -> None:
    """Show whether an activity has places; what was heard before is passed over."""
    row = await store.lock_activity(session, event.activity_id)
    if row is None or row.availability_revision >= event.revision:
        return
    row.has_places, row.availability_revision = event.has_places, event.revision
    row.updated_at = moment = await store.now(session)
    render(row, settings, now=moment)
