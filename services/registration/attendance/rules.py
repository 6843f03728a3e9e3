"""Pure decisions about attendance: when somebody can be checked in, and what is known of somebody in the end.

Two devices may check the same person in, and one of them may hear of it a day later. What is recorded is therefore a
function of the set of check-ins, in whatever order they arrive: the person came at the earliest `at`, and stayed for
the hours of the latest check-in that names hours (the greater nonce decides between equal instants). Where none does,
the planned duration stands. What organisers corrected stands above every check-in, told before it or after, until they
correct it again; that somebody did not come is only what nobody has seen, so any check-in takes it back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from services.contracts import ActivityState
from services.kernel.problems import Conflict, NotFound
from services.registration.places.questions import Kind
from services.registration.places.rules import SEATED, State

EARLIEST_BEFORE_THE_START: Final = timedelta(hours=24)
LATEST_AFTER_THE_END: Final = timedelta(days=30)
CLOCKS_MAY_DIFFER_BY: Final = timedelta(minutes=10)
NO_SHOWS_AFTER_HOURS: Final = 24
"""How long after the end, where people were checked in, those who were not are taken not to have come."""

MOST_HOURS: Final = Decimal(24)
_HUNDREDTH: Final = Decimal("0.01")


class Outcome(StrEnum):
    """What became of a check-in: it changed what is recorded, it did not, a correction stands above it, or refused."""

    RECORDED = "recorded"
    ALREADY_RECORDED = "already_recorded"
    OVERRULED = "overruled"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why a check-in was refused."""

    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_REGISTRATION = "unknown_registration"
    OTHER_ACTIVITY = "other_activity"
    NOT_CONFIRMED = "not_confirmed"
    CANCELLED = "cancelled"
    ACTIVITY_CANCELLED = "activity_cancelled"
    COUNTED_IN_ITS_PARTS = "counted_in_its_parts"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    IN_THE_FUTURE = "in_the_future"
    NONCE_REUSED = "nonce_reused"


class Presence(StrEnum):
    """What is known of somebody who has a place. It says nothing of the registration, and nothing outside of it."""

    NOT_RECORDED = "not_recorded"
    PRESENT = "present"
    NO_SHOW = "no_show"


class Act(StrEnum):
    """What was decided about somebody's attendance beside checking them in."""

    CORRECTED = "corrected"
    MARKED_NO_SHOW = "marked_no_show"


class AttendanceNotFound(NotFound):
    """There is nobody with this id who has a place, or came without one."""


class NotBegun(Conflict):
    """The activity has not begun yet, so nobody can say who was there."""

    title = "Not begun"


class NotOver(Conflict):
    """The activity is not over yet: whoever is not there may still come."""

    title = "Not over"


@dataclass(frozen=True, slots=True)
class Note:
    """One check-in of somebody."""

    nonce: str
    at: datetime
    hours: Decimal | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of somebody: whether they were there, for how long, and whether organisers corrected it."""

    present: bool
    hours: Decimal | None = None
    corrected: bool = False


def refusal(
    *,
    registration: State,
    activity: ActivityState,
    starts_at: datetime | None,
    ends_at: datetime | None,
    at: datetime,
    now: datetime,
) -> Reason | None:
    """Why somebody can't be checked in, if so.

    A place that is held or offered and not yet confirmed is as good as a confirmed one: who stands at the door has
    shown more than a click on a link could, so checking in confirms it.
    """
    if activity is ActivityState.CANCELLED:
        return Reason.ACTIVITY_CANCELLED
    if registration is State.CANCELLED:
        return Reason.CANCELLED
    if registration not in SEATED:
        return Reason.NOT_CONFIRMED
    return moment_refusal(starts_at=starts_at, ends_at=ends_at, at=at, now=now)


def walk_in_refusal(
    *,
    activity: ActivityState,
    has_parts: bool,
    starts_at: datetime | None,
    ends_at: datetime | None,
    at: datetime,
    now: datetime,
) -> Reason | None:
    """Why nobody can have come without a place, if so. That there is no room is no reason: they are standing there."""
    if activity is ActivityState.CANCELLED:
        return Reason.ACTIVITY_CANCELLED
    if has_parts:
        return Reason.COUNTED_IN_ITS_PARTS
    return moment_refusal(starts_at=starts_at, ends_at=ends_at, at=at, now=now)


def moment_refusal(
    *, starts_at: datetime | None, ends_at: datetime | None, at: datetime, now: datetime
) -> Reason | None:
    """Why nobody can have come at a moment, if so."""
    if at > now + CLOCKS_MAY_DIFFER_BY:
        return Reason.IN_THE_FUTURE
    if starts_at is not None and at < starts_at - EARLIEST_BEFORE_THE_START:
        return Reason.TOO_EARLY
    last = ends_at or starts_at
    if last is not None and at > last + LATEST_AFTER_THE_END:
        return Reason.TOO_LATE
    return None


def planned_hours(starts_at: datetime | None, ends_at: datetime | None) -> Decimal | None:
    """The planned duration in hours, at most a day's."""
    if starts_at is None or ends_at is None:
        return None
    hours = Decimal(int((ends_at - starts_at).total_seconds())) / 3600
    return min(MOST_HOURS, hours).quantize(_HUNDREDTH)


def presence(notes: Collection[Note], planned: Decimal | None) -> tuple[datetime, Decimal | None]:
    """When somebody came and how many hours they stayed, from every check-in of theirs."""
    told = [(note.at, note.nonce, note.hours) for note in notes if note.hours is not None]
    hours = max(told)[2] if told else planned
    return min(note.at for note in notes), hours if hours is None else hours.quantize(_HUNDREDTH)


def standing(notes: Collection[Note], before: Standing | None, planned: Decimal | None) -> Standing | None:
    """What is known of somebody after all their check-ins, where `before` was known."""
    if before is not None and before.corrected:
        return before
    if notes:
        return Standing(True, presence(notes, planned)[1])
    return before


def corrected(*, present: bool, hours: Decimal | None, planned: Decimal | None) -> Standing:
    """What organisers say was the case."""
    if not present:
        return Standing(False, None, corrected=True)
    stayed = planned if hours is None else hours
    return Standing(True, stayed if stayed is None else stayed.quantize(_HUNDREDTH), corrected=True)


def overrules(known: Standing | None, note_hours: Decimal | None) -> bool:
    """Whether a check-in says something else than what organisers corrected."""
    if known is None or not known.corrected:
        return False
    return not known.present or (note_hours is not None and note_hours != known.hours)


def presence_of(known: Standing | None) -> Presence:
    """What is known of somebody, in a word."""
    if known is None:
        return Presence.NOT_RECORDED
    return Presence.PRESENT if known.present else Presence.NO_SHOW


@dataclass(frozen=True, slots=True)
class AnswerSum:
    """What everybody's answers to one question come to: how often each was given, or the sum of numbers."""

    code: str
    answered: int
    counts: dict[str, int]
    total: Decimal | None


def answer_sums(questions: Sequence[Mapping[str, Any]], answers: Iterable[tuple[str, str, int]]) -> list[AnswerSum]:
    """The sums of (code of the question, answer, how often), question by question; texts and days have none."""
    given: dict[str, dict[str, int]] = {}
    for code, answer, many in answers:
        given.setdefault(code, {})[answer] = many
    return [
        _sum(question, given.get(question["code"], {}))
        for question in questions
        if Kind(question["kind"]) in {Kind.CHOICE, Kind.CONSENT, Kind.NUMBER}
    ]


def _sum(question: Mapping[str, Any], given: Mapping[str, int]) -> AnswerSum:
    code, answered = question["code"], sum(given.values())
    match Kind(question["kind"]):
        case Kind.NUMBER:
            return AnswerSum(
                code, answered, {}, sum((Decimal(each) * many for each, many in given.items()), Decimal(0))
            )
        case Kind.CHOICE:
            asked = [option["code"] for option in question["options"]]
        case _:
            asked = ["true", "false"]
    return AnswerSum(code, answered, {each: given.get(each, 0) for each in asked}, None)
