"""Decisions about activities: who may do what in which state, when a wall-clock time exists, when sign-up is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

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


PUBLIC: Final = frozenset({State.PUBLISHED, State.HELD, State.CANCELLED})


class Verb(StrEnum):
    """What a coordinator does to an activity."""

    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    PUBLISH = "publish"
    CANCEL = "cancel"
    COMPLETE = "complete"


_TRANSITIONS: Final[dict[Verb, tuple[frozenset[State], State]]] = {
    Verb.SUBMIT: (frozenset({State.DRAFT, State.RETURNED}), State.SUBMITTED),
    Verb.APPROVE: (frozenset({State.SUBMITTED}), State.APPROVED),
    Verb.RETURN: (frozenset({State.SUBMITTED, State.APPROVED}), State.RETURNED),
    Verb.PUBLISH: (frozenset({State.APPROVED}), State.PUBLISHED),
    Verb.CANCEL: (frozenset({State.APPROVED, State.PUBLISHED}), State.CANCELLED),
    Verb.COMPLETE: (frozenset({State.PUBLISHED}), State.HELD),
}
EDITABLE: Final = frozenset({State.DRAFT, State.RETURNED, State.APPROVED, State.PUBLISHED})
# The label is given to what was reviewed: these may not change afterwards without a new review.
REVIEWED_FIELDS: Final = frozenset({"kind", "programme", "areas", "causes", "organisers"})


class ActivityNotFound(NotFound):
    """There is no such activity."""


class WrongState(Conflict):
    """The activity's present state does not allow this."""


class NotStartedYet(Conflict):
    """The activity has not begun yet, so it can't have taken place; an activity that won't can be cancelled."""


class LabelFieldsFixed(Conflict):
    """Kind, programme, areas, causes and organisers were reviewed for the label and can't change any more."""

    title = "Reviewed fields are fixed"


class OutOfReach(Forbidden):
    """This activity belongs to another section or country than yours."""


class ReviewerNeeded(Forbidden):
    """Only the national coordinator of the activity's country, or ESN International, decides about the label."""


def next_state(state: State, verb: Verb) -> State:
    """The state after `verb`, or a `WrongState` problem that says what was possible."""
    allowed, after = _TRANSITIONS[verb]
    if state not in allowed:
        expected = " or ".join(sorted(allowed))
        raise WrongState(f"To {verb} it, the activity must be {expected}; it is {state}.")
    return after


def check_editable(state: State, changed: frozenset[str]) -> None:
    """Refuse changes that the present state does not allow."""
    if state not in EDITABLE:
        raise WrongState(f"An activity that is {state} can't be changed.")
    if state in {State.APPROVED, State.PUBLISHED} and changed & REVIEWED_FIELDS:
        raise LabelFieldsFixed


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
    *, takes: bool, state: State, opens_at: datetime | None, closes_at: datetime | None, has_places: bool, now: datetime
) -> tuple[SignUp, datetime | None]:
    """Whether sign-up is open at `now`, and when time alone will change that."""
    if not takes:
        return SignUp.NOT_OFFERED, None
    if state is not State.PUBLISHED or (closes_at is not None and now >= closes_at):
        return SignUp.CLOSED, None
    if opens_at is not None and now < opens_at:
        return SignUp.NOT_YET_OPEN, opens_at
    return (SignUp.OPEN if has_places else SignUp.FULL), closes_at


def page_of(document: Mapping[str, Any]) -> str:
    """Where people read about an activity; a document that the version before wrote does not say."""
    found: str = document.get("page_url") or document["url"]
    return found
