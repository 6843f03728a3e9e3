"""What keys may be for, and what is refused about them."""

from __future__ import annotations

from typing import Final

from services.contracts import ACTIVITIES, IMPACT, REGISTRATION
from services.kernel.problems import Conflict, Forbidden, NotFound

SCOPES: Final = tuple(
    f"{service}:{what}" for service in (ACTIVITIES, REGISTRATION, IMPACT) for what in ("read", "write")
)
MOST_ORIGINS: Final = 20
MOST_DAYS: Final = 731
A_YEAR: Final = 365
MOST_HOURS_OF_OVERLAP: Final = 7 * 24


class KeyNotFound(NotFound):
    """There is no key with this id within your reach."""


class KeyOutOfReach(Forbidden):
    """A key reaches no further than whoever makes it: your section, your country, or the network."""


class KeysNeedPeople(Forbidden):
    """Coordinators, ESN International and operators make, list and revoke keys; keys and machines do not."""


class KeyHasEnded(Conflict):
    """This key was revoked or has expired: make another one."""

    title = "Key has ended"
