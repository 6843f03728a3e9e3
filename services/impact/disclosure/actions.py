"""Releasing the tables of an academic year, once."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from services.contracts import IMPACT
from services.impact.disclosure import rules, store
from services.impact.disclosure.adding import protect_with
from services.kernel.consumers import read_up_to
from services.kernel.runtime import Runtime


async def release_due(runtime: Runtime) -> str | None:
    """Release the tables of the earliest academic year that is closed and has none; answers which it was.

    All tables of a year are released together, and never again: between two releases nobody can take the difference.
    Counting reads one snapshot and deciding holds no transaction, for both take their time in a large year.
    """
    async with runtime.reading() as session:
        await session.execute(sa.text("SET LOCAL statement_timeout = '10min'"))
        today = await store.today(session)
        due = [year for year in await store.unreleased(session) if rules.released_from(year) <= today]
        if not due:
            return None
        year = due[0]
        as_of = await read_up_to(session, IMPACT) or await store.now(session)
        groups = await store.groups(session, year)
    told = []
    for label in rules.LABELS:
        people = rules.counted(groups, year, label)
        # The worker goes on with its other work meanwhile.
        shapes, sections = rules.shapes(label), rules.shape_of_sections(label)
        told += rules.told_rows(await asyncio.to_thread(protect_with, people, shapes, sections))
    async with runtime.unit_of_work() as session:
        if not await store.hold_releasing(session) or year not in await store.unreleased(session):
            # Somebody else released it meanwhile.
            return None
        await store.keep(session, year, as_of, told)
    return year
