"""A report as those in reach of its activity read it, in whole and in lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.impact.projections.rules import CheckedIn
from services.impact.projections.tables import Activity
from services.impact.reports import store
from services.impact.reports.details import (
    CheckedInOut,
    HintOut,
    HistoryOut,
    ParticipantsOut,
    PhotoOut,
    QuantityOut,
)
from services.impact.reports.plausibility import Hint, Situation
from services.impact.reports.rules import Outcome, Qualifier, Source, State, plain
from services.impact.reports.schemas import DraftOut, MissingOut, QueuedOut, ReportOut, Suggested
from services.impact.reports.tables import Report, ReportQuantity


async def shown(session: AsyncSession, row: Report, hints: Iterable[Hint]) -> ReportOut:
    """The report with its quantities, its hints and its history."""
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
        newcomers=row.newcomers,
        returning=row.returning,
        checked_in=_checked_in(row),
        hours=_number(row.hours),
        beneficiaries=row.beneficiaries,
        quantities=[
            QuantityOut(
                measure=each.measure,
                unit=each.unit,
                amount=plain(each.amount),
                qualifier=Qualifier(each.qualifier),
                given_to=each.given_to,
            )
            for each in quantities
        ],
        partner=row.partner,
        partner_contribution=row.partner_contribution,
        photos=[PhotoOut.model_validate(photo) for photo in row.photos],
        outcome_text=row.outcome_text,
        learned=row.learned,
        returned_because=row.returned_because,
        hints=_hints(hints, row.acknowledged),
        submitted_at=row.submitted_at,
        updated_at=row.updated_at,
        history=[HistoryOut.model_validate(entry) for entry in history],
    )


def figures(row: Report, quantities: Iterable[ReportQuantity]) -> dict[str, Any]:
    """What the history keeps of a revision: its numbers, and none of its texts, which may speak of somebody."""
    names = (
        *("outcome", "source", "international", "local", "esn_volunteer", "unclassified", "stated_total"),
        *("newcomers", "returning", "beneficiaries"),
    )
    told: dict[str, Any] = {name: getattr(row, name) for name in names}
    told["hours"] = None if row.hours is None else plain(row.hours)
    told["quantities"] = [
        {"measure": each.measure, "unit": each.unit, "amount": plain(each.amount)}
        for each in sorted(quantities, key=lambda each: (each.measure, each.unit))
    ]
    return told


def queued(row: Report, activity: Activity, hints: Iterable[Hint], within: timedelta) -> QueuedOut:
    """A report in a list."""
    is_late = None
    if row.submitted_at is not None and activity.ends_at is not None:
        is_late = row.submitted_at > activity.ends_at + within
    return QueuedOut(
        activity_id=row.activity_id,
        url=f"/impact/v1/activities/{row.activity_id}/report",
        title=activity.title,
        section=activity.section,
        country=activity.country,
        edition=activity.edition,
        starts_on=activity.starts_on,
        state=State(row.state),
        revision=row.revision,
        source=Source(row.source),
        outcome=Outcome(row.outcome),
        participants=_participants(row),
        hours=_number(row.hours),
        hints=_hints(hints, row.acknowledged),
        submitted_at=row.submitted_at,
        is_late=is_late,
        updated_at=row.updated_at,
    )


def missing(found: store.Missing, within: timedelta) -> MissingOut:
    """An activity without a submitted report in a list."""
    activity = found.activity
    assert activity.ends_at is not None  # Only what has ended is late.
    due_at = activity.ends_at + within
    return MissingOut(
        activity_id=activity.activity_id,
        title=activity.title,
        section=activity.section,
        country=activity.country,
        edition=activity.edition,
        ended_at=activity.ends_at,
        due_at=due_at,
        days_late=max(0, (found.now - due_at).days),
        report=None if found.state is None else State(found.state),
        reminded=list(found.reminded),
    )


def draft(activity: Activity, present: CheckedIn) -> DraftOut:
    """What a report on this activity can begin with."""
    duration = Situation(starts_at=activity.starts_at, ends_at=activity.ends_at).duration
    lasted = None if duration is None else Decimal(duration.total_seconds()) / 3600
    people = {
        "international": present.international,
        "local": present.local,
        "esn_volunteer": present.esn_volunteer,
    }
    by_duration = None if lasted is None or not present.total else round(lasted * present.total, 2)
    hours = by_duration if present.hours is None else present.hours
    return DraftOut(
        activity_id=activity.activity_id,
        title=activity.title,
        starts_at=activity.starts_at,
        ends_at=activity.ends_at,
        duration_hours=_number(lasted),
        capacity=activity.capacity,
        partners=list(activity.partners),
        checked_in=CheckedInOut(**people, hours=_number(present.hours)),
        hours_by_duration=_number(by_duration),
        report=Suggested(
            outcome=Outcome.HELD,
            participants=people if present.total else None,
            hours=None if hours is None else plain(hours),
            partner=_in_one_line(activity.partners),
        ),
    )


def _in_one_line(partners: Iterable[str]) -> str | None:
    return "; ".join(partners)[:200].rstrip() or None


def _hints(hints: Iterable[Hint], acknowledged: Collection[str]) -> list[HintOut]:
    return [HintOut(**hint._asdict(), acknowledged=hint.code in acknowledged) for hint in hints]


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _participants(row: Report) -> ParticipantsOut:
    people = (row.international, row.local, row.esn_volunteer, row.unclassified)
    stated = [count for count in people if count is not None]
    return ParticipantsOut(
        international=row.international,
        local=row.local,
        esn_volunteer=row.esn_volunteer,
        unclassified=row.unclassified,
        total=sum(stated) if stated else None,
        stated_total=row.stated_total,
    )


def _checked_in(row: Report) -> CheckedInOut | None:
    if row.checked_in_international is None or row.checked_in_local is None or row.checked_in_esn_volunteer is None:
        return None
    return CheckedInOut(
        international=row.checked_in_international,
        local=row.checked_in_local,
        esn_volunteer=row.checked_in_esn_volunteer,
        hours=_number(row.checked_in_hours),
    )
