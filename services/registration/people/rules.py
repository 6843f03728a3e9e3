"""Pure decisions about people: what a link may do, and the capability's problems."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.kernel import digests
from services.kernel.problems import FieldError, Invalid, NotFound, Problem
from services.registration.people import consenting_ages

PARTICIPATION: Final = "participation"
"""The purpose without whose consent nobody can sign up: that the organisers process one's data for this activity."""

OF_AGE: Final = "of_age"
"""The declaration that one is old enough, without which nobody can sign up; nobody's birthday is asked for or kept."""

SPEAKS_OF_GUESTS: Final = "2026-11"
"""The version from which on the declaration is of those, too, whom somebody brings along."""

MANAGED_AFTER_THE_END: Final = timedelta(days=30)
MANAGED_WITHOUT_AN_END: Final = timedelta(days=365)


class Purpose(StrEnum):
    """What a mailed link is for: a confirming one works once, a managing one until it expires.

    The one for reminders only ends them: mail programs and the services that tidy up mailboxes get to know it.
    """

    CONFIRM = "confirm"
    MANAGE = "manage"
    REMINDERS = "reminders"


class LinkNotFound(NotFound):
    """This link is not valid. Perhaps it was not copied whole."""

    title = "Link not valid"


class LinkExpired(Problem):
    """This link has expired."""

    status = 410
    title = "Link expired"


class LinkUsed(Problem):
    """This link has done what it was for. A later mail holds another one."""

    status = 410
    title = "Link used"


class AgeNotDeclared(Invalid):
    """Who signs up declares to be old enough, by consent to the purpose `of_age`; whoever is younger can't sign up."""

    title = "Age not declared"


def youngest(country: str | None, minimum_age: int | None) -> int:
    """From which age somebody can sign up: where they may consent alone, and not below the organisers' minimum.

    >>> youngest("IT", None), youngest("IT", 18), youngest("DE", 6)
    (14, 18, 16)
    """
    return max(consenting_ages.age_in(country), minimum_age or 0)


def age_faults(declared: Mapping[str, str], *, age: int, brings_guests: bool) -> list[FieldError]:
    """What is missing of the declaration that everybody is old enough; `declared` is versions of texts by purpose."""
    version = declared.get(OF_AGE)
    if version is None:
        detail = f"Only who is {age} or older can sign up: the declaration `of_age` is needed among the consents."
        return [FieldError(pointer="#/consents", detail=detail)]
    if brings_guests and version < SPEAKS_OF_GUESTS:
        detail = f"Guests must be {age} or older, too: this text of `of_age` does not speak of them, the current does."
        return [FieldError(pointer="#/consents", detail=detail)]
    return []


def invalid(faults: Sequence[FieldError]) -> Invalid:
    """The problem of a sign-up that has faults."""
    is_of_age = all(fault.pointer != "#/consents" for fault in faults)
    return Invalid(errors=faults) if is_of_age else AgeNotDeclared(errors=faults)


def new_token() -> str:
    """A secret of 192 random bits, to be mailed once and stored hashed."""
    return digests.mark() + secrets.token_urlsafe(24)


def managed_until(now: datetime, ends_at: datetime | None) -> datetime:
    """How long somebody can look at a registration by the mailed link."""
    return now + MANAGED_WITHOUT_AN_END if ends_at is None else max(now, ends_at) + MANAGED_AFTER_THE_END
