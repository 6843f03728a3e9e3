"""Decisions about reports: their life, who decides, when one may be written, where its figures come from."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from services.contracts import ReportStage
from services.impact.projections.rules import CheckedIn
from services.kernel.problems import Conflict, Forbidden, Invalid, NotFound

FIRST_REMINDER_DAYS: Final = 3
OLDEST_REMINDER: Final = timedelta(days=7)
"""What should have been told longer ago is told no more: nobody is reminded of what an import brings along."""


class State(StrEnum):
    """The life of a report; only a verified one counts."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    VERIFIED = "verified"


class Verb(StrEnum):
    """What is done to a report as a whole."""

    SUBMIT = "submit"
    VERIFY = "verify"
    RETURN = "return"


class Outcome(StrEnum):
    """What became of the activity; one that shrunk was held, smaller than it was planned."""

    HELD = "held"
    SHRUNK = "shrunk"
    CANCELLED = "cancelled"


class Source(StrEnum):
    """Where the numbers of people come from."""

    CHECK_IN = "check_in"
    ORGANISER = "organiser"
    IMPORT = "import"


class Qualifier(StrEnum):
    """How exact an amount is said to be, the most exact first."""

    EXACTLY = "exactly"
    ABOUT = "about"
    ALMOST = "almost"
    MORE_THAN = "more_than"


class Permission(StrEnum):
    """Why a photo may be published."""

    PEOPLE_AGREED = "people_agreed"
    """The section may publish it, and everybody who can be recognised agreed."""
    NOBODY_RECOGNISABLE = "nobody_recognisable"
    """The section may publish it, and nobody can be recognised."""


_TRANSITIONS: Final[dict[Verb, tuple[frozenset[State], State]]] = {
    Verb.SUBMIT: (frozenset({State.DRAFT, State.RETURNED}), State.SUBMITTED),
    Verb.VERIFY: (frozenset({State.SUBMITTED}), State.VERIFIED),
    Verb.RETURN: (frozenset({State.SUBMITTED, State.VERIFIED}), State.RETURNED),
}
EDITABLE: Final = frozenset({State.DRAFT, State.RETURNED})


class ActivityNotFound(NotFound):
    """There is no such public activity."""


class ReportNotFound(NotFound):
    """No report was written about this activity yet."""


class HasParts(Conflict):
    """This is a series or a joint day: what happened is reported about each of its parts."""

    title = "Reported by its parts"


class WrongReportState(Conflict):
    """The report's present state does not allow this."""


class ReportTooEarly(Conflict):
    """The activity has not started yet; until then it can only be reported as cancelled."""

    title = "Too early to report"


class ActivityWasCancelled(Conflict):
    """The activity was called off in the catalogue, so it can't be reported as held."""

    title = "Activity was cancelled"


class ReportImplausible(Conflict):
    """The report holds what can hardly be: correct it, or send the codes of these hints in `acknowledged`."""

    title = "Implausible report"


class ListOutOfReach(Forbidden):
    """Lists of reports are for coordinators, each of their own section or country, and for ESN International."""


class OutOfReach(Forbidden):
    """This activity belongs to another section or country than yours."""


class VerifierNeeded(Forbidden):
    """Only the national coordinator of the activity's country, or ESN International, decides about a report."""


def next_state(state: State, verb: Verb) -> State:
    """The state after `verb`, or a `WrongReportState` problem that says what was possible."""
    allowed, after = _TRANSITIONS[verb]
    if state not in allowed:
        raise WrongReportState(f"To {verb} it, the report must be {' or '.join(sorted(allowed))}; it is {state}.")
    return after


def check_editable(state: State) -> None:
    """Refuse changes of figures that are before a verifier or verified."""
    if state not in EDITABLE:
        raise WrongReportState(f"A report that is {state} can't be changed; it must be returned first.")


def check_timely(outcome: Outcome, *, activity_state: str, starts_at: datetime | None, now: datetime) -> None:
    """Refuse a report that the activity's state or the clock contradicts; an unknown start lies in the past."""
    if outcome is Outcome.CANCELLED:
        return
    if activity_state == "cancelled":
        raise ActivityWasCancelled
    if activity_state != "held" and starts_at is not None and starts_at > now:
        raise ReportTooEarly


def source_of(people: tuple[int, int, int, int], checked_in: CheckedIn) -> Source:
    """Check-in, where the people reported are exactly those who were checked in; else the organiser's word."""
    present = (checked_in.international, checked_in.local, checked_in.esn_volunteer, 0)
    return Source.CHECK_IN if checked_in.total and people == present else Source.ORGANISER


def check_people(newcomers: int | None, returning: int | None, total: int | None) -> None:
    """Refuse more people who are new, or have come back, than took part."""
    both = (newcomers or 0) + (returning or 0)
    if both > (total or 0):
        name = "returning" if (newcomers or 0) <= (total or 0) else "newcomers"
        raise Invalid.at(f"#/{name}", "New and returning people are together more than took part.")


def stages(within_days: int) -> dict[ReportStage, timedelta]:
    """How long after its end an activity without a report is told of, at each stage.

    >>> [after.days for after in stages(14).values()], [after.days for after in stages(2).values()]
    ([3, 14], [2])
    """
    first = {ReportStage.FIRST: timedelta(days=FIRST_REMINDER_DAYS)} if within_days > FIRST_REMINDER_DAYS else {}
    return {**first, ReportStage.DEADLINE: timedelta(days=within_days)}


def plain(amount: Decimal) -> str:
    """A decimal without exponent or needless zeros.

    >>> plain(Decimal("130.500000")), plain(Decimal("1E+3"))
    ('130.5', '1000')
    """
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
