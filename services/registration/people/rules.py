"""Pure decisions about people: what a link may do, and the capability's problems."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.kernel.problems import NotFound, Problem

PARTICIPATION: Final = "participation"
"""The purpose without whose consent nobody can sign up: that the organisers process one's data for this activity."""

OF_AGE: Final = "of_age"
"""The declaration that one is old enough, which an activity with a minimum age asks for; nobody's birthday is kept."""

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


def new_token() -> str:
    """A secret of 192 random bits, to be mailed once and stored hashed."""
    return secrets.token_urlsafe(24)


def managed_until(now: datetime, ends_at: datetime | None) -> datetime:
    """How long somebody can look at a registration by the mailed link."""
    return now + MANAGED_WITHOUT_AN_END if ends_at is None else max(now, ends_at) + MANAGED_AFTER_THE_END
