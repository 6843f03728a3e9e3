"""Releasing the tables of an academic year, once."""

from __future__ import annotations

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import IMPACT
from services.impact.disclosure import rules, store
from services.impact.disclosure.protection import protect
from services.kernel.consumers import read_up_to


async def release_due(session: AsyncSession) -> str | None:
    """Release the tables of the earliest academic year that is closed and has none; answers which it was.

    All tables of a year are released together, and never again: between two releases nobody can take the difference.
    """
    if not await store.hold_releasing(session):
        return None
    today = await store.today(session)
    due = [year for year in await store.unreleased(session) if rules.released_from(year) <= today]
    if not due:
        return None
    year = due[0]
    # Read before the people: they may be newer than what they are said to be, never older.
    as_of = await read_up_to(session, IMPACT) or await store.now(session)
    groups = await store.groups(session, year)
    told = []
    for label in rules.LABELS:
        people = rules.counted(groups, year, label)
        # It takes seconds for a large year, in which the worker goes on with its other work.
        told += rules.told_rows(await asyncio.to_thread(protect, people, rules.shapes(label)))
    await store.keep(session, year, as_of, told)
    return year
