"""After the restore of a dump: let the numbers that order the log and the feeds go on where the old cluster left off.

A dump brings rows along that were numbered by the transactions of another cluster, and the new one counts from its own
beginning. What it numbers next would then lie among what everybody has read long ago. The rows stay as they are, so
that every cursor and every harvester's place hold; the count is moved past them instead.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel.events import COUNT, CURSORS, DEAD_LETTERS, LOG

NUMBERED = (LOG.c.xid, CURSORS.c.xid, DEAD_LETTERS.c.xid)
"""Where the kernel keeps such numbers."""
GAP = 1_000_000_000
"""What the old cluster may have handed out after the dump was made; a number must not be used for something else."""


async def go_on(session: AsyncSession, columns: Iterable[sa.ColumnElement[str]]) -> int:
    """Move the count past every number in `columns`; answers by how much, which is 0 where no dump was restored.

    What is written meanwhile must wait: it would be numbered by the old count.
    """
    tables = {column.table: column for column in columns}
    names = ", ".join(f"{table.schema}.{table.name}" for table in tables)
    await session.execute(sa.text(f"LOCK TABLE events.count, {names} IN EXCLUSIVE MODE"))
    ahead = (await session.execute(sa.select(COUNT.c.ahead))).scalar_one()
    latest = [
        sa.select(sa.cast(sa.cast(column, sa.Text), sa.BigInteger)).order_by(column.desc()).limit(1).scalar_subquery()
        for column in tables.values()
    ]
    # No number of this cluster lies above its own snapshot's end; one that does came with a dump.
    own = sa.cast(sa.cast(sa.func.pg_snapshot_xmax(sa.func.pg_current_snapshot()), sa.Text), sa.BigInteger)
    found, here = (await session.execute(sa.select(sa.func.greatest(*latest), own))).one()
    if found is None or found < here + ahead:
        return 0
    moved = found + GAP - here - ahead
    await session.execute(sa.update(COUNT).values(ahead=COUNT.c.ahead + moved))
    return int(moved)
