"""Decisions about activities: who may do what in which state, when a wall-clock time exists, when sign-up is open."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.activities.label.rules import LabelState
from services.kernel.problems import Conflict, Forbidden, NotFound


class State(StrEnum):
    """The life of an activity."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    PUBLISHED = "published"
    HELD = "held"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"


PUBLIC: Final = frozenset({State.PUBLISHED, State.HELD, State.CANCELLED})
OCCURRENCE: Final = "occurrence"
"""What a date of a series is to it."""
LOCAL_PART: Final = "local_part"
"""What a section's part of a joint day is to it."""
OVER: Final = frozenset({State.HELD, State.CANCELLED, State.DISCARDED})
"""Nothing comes after these."""


class Verb(StrEnum):
    """What a coordinator does to an activity."""

    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    PUBLISH = "publish"
    CANCEL = "cancel"
    COMPLETE = "complete"
    WITHDRAW = "withdraw"
    DISCARD = "discard"


MOST_CALLED_OFF_AT_ONCE: Final = 100
"""So many local parts are called off in the transaction that calls off their joint day; a sweep does the others."""

NEVER_PUBLIC: Final = frozenset({State.DRAFT, State.SUBMITTED, State.RETURNED, State.APPROVED})
_TRANSITIONS: Final[dict[Verb, tuple[frozenset[State], State]]] = {
    Verb.SUBMIT: (frozenset({State.DRAFT, State.RETURNED}), State.SUBMITTED),
    Verb.APPROVE: (frozenset({State.SUBMITTED}), State.APPROVED),
    Verb.RETURN: (frozenset({State.SUBMITTED, State.APPROVED}), State.RETURNED),
    Verb.PUBLISH: (frozenset({State.APPROVED}), State.PUBLISHED),
    Verb.CANCEL: (frozenset({State.PUBLISHED}), State.CANCELLED),
    Verb.COMPLETE: (frozenset({State.PUBLISHED}), State.HELD),
    Verb.WITHDRAW: (frozenset({State.SUBMITTED}), State.DRAFT),
    Verb.DISCARD: (NEVER_PUBLIC, State.DISCARDED),
}
EDITABLE: Final = frozenset({State.DRAFT, State.RETURNED, State.APPROVED, State.PUBLISHED})
CORRECTABLE: Final = frozenset({"contact", "image", "summary", "title", "translations"})
"""What may be wrong, or be somebody's, and must be put right also after an activity is over."""
WORDS: Final = frozenset({"title", "summary", "translations"})
"""What may be put better after the label was given, and then asks for a fresh look."""
# The label is given to what was reviewed: these may not change afterwards without a new review.
REVIEWED_FIELDS: Final = frozenset({"kind", "programme", "areas", "causes", "organisers", "label_checklist"})

# Without a label that is required, a section publishes what it likes and asks for the label whenever it likes.
_PUBLISHED_WITHOUT_LABEL: Final = NEVER_PUBLIC
_LABEL_AFTER: Final = {
    Verb.SUBMIT: LabelState.ASKED,
    Verb.APPROVE: LabelState.GIVEN,
    Verb.RETURN: LabelState.RETURNED,
    Verb.WITHDRAW: LabelState.NOT_ASKED,
}
LABEL_VERBS: Final = frozenset(_LABEL_AFTER)
# What everybody sees already stays where it is: only its label moves.
_MAY_TAKE_LABEL: Final = frozenset({State.PUBLISHED, State.HELD})
_LABEL_BEFORE: Final = {
    Verb.SUBMIT: frozenset({LabelState.NOT_ASKED, LabelState.RETURNED}),
    Verb.APPROVE: frozenset({LabelState.NOT_ASKED, LabelState.ASKED, LabelState.RETURNED}),
    Verb.RETURN: frozenset({LabelState.ASKED}),
    Verb.WITHDRAW: frozenset({LabelState.ASKED}),
}


AUDIENCES: Final = {
    "international_students": "International students",
    "local_students": "Local students",
    "esn_volunteers": "ESN volunteers",
    "locals": "People who live there",
    "pupils": "Pupils",
    "families": "Families",
    "everybody": "Everybody",
}
"""Whom an activity is for."""

DOCUMENTS: Final = {
    "identity_card": "Identity card or passport",
    "student_card": "Student card",
    "residence_permit": "Residence permit",
    "criminal_record_certificate": "Certificate of the criminal record",
    "insurance_card": "Insurance card",
    "parental_consent": "Consent of the parents",
}
"""What a participant must be able to show. Nothing about health is among it, and nothing may be added."""

ACCESSIBILITY: Final = {
    "step-free": "Without steps",
    "accessible-toilet": "Accessible toilet",
    "accessible-parking": "Accessible parking",
    "hearing-loop": "Hearing loop",
    "sign-language": "Sign language",
    "captions": "Captions",
    "easy-language": "Easy language",
    "quiet-room": "Quiet room",
    "seated": "Can be done sitting",
    "public-transport": "Public transport leads there",
    "guide-dogs": "Guide dogs are welcome",
    "assistant-free": "An assistant comes along at no cost",
}
"""What the organisers say about access."""

TOLD_IN_FULL: Final = frozenset(
    {"language", "kind", "programme", "mode", "edition", "areas", "causes", "sdgs", "organisers", "starts_at",
     "ends_at", "time_zone", "capacity", "sign_up", "takes_sign_ups", "accessibility", "audience", "pupils_expected",
     "cost"}
)  # fmt: skip
"""Fields whose history tells what was and what is; of texts and contacts, which may speak of people, only that."""

PROGRAMME_WITH_PUPILS: Final = "erasmus_in_schools"


class ActivityNotFound(NotFound):
    """There is no such activity."""


class WrongState(Conflict):
    """The activity's present state does not allow this."""


class NotStartedYet(Conflict):
    """The activity has not begun yet, so it can't have taken place; an activity that won't can be cancelled."""


class LabelFieldsFixed(Conflict):
    """Kind, programme, areas, causes, organisers and checklist were reviewed for the label and can't change now."""

    title = "Reviewed fields are fixed"


class SectionIsNoMore(Conflict):
    """A section that organised it merged or withdrew: draft a new activity for its successor."""

    title = "Section is no more"


class RetiredLabels(Conflict):
    """It carries labels that are not used for new activities any more; revise it, then submit it."""


class OutOfReach(Forbidden):
    """This activity belongs to another section or country than yours."""


class ReviewerNeeded(Forbidden):
    """Only the national coordinator of the activity's country, or ESN International, decides about the label."""


class PartsAreFixed(Conflict):
    """Whether an activity is a joint day, and what it is a part of, is said when it is drafted and stays."""


class FollowsItsSeries(Conflict):
    """An occurrence has its own times, place, capacity and sign-up; all else is decided and changed at its series."""


class SpansItsOccurrences(Conflict):
    """A series lasts from its first occurrence to its last; the occurrences are what can be moved."""


class JointDayNotPublic(Conflict):
    """It is a part of a joint day that is not published yet; the local part can be published as soon as the day is."""

    title = "Joint day not public"


class JointDayNotYours(Forbidden):
    """Its national coordinator drafts and calls off a country's joint day, ESN International an international one."""


def next_state(state: State, verb: Verb, *, label_required: bool = True) -> State:
    """The state after `verb`, or a `WrongState` problem that says what was possible."""
    allowed, after = _TRANSITIONS[verb]
    if verb is Verb.PUBLISH and not label_required:
        allowed = _PUBLISHED_WITHOUT_LABEL
    if state not in allowed:
        expected = " or ".join(sorted(allowed))
        instead = " What was never public is discarded." if verb is Verb.CANCEL and state in NEVER_PUBLIC else ""
        raise WrongState(f"To {verb} it, the activity must be {expected}; it is {state}.{instead}")
    return after


def decided(
    state: State, label: LabelState, verb: Verb, *, label_required: bool = True, asks_for_look: bool = False
) -> tuple[State, LabelState]:
    """An activity's state and its label's after `verb`, or a `WrongState` problem.

    A label that was given can be taken back from what is published; the activity stays published without it. Where
    words were changed since, and ask for a fresh look, approving says that it stays given.
    """
    if verb is Verb.APPROVE and label is LabelState.GIVEN and asks_for_look:
        return state, label
    if verb not in LABEL_VERBS or state not in _MAY_TAKE_LABEL:
        after = next_state(state, verb, label_required=label_required)
        # Nobody waits for a decision about what was given up.
        is_given_up = verb is Verb.DISCARD and label is LabelState.ASKED
        return after, LabelState.NOT_ASKED if is_given_up else _LABEL_AFTER.get(verb, label)
    allowed = _LABEL_BEFORE[verb]
    if verb is Verb.RETURN:
        # What is public stays so, without the label: people may have places, and calling it off is another decision.
        allowed = allowed | ({LabelState.GIVEN} if label_required else {LabelState.GIVEN, LabelState.NOT_ASKED})
    if label not in allowed:
        expected = " or ".join(sorted(allowed))
        raise WrongState(f"To {verb} what is {state}, its label must be {expected}; it is {label}.")
    return state, _LABEL_AFTER[verb]


def asks_for_look(state: State, label: LabelState, changed: frozenset[str]) -> bool:
    """Whether a change of words asks the reviewer for a fresh look; what was called off concerns nobody any more."""
    return label is LabelState.GIVEN and state in {State.APPROVED, *_MAY_TAKE_LABEL} and bool(changed & WORDS)


def check_editable(state: State, label: LabelState, changed: frozenset[str]) -> None:
    """Refuse changes that the present state does not allow."""
    if state in OVER & PUBLIC:
        if changed - CORRECTABLE:
            raise WrongState(f"Of what is {state}, only {', '.join(sorted(CORRECTABLE))} can be corrected.")
        return
    if state not in EDITABLE:
        raise WrongState(f"An activity that is {state} can't be changed.")
    if (state is State.APPROVED or label is LabelState.GIVEN) and changed & REVIEWED_FIELDS:
        raise LabelFieldsFixed


def with_partner(partners: list[dict[str, Any]], old: str, new: str, name: str) -> list[dict[str, Any]]:
    """An activity's partners after one of them was renamed or merged; none of them stands there twice."""
    changed: list[dict[str, Any]] = []
    for partner in partners:
        entry = {**partner, "id": new, "name": name} if partner.get("id") == old else partner
        if entry not in changed:
            changed.append(entry)
    return changed


def with_section(
    organisers: list[dict[str, Any]], code: str, former: Collection[str], name: str
) -> list[dict[str, Any]]:
    """An activity's organisers after one was renamed; what a source called it by other names stays.

    >>> with_section([{"code": "A", "name": "Old"}, {"code": "B", "name": "Old"}], "A", ["Old"], "New")
    [{'code': 'A', 'name': 'New'}, {'code': 'B', 'name': 'Old'}]
    """
    return [{**each, "name": name} if each["code"] == code and each["name"] in former else each for each in organisers]


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Which fields of a description differ, as its history tells them.

    >>> changes_between({"capacity": 4, "title": "A"}, {"capacity": 5, "title": "B"})
    {'capacity': {'before': 4, 'after': 5}, 'title': None}
    """
    return {
        name: {"before": before[name], "after": after[name]} if name in TOLD_IN_FULL else None
        for name in after
        if before[name] != after[name]
    }


class WallClockError(ValueError):
    """A time that the clocks of its zone never show, show twice, or show with another offset."""


def instant(wall_clock: datetime, zone: ZoneInfo) -> datetime:
    """The instant, in `zone`, of a wall-clock time (naive), or of a time whose offset is UTC's or the zone's own.

    Raises `WallClockError` when the clocks skip that time, show it twice (unless an offset tells which), or when its
    offset is not the one that the zone has then.
    """
    if wall_clock.tzinfo is not None and wall_clock.utcoffset() == timedelta(0):
        return wall_clock.astimezone(zone)
    naive = wall_clock.replace(tzinfo=None)
    possible = {
        found
        for fold in (0, 1)
        if (found := naive.replace(tzinfo=zone, fold=fold).astimezone(UTC))
        .astimezone(zone)
        .replace(tzinfo=None, fold=0)
        == naive.replace(fold=0)
    }
    if not possible:
        raise WallClockError(f"The clocks in {zone.key} skip this time.")
    if wall_clock.tzinfo is None:
        if len(possible) > 1:
            raise WallClockError(f"The clocks in {zone.key} show this time twice; add the offset that is meant.")
        return possible.pop().astimezone(zone)
    meant = wall_clock.astimezone(UTC)
    if meant not in possible:
        raise WallClockError(f"The clocks in {zone.key} do not have this offset from UTC at this time.")
    return meant.astimezone(zone)


def edition_day(starts_at: datetime, zone: str) -> date:
    """The day on which an activity begins where its leading section is: by it, it falls into an edition.

    >>> edition_day(datetime(2027, 5, 16, 22, 30, tzinfo=UTC), "Europe/Rome")
    datetime.date(2027, 5, 17)
    """
    return starts_at.astimezone(ZoneInfo(zone)).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day in its zone, also where clocks change at midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).astimezone(zone)


class SignUp(StrEnum):
    """Whether a student can sign up now."""

    NOT_OFFERED = "not_offered"
    NOT_YET_OPEN = "not_yet_open"
    OPEN = "open"
    FULL = "full"
    CLOSED = "closed"


def sign_up(
    *,
    takes: bool,
    state: State,
    opens_at: datetime | None,
    closes_at: datetime | None,
    ends_at: datetime | None,
    has_places: bool,
    now: datetime,
) -> tuple[SignUp, datetime | None]:
    """Whether sign-up is open at `now`, and when time alone will change that; it closes at the end at the latest."""
    closes_at = min(filter(None, (closes_at, ends_at)), default=None)
    if not takes:
        return SignUp.NOT_OFFERED, None
    if state is not State.PUBLISHED or (closes_at is not None and now >= closes_at):
        return SignUp.CLOSED, None
    if opens_at is not None and now < opens_at:
        return SignUp.NOT_YET_OPEN, min(opens_at, closes_at or opens_at)
    return (SignUp.OPEN if has_places else SignUp.FULL), closes_at


def page_of(document: Mapping[str, Any]) -> str:
    """Where people read about an activity; a document that the version before wrote does not say."""
    found: str = document.get("page_url") or document["url"]
    return found
