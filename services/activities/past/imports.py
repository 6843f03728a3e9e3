"""The catalogue's part in the import of past activities; reports have theirs in the service that holds them."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.past import actions, past_rows
from services.activities.past.past_rows import PastActivityRow
from services.kernel.importing import Stage, Written
from services.kernel.runtime import Runtime

COLUMNS = past_rows.COLUMNS
OPTIONAL_COLUMNS = past_rows.OPTIONAL_COLUMNS


def stage(runtime: Runtime) -> Stage:
    """Enter each row as an activity; its id is the handle for the stages that follow."""

    async def write(session: AsyncSession, held: Runtime, row: PastActivityRow, _: object) -> Written:
        activity, changed = await actions.record_past(session, held.settings, row)
        return Written(changed, activity.id)

    return Stage(runtime, "id", lambda row: str(row.source_id), past_rows.past_activity, write)
