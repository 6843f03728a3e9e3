"""What is done to reports: written, submitted, verified, returned, and taken over from the past."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.impact.projections import store as projections
from services.impact.projections.tables import Activity
from services.impact.reports import judging, rules, store, telling
from services.impact.reports.past_figures import figures_of, quantities_of
from services.impact.reports.past_rows import PastReportRow
from services.impact.reports.plausibility import HintCode, Severity
from services.impact.reports.rendering import figures
from services.impact.reports.rules import Outcome, Source, State, Verb
from services.impact.reports.schemas import ReportIn
from services.impact.reports.tables import Report, ReportHistoryEntry, ReportQuantity
from services.kernel import events
from services.kernel.auth import Actor, Role
from services.kernel.problems import FieldError, Invalid, PreconditionRequired

MOST_REMINDERS: Final = 200


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


async def submit(session: AsyncSession, actor: Actor, row: Report, acknowledged: Collection[HintCode]) -> Report:
    """Ask for verification, unless what can hardly be is not acknowledged."""
    after = rules.next_state(State(row.state), Verb.SUBMIT)
    standing = (await judging.hints(session, [row]))[row.activity_id]
    open_hints = [each for each in standing if each.severity is Severity.BLOCKING and each.code not in acknowledged]
    if open_hints:
        codes = ", ".join(dict.fromkeys(each.code for each in open_hints))
        raise rules.ReportImplausible(
            f"Correct the report, or look again and send the codes that are right in `acknowledged`: {codes}.",
            errors=[FieldError(pointer=each.pointer, detail=each.detail) for each in open_hints],
        )
    row.state, row.returned_because = after.value, None
    row.acknowledged = sorted({each.code.value for each in standing} & {code.value for code in acknowledged})
    row.submitted_at = row.submitted_at or await store.now(session)
    await _changed(session, row, actor, Verb.SUBMIT.value, acknowledged=row.acknowledged)
    return row


async def decide(session: AsyncSession, actor: Actor, row: Report, verb: Verb, reason: str | None = None) -> Report:
    """Verify a locked report, which counts from now on, or return it."""
    if actor.role not in {Role.NATIONAL_COORDINATOR, Role.INTERNATIONAL}:
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


async def find_activity(session: AsyncSession, actor: Actor, activity_id: UUID) -> Activity:
    """The activity on which a report can be written, for those in whose reach it is."""
    activity = await activity_in_reach(session, actor, activity_id)
    if activity.has_parts:
        raise rules.HasParts
    return activity


async def reach(session: AsyncSession, actor: Actor, *, section: str | None, edition: str | None) -> list[Any]:
    """The conditions of a list of reports: what its reader may see; a filter by a code that never was is refused."""
    if actor.role is Role.MACHINE:
        raise rules.ListOutOfReach
    if section is not None and not await store.is_section(session, section):
        raise Invalid.at("query/section", "There is no section with this code.")
    if edition is not None and not await store.is_edition(session, edition):
        raise Invalid.at("query/edition", "There is no edition with this code.")
    return store.within_reach(
        section=actor.section if actor.role is Role.LOCAL_COORDINATOR else None,
        country=actor.country if actor.role is Role.NATIONAL_COORDINATOR else None,
    )


async def remind(session: AsyncSession, within_days: int) -> int:
    """Tell, once at each stage, of every activity about which nothing was submitted; answers of how many."""
    told = 0
    for stage, after in rules.stages(within_days).items():
        for row in await store.remind(session, stage, after, limit=MOST_REMINDERS):
            event = contracts.ReportMissing(
                activity_id=row.activity_id,
                section=row.section,
                stage=stage,
                days_since_end=(row.now - row.ends_at).days,
                due_at=row.ends_at + timedelta(days=within_days),
            )
            await events.record(session, event)
            told += 1
    return told


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
    row.partner_contribution = wanted.partner_contribution
    row.photos = [photo.model_dump(mode="json") for photo in wanted.photos]
    row.newcomers, row.returning, row.acknowledged = wanted.newcomers, wanted.returning, []
    row.stated_total = None
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
            people, row.stated_total = wanted.participants.by_class, wanted.participants.total
        rules.check_people(wanted.newcomers, wanted.returning, sum(people))
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
    session: AsyncSession,
    row: Report,
    actor: Actor | None,
    verb: str,
    *,
    reason: str | None = None,
    acknowledged: Sequence[str] = (),
) -> None:
    """Everything that goes with a change: revision, time and history."""
    await session.flush()
    row.revision += 1
    row.updated_at = await store.now(session)
    store.add_history(
        session,
        ReportHistoryEntry(
            activity_id=row.activity_id,
            revision=row.revision,
            verb=verb,
            reason=reason,
            acknowledged=list(acknowledged),
            figures=figures(row, await store.quantities(session, row.activity_id)),
            actor_id=actor.id if actor else None,
            actor_role=actor.role.value if actor else "import",
        ),
    )
    await session.flush()
