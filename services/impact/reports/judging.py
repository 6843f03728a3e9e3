"""What may be wrong with reports, worked out whenever they are read, so that a better rule holds for all at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.reports import plausibility, store
from services.impact.reports.plausibility import Amount, Hint, Told
from services.impact.reports.rules import Outcome
from services.impact.reports.tables import Report, ReportQuantity


async def hints(session: AsyncSession, reports: Sequence[Report]) -> dict[UUID, list[Hint]]:
    """The hints of each report, by as many statements for a page of them as for one."""
    identities = [row.activity_id for row in reports]
    amounts = await store.quantities_of(session, identities)
    situations = await store.situations(session, identities)
    return {
        row.activity_id: plausibility.hints(told(row, amounts.get(row.activity_id, ())), situations[row.activity_id])
        for row in reports
    }


def told(row: Report, amounts: Sequence[ReportQuantity]) -> Told:
    """What a report says."""
    seen = (row.checked_in_international, row.checked_in_local, row.checked_in_esn_volunteer)
    international, local, volunteers = seen
    is_seen = international is not None and local is not None and volunteers is not None
    return Told(
        outcome=Outcome(row.outcome),
        people=(row.international, row.local, row.esn_volunteer, row.unclassified),
        stated_total=row.stated_total,
        hours=row.hours,
        beneficiaries=row.beneficiaries,
        amounts=tuple(Amount(each.measure, each.unit, each.amount, each.given_to) for each in amounts),
        checked_in=(international, local, volunteers) if is_seen else None,  # type: ignore[arg-type]
    )
