"""What coordinators do to activities: draft, revise, submit, review, publish, complete, cancel, discard, duplicate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services import contracts
from services.activities.catalogue import describing, rules, store
from services.activities.catalogue.describing import description, fill
from services.activities.catalogue.drafts import ActivityDraft, Corrections
from services.activities.catalogue.rendering import render, snapshot
from services.activities.catalogue.rules import State, Verb
from services.activities.catalogue.surroundings import Surroundings
from services.activities.catalogue.tables import Activity, HistoryEntry
from services.activities.directory import store as directory
from services.activities.label import rules as label
from services.activities.label import store as policies
from services.activities.label.rules import LabelState
from services.activities.tables import WEBHOOKS
from services.kernel import events
from services.kernel.auth import Actor, Role
from services.kernel.facts import Event
from services.kernel.ids import new_id
from services.kernel.problems import Invalid
from services.kernel.settings import Settings
from services.kernel.webhooks import actions as webhooks

_EVENT_OF = {
    State.PUBLISHED: contracts.ActivityPublished,
    State.HELD: contracts.ActivityHeld,
    State.CANCELLED: contracts.ActivityCancelled,
}
_TOLD_AS: Final[Mapping[type[Event], str]] = {
    contracts.ActivityPublished: "activity.published",
    contracts.ActivityRevised: "activity.revised",
    contracts.ActivityHeld: "activity.held",
    contracts.ActivityCancelled: "activity.cancelled",
}
FOLLOW = "follow"
REVISE: Final = "revise"
IMPORT: Final = "import"
"""A revision by a table."""
REGROUP = "regroup"
_REVIEWERS: Final = frozenset({Role.NATIONAL_COORDINATOR, Role.INTERNATIONAL})
_ROLE_OF: Final[Mapping[str, str]] = {
    REGROUP: "service", FOLLOW: "directory", Verb.CANCEL: "service", Verb.DISCARD: "service",
}  # fmt: skip
"""Who it was where nobody asked for it."""


async def draft(
    session: AsyncSession,
    settings: Settings,
    actor: Actor,
    wanted: ActivityDraft,
    *,
    whole: Activity | None = None,
    source: str | None = None,
    source_id: str | None = None,
    adapted_from: dict[str, str] | None = None,
    around: Surroundings | None = None,
) -> Activity:
    """Make a draft for the leading section, perhaps from a record elsewhere or from an idea of others.

    `whole` is the joint day that it is a local part of.
    """
    row = Activity(
        id=new_id(), state=State.DRAFT.value, revision=0, edition_set_by_hand=False, sample=False, has_places=True,
        availability_revision=0, reason=None, source=source, source_id=source_id, source_url=None,
        label_state=LabelState.NOT_ASKED.value, adapted_from=adapted_from, is_series=False, public_parts=0,
    )  # fmt: skip
    await fill(session, row, wanted, around=around)
    await check_leads(session, actor, row)
    if whole is not None:
        if whole.joint == "country" and whole.country != row.country:
            raise Invalid.at("#/part_of", "This is the joint day of another country.")
        row.part_of, row.relation, row.part_of_title = whole.id, rules.LOCAL_PART, whole.title
    await changed(session, settings, row, actor, "draft")
    return row


async def revise(
    session: AsyncSession,
    settings: Settings,
    actor: Actor,
    row: Activity,
    wanted: ActivityDraft | Corrections,
    fields: frozenset[str],
    *,
    verb: str = REVISE,
    around: Surroundings | None = None,
) -> Activity:
    """Change these fields of a locked activity; what was reviewed for the label stays, but for its words.

    Words that somebody else than a reviewer changed ask for a fresh look; the label stays until a reviewer decides.
    """
    await check_reach(session, actor, row)
    rules.check_editable(State(row.state), LabelState(row.label_state), fields)
    if "organisers" in fields:
        # A co-organiser may change what is to be done, and neither take the lead nor give it away.
        await check_leads(session, actor, row)
    before = description(row)
    if isinstance(wanted, Corrections) or row.state in rules.OVER:
        describing.correct(row, wanted)
    else:
        await fill(session, row, wanted, around=around)
    if "organisers" in fields:
        await check_leads(session, actor, row)
    if actor.role not in _REVIEWERS and rules.asks_for_look(State(row.state), LabelState(row.label_state), fields):
        row.label_look_since = row.label_look_since or await store.now(session)
        row.label_changed = sorted({*(row.label_changed or ()), *(fields & rules.WORDS)})
    changes = rules.changes_between(before, description(row))
    await changed(session, settings, row, actor, verb, changes=changes)
    return row


async def correct_reason(
    session: AsyncSession, settings: Settings, actor: Actor, row: Activity, reason: str
) -> Activity:
    """Put the reason right for which a locked activity was cancelled; everybody reads it."""
    await check_reach(session, actor, row)
    if row.state != State.CANCELLED:
        raise rules.WrongState("Only what is cancelled has a reason to put right.")
    if row.reason != reason:
        row.reason = reason
        await changed(session, settings, row, actor, REVISE, changes={"reason": None})
    return row


async def act(
    session: AsyncSession, settings: Settings, actor: Actor, row: Activity, verb: Verb, reason: str | None = None
) -> Activity:
    """Carry out one verb of an activity's life on a locked row; an approval's `reason` is a note to the section."""
    await check_reach(session, actor, row)
    return await carry_out(session, settings, actor, row, verb, reason)


async def carry_out(
    session: AsyncSession, settings: Settings, actor: Actor | None, row: Activity, verb: Verb, reason: str | None
) -> Activity:
    """The same without asking into whose reach it falls; nobody did it where it follows from something else."""
    if actor is not None and verb in {Verb.APPROVE, Verb.RETURN} and actor.role not in _REVIEWERS:
        raise rules.ReviewerNeeded
    is_required = await policies.is_required(session, row.country)
    before, label_before = State(row.state), LabelState(row.label_state)
    asks_for_look = row.label_look_since is not None
    state, label_state = rules.decided(
        before, label_before, verb, label_required=is_required, asks_for_look=asks_for_look
    )
    # What was answered for the series was answered for its dates.
    if verb in {Verb.SUBMIT, Verb.APPROVE} and row.relation != rules.OCCURRENCE:
        label.check_complete(row.label_checklist)
    row.state = state.value
    if verb is Verb.COMPLETE and row.starts_at is not None and row.starts_at > await store.now(session):
        raise rules.NotStartedYet
    # What the label was given to is fixed: it is published as it was reviewed.
    if verb is Verb.SUBMIT or (verb is Verb.PUBLISH and label_before is not LabelState.GIVEN):
        await describing.check_labels_in_use(session, row)
    if verb in rules.LABEL_VERBS or label_state is not label_before:
        _move_label(row, label_state, reason, await store.now(session))
    if verb in {*rules.LABEL_VERBS, Verb.CANCEL, Verb.DISCARD}:
        row.label_look_since = row.label_changed = None
    # Everybody reads why an activity was cancelled; about its label a reviewer writes to the section.
    if before not in rules.PUBLIC or verb not in rules.LABEL_VERBS:
        row.reason = None if verb is Verb.APPROVE else reason
    changes = {"state": {"before": before.value, "after": row.state}}
    await changed(session, settings, row, actor, verb.value, reason=reason, changes=changes)
    return row


def _move_label(row: Activity, after: LabelState, note: str | None, moment: datetime) -> None:
    row.label_state = after.value
    if after is LabelState.ASKED:
        row.label_asked_at = moment
    elif after is LabelState.NOT_ASKED:
        row.label_asked_at = row.label_decided_at = row.label_note = None
    else:
        row.label_decided_at, row.label_note = moment, note


async def duplicate(session: AsyncSession, settings: Settings, actor: Actor, original: Activity) -> Activity:
    """A new draft with the content of an activity, to be given new dates by those who lead it."""
    await check_leads(session, actor, original)
    await describing.check_sections_go_on(session, original)
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
        "label_state": LabelState.NOT_ASKED.value,
        "label_asked_at": None,
        "label_decided_at": None,
        "label_note": None,
        "label_look_since": None,
        "label_changed": None,
        "part_of": None,
        "relation": None,
        "part_of_title": None,
        "joint": None,
        "is_series": False,
        "public_parts": 0,
    }
    for made_by_the_database in ("created_at", "updated_at"):
        kept.pop(made_by_the_database)
    row = Activity(**{**kept, **fresh})
    await changed(session, settings, row, actor, "duplicate")
    return row


async def check_leads(session: AsyncSession, actor: Actor, row: Activity) -> None:
    """Refuse an actor who would name a leading section, for which the figures will count, outside of their reach."""
    if not await _reaches(session, actor, row, row.section_codes[:1]):
        raise rules.OutOfReach


async def check_reach(session: AsyncSession, actor: Actor, row: Activity) -> None:
    """Refuse an actor into whose reach neither an organising section nor the country falls."""
    if not await is_within_reach(session, actor, row):
        raise rules.OutOfReach


async def is_within_reach(session: AsyncSession, actor: Actor, row: Activity) -> bool:
    """Whether an organising section, or one that it merged into, or the country falls into an actor's reach."""
    return await _reaches(session, actor, row, row.section_codes)


async def _reaches(session: AsyncSession, actor: Actor, row: Activity, codes: Sequence[str]) -> bool:
    if actor.reaches(sections=frozenset(codes), country=row.country):
        return True
    if actor.section is None:
        return False
    heirs = await directory.with_successors(session, codes)
    return actor.reaches(sections=frozenset(heirs), country=row.country)


async def changed(
    session: AsyncSession,
    settings: Settings,
    row: Activity,
    actor: Actor | None,
    verb: str,
    reason: str | None = None,
    changes: dict[str, Any] | None = None,
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
            actor_role=actor.role.value if actor else _ROLE_OF.get(verb, "import"),
            actor_section=actor.section if actor else None,
            actor_country=actor.country if actor else None,
            changes=changes or {},
        ),
    )
    state = State(row.state)
    if state in rules.PUBLIC:
        kind = contracts.ActivityRevised if was_public else _EVENT_OF[state]
        told = snapshot(row)
        await events.record(session, kind(activity=told))
        await webhooks.tell(
            session,
            WEBHOOKS,
            _TOLD_AS[kind],
            about=row.id,
            data={"activity_id": str(row.id), "revision": row.revision},
            sections=[each.code for each in told.organisers if each.code is not None],
            country=told.country,
        )


async def touch(session: AsyncSession, settings: Settings, row: Activity) -> None:
    """Render a locked activity anew after something beside it changed, which is no revision of its own."""
    row.updated_at = moment = await store.now(session)
    render(row, settings, now=moment)


async def lock(session: AsyncSession, identity: UUID) -> Activity:
    """The activity, locked, or a 404; what it is a part of is locked before it, always in this order."""
    whole = await store.whole_of(session, identity)
    if whole is not None:
        await store.lock_activity(session, whole)
    row = await store.lock_activity(session, identity)
    if row is None:
        raise rules.ActivityNotFound
    return row
