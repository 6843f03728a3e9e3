"""What is done to reports: written, submitted, verified, returned, and taken over from the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.impact.projections import store as projections
from services.impact.projections.tables import Activity
from services.impact.reports import rules, store, telling
from services.impact.reports.past_figures import figures_of, quantities_of
from services.impact.reports.past_rows import PastReportRow
from services.impact.reports.rules import Outcome, Source, State, Verb
from services.impact.reports.schemas import ReportIn
from services.impact.reports.tables import Report, ReportHistoryEntry, ReportQuantity
from services.kernel import events
from services.kernel.auth import Actor, Role
from services.kernel.problems import Invalid, PreconditionRequired


async def activity_in_reach(session: AsyncSession, actor: Actor, activity_id: UUID) -> Activity:
    """The activity, for those whose section or country it belongs to."""
    activity = await projections.activity(session, activity_id)
    if activity is None:
        raise rules.ActivityNotFound
    if not actor.reaches(sections=frozenset(activity.section_codes), country=activity.country):
        raise rules.OutOfReach
    return activity


async def write(
    session: AsyncSession, actor: Actor, activity: Activity, row: Report | None, wanted: ReportIn
) -> Report:
    """Write the report anew, or for the first time; whom it leaves out is taken from the check-ins."""
    if activity.has_parts:
        raise rules.HasParts
    rules.check_timely(
        wanted.outcome, activity_state=activity.state, starts_at=activity.starts_at, now=await store.now(session)
    )
    if row is None:
        row = await store.begin_report(session, activity.activity_id, Source.ORGANISER)
        if row is None:
            # Somebody began it at the same moment, and their report was not read yet.
            raise PreconditionRequired
    rules.check_editable(State(row.state))
    await _fill(session, row, wanted)
    await _changed(session, row, actor, "write")
    return row


async def act(session: AsyncSession, actor: Actor, row: Report, verb: Verb, reason: str | None = None) -> Report:
    """Carry out one verb of a report's life on a locked row; a verified report counts from now on."""
    if verb in {Verb.VERIFY, Verb.RETURN} and actor.role not in {Role.NATIONAL_COORDINATOR, Role.INTERNATIONAL}:
        raise rules.VerifierNeeded
    was_verified = row.state == State.VERIFIED
    row.state = rules.next_state(State(row.state), verb).value
    row.returned_because = reason
    await _changed(session, row, actor, verb.value, reason=reason)
    if verb is Verb.VERIFY:
        await events.record(session, contracts.ReportVerified(activity_id=row.activity_id, revision=row.revision))
        await telling.tell_figures(session, row)
    elif was_verified:
        await events.record(session, contracts.ReportReopened(activity_id=row.activity_id, revision=row.revision))
        await telling.tell_figures(session, row)
    return row


def existing(row: Report | None) -> Report:
    """The report, or a 404."""
    if row is None:
        raise rules.ReportNotFound
    return row


async def record_past(session: AsyncSession, activity_id: UUID, row: PastReportRow) -> bool:
    """Take over a report of the past as verified; answers whether anything changed.

    A report that an organiser has written or corrected since stays as it is.
    """
    report = await store.lock_report(session, activity_id)
    if report is not None and report.source != Source.IMPORT:
        return False
    if row.outcome == "announced":
        return report is not None and await _withdraw(session, report)
    figures = figures_of(row)
    quantities = [ReportQuantity(activity_id=activity_id, **each._asdict()) for each in quantities_of(row)]
    if report is None:
        report = await store.begin_report(session, activity_id, Source.IMPORT)
        if report is None:
            return False
    elif await _says(session, report, figures, quantities):
        return False
    for name, value in figures.items():
        setattr(report, name, value)
    await store.replace_quantities(session, activity_id, quantities)
    report.state, report.returned_because = State.VERIFIED.value, None
    await _changed(session, report, None, "import")
    await events.record(session, contracts.ReportVerified(activity_id=activity_id, revision=report.revision))
    await telling.tell_figures(session, report)
    return True


async def _fill(session: AsyncSession, row: Report, wanted: ReportIn) -> None:
    row.outcome, row.reason, row.beneficiaries = wanted.outcome.value, wanted.reason, wanted.beneficiaries
    row.partner, row.outcome_text, row.learned = wanted.partner, wanted.outcome_text, wanted.learned
    if wanted.outcome is Outcome.CANCELLED:
        row.source, row.hours, row.checked_in_hours = Source.ORGANISER.value, None, None
        row.international = row.local = row.esn_volunteer = row.unclassified = None
        row.checked_in_international = row.checked_in_local = row.checked_in_esn_volunteer = None
    else:
        present = await projections.checked_in(session, row.activity_id)
        if wanted.participants is None and not present.total:
            raise Invalid.at("#/participants", "Nobody was checked in, so the numbers of people must be given.")
        people = (present.international, present.local, present.esn_volunteer, 0)
        if wanted.participants is not None:
            people = wanted.participants.by_class
        row.international, row.local, row.esn_volunteer, row.unclassified = people
        row.hours = present.hours if wanted.hours is None else wanted.hours
        row.source = rules.source_of(people, present).value
        row.checked_in_international, row.checked_in_local = present.international, present.local
        row.checked_in_esn_volunteer, row.checked_in_hours = present.esn_volunteer, present.hours
    quantities = [ReportQuantity(activity_id=row.activity_id, **each.model_dump()) for each in wanted.quantities]
    await store.replace_quantities(session, row.activity_id, quantities)


async def _says(
    session: AsyncSession, row: Report, figures: Mapping[str, Any], quantities: Sequence[ReportQuantity]
) -> bool:
    known = await store.quantities(session, row.activity_id)
    same = all(getattr(row, name) == value for name, value in figures.items())
    return same and {_as_told(each) for each in known} == {_as_told(each) for each in quantities}


def _as_told(row: ReportQuantity) -> tuple[str, str, Decimal, str]:
    return row.measure, row.unit, row.amount, row.qualifier


async def _withdraw(session: AsyncSession, row: Report) -> bool:
    """Take back an imported report of what is now said to be announced only."""
    if row.state != State.VERIFIED:
        return False
    row.state, row.returned_because = State.RETURNED.value, "The source says that the activity was announced only."
    await _changed(session, row, None, Verb.RETURN.value, reason=row.returned_because)
    await events.record(session, contracts.ReportReopened(activity_id=row.activity_id, revision=row.revision))
    await telling.tell_figures(session, row)
    return True


async def _changed(
    session: AsyncSession, row: Report, actor: Actor | None, verb: str, reason: str | None = None
) -> None:
    """Everything that goes with a change: revision, time and history."""
    row.revision += 1
    row.updated_at = await store.now(session)
    store.add_history(
        session,
        ReportHistoryEntry(
            activity_id=row.activity_id,
            revision=row.revision,
            verb=verb,
            reason=reason,
            actor_id=actor.id if actor else None,
            actor_role=actor.role.value if actor else "import",
        ),
    )
    await session.flush()
