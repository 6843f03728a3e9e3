"""Pure decisions about places: states, the sign-up window, how long a place is held, check-in codes, problems."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.contracts import ActivityState
from services.kernel.problems import Conflict, Forbidden, NotFound, Problem

CODE_LENGTH: Final = 8
# Crockford's base 32 leaves out I, L, O and U; a code read aloud or from paper can't be misread.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class State(StrEnum):
    """Where a registration is in its life."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


REMINDED_EVERY: Final = timedelta(hours=1)
"""How often at most a repeated sign-up writes to the mailbox that it names."""

LIVE: Final = frozenset({State.UNCONFIRMED, State.CONFIRMED})
"""The states in which a registration has a place."""


class ActivityNotFound(NotFound):
    """There is no such activity."""


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


class RegistrationCancelled(Conflict):
    """This registration was cancelled. You can sign up once more."""

    title = "Registration cancelled"


class ActivityCalledOff(Conflict):
    """The organisers have called off this activity."""

    title = "Activity called off"


class ActivityBegan(Conflict):
    """The activity has begun, so the place can't be given back any more."""

    title = "Activity began"


class AlreadyCheckedIn(Conflict):
    """You are checked in, so the place can't be given back any more."""

    title = "Already checked in"


def closes_at(closes: datetime | None, starts: datetime | None, ends: datetime | None) -> datetime | None:
    """When sign-up closes: as the organisers say, else at the start; at the latest at the end."""
    known = [moment for moment in (closes or starts, ends) if moment is not None]
    return min(known, default=None)


def has_places(capacity: int | None, taken: int) -> bool:
    """Whether one more person could have a place."""
    return capacity is None or taken < capacity


def refusal(
    *,
    state: ActivityState,
    takes_sign_ups: bool,
    opens_at: datetime | None,
    closes_at: datetime | None,
    has_places: bool,
    now: datetime,
) -> type[Problem] | None:
    """What keeps a sign-up from getting a place at `now`, if anything does."""
    if not takes_sign_ups:
        return ActivityNotOpen
    if state is not ActivityState.PUBLISHED or (closes_at is not None and now >= closes_at):
        return SignUpClosed
    if opens_at is not None and now < opens_at:
        return SignUpNotYetOpen
    return None if has_places else ActivityFull


def held_until(now: datetime, *, minutes: int, starts_at: datetime | None, ends_at: datetime | None) -> datetime:
    """How long a place is held for confirmation: never past the start, or past the end of what has begun already."""
    bounds = [moment for moment in (starts_at, ends_at) if moment is not None and moment > now]
    return min([now + timedelta(minutes=minutes), *bounds])


def new_code() -> str:
    """A check-in code of 40 random bits.

    >>> len(new_code())
    8
    """
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


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
