"""Tells the catalogue what one activity did in figures, as its report stands."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.contracts import ActivityFiguresChanged, FigureQuantity
from services.impact.reports import store
from services.impact.reports.rules import Outcome, State
from services.impact.reports.tables import Report
from services.kernel import events


async def tell_figures(session: AsyncSession, row: Report) -> None:
    """Tell of a report that was verified, or is verified no longer; what did not take place did nothing."""
    if row.state != State.VERIFIED or row.outcome == Outcome.CANCELLED:
        await events.record(
            session, ActivityFiguresChanged(activity_id=row.activity_id, revision=row.revision, is_verified=False)
        )
        return
    quantities = await store.quantities(session, row.activity_id)
    told = ActivityFiguresChanged(
        activity_id=row.activity_id, revision=row.revision, is_verified=True,
        participants_international=row.international, participants_local=row.local,
        participants_esn_volunteer=row.esn_volunteer, participants_unclassified=row.unclassified, hours=row.hours,
        quantities=tuple(
            FigureQuantity(measure=each.measure, unit=each.unit, amount=each.amount)
            for each in sorted(quantities, key=lambda each: (each.measure, each.unit))
        ),
    )  # fmt: skip
    await events.record(session, told)
