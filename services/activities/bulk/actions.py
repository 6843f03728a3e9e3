"""Carries out many creations and changes of activities, each so that its failure undoes nothing but itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.bulk import rules
from services.activities.bulk.schemas import (
    BulkIn,
    BulkOut,
    CreateActivity,
    Item,
    ItemOut,
    ItemProblem,
    Malformed,
    ReviseActivity,
)
from services.activities.catalogue import actions as catalogue
from services.activities.catalogue import describing, parts, store, surroundings
from services.activities.catalogue.rendering import entity_tag
from services.activities.catalogue.surroundings import Surroundings
from services.activities.catalogue.tables import Activity
from services.kernel.auth import Actor
from services.kernel.problems import FieldError, PreconditionFailed, Problem, invalid
from services.kernel.settings import Settings

Done = TypeVar("Done")


class _Ahead(NamedTuple):
    """What was read for all items: the activities that one item each changes, and what descriptions need.

    It also holds them, since the session itself forgets what nobody refers to.
    """

    rows: Mapping[UUID, Activity]
    around: Surroundings


class _TriedOnly(Exception):
    pass


async def carry_out(session: AsyncSession, settings: Settings, actor: Actor, wanted: BulkIn) -> BulkOut:
    """Carry out each item in its order; with `all_or_nothing` one that is refused is the problem of the whole."""
    ahead = await _read_ahead(session, wanted.items)
    items: list[ItemOut] = []
    faults: list[FieldError] = []
    async with undone_if(session, wanted.dry_run):
        for index, item in enumerate(wanted.items):
            where = f"#/items/{index}"
            try:
                if isinstance(item, Malformed):
                    raise _malformed(item)
                if isinstance(item, CreateActivity):
                    row = await attempt(session, _create(session, settings, actor, item, ahead))
                else:
                    row = await attempt(session, _revise(session, settings, actor, item, ahead))
            except Problem as problem:
                placed = rules.placed(problem, _part(item, problem, where))
                faults += placed
                items.append(_refused(index, problem, placed))
            else:
                is_new = isinstance(item, CreateActivity)
                is_kept = not (wanted.dry_run and is_new)
                items.append(
                    ItemOut(
                        index=index, status=201 if is_new else 200, id=row.id if is_kept else None,
                        etag=None if wanted.dry_run else entity_tag(row), problem=None,
                    )
                )  # fmt: skip
    if faults and wanted.all_or_nothing:
        raise rules.NothingApplied(errors=faults)
    refused = sum(item.problem is not None for item in items)
    return BulkOut(dry_run=wanted.dry_run, succeeded=len(items) - refused, refused=refused, items=items, next=None)


async def attempt(session: AsyncSession, work: Awaitable[Done]) -> Done:
    """Do something in a savepoint of its own: when it is refused, nothing of it stays, its news included."""
    news = dict(session.info.get("news", {}))
    try:
        async with session.begin_nested():
            return await work
    except Problem:
        session.info["news"] = news
        raise


@asynccontextmanager
async def undone_if(session: AsyncSession, is_dry_run: bool) -> AsyncIterator[None]:
    """Undo what is done within when it is only to be tried; what was read of it stays readable."""
    if not is_dry_run:
        yield
        return
    news = dict(session.info.get("news", {}))
    try:
        async with session.begin_nested():
            yield
            raise _TriedOnly
    except _TriedOnly:
        session.info["news"] = news


async def _read_ahead(session: AsyncSession, items: Sequence[Item]) -> _Ahead:
    """Read for all items what each of them needs, before the first savepoint: whose rollback would let go of it."""
    times = Counter(item.id for item in items if isinstance(item, ReviseActivity))
    rows = await store.lock_in_order(session, times)
    # What an item changes, the next one about the same activity has to read again.
    once = {identity: row for identity, row in rows.items() if times[identity] == 1}
    drafts = [item.draft for item in items if isinstance(item, CreateActivity)]
    for item in items:
        if isinstance(item, ReviseActivity) and item.id in once:
            with suppress(Problem):
                drafts.append(describing.laid_over(once[item.id], item.changes))
    await store.now(session)
    return _Ahead(once, await surroundings.read(session, drafts))


async def _create(
    session: AsyncSession, settings: Settings, actor: Actor, item: CreateActivity, ahead: _Ahead
) -> Activity:
    return await parts.draft(session, settings, actor, item.draft, around=ahead.around)


async def _revise(
    session: AsyncSession, settings: Settings, actor: Actor, item: ReviseActivity, ahead: _Ahead
) -> Activity:
    row = ahead.rows.get(item.id)
    around = None if row is None else ahead.around
    # What has parts, or is one, can be changed by the item of another.
    if row is None or row.is_series or row.joint is not None or row.part_of is not None:
        row = await catalogue.lock(session, item.id)
    await catalogue.check_reach(session, actor, row)
    if item.if_match != entity_tag(row):
        raise PreconditionFailed
    wanted = describing.laid_over(row, item.changes)
    return await parts.revise(session, settings, actor, row, wanted, around=around)


def _malformed(item: Malformed) -> Problem:
    return invalid([{**fault, "loc": ("body", *fault["loc"])} for fault in item.faults])


def _part(item: CreateActivity | ReviseActivity | Malformed, problem: Problem, where: str) -> str:
    """Where in the whole a problem's pointers begin."""
    if isinstance(problem, PreconditionFailed):
        return f"{where}/if_match"
    if not problem.errors or isinstance(item, Malformed):
        return where
    return f"{where}/draft" if isinstance(item, CreateActivity) else f"{where}/changes"


def _refused(index: int, problem: Problem, placed: list[FieldError]) -> ItemOut:
    told = ItemProblem(
        type=f"/activities/problems/{problem.slug()}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        errors=placed if problem.errors else [],
    )
    return ItemOut(index=index, status=problem.status, id=None, etag=None, problem=told)
