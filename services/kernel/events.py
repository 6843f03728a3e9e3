"""The event log: one append-only table through which the services tell each other what happened.

A change and its event are one transaction. Consumers read the log past their own cursor (see `consumers`), so a lost,
doubled or late wake-up changes nothing. Two numbers order the log: a transaction that took its `number` early may
commit late, and then `number > cursor` would skip it for ever. Rows are therefore read below the oldest transaction
still running (`HORIZON`), in the order of (`xid`, `number`), and that pair is the cursor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import UserDefinedType

from services.kernel import db
from services.kernel.facts import Event
from services.kernel.ids import new_id
from services.kernel.trace import current_trace_id

METADATA = db.metadata("events")


class Xid8(UserDefinedType[str]):
    """Postgres' 64-bit transaction id; it travels as text, which every driver can carry."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The name of the type in DDL."""
        return "xid8"

    def bind_expression(self, bindvalue: sa.BindParameter[str]) -> sa.ColumnElement[str]:
        """A parameter goes there as text."""
        return sa.cast(sa.type_coerce(bindvalue, sa.Text), self)

    def column_expression(self, colexpr: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """A selected column comes back as text."""
        return sa.cast(colexpr, sa.Text)


# So that a migrated table is read back with this type and not with none.
ischema_names["xid8"] = Xid8

LOG = sa.Table(
    "log",
    METADATA,
    sa.Column("xid", Xid8, primary_key=True, server_default=sa.text("events.position()")),
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("aggregate", sa.Text, nullable=False),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("trace_id", sa.Text, nullable=False),
    sa.Column("payload", JSONB, nullable=False),
)

# One row: what is added to a transaction's own number, so that the log goes on where a dump was restored (`renumber`).
COUNT = sa.Table(
    "count",
    METADATA,
    sa.Column("ahead", sa.BigInteger, primary_key=True, autoincrement=False, server_default=sa.text("0")),
)

CURSORS = sa.Table(
    "cursors",
    METADATA,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("xid", Xid8, nullable=False, server_default=sa.text("'0'::xid8")),
    sa.Column("number", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
)

DEAD_LETTERS = sa.Table(
    "dead_letters",
    METADATA,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("xid", Xid8, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("aggregate", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("error", sa.Text),
    sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    sa.Column("next_try_at", sa.DateTime(timezone=True)),
    sa.Index(None, "consumer", "aggregate"),
)


HORIZON = sa.text("""
    WITH here AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot),
    running AS (SELECT pg_snapshot_xip(snapshot) AS xid FROM here),
    elsewhere AS (
        SELECT backend_xid FROM pg_stat_activity
        WHERE datid <> (SELECT oid FROM pg_database WHERE datname = current_database()) AND backend_xid IS NOT NULL
    )
    SELECT CAST(CAST(CAST(coalesce(
        (SELECT min(xid) FROM running WHERE CAST(xid AS xid) NOT IN (SELECT backend_xid FROM elsewhere)),
        (SELECT pg_snapshot_xmax(snapshot) FROM here)
    ) AS text) AS bigint) + (SELECT ahead FROM events.count) AS text)
""")
"""The oldest transaction still running that may yet write to this log: everything before it can be read.

`pg_snapshot_xmin` says nearly that, but counts the whole cluster: a long transaction in any other database would hold
up every event here. One that is known to belong to another database is left out; in doubt it counts.
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the log keeps it; `payload` is read by the contract's model."""

    xid: str
    number: int
    id: UUID
    name: str
    aggregate: str
    recorded_at: datetime
    trace_id: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """Events of one kind in the log, after one place and up to another; what others are between them is not heard."""

    name: str
    after: tuple[str, int]
    upto: tuple[str, int]


async def record(session: AsyncSession, event: Event) -> UUID:
    """Append `event` to the log in the caller's transaction, and remember whom to wake after the commit."""
    identity = new_id()
    statement = (
        sa.insert(LOG)
        .values(
            id=identity,
            name=event.name,
            aggregate=event.aggregate(),
            trace_id=current_trace_id(),
            payload=event.model_dump(mode="json"),
        )
        .returning(LOG.c.number)
    )
    number = (await session.execute(statement)).scalar_one()
    news: dict[str, int] = session.info.setdefault("news", {})
    for hearer in event.heard_by:
        news[hearer] = number
    return identity
