"""The statements of sign-ups that are decided together: each is one for all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ParticipantClass
from services.kernel.recordsets import inserting, rows_of, written
from services.registration.places.tables import IS_LIVE, Places, Registration
from services.registration.proofs.rules import FEWEST_HELD
from services.registration.proofs.store import held_of

LONGEST_WAIT: Final = "250ms"
"""How long a group waits for a lock: one activity that somebody holds must not keep the others' students waiting."""

_REGISTRATIONS: Final = cast("sa.Table", Registration.__table__)
_PLACES: Final = cast("sa.Table", Places.__table__)
_COLUMNS: Final = (
    "id", "participant_id", "state", "party_size", "code", "attendance_key", "participant_class", "held_until",
    "waiting_since", "signed_up_at", "activity_id", "given_name", "family_name", "language", "home_country",
    "host_section", "mobility", "answers",
)  # fmt: skip
_TAKEN: Final = ("taken", *(f"taken_{each}" for each in ParticipantClass))


async def wait_briefly(session: AsyncSession) -> None:
    """Bound every wait for a lock in this transaction."""
    await session.execute(sa.select(sa.func.set_config("lock_timeout", LONGEST_WAIT, True)))


async def lock_places(
    session: AsyncSession, ids: Collection[UUID], *, percent: int, at_most: int
) -> dict[UUID, tuple[Places, datetime, int]]:
    """The places of several activities, locked in the order of their ids; with each the database's clock then.

    And how many of an activity's are held by people who have not confirmed: counted only where they may come to this
    part of all places with `at_most` more, which is not before as many are taken.
    """
    now = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
    free = sa.func.greatest(FEWEST_HELD, Places.capacity * percent // 100)
    matters = sa.and_(sa.literal(percent > 0), Places.capacity.is_not(None), Places.taken + at_most >= free)
    held = sa.case((matters, held_of(Places.activity_id)), else_=0)
    statement = (
        sa.select(Places, now, held)
        .where(Places.activity_id == sa.func.any(sa.bindparam("ids", list(ids), sa.ARRAY(sa.Uuid))))
        .order_by(Places.activity_id)
        .with_for_update(key_share=True)
    )
    found = await session.execute(statement, execution_options={"populate_existing": True})
    return {places.activity_id: (places, at, many) for places, at, many in found}


async def add_registrations(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """Insert registrations, but of whoever has a live one for the activity; answers which."""
    statement = (
        inserting(_REGISTRATIONS, _COLUMNS, "participant_id")
        .on_conflict_do_nothing(index_elements=["activity_id", "participant_id"], index_where=IS_LIVE)
        .returning(_REGISTRATIONS.c.id)
    )
    return set((await session.scalars(statement, written(rows))).all())


async def count_in(session: AsyncSession, counted: Mapping[UUID, tuple[Mapping[ParticipantClass, int], int]]) -> None:
    """Count places as taken that were found free under the lock, and people on to waiting lists.

    Postgres refuses what would be one too many. Whoever comes on to a waiting list may fit in at once.
    """
    rows = [
        {
            "activity_id": identity,
            "waiting": waiting,
            "taken": sum(given.values()),
            **{f"taken_{each}": given.get(each, 0) for each in ParticipantClass},
        }
        for identity, (given, waiting) in counted.items()
    ]
    told = rows_of(_PLACES, ("activity_id", "waiting", *_TAKEN))
    within = [
        sa.or_(limit.is_(None), told.c[taken] == 0, _PLACES.c[taken] + told.c[taken] <= limit)
        for taken, limit in (
            ("taken", _PLACES.c.capacity),
            *((f"taken_{each}", _PLACES.c[f"quota_{each}"]) for each in ParticipantClass),
        )
    ]
    values = {name: _PLACES.c[name] + told.c[name] for name in (*_TAKEN, "waiting")}
    statement = (
        sa.update(_PLACES)
        .where(_PLACES.c.activity_id == told.c.activity_id, *within)
        .values({**values, "offers_due": sa.or_(_PLACES.c.offers_due, told.c.waiting > 0)})
    )
    counting = await session.execute(statement, written(rows))
    if cast("sa.CursorResult[Any]", counting).rowcount != len(rows):
        raise AssertionError("places that were locked and free are not free")


async def fresh(session: AsyncSession, identity: UUID) -> Places:
    """An activity's places, read again."""
    return (
        await session.scalars(
            sa.select(Places).where(Places.activity_id == identity), execution_options={"populate_existing": True}
        )
    ).one()
