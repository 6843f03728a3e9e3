"""The import of editions."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.campaigns import actions, edition_rows
from services.activities.campaigns.edition_rows import EditionRow
from services.kernel.importing import Stage, Written
from services.kernel.runtime import Runtime

COLUMNS = edition_rows.COLUMNS
OPTIONAL_COLUMNS = edition_rows.OPTIONAL_COLUMNS


def stage(runtime: Runtime) -> Stage:
    """Enter each edition."""

    async def write(session: AsyncSession, _: Runtime, row: EditionRow, __: object) -> Written:
        return Written(await actions.record_edition(session, row))

    return Stage(runtime, "edition", lambda row: str(row.code), edition_rows.edition_in_list, write)
