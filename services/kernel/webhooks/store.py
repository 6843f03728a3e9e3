"""Every statement about webhooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.auth import Actor, Role
from services.kernel.ids import new_id
from services.kernel.webhooks.rules import KEPT_DAYS, Failure, Reason, State
from services.kernel.webhooks.tables import Webhooks

LEASE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this worker's to try, and the endpoint that it goes to."""

    endpoint: sa.RowMapping
    delivery: sa.RowMapping


def _after(seconds: float) -> sa.ColumnElement[Any]:
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


async def _one(session: AsyncSession, statement: sa.Executable) -> sa.RowMapping:
    found: sa.RowMapping = (await session.execute(statement)).mappings().one()
    return found


async def _one_or_none(session: AsyncSession, statement: sa.Executable) -> sa.RowMapping | None:
    found: sa.RowMapping | None = (await session.execute(statement)).mappings().one_or_none()
    return found


async def now(session: AsyncSession) -> datetime:
    """The transaction's instant, as the database has it."""
    found: datetime = (await session.execute(sa.select(sa.func.now()))).scalar_one()
    return found


async def add(session: AsyncSession, hooks: Webhooks, values: Mapping[str, Any]) -> sa.RowMapping:
    """A new endpoint."""
    statement = sa.insert(hooks.endpoints).values(id=new_id(), **values).returning(hooks.endpoints)
    return await _one(session, statement)


async def count_of(session: AsyncSession, hooks: Webhooks, *, section: str | None, country: str | None) -> int:
    """How many endpoints an owner has."""
    table = hooks.endpoints
    mine = (table.c.section.is_not_distinct_from(section), table.c.country.is_not_distinct_from(country))
    return (await session.execute(sa.select(sa.func.count()).select_from(table).where(*mine))).scalar_one()


async def endpoint(
    session: AsyncSession, hooks: Webhooks, identity: UUID, *, locked: bool = False
) -> sa.RowMapping | None:
    """One endpoint, locked against other changes of it but not against facts that are told meanwhile."""
    statement = sa.select(hooks.endpoints).where(hooks.endpoints.c.id == identity)
    if locked:
        statement = statement.with_for_update(key_share=True)
    return await _one_or_none(session, statement)


async def page_of_endpoints(
    session: AsyncSession, hooks: Webhooks, actor: Actor, *, after: Sequence[Any] | None, limit: int
) -> Sequence[sa.RowMapping]:
    """Endpoints within reach, oldest first."""
    table = hooks.endpoints
    statement = sa.select(table).order_by(table.c.id).limit(limit)
    if actor.role is Role.LOCAL_COORDINATOR:
        statement = statement.where(table.c.section == actor.section)
    elif actor.role is Role.NATIONAL_COORDINATOR:
        statement = statement.where(table.c.country == actor.country)
    if after is not None:
        statement = statement.where(table.c.id > UUID(after[0]))
    return (await session.execute(statement)).mappings().all()


async def change(session: AsyncSession, hooks: Webhooks, identity: UUID, values: Mapping[str, Any]) -> sa.RowMapping:
    """Change a locked endpoint, which is another revision of it."""
    table = hooks.endpoints
    statement = sa.update(table).where(table.c.id == identity).values(revision=table.c.revision + 1, **values)
    return await _one(session, statement.returning(table))


async def remove(session: AsyncSession, hooks: Webhooks, identity: UUID) -> None:
    """Delete an endpoint with all that it was told."""
    await session.execute(sa.delete(hooks.endpoints).where(hooks.endpoints.c.id == identity))


async def tell(
    session: AsyncSession,
    hooks: Webhooks,
    *,
    kind: str,
    about: str,
    data: Mapping[str, Any],
    sections: Collection[str],
    country: str | None,
) -> None:
    """Queue a message to every endpoint that wants it, in one statement.

    One that is being deleted is passed over, so that a fact never waits or fails for it.
    """
    table = hooks.endpoints
    reach = sa.or_(
        table.c.section.in_(sections),
        sa.and_(table.c.section.is_(None), sa.or_(table.c.country.is_(None), table.c.country == country)),
    )
    wanted = sa.or_(table.c.kinds.is_(None), table.c.kinds.contains([kind]))
    columns = {
        "id": sa.func.gen_random_uuid(), "endpoint_id": table.c.id, "kind": sa.literal(kind),
        "about": sa.literal(about), "data": sa.literal(dict(data), JSONB),
    }  # fmt: skip
    told = (
        sa.select(*columns.values())
        .where(table.c.state == State.ACTIVE, table.c.salt.is_not(None), reach, wanted)
        .with_for_update(of=table, read=True, key_share=True, skip_locked=True)
    )
    await session.execute(sa.insert(hooks.deliveries).from_select(list(columns), told, include_defaults=False))


async def tell_one(
    session: AsyncSession, hooks: Webhooks, identity: UUID, *, kind: str, data: Mapping[str, Any]
) -> sa.RowMapping:
    """Queue a message to one endpoint, about itself."""
    statement = sa.insert(hooks.deliveries).values(
        id=new_id(), endpoint_id=identity, kind=kind, about=str(identity), data=dict(data)
    )
    return await _one(session, statement.returning(hooks.deliveries))


async def wake(session: AsyncSession, hooks: Webhooks, identity: UUID) -> None:
    """End the rest of an endpoint that was not reached: somebody wants to see whether it is now."""
    table = hooks.endpoints
    statement = sa.update(table).where(table.c.id == identity, table.c.failures > 0)
    await session.execute(statement.values(resting_until=sa.func.now()))


async def page_of_deliveries(
    session: AsyncSession, hooks: Webhooks, identity: UUID, *, after: Sequence[Any] | None, limit: int
) -> Sequence[sa.RowMapping]:
    """What an endpoint was told, latest first."""
    table = hooks.deliveries
    statement = sa.select(table).where(table.c.endpoint_id == identity)
    if after is not None:
        here = sa.tuple_(sa.literal(datetime.fromisoformat(after[0])), sa.literal(UUID(after[1])))
        statement = statement.where(sa.tuple_(table.c.made_at, table.c.id) < here)
    statement = statement.order_by(table.c.made_at.desc(), table.c.id.desc()).limit(limit)
    return (await session.execute(statement)).mappings().all()


async def replay(session: AsyncSession, hooks: Webhooks, endpoint_id: UUID, identity: UUID) -> sa.RowMapping | None:
    """Let a message be due at once, with every try ahead of it."""
    table = hooks.deliveries
    again = {"due_at": sa.func.now(), "tries": 0, "delivered_at": None, "failed_at": None}
    statement = sa.update(table).where(table.c.id == identity, table.c.endpoint_id == endpoint_id).values(**again)
    return await _one_or_none(session, statement.returning(table))


async def claim(session: AsyncSession, hooks: Webhooks, *, limit: int, failing: bool) -> list[Claimed]:
    """The longest due message of each of several endpoints that are free, theirs for `LEASE_SECONDS`.

    Without `failing`, only of those that took the last message.
    """
    table, told = hooks.endpoints, hooks.deliveries
    due = sa.and_(told.c.endpoint_id == table.c.id, told.c.due_at <= sa.func.now())
    free = (
        sa.select(table.c.id)
        .where(table.c.state == State.ACTIVE, table.c.resting_until <= sa.func.now(), sa.exists().where(due))
        .order_by(table.c.resting_until)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    if not failing:
        free = free.where(table.c.failing_since.is_(None))
    chosen = free.cte("free")
    taken = (
        sa.update(table).where(table.c.id == chosen.c.id).values(resting_until=_after(LEASE_SECONDS)).returning(table)
    )
    claimed = []
    for row in (await session.execute(taken)).mappings().all():
        oldest = (
            sa.select(told.c.id)
            .where(told.c.endpoint_id == row["id"], told.c.due_at <= sa.func.now())
            .order_by(told.c.due_at, told.c.id)
            .limit(1)
        )
        tried = (
            sa.update(told)
            .where(told.c.id == oldest.scalar_subquery())
            .values(tries=told.c.tries + 1, tried_at=sa.func.now())
            .returning(told)
        )
        delivery = await _one_or_none(session, tried)
        if delivery is not None:
            claimed.append(Claimed(row, delivery))
    return claimed


async def settle(session: AsyncSession, hooks: Webhooks, identity: UUID, values: Mapping[str, Any]) -> None:
    """Write down what became of an attempt."""
    await session.execute(sa.update(hooks.deliveries).where(hooks.deliveries.c.id == identity).values(**values))


async def healthy(session: AsyncSession, hooks: Webhooks, identity: UUID) -> None:
    """Note that an endpoint took a message; only where it had failed before it looks different from outside."""
    table = hooks.endpoints
    was_failing = sa.cast(table.c.failing_since.is_not(None), sa.Integer)
    values = {"failures": 0, "failing_since": None, "resting_until": sa.func.now()}
    statement = sa.update(table).where(table.c.id == identity)
    await session.execute(statement.values(revision=table.c.revision + was_failing, **values))


async def failed(session: AsyncSession, hooks: Webhooks, identity: UUID, rest: timedelta) -> sa.RowMapping | None:
    """Note that an endpoint took no message, and leave it alone for a while."""
    table = hooks.endpoints
    is_first = sa.cast(table.c.failing_since.is_(None), sa.Integer)
    values = {
        "failures": table.c.failures + 1,
        "failing_since": sa.func.coalesce(table.c.failing_since, sa.func.now()),
        "resting_until": _after(rest.total_seconds()),
        "revision": table.c.revision + is_first,
    }
    statement = sa.update(table).where(table.c.id == identity).values(**values).returning(table)
    return await _one_or_none(session, statement)


async def disable(session: AsyncSession, hooks: Webhooks, identity: UUID, reason: Reason) -> sa.RowMapping | None:
    """Tell an endpoint nothing more; what was due to it is given up and can be sent again by hand."""
    table, told = hooks.endpoints, hooks.deliveries
    statement = (
        sa.update(table)
        .where(table.c.id == identity, table.c.state == State.ACTIVE)
        .values(state=State.DISABLED, disabled_because=reason, revision=table.c.revision + 1)
    )
    changed = await _one_or_none(session, statement.returning(table))
    if changed is not None:
        over = {"due_at": None, "failed_at": sa.func.now(), "error": sa.func.coalesce(told.c.error, Failure.DISABLED)}
        await session.execute(
            sa.update(told).where(told.c.endpoint_id == identity, told.c.due_at.is_not(None)).values(**over)
        )
    return changed


async def forget_old(session: AsyncSession, hooks: Webhooks) -> int:
    """Delete what was told long ago and is over."""
    table = hooks.deliveries
    old = sa.and_(table.c.due_at.is_(None), table.c.made_at < sa.func.now() - sa.func.make_interval(0, 0, 0, KEPT_DAYS))
    gone = await session.execute(sa.delete(table).where(old).returning(table.c.id))
    return len(gone.all())
