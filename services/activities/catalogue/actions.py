"""What coordinators do to activities: draft, revise, submit, review, publish, complete, cancel, duplicate."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.activities.campaigns import store as campaigns
from services.activities.catalogue import rules, store
from services.activities.catalogue.rendering import render, snapshot
from services.activities.catalogue.rules import State, Verb
from services.activities.catalogue.schemas import ActivityDraft
from services.activities.catalogue.tables import Activity, HistoryEntry
from services.activities.directory import store as directory
from services.kernel import events
from services.kernel.auth import Actor, Role
from services.kernel.ids import new_id
from services.kernel.problems import FieldError, Invalid
from services.kernel.settings import Settings

_EVENT_OF = {
    State.PUBLISHED: contracts.ActivityPublished,
    State.HELD: contracts.ActivityHeld,
    State.CANCELLED: contracts.ActivityCancelled,
}


async def draft(session: AsyncSession, settings: Settings, actor: Actor, wanted: ActivityDraft) -> Activity:
    """Make a draft for the leading section."""
    row = Activity(
        id=new_id(), state=State.DRAFT.value, revision=0, edition_set_by_hand=False, sample=False, has_places=True,
        availability_revision=0, reason=None, source=None, source_id=None, source_url=None,
    )  # fmt: skip
    await fill(session, row, wanted)
    check_leads(actor, row)
    await changed(session, settings, row, actor, "draft")
    return row


async def revise(
    session: AsyncSession,
    settings: Settings,
    actor: Actor,
    row: Activity,
    wanted: ActivityDraft,
    fields: frozenset[str],
) -> Activity:
    """Change fields of a locked activity; what was reviewed for the label stays."""
    check_reach(actor, row)
    rules.check_editable(State(row.state), fields)
    await fill(session, row, wanted)
    if "organisers" in fields:
        check_leads(actor, row)
    await changed(session, settings, row, actor, "revise")
    return row


async def act(
    session: AsyncSession, settings: Settings, actor: Actor, row: Activity, verb: Verb, reason: str | None = None
) -> Activity:
    """Carry out one verb of an activity's life on a locked row."""
    check_reach(actor, row)
    if verb in {Verb.APPROVE, Verb.RETURN} and actor.role not in {Role.NATIONAL_COORDINATOR, Role.INTERNATIONAL}:
        raise rules.ReviewerNeeded
    row.state = rules.next_state(State(row.state), verb).value
    if verb is Verb.COMPLETE and row.starts_at is not None and row.starts_at > await store.now(session):
        raise rules.NotStartedYet
    row.reason = reason
    await changed(session, settings, row, actor, verb.value, reason=reason)
    return row


async def duplicate(session: AsyncSession, settings: Settings, actor: Actor, original: Activity) -> Activity:
    """A new draft with the content of an activity, to be given new dates."""
    check_reach(actor, original)
    columns = [column.name for column in Activity.__table__.columns if column.computed is None]
    kept = {name: getattr(original, name) for name in columns}
    fresh = {
        "id": new_id(),
        "state": State.DRAFT.value,
        "revision": 0,
        "reason": None,
        "sample": False,
        "turns_at": None,
        "source": None,
        "source_id": None,
        "source_url": None,
        "has_places": True,
        "availability_revision": 0,
    }
    for made_by_the_database in ("created_at", "updated_at"):
        kept.pop(made_by_the_database)
    row = Activity(**{**kept, **fresh})
    await changed(session, settings, row, actor, "duplicate")
    return row


async def fill(session: AsyncSession, row: Activity, wanted: ActivityDraft) -> None:
    """Write a description into a row, with what follows from it: zone, country, edition, instants."""
    codes = [organiser.code for organiser in wanted.organisers]
    known = await directory.sections(session, codes)
    faults = [
        FieldError(pointer=f"#/organisers/{number}/code", detail="There is no section with this code.")
        for number, code in enumerate(codes)
        if code not in known
    ]
    if faults:
        raise Invalid(errors=faults)
    lead = wanted.lead()
    zone = ZoneInfo(wanted.time_zone or known[lead].time_zone)
    times = {
        "starts_at": wanted.starts_at,
        "ends_at": wanted.ends_at,
        "sign_up/opens_at": wanted.sign_up.opens_at,
        "sign_up/closes_at": wanted.sign_up.closes_at,
    }
    instants = {}
    for where, wall_clock in times.items():
        try:
            instants[where] = wall_clock and rules.instant(wall_clock, zone)
        except rules.WallClockError as error:
            faults.append(FieldError(pointer=f"#/{where}", detail=str(error)))
    if faults:
        raise Invalid(errors=faults)
    starts_at, ends_at = instants["starts_at"], instants["ends_at"]
    assert starts_at is not None
    assert ends_at is not None
    opens_at, closes_at = instants["sign_up/opens_at"], instants["sign_up/closes_at"] or starts_at
    # Two times of one zone are compared by their clock faces, which an hour shown twice turns around.
    if ends_at.astimezone(UTC) < starts_at.astimezone(UTC):
        raise Invalid.at("#/ends_at", "Must not lie before the start.")
    if opens_at is not None and closes_at.astimezone(UTC) < opens_at.astimezone(UTC):
        raise Invalid.at("#/sign_up/closes_at", "Must not lie before the opening.")
    if wanted.edition is not None and await campaigns.edition(session, wanted.edition) is None:
        raise Invalid.at("#/edition", "There is no edition with this code.")
    row.edition_set_by_hand = wanted.edition is not None
    row.edition = wanted.edition or await campaigns.edition_on(session, starts_at.date())
    row.country = known[lead].country
    row.section_codes = [lead, *(code for code in codes if code != lead)]
    row.organisers = [{"code": code, "name": known[code].name, "lead": code == lead} for code in row.section_codes]
    row.time_zone = zone.key
    row.starts_at, row.ends_at = starts_at, ends_at
    row.starts_on, row.ends_on = starts_at.date(), ends_at.date()
    row.date_precision = "time"
    row.sign_up_opens_at, row.sign_up_closes_at = opens_at, closes_at
    row.causes = wanted.cause_codes()
    plain = wanted.model_dump(mode="json")
    for name in ("place", "requirements", "cost", "partners", "image"):
        setattr(row, name, plain[name])
    for name in ("title", "summary", "language", "kind", "programme", "mode", "areas", "sdgs", "online_url", "capacity",
                 "takes_sign_ups", "accessibility"):  # fmt: skip
        setattr(row, name, getattr(wanted, name))


def description(row: Activity) -> dict[str, Any]:
    """The row in the words of `ActivityDraft`, so that a change can be laid over it."""
    sign_up = {"opens_at": row.sign_up_opens_at, "closes_at": row.sign_up_closes_at}
    # What equals the default was not chosen: it must go on following the start.
    if row.sign_up_closes_at == row.starts_at:
        sign_up["closes_at"] = None
    zone = ZoneInfo(row.time_zone)
    return {
        "title": row.title, "summary": row.summary, "language": row.language, "kind": row.kind,
        "programme": row.programme, "mode": row.mode, "edition": row.edition if row.edition_set_by_hand else None,
        "areas": row.areas, "causes": [{"code": code, "main": number == 0} for number, code in enumerate(row.causes)],
        "sdgs": row.sdgs, "organisers": [{"code": each["code"], "lead": each["lead"]} for each in row.organisers],
        "starts_at": row.starts_at and row.starts_at.astimezone(zone).isoformat(),
        "ends_at": row.ends_at and row.ends_at.astimezone(zone).isoformat(), "time_zone": row.time_zone,
        "place": row.place, "online_url": row.online_url, "capacity": row.capacity,
        "sign_up": {name: moment and moment.astimezone(zone).isoformat() for name, moment in sign_up.items()},
        "takes_sign_ups": row.takes_sign_ups, "requirements": row.requirements, "accessibility": row.accessibility,
        "cost": row.cost, "partners": row.partners, "image": row.image,
    }  # fmt: skip


def check_leads(actor: Actor, row: Activity) -> None:
    """Refuse an actor who would name a leading section, for which the figures will count, outside of their reach."""
    if not actor.reaches(sections=frozenset(row.section_codes[:1]), country=row.country):
        raise rules.OutOfReach


def check_reach(actor: Actor, row: Activity) -> None:
    """Refuse an actor into whose reach neither an organising section nor the country falls."""
    if not actor.reaches(sections=frozenset(row.section_codes), country=row.country):
        raise rules.OutOfReach


async def changed(
    session: AsyncSession, settings: Settings, row: Activity, actor: Actor | None, verb: str, reason: str | None = None
) -> None:
    """Everything that goes with a change: revision, document, history and, once public, the event."""
    was_public = row.revision > 0 and verb not in {Verb.PUBLISH, Verb.CANCEL, Verb.COMPLETE, "record"}
    moment = await store.now(session)
    row.revision += 1
    row.updated_at = moment
    render(row, settings, now=moment)
    session.add(row)
    await session.flush()
    store.add_history(
        session,
        HistoryEntry(
            activity_id=row.id,
            revision=row.revision,
            verb=verb,
            reason=reason,
            actor_id=actor.id if actor else None,
            actor_role=actor.role.value if actor else "import",
        ),
    )
    state = State(row.state)
    if state in rules.PUBLIC:
        kind = contracts.ActivityRevised if was_public else _EVENT_OF[state]
        await events.record(session, kind(activity=snapshot(row)))


async def lock(session: AsyncSession, identity: UUID) -> Activity:
    """The activity, locked, or a 404."""
    row = await store.lock_activity(session, identity)
    if row is None:
        raise rules.ActivityNotFound
    return row


async def turn_due(session: AsyncSession, settings: Settings, *, limit: int = 100) -> int:
    """Render activities anew whose sign-up opened or closed because time passed; answers how many."""
    rows = await store.lock_due_to_turn(session, limit=limit)
    moment = await store.now(session)
    for row in rows:
        row.updated_at = moment
        render(row, settings, now=moment)
    return len(rows)


async def hear_of_availability(session: AsyncSession, settings: Settings, event: contracts.AvailabilityChanged) -> None:
    """Show whether an activity has places; what was heard before is passed over."""
    row = await store.lock_activity(session, event.activity_id)
    if row is None or row.availability_revision >= event.revision:
        return
    row.has_places, row.availability_revision = event.has_places, event.revision
    row.updated_at = moment = await store.now(session)
    render(row, settings, now=moment)
