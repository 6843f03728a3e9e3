"""Pure decisions about places: states, room, the sign-up window, how long a place is held, codes, problems."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.contracts import ActivityState, ParticipantClass
from services.kernel.problems import Conflict, Forbidden, NotFound, Problem

CODE_LENGTH: Final = 8
# Crockford's base 32 leaves out I, L, O and U; a code read aloud or from paper can't be misread.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class State(StrEnum):
    """Where a registration is in its life."""

    UNCONFIRMED = "unconfirmed"
    PENDING = "pending_approval"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    EXPIRED = "expired"


MOST_GUESTS: Final = 9
"""Whom one person can bring along, if organisers allow so many."""

MOST_DATES: Final = 50
"""How many dates of a series one sign-up can be for."""

REMINDED_EVERY: Final = timedelta(hours=1)
"""How often at most a repeated sign-up writes to the mailbox that it names."""

SEATED: Final = frozenset({State.UNCONFIRMED, State.OFFERED, State.CONFIRMED})
"""The states in which a registration has a place, if only until somebody should have confirmed it."""

HELD: Final = frozenset({State.UNCONFIRMED, State.OFFERED})
"""The states in which a place is held until a moment."""

LIVE: Final = SEATED | {State.PENDING, State.WAITLISTED}
"""The states of which a person has at most one for an activity."""


class Choosing(StrEnum):
    """How the organisers find those who come: the first ones get a place, or they pick."""

    FIRST_COME = "first_come"
    APPROVAL = "approval"


class Mobility(StrEnum):
    """What an international student is abroad for."""

    STUDY = "study"
    TRAINEESHIP = "traineeship"


class AskedAgain(StrEnum):
    """What somebody said who was asked again because time or place had changed; no answer keeps the place."""

    ASKED = "asked"
    COMES = "comes"


class ActivityNotFound(NotFound):
    """There is no such activity."""


class SeriesNotFound(NotFound):
    """There is no such series."""


class NotTogether(Conflict):
    """Not all of these dates can be given, so none is; `errors` says which. Without `all_or_nothing` the others are."""

    title = "Not all of them"


class NoDateOpen(Conflict):
    """No date of this series can be signed up for now."""

    title = "No date open"


class ActivityNotOpen(NotFound):
    """This activity takes no sign-ups here."""

    title = "No sign-up"


class SignUpClosed(Conflict):
    """Sign-up for this activity is over."""

    title = "Sign-up closed"


class SignUpNotYetOpen(Conflict):
    """Sign-up for this activity has not begun yet."""

    title = "Sign-up not yet open"


class ActivityFull(Conflict):
    """Every place is taken. One becomes free when somebody cancels or does not confirm."""

    title = "Activity full"


class NotWaitedFor(Conflict):
    """This activity keeps no waiting list, or it is too late to wait for a place."""

    title = "No waiting list"


class OutOfReach(Forbidden):
    """This activity belongs to another section or country than yours."""


class NotTheMailServer(Forbidden):
    """Only a machine or an operator tells of mails that came back."""


class MailNotFound(NotFound):
    """There is no such mail, or it is no longer known."""


class HoldEnded(Problem):
    """The place was not confirmed in time and is free again. You can sign up once more."""

    status = 410
    title = "Hold ended"


class NotChosen(Conflict):
    """The organisers could not give a place to this registration."""

    title = "Not chosen"


class RegistrationCancelled(Conflict):
    """This registration was cancelled. You can sign up once more."""

    title = "Registration cancelled"


class ActivityCalledOff(Conflict):
    """The organisers have called off this activity."""

    title = "Activity called off"


class ActivityBegan(Conflict):
    """The activity has begun, so the place can't be given back, or what was told be changed, any more."""

    title = "Activity began"


class AlreadyCheckedIn(Conflict):
    """You are checked in, so the place can't be given back any more."""

    title = "Already checked in"


def closes_at(closes: datetime | None, starts: datetime | None, ends: datetime | None) -> datetime | None:
    """When sign-up closes: as the organisers say, else at the start; at the latest at the end."""
    known = [moment for moment in (closes or starts, ends) if moment is not None]
    return min(known, default=None)


@dataclass(frozen=True, slots=True)
class Room:
    """How much room an activity has: for everybody together and for each class; no limit where none is named."""

    capacity: int | None
    taken: int
    waiting: int = 0
    choosing: Choosing = Choosing.FIRST_COME
    quotas: Mapping[ParticipantClass, int] = field(default_factory=dict)
    taken_by_class: Mapping[ParticipantClass, int] = field(default_factory=dict)

    def fits(self, party: Mapping[ParticipantClass, int]) -> bool:
        """Whether a group fits whole, whoever else waits."""
        if self.capacity is not None and self.taken + sum(party.values()) > self.capacity:
            return False
        return all(
            self.taken_by_class.get(each, 0) + many <= self.quotas[each]
            for each, many in party.items()
            if each in self.quotas
        )

    @property
    def fits_somebody(self) -> bool:
        """Whether one more person of some class fits in."""
        return any(self.fits({each: 1}) for each in ParticipantClass)

    @property
    def has_places(self) -> bool:
        """Whether a sign-up is welcome now: it would get a place with nobody before it, or organisers choose anyway."""
        return self.choosing is Choosing.APPROVAL or (self.waiting == 0 and self.fits_somebody)

    def after(self, party: Mapping[ParticipantClass, int], *, waiting: int = 0) -> Room:
        """The room when a group has come in (or gone, where its numbers are negative)."""
        by_class = dict(self.taken_by_class)
        for each, many in party.items():
            by_class[each] = by_class.get(each, 0) + many
        taken = self.taken + sum(party.values())
        return Room(self.capacity, taken, self.waiting + waiting, self.choosing, self.quotas, by_class)


def party(classes: Counter[ParticipantClass]) -> dict[ParticipantClass, int]:
    """How many of each class a group has, every class named."""
    return {each: classes[each] for each in ParticipantClass}


def refusal(
    *,
    state: ActivityState,
    takes_sign_ups: bool,
    opens_at: datetime | None,
    closes_at: datetime | None,
    now: datetime,
) -> type[Problem] | None:
    """What keeps everybody from signing up at `now`, if anything does."""
    if not takes_sign_ups:
        return ActivityNotOpen
    if state is not ActivityState.PUBLISHED or (closes_at is not None and now >= closes_at):
        return SignUpClosed
    if opens_at is not None and now < opens_at:
        return SignUpNotYetOpen
    return None


def offers_end_at(starts: datetime | None, ends: datetime | None, *, hours_before: int) -> datetime | None:
    """When the last place is offered to those who wait: some hours before the start; None where that is not known."""
    known = starts or ends
    return None if known is None else known - timedelta(hours=hours_before)


def offered_until(
    now: datetime, *, hours: int, starts_at: datetime | None, ends_at: datetime | None, by: datetime | None = None
) -> datetime:
    """How long an offer stands: some hours, or to the date by which the chosen confirm; never past the start."""
    until = now + timedelta(hours=hours)
    return _before_it_is_over(now, until if by is None else max(until, by), starts_at, ends_at)


def held_until(now: datetime, *, minutes: int, starts_at: datetime | None, ends_at: datetime | None) -> datetime:
    """How long a place is held for confirmation: never past the start, or past the end of what has begun already."""
    return _before_it_is_over(now, now + timedelta(minutes=minutes), starts_at, ends_at)


def _before_it_is_over(
    now: datetime, until: datetime, starts_at: datetime | None, ends_at: datetime | None
) -> datetime:
    return min([until, *(moment for moment in (starts_at, ends_at) if moment is not None and moment > now)])


def by_date(starts_at: datetime | None, identity: UUID) -> tuple[bool, datetime, UUID]:
    """What dates are ordered by: those that are not known yet come last."""
    return (starts_at is None, starts_at or datetime.max.replace(tzinfo=UTC), identity)


def new_code() -> str:
    """A check-in code of 40 random bits.

    >>> len(new_code())
    8
    """
    drawn = secrets.randbits(5 * CODE_LENGTH)
    return "".join(ALPHABET[drawn >> 5 * at & 31] for at in range(CODE_LENGTH))


def read_code(written: str) -> str:
    """A code as it is stored, from how people write it.

    >>> read_code("1lo0-abcd")
    '1100ABCD'
    """
    return written.upper().translate(_READ_AS)


def show_code(code: str) -> str:
    """A code as people read it.

    >>> show_code("1100ABCD")
    '1100-ABCD'
    """
    return f"{code[:4]}-{code[4:]}"
