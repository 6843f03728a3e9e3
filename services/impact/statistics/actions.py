"""Telling the others what editions add up to."""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import IMPACT, EditionTotalsChanged
from services.impact.facts.rules import Figures
from services.impact.statistics import store
from services.impact.statistics.rules import Asked
from services.impact.statistics.tables import ToldEdition
from services.kernel import events
from services.kernel.consumers import read_up_to

MOST_EDITIONS: Final = 10_000
TOLD: Final = (
    "activities",
    "participants_international",
    "participants_local",
    "participants_esn_volunteer",
    "participants_unclassified",
    "attendances",
    "hours",
)


async def tell_editions(session: AsyncSession) -> int:
    """Tell of every edition whose figures are not those told last; answers how many there were.

    It compares and is not called by what changes figures, so that a rush of reports, or a rebuild, is told once.
    """
    known = await store.lock_told(session)
    if known is None:
        return 0
    # Read before the figures: they may be newer than what they are said to be, never older.
    as_of = await read_up_to(session, IMPACT) or await store.now(session)
    groups = await store.groups(session, Asked(by=("edition",), measures=()), most=MOST_EDITIONS)
    present = {group.key[0]: group.figures for group in groups if group.key[0] is not None}
    told = 0
    for edition in sorted(present.keys() | known.keys()):
        row, figures = known.get(edition), present.get(edition, Figures())
        values = {name: getattr(figures, name) for name in TOLD}
        if row is not None and all(getattr(row, name) == value for name, value in values.items()):
            continue
        entry = row or ToldEdition(edition=edition, revision=0)
        entry.revision += 1
        entry.told_at = await store.now(session)
        for name, value in values.items():
            setattr(entry, name, value)
        session.add(entry)
        event = EditionTotalsChanged(edition=edition, revision=entry.revision, as_of=as_of, **values)
        await events.record(session, event)
        told += 1
    return told
