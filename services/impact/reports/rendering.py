"""A report as those in reach of its activity read it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.reports import store
from services.impact.reports.rules import Outcome, Qualifier, Source, State, plain
from services.impact.reports.schemas import CheckedInOut, HistoryOut, ParticipantsOut, QuantityOut, ReportOut
from services.impact.reports.tables import Report


async def shown(session: AsyncSession, row: Report) -> ReportOut:
    """The report with its quantities and its history."""
    quantities = await store.quantities(session, row.activity_id)
    history = await store.history(session, row.activity_id)
    return ReportOut(
        activity_id=row.activity_id,
        state=State(row.state),
        revision=row.revision,
        source=Source(row.source),
        outcome=Outcome(row.outcome),
        reason=row.reason,
        participants=_participants(row),
        checked_in=_checked_in(row),
        hours=None if row.hours is None else float(row.hours),
        beneficiaries=row.beneficiaries,
        quantities=[
            QuantityOut(
                measure=each.measure, unit=each.unit, amount=plain(each.amount), qualifier=Qualifier(each.qualifier)
            )
            for each in quantities
        ],
        partner=row.partner,
        outcome_text=row.outcome_text,
        learned=row.learned,
        returned_because=row.returned_because,
        updated_at=row.updated_at,
        history=[HistoryOut.model_validate(entry) for entry in history],
    )


def _participants(row: Report) -> ParticipantsOut:
    people = (row.international, row.local, row.esn_volunteer, row.unclassified)
    stated = [count for count in people if count is not None]
    return ParticipantsOut(
        international=row.international,
        local=row.local,
        esn_volunteer=row.esn_volunteer,
        unclassified=row.unclassified,
        total=sum(stated) if stated else None,
    )


def _checked_in(row: Report) -> CheckedInOut | None:
    if row.checked_in_international is None or row.checked_in_local is None or row.checked_in_esn_volunteer is None:
        return None
    return CheckedInOut(
        international=row.checked_in_international,
        local=row.checked_in_local,
        esn_volunteer=row.checked_in_esn_volunteer,
        hours=None if row.checked_in_hours is None else float(row.checked_in_hours),
    )
