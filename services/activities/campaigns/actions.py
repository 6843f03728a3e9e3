"""What is done with editions."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.activities.campaigns import store
from services.activities.campaigns.edition_rows import EditionRow
from services.activities.campaigns.tables import Edition
from services.kernel import events


async def record_edition(session: AsyncSession, row: EditionRow, *, sample: bool = False) -> bool:
    """Enter an edition, or bring its entry up to date; answers whether anything changed."""
    known = await store.edition(session, row.code)
    entry = known or Edition(code=row.code)
    for name, value in asdict(row).items():
        setattr(entry, name, value)
    entry.sample = sample
    if known is not None and not session.is_modified(entry):
        return False
    session.add(entry)
    entry.updated_at = await store.now(session)
    await events.record(
        session,
        contracts.EditionRecorded(code=row.code, series=row.series, starts_on=row.starts_on, ends_on=row.ends_on),
    )
    return True
