"""What is done for finding when time passes."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.finding import counts
from services.kernel.runtime import Runtime

_MOST_AT_ONCE = 5_000


async def fold_labels(session: AsyncSession, runtime: Runtime) -> int:
    """Add what was noted about labels to their counts."""
    return await counts.fold(session, limit=_MOST_AT_ONCE)
