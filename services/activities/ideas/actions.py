"""What is done with ideas: offered, revised, withdrawn, endorsed, adapted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue import actions as catalogue
from services.activities.catalogue import parts
from services.activities.catalogue import rules as catalogue_rules
from services.activities.catalogue.drafts import ActivityDraft
from services.activities.catalogue.tables import Activity
from services.activities.directory import store as directory
from services.activities.ideas import rules, store
from services.activities.ideas.rules import State
from services.activities.ideas.schemas import Adaptation, IdeaDraft, NewIdea
from services.activities.ideas.tables import Idea
from services.kernel.auth import Actor, Role
from services.kernel.ids import new_id
from services.kernel.problems import Invalid, invalid_body
from services.kernel.settings import Settings

_COPIED = (
    "kind", "programme", "mode", "areas", "causes", "sdgs", "country", "section_codes", "organisers", "capacity",
)  # fmt: skip
_PLAIN = ("title", "what", "how", "seasons", "settings", "partner_kinds", "lessons", "language")


async def offer(session: AsyncSession, actor: Actor, wanted: NewIdea) -> Idea:
    """Offer an activity that was held as an idea."""
    activity = await catalogue.lock(session, wanted.activity_id)
    await catalogue.check_reach(session, actor, activity)
    if activity.state != catalogue_rules.State.HELD:
        raise rules.NotHeld
    if await store.of_activity(session, activity.id) is not None:
        raise rules.OfferedAlready
    row = Idea(id=new_id(), activity_id=activity.id, state=State.OFFERED.value, revision=0, held_on=activity.starts_on)
    for name in _COPIED:
        setattr(row, name, getattr(activity, name))
    row.activity_title, row.hours = activity.title, _hours(activity)
    row.adapted_sections = row.adapted_countries = row.endorsements = 0
    _fill(row, wanted)
    await _changed(session, row)
    row.offered_at = row.updated_at
    store.add(session, row)
    return row


async def revise(session: AsyncSession, actor: Actor, row: Idea, wanted: IdeaDraft) -> Idea:
    """Change a locked idea."""
    check_reach(actor, row)
    _fill(row, wanted)
    await _changed(session, row)
    return row


async def turn(session: AsyncSession, actor: Actor, identity: UUID, state: State) -> Idea:
    """Take an idea off the market, or put it there again; once more changes nothing."""
    row = await lock(session, identity)
    check_reach(actor, row)
    if row.state != state.value:
        row.state = state.value
        await _changed(session, row)
    return row


async def endorse(session: AsyncSession, actor: Actor, identity: UUID, note: str | None) -> Idea:
    """Recommend an idea in the name of a country or of ESN International."""
    endorser = _endorser(actor)
    row = await _lock_offered(session, identity)
    await store.endorse(session, row.id, endorser, note)
    return await _endorsed(session, row)


async def take_endorsement_back(session: AsyncSession, actor: Actor, identity: UUID) -> Idea:
    """Recommend it no longer; once more changes nothing."""
    endorser = _endorser(actor)
    row = await _lock_offered(session, identity)
    await store.take_back(session, row.id, endorser)
    return await _endorsed(session, row)


async def adapt(
    session: AsyncSession, settings: Settings, actor: Actor, identity: UUID, wanted: Adaptation
) -> Activity:
    """Draft an activity of one's own section from an idea; it keeps where it comes from."""
    row = await store.idea(session, identity)
    if row is None:
        raise rules.IdeaNotFound
    if row.state != State.OFFERED:
        raise rules.Withdrawn
    section = wanted.section or actor.section
    if section is None:
        raise Invalid.at("#/section", "Name the section whose activity it will be.")
    if section not in await directory.sections_to_name(session, [section]):
        raise Invalid.at("#/section", "There is no section with this code.")
    try:
        draft = ActivityDraft.model_validate(_as_draft(row, section, wanted))
    except ValidationError as error:
        raise invalid_body(error) from None
    origin = {"idea_id": str(row.id), "activity_id": str(row.activity_id), "title": row.title}
    return await parts.draft(session, settings, actor, draft, adapted_from=origin)


def _as_draft(row: Idea, section: str, wanted: Adaptation) -> dict[str, Any]:
    overrides = wanted.model_dump(mode="json", exclude={"section"}, exclude_none=True)
    return {
        "title": row.title,
        "summary": row.what,
        "language": row.language,
        "kind": row.kind,
        "programme": row.programme,
        "mode": row.mode,
        "areas": row.areas,
        "causes": [{"code": code, "main": number == 0} for number, code in enumerate(row.causes)],
        "sdgs": row.sdgs,
        "organisers": [{"code": section, "lead": True}],
        "capacity": row.group_max,
        **overrides,
    }


async def lock(session: AsyncSession, identity: UUID) -> Idea:
    """The idea, locked, or a 404."""
    row = await store.lock_idea(session, identity)
    if row is None:
        raise rules.IdeaNotFound
    return row


def check_reach(actor: Actor, row: Idea) -> None:
    """Refuse an actor into whose reach neither an organiser nor the country falls."""
    if not within_reach(actor, row):
        raise rules.IdeaOutOfReach


def within_reach(actor: Actor | None, row: Idea) -> bool:
    """Whether somebody may change an idea."""
    return actor is not None and actor.reaches(sections=frozenset(row.section_codes), country=row.country)


def description(row: Idea) -> dict[str, Any]:
    """The row in the words of `IdeaDraft`, so that a change can be laid over it."""
    cost = {"amount": str(row.cost_amount), "currency": row.cost_currency} if row.cost_currency else None
    return {
        **{name: getattr(row, name) for name in _PLAIN},
        "needs": row.needs,
        "cost": cost,
        "group_size": {"min": row.group_min, "max": row.group_max},
    }


def _fill(row: Idea, wanted: IdeaDraft) -> None:
    for name in _PLAIN:
        setattr(row, name, getattr(wanted, name))
    row.needs = wanted.needs.model_dump(mode="json")
    # What costs nothing has no currency.
    cost = wanted.cost if wanted.cost is not None and wanted.cost.amount > 0 else None
    row.cost_amount, row.cost_currency = (cost.amount, cost.currency) if cost else (0, None)
    row.group_min, row.group_max = wanted.group_size.min, wanted.group_size.max


async def _changed(session: AsyncSession, row: Idea) -> None:
    row.revision += 1
    row.updated_at = await store.now(session)


async def _lock_offered(session: AsyncSession, identity: UUID) -> Idea:
    row = await lock(session, identity)
    if row.state != State.OFFERED:
        raise rules.Withdrawn
    return row


async def _endorsed(session: AsyncSession, row: Idea) -> Idea:
    row.endorsements = await store.count_endorsements(session, row.id)
    await _changed(session, row)
    return row


def _endorser(actor: Actor) -> str:
    if actor.role is Role.INTERNATIONAL:
        return rules.INTERNATIONAL
    if actor.role is Role.NATIONAL_COORDINATOR and actor.country is not None:
        return actor.country
    raise rules.EndorserNeeded


def _hours(activity: Activity) -> float | None:
    # What is known to the day only has no hours.
    if activity.date_precision != "time" or activity.starts_at is None or activity.ends_at is None:
        return None
    return round((activity.ends_at - activity.starts_at).total_seconds() / 3600, 2)
