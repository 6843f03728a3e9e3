"""The reports' part in the import of past activities."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.reports import actions, past_rows
from services.impact.reports.past_rows import PastReportRow
from services.kernel.importing import Stage, Written
from services.kernel.runtime import Runtime

COLUMNS = past_rows.COLUMNS


def stage(runtime: Runtime) -> Stage:
    """Take over each row's report as verified; the handle is the activity's id, from the catalogue's stage."""

    async def write(session: AsyncSession, _: Runtime, row: PastReportRow, activity_id: UUID) -> Written:
        return Written(await actions.record_past(session, activity_id, row), activity_id)

    return Stage(runtime, "id", lambda row: str(row.source_id), past_rows.past_report, write)
