"""Every statement about changes, and the activities that go into a feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.activities.catalogue.store import document_in
from services.activities.catalogue.tables import Activity
from services.activities.feeds.tables import Change
from services.activities.finding.conditions import IS_LISTED, IS_PUBLIC, START, Filters, conditions_for
from services.activities.finding.counts import counted
from services.kernel.events import HORIZON, Xid8

_LATITUDE = Activity.place["latitude"].astext
_LONGITUDE = Activity.place["longitude"].astext


class Changed(NamedTuple):
    """A change; without a document the activity is public no more, or is a series now, whose dates have their own."""

    xid: str
    id: UUID
    document: str | None


class Position(NamedTuple):
    """A public document and its place on the map, each part as it is written in JSON."""

    id: UUID
    document: str
    latitude: str
    longitude: str


# So many numbers are counted together; the trigger that counts them divides by it.
_BLOCK: Final = 500


class Exported(NamedTuple):
    """A public document with what it does not tell."""

    number: int
    created: int
    changed: int
    starts: int | None
    ends: int | None
    document: str


async def page_of_changes(session: AsyncSession, *, after: tuple[str, UUID] | None, limit: int) -> Sequence[Changed]:
    """The changes after (xid, id) that no transaction still running can come before.

    One that began earlier and ends later gives an activity a lower xid than the one before it. Nobody has read that one
    then, since it lay above the horizon until both had ended; so what was read is never followed by something older.
    """
    # Both statements see the one snapshot of the request.
    horizon = (await session.execute(HORIZON)).scalar_one()
    statement = (
        sa.select(Change.xid, Change.id, Activity.document)
        .outerjoin(Activity, sa.and_(Activity.id == Change.id, IS_LISTED))
        .where(Change.xid < _xid(horizon))
        .order_by(Change.xid, Change.id)
        .limit(limit)
    )
    if after is not None:
        place = sa.tuple_(_xid(after[0]), sa.literal(after[1], sa.Uuid))
        statement = statement.where(sa.tuple_(Change.xid, Change.id) > place)
    return [Changed(*row) for row in await session.execute(statement)]


async def document(session: AsyncSession, identity: UUID, languages: Sequence[str]) -> str | None:
    """The document of one public activity."""
    return await session.scalar(sa.select(document_in(languages)).where(IS_PUBLIC, Activity.id == identity))


async def latest_to_begin(
    session: AsyncSession, filters: Filters, languages: Sequence[str], *, limit: int
) -> Sequence[str]:
    """Documents of activities whose day is known, the last to begin first: a bound cuts off the past."""
    statement = (
        sa.select(document_in(languages))
        .where(IS_LISTED, Activity.starts_at.is_not(None), Activity.date_precision.in_(("time", "day")))
        .where(*await conditions_for(session, filters))
        .order_by(START.desc(), Activity.id.desc())
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def latest_to_change(
    session: AsyncSession, filters: Filters, languages: Sequence[str], *, limit: int
) -> Sequence[str]:
    """Documents, the last to change first."""
    statement = (
        sa.select(document_in(languages))
        .where(IS_LISTED, *await conditions_for(session, filters))
        .order_by(Activity.updated_at.desc(), Activity.id.desc())
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def on_the_map(
    session: AsyncSession, filters: Filters, languages: Sequence[str], *, limit: int
) -> Sequence[Position]:
    """Documents of activities whose position is known, the last to begin first."""
    statement = (
        sa.select(Activity.id, document_in(languages), _LATITUDE, _LONGITUDE)
        .where(IS_LISTED, _LATITUDE.is_not(None), _LONGITUDE.is_not(None), *await conditions_for(session, filters))
        .order_by(START.desc(), Activity.id.desc())
        .limit(limit)
    )
    return [Position(*row) for row in await session.execute(statement)]


class Version(NamedTuple):
    """What a snapshot has of the public activities: two snapshots with one version see the same ones.

    The last change that it sees, and which transactions that began before that one are still under way.
    """

    last: str | None
    under_way: str


async def version(session: AsyncSession) -> Version:
    """The version of the catalogue that this transaction sees."""
    return Version._make((await session.execute(_VERSION)).one())


_VERSION: Final = sa.text("""
    WITH last AS (SELECT xid FROM activities.changes ORDER BY xid DESC, id DESC LIMIT 1),
    running AS (
        SELECT CAST(CAST(xip AS text) AS bigint) + (SELECT ahead FROM events.count) AS xid
        FROM pg_snapshot_xip(pg_current_snapshot()) AS xip
        -- What is known to run in another database of the cluster changes nothing here.
        WHERE CAST(xip AS xid) NOT IN (
            SELECT backend_xid FROM pg_stat_activity WHERE backend_xid IS NOT NULL
            AND datid <> (SELECT oid FROM pg_database WHERE datname = current_database()))
    )
    SELECT (SELECT CAST(xid AS text) FROM last), coalesce(
        (SELECT string_agg(CAST(xid AS text), ' ' ORDER BY xid) FROM running
         WHERE xid < (SELECT CAST(CAST(xid AS text) AS bigint) FROM last)), '')
""")
_MERGERS: Final = sa.text("""
    SELECT md5(string_agg(code || ' ' || merged_into, ' ' ORDER BY code)) FROM activities.sections
    WHERE merged_into IS NOT NULL
""")


async def version_of_answers(connection: AsyncConnection) -> tuple[Any, ...]:
    """What the list of activities, and each activity, is made of: the public ones, and which section leads to which."""
    return tuple((await connection.execute(_VERSION)).one()) + tuple((await connection.execute(_MERGERS)).one())


async def page_of_exported(session: AsyncSession, *, page: int, limit: int) -> Sequence[Exported]:
    """One numbered page of all public activities, in the order in which they became so.

    How many there are in each block of numbers is kept, so that what lies before the page's block is not read.
    """
    before, first = page * limit, 0
    blocks = {int(code): many for _, code, many in await session.execute(counted(["block"]))}
    for block, many in sorted(blocks.items()):
        if before < many:
            first = block * _BLOCK
            break
        before -= many
    else:
        return []
    statement = (
        sa.select(
            Change.number,
            *(
                sa.cast(sa.func.floor(sa.extract("epoch", moment)), sa.BigInteger)
                for moment in (Activity.created_at, Activity.updated_at, Activity.starts_at, Activity.ends_at)
            ),
            Activity.document,
        )
        .join(Activity, Activity.id == Change.id)
        # As they are counted: a series once, a joint day by its parts.
        .where(IS_PUBLIC, Activity.relation.is_distinct_from("occurrence"), Activity.joint.is_(None))
        .where(Change.number >= first)
        .order_by(Change.number)
        .offset(before)
        .limit(limit)
    )
    return [Exported._make(row) for row in await session.execute(statement)]


def _xid(text: str) -> sa.BindParameter[str]:
    return sa.literal(text, Xid8)
