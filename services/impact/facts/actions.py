"""Folding: facts follow verified reports and recorded presences, and the totals follow the facts in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import (
    IMPACT,
    ActivityCancelled,
    ActivityHeld,
    ActivityPublished,
    ActivityRevised,
    AttendanceRecorded,
    ReportReopened,
    ReportVerified,
)
from services.impact.facts import presences, store, totals
from services.impact.facts.rules import Facts, differences, facts_of, where_of
from services.impact.people import actions as people
from services.impact.people import counting
from services.impact.projections import store as projections
from services.kernel import consumers
from services.kernel.events import Recorded, Span

BATCH = 1000
MANY = 1000
"""Beyond so many differences of one kind it is quicker to write everything again."""
_OF_FACTS = (
    ActivityPublished,
    ActivityRevised,
    ActivityHeld,
    ActivityCancelled,
    AttendanceRecorded,
    ReportVerified,
    ReportReopened,
)


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


async def refold(session: AsyncSession, activities: Collection[UUID]) -> set[UUID]:
    """Bring the facts of activities, and the totals with them, to what is known now; answers whose facts changed.

    It looks at states and not at events, so it may be called for the same event twice, late or in any order. Their
    people are counted where they count now.
    """
    found = await projections.lock_activities(session, activities)
    # Which occurrence stands for its series can change with any of them.
    concerned = sorted(await projections.with_their_series(session, found))
    before, stood = await store.stored(session, concerned), await store.places(session, concerned)
    after = await _facts(session, concerned)
    numbers = await counting.places(session, {where_of(facts) for facts in after.values()})
    stand = {identity: numbers[where_of(facts)] for identity, facts in after.items()}
    changed = {identity for identity in concerned if before.get(identity) != after.get(identity)}
    await store.replace(session, {identity: after.get(identity) for identity in sorted(changed)}, stand)
    await totals.add(session, differences((before.get(identity), after.get(identity)) for identity in changed))
    moves = {identity: (stood.get(identity), stand.get(identity)) for identity in concerned}
    await counting.move(session, {identity: move for identity, move in moves.items() if move[0] != move[1]})
    return changed


async def keep_attendances(session: AsyncSession, told: Sequence[Recorded] | Span) -> None:
    """Keep attendances as the log tells of them, and add what they change to whatever they count in."""
    news = await presences.keep(session, told)
    counted = [each for each in news if each.has_facts]
    emptied = await presences.add(session, counted)
    # Of those without facts some have none because they are not known.
    await refold(session, {*emptied, *(each.activity_id for each in news if not each.has_facts)})


async def _facts(session: AsyncSession, activities: Collection[UUID]) -> dict[UUID, Facts]:
    known = await store.known(session, list(activities))
    return {identity: facts for identity, each in known.items() if (facts := facts_of(each)) is not None}


async def rebuild(session: AsyncSession) -> Rebuilt:
    """Make every fact and every total anew, and say how many of those that folding had kept were different.

    All of it is read beside the consumer, which goes on; only what is different is written, by adding what is missing,
    so that it does not matter what the consumer has added since. Where much is different all is written again.
    """
    await session.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
    await session.execute(sa.text("SET LOCAL statement_timeout = '10min'"))
    await session.execute(sa.text("SET LOCAL work_mem = '256MB'"))
    suspects: set[UUID] = set()
    activities, after, is_last = 0, None, False
    while not is_last:
        identities, span = await store.activities_after(session, after, limit=BATCH)
        stored, facts = await store.stored_within(session, span), await _facts(session, identities)
        suspects.update(identity for identity in {*stored, *facts} if stored.get(identity) != facts.get(identity))
        activities, after, is_last = activities + len(facts), span[1], span[1] is None
    wrong = [(kept, *await totals.corrections(session, kept, most=MANY)) for kept in totals.ALL]
    wrong_people = await people.wrong(session)
    # The first statement that writes: from here on the consumer waits, and events of others wait for the commit.
    await consumers.hold(session, IMPACT)
    if len(suspects) > MANY or wrong_people.are_many or any(number > MANY for _, number, _ in wrong):
        changed = await _make_anew(session, suspects)
    else:
        changed = await _mend(session, suspects)
        for kept, _, rows in wrong:
            await totals.add_rows(session, kept, rows)
        await people.correct(session, wrong_people)
    # Read last: whatever was seen above has its event in the log by now. What was not heard of yet was rightly
    # different, and another occurrence of its series may stand for it then.
    unread = await consumers.unread(session, IMPACT, _OF_FACTS)
    rightly = await projections.with_their_series(session, [UUID(aggregate) for aggregate in unread])
    return Rebuilt(
        activities=activities,
        cells=await totals.count(session, totals.FIGURES.totals),
        quantity_cells=await totals.count(session, totals.QUANTITIES.totals),
        wrong_facts=len(changed - rightly),
        wrong_cells=sum(number for _, number, _ in wrong) + len(wrong_people),
    )


async def _mend(session: AsyncSession, suspects: Collection[UUID]) -> set[UUID]:
    """Fold what is known of these activities; answers whose facts were wrong."""
    ordered, changed = sorted(suspects), set[UUID]()
    for begin in range(0, len(ordered), BATCH):
        changed |= await refold(session, ordered[begin : begin + BATCH])
    return changed


async def _make_anew(session: AsyncSession, suspects: Collection[UUID]) -> set[UUID]:
    """Replace the facts of these activities, then every total and every count of people by one statement each."""
    ordered, changed = sorted(suspects), set[UUID]()
    for begin in range(0, len(ordered), BATCH):
        batch = ordered[begin : begin + BATCH]
        before, after = await store.stored(session, batch), await _facts(session, batch)
        wrong = {identity: after.get(identity) for identity in batch if before.get(identity) != after.get(identity)}
        await store.replace(session, wrong)
        changed |= wrong.keys()
    for kept in totals.ALL:
        await totals.make_anew(session, kept)
    await people.count_anew(session)
    return changed
