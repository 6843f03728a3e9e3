"""Activities made of parts: a series of occurrences, which share its review and texts; a joint day with local parts.

What has parts is locked before they are. Whoever calls off a joint day calls off its local parts. An occurrence follows
the verbs of its series and takes over every change of it, as long as it has not begun; its own are times, place,
capacity, online address and sign-up, and of these it takes over those that it has in common with its series.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from services.activities.catalogue import actions, rules, store, surroundings
from services.activities.catalogue.describing import description, differing, edition_by_date, fill
from services.activities.catalogue.drafts import ActivityDraft, Corrections
from services.activities.catalogue.rules import OCCURRENCE, State, Verb
from services.activities.catalogue.surroundings import Surroundings
from services.activities.catalogue.tables import Activity
from services.kernel.auth import Actor, Role
from services.kernel.ids import new_id
from services.kernel.problems import Invalid
from services.kernel.settings import Settings

_TIMES: Final = frozenset({"starts_at", "ends_at", "time_zone"})
_COMMON: Final = ("place", "online_url", "capacity", "sign_up")
_OWN: Final = frozenset({"starts_at", "ends_at", *_COMMON})
_DECIDED_TOGETHER: Final = frozenset({Verb.SUBMIT, Verb.WITHDRAW, Verb.APPROVE, Verb.RETURN, Verb.PUBLISH})
_CALLS_OFF: Final = frozenset({Verb.CANCEL, Verb.DISCARD})
_CALLED_OFF: Final = frozenset({State.CANCELLED, State.DISCARDED})


async def draft(
    session: AsyncSession,
    settings: Settings,
    actor: Actor,
    wanted: ActivityDraft,
    *,
    source: str | None = None,
    source_id: str | None = None,
    adapted_from: dict[str, str] | None = None,
    around: Surroundings | None = None,
) -> Activity:
    """Make a draft: of an activity, of a joint day, or of a local part of one."""
    _check_may_join(actor, wanted.joint)
    whole = None
    if wanted.part_of is not None:
        whole = await store.lock_activity(session, wanted.part_of)
        if whole is None or whole.joint is None or whole.state in rules.OVER:
            raise Invalid.at("#/part_of", "There is no joint day with this id that local parts can be added to now.")
    return await actions.draft(
        session,
        settings,
        actor,
        wanted,
        whole=whole,
        source=source,
        source_id=source_id,
        adapted_from=adapted_from,
        around=around,
    )


def _check_may_join(actor: Actor, joint: str | None) -> None:
    may_join = {Role.INTERNATIONAL} if joint == "international" else {Role.INTERNATIONAL, Role.NATIONAL_COORDINATOR}
    if joint is not None and actor.role not in may_join:
        raise rules.JointDayNotYours


async def revise(
    session: AsyncSession,
    settings: Settings,
    actor: Actor,
    row: Activity,
    wanted: ActivityDraft,
    *,
    verb: str = actions.REVISE,
    around: Surroundings | None = None,
) -> Activity:
    """Change a locked activity where `wanted` differs from it, and what follows for the parts or for the whole."""
    before = description(row)
    if (wanted.joint, wanted.part_of) != (before["joint"], before["part_of"]):
        raise rules.PartsAreFixed
    fields = await differing(session, row, wanted, around=around)
    if not fields:
        return row
    if row.relation == OCCURRENCE and fields - _OWN and row.state not in rules.OVER:
        raise rules.FollowsItsSeries
    if row.is_series and fields & _TIMES:
        raise rules.SpansItsOccurrences
    await actions.revise(session, settings, actor, row, wanted, fields, verb=verb, around=around)
    if row.is_series:
        now = await store.now(session)
        for part in await store.lock_parts(session, row.id):
            if part.state not in rules.OVER and _is_to_come(part, now):
                await _take_over(session, settings, actor, row, part, before)
    await _follow_title(session, settings, row, before["title"])
    await sum_up_whole(session, settings, actor, row)
    return row


async def correct(
    session: AsyncSession, settings: Settings, actor: Actor, row: Activity, wanted: Corrections
) -> Activity:
    """Put a locked activity that is over right where `wanted` differs from it."""
    before, told = description(row), wanted.model_dump(mode="json", include=set(rules.CORRECTABLE))
    fields = frozenset(name for name, value in told.items() if value != before[name])
    if not fields:
        return row
    await actions.revise(session, settings, actor, row, wanted, fields)
    await _follow_title(session, settings, row, before["title"])
    await sum_up_whole(session, settings, actor, row)
    return row


async def _follow_title(session: AsyncSession, settings: Settings, row: Activity, before: str) -> None:
    """The local parts of a joint day name it."""
    if row.joint is None or row.title == before:
        return
    for part in await store.lock_parts(session, row.id):
        part.part_of_title = row.title
        await actions.touch(session, settings, part)


async def act(
    session: AsyncSession, settings: Settings, actor: Actor, row: Activity, verb: Verb, reason: str | None = None
) -> Activity:
    """Carry out one verb on a locked activity and, of a series, on the occurrences that it concerns."""
    if row.relation == OCCURRENCE and verb in _DECIDED_TOGETHER:
        raise rules.FollowsItsSeries
    await actions.check_reach(session, actor, row)
    if verb in _CALLS_OFF:
        # Others' parts are called off with it.
        _check_may_join(actor, row.joint)
    if verb is Verb.PUBLISH and row.relation == rules.LOCAL_PART and row.part_of is not None:
        whole = await store.activity(session, row.part_of)
        if whole is not None and whole.state in rules.NEVER_PUBLIC:
            raise rules.JointDayNotPublic
    await _carry_out(session, settings, actor, row, verb, reason)
    if row.joint is not None and verb in _CALLS_OFF:
        await call_off_parts(session, settings, actor, row)
    await sum_up_whole(session, settings, actor, row)
    return row


async def call_off_parts(session: AsyncSession, settings: Settings, actor: Actor | None, whole: Activity) -> int:
    """Call off local parts of a joint day that was, for its reason; answers how many, the rest being for a sweep.

    A part that was never public is discarded; one that has begun is left to its section.
    """
    left = await store.left_parts(session, whole.id, limit=rules.MOST_CALLED_OFF_AT_ONCE)
    for identity in left:
        part = await store.lock_activity(session, identity)
        assert part is not None
        verb = Verb.CANCEL if part.state == State.PUBLISHED else Verb.DISCARD
        await _carry_out(session, settings, actor, part, verb, whole.reason)
    if left:
        await _sum_up(session, settings, actor, whole)
    return len(left)


async def call_off_left_parts(session: AsyncSession, settings: Settings) -> int:
    """Call off what is left of joint days that were called off; answers how many parts were."""
    done = 0
    for identity in await store.wholes_called_off(session):
        done += await call_off_parts(session, settings, None, await actions.lock(session, identity))
        if done:
            break
    return done


async def _carry_out(
    session: AsyncSession, settings: Settings, actor: Actor | None, row: Activity, verb: Verb, reason: str | None
) -> None:
    now, before = await store.now(session), row.state
    parts = await store.lock_parts(session, row.id) if row.is_series else []
    concerned = [part for part in parts if _concerns(verb, part, before=before, now=now)]
    if verb is Verb.APPROVE and row.label_look_since is not None:
        # The words are looked at where they were changed; the dates have their label.
        concerned = []
    if verb is Verb.COMPLETE and any(_is_to_come(part, now) for part in concerned):
        raise rules.NotStartedYet("An occurrence has not begun yet; what won't take place can be cancelled.")
    await actions.carry_out(session, settings, actor, row, verb, reason)
    for part in concerned:
        await actions.carry_out(session, settings, actor, part, verb, reason)
    if parts:
        await _sum_up(session, settings, actor, row)


async def sum_up_whole(session: AsyncSession, settings: Settings, actor: Actor, part: Activity) -> None:
    """Let what an activity is a part of, which is locked, tell how many parts it has and when they are."""
    if part.part_of is not None:
        await _sum_up(session, settings, actor, await actions.lock(session, part.part_of))


async def add(
    session: AsyncSession, settings: Settings, actor: Actor, series: Activity, times: list[tuple[datetime, datetime]]
) -> list[Activity]:
    """Make occurrences of a locked series, in its state and with its content."""
    series.is_series = True
    plain = description(series)
    made = []
    drafts = [_occurrence(plain, starts_at, ends_at) for starts_at, ends_at in times]
    around = await surroundings.read(session, drafts)
    for wanted in drafts:
        part = Activity(
            id=new_id(), state=series.state, revision=0, sample=series.sample, has_places=True,
            availability_revision=0, reason=None, source=None, source_id=None, source_url=None, is_series=False,
            public_parts=0, part_of=series.id, relation=OCCURRENCE, part_of_title=series.title,
            label_state=series.label_state, label_asked_at=series.label_asked_at,
            label_decided_at=series.label_decided_at, label_note=series.label_note, adapted_from=series.adapted_from,
            section_codes=series.section_codes,
        )  # fmt: skip
        await fill(session, part, wanted, around=around)
        await actions.changed(session, settings, part, actor, "draft")
        made.append(part)
    await _sum_up(session, settings, actor, series, verb="add_occurrences")
    return made


def _occurrence(series: dict[str, Any], starts_at: datetime, ends_at: datetime) -> ActivityDraft:
    times = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    return ActivityDraft.model_validate({**series, **times, "sign_up": _sign_up(series, starts_at)})


def _sign_up(series: dict[str, Any], starts_at: datetime) -> dict[str, Any]:
    """The sign-up of an occurrence that has that of its series: it closes at its own start."""
    opens_at = series["sign_up"]["opens_at"]
    # What opens after the start would never open.
    is_kept = opens_at is not None and datetime.fromisoformat(opens_at) <= starts_at
    return {"opens_at": opens_at if is_kept else None, "closes_at": None}


async def _take_over(
    session: AsyncSession, settings: Settings, actor: Actor, series: Activity, part: Activity, before: dict[str, Any]
) -> None:
    was, wanted = description(part), description(series)
    if part.starts_at is not None:
        before = {**before, "sign_up": _sign_up(before, part.starts_at)}
        wanted["sign_up"] = _sign_up(wanted, part.starts_at)
    common = {name for name in _COMMON if was[name] == before[name]}
    wanted |= {name: was[name] for name in _OWN - common}
    part.part_of_title = series.title
    await fill(session, part, ActivityDraft.model_validate(wanted))
    changes = rules.changes_between(was, description(part))
    if changes:
        await actions.changed(session, settings, part, actor, "revise", changes=changes)


async def _sum_up(
    session: AsyncSession, settings: Settings, actor: Actor | None, whole: Activity, *, verb: str | None = None
) -> None:
    whole.public_parts = await store.public_parts(session, whole.id)
    if whole.is_series:
        before = description(whole)
        await _span(session, whole)
        changes = rules.changes_between(before, description(whole))
        if changes or verb:
            await actions.changed(session, settings, whole, actor, verb or "span", changes=changes)
            return
    await actions.touch(session, settings, whole)


async def _span(session: AsyncSession, series: Activity) -> None:
    parts = [part for part in await store.lock_parts(session, series.id) if part.state not in _CALLED_OFF]
    starts = [part.starts_at for part in parts if part.starts_at]
    ends = [part.ends_at for part in parts if part.ends_at]
    if not starts or not ends or (min(starts), max(ends)) == (series.starts_at, series.ends_at):
        return
    zone = ZoneInfo(series.time_zone)
    followed = series.sign_up_closes_at == series.starts_at
    series.starts_at, series.ends_at = min(starts).astimezone(zone), max(ends).astimezone(zone)
    series.starts_on, series.ends_on = series.starts_at.date(), series.ends_at.date()
    if followed:
        series.sign_up_closes_at = series.starts_at
    if not series.edition_set_by_hand:
        series.edition = await edition_by_date(session, series)


def _concerns(verb: Verb, part: Activity, *, before: str, now: datetime) -> bool:
    if verb is Verb.CANCEL:
        return part.state == State.PUBLISHED and _is_to_come(part, now)
    if verb is Verb.DISCARD:
        return part.state in rules.NEVER_PUBLIC
    return part.state == before


def _is_to_come(part: Activity, now: datetime) -> bool:
    return part.starts_at is None or part.starts_at > now
