"""Folding: the facts of an activity follow its verified report, and the totals follow the facts in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import IMPACT, ReportReopened, ReportVerified
from services.impact.facts import store
from services.impact.facts.rules import difference, facts_of
from services.impact.projections import store as projections
from services.kernel import consumers

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found and made."""

    activities: int
    cells: int
    quantity_cells: int
    wrong_facts: int
    wrong_cells: int

    @property
    def differences(self) -> int:
        """How much of what folding had kept was wrong; anything but 0 is a defect of ours."""
        return self.wrong_facts + self.wrong_cells


async def refold(session: AsyncSession, activity_id: UUID) -> None:
    """Bring the facts of an activity, and the totals with them, to what its report and its projection say now.

    It looks at states and not at events, so it may be called for the same event twice, late or in any order.
    """
    if not await projections.lock_activity(session, activity_id):
        return
    # Which occurrence stands for its series can change with any of them.
    concerned = sorted(await projections.with_their_series(session, [activity_id]))
    stored = await store.stored(session, concerned)
    facts = {report.activity_id: facts_of(report) for report in await store.verified(session, concerned)}
    for identity in concerned:
        before, after = stored.get(identity), facts.get(identity)
        if before != after:
            await store.replace(session, {identity: after})
            await store.add_to_totals(session, difference(before, after))


async def rebuild(session: AsyncSession) -> Rebuilt:
    """Make every fact and every total anew, and say how many of those that folding had kept were different.

    The consumer waits meanwhile, and readers see the old totals until the commit. A report may be verified or reopened
    while this runs, or just before: its event is then in the log unread, and its facts were rightly different.
    """
    await session.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
    await session.execute(sa.text("SET LOCAL statement_timeout = '10min'"))
    await consumers.hold(session, IMPACT)
    wrong_cells = await store.wrong_cells(session)
    changed: set[UUID] = set()
    activities, after, is_last = 0, None, False
    while not is_last:
        reports, span = await store.verified_after(session, after, limit=BATCH)
        known = await store.stored_within(session, span)
        facts = {report.activity_id: facts_of(report) for report in reports}
        wrong = [identity for identity in {*known, *facts} if known.get(identity) != facts.get(identity)]
        await store.replace(session, {identity: facts.get(identity) for identity in wrong})
        changed.update(wrong)
        activities, after, is_last = activities + len(facts), span[1], span[1] is None
    # Read last: whatever change of a report was seen above has its event in the log by now.
    unread = await consumers.unread(session, IMPACT, (ReportVerified, ReportReopened))
    cells, quantity_cells = await store.sum_up(session)
    # Another occurrence of its series may stand for it from then on.
    rightly = await projections.with_their_series(session, map(UUID, unread))
    wrong_facts = len(changed - rightly)
    return Rebuilt(activities, cells, quantity_cells, wrong_facts, wrong_cells)
