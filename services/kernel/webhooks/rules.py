"""When something is sent again, when an endpoint is given up, and what can't be asked of webhooks."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from services.kernel.problems import Conflict, Forbidden, NotFound

PING: Final = "webhook.ping"
MOST_ENDPOINTS: Final = 10
"""How many a section, a country or International may have in one service."""

_SCHEDULE: Final[tuple[timedelta, ...]] = tuple(
    timedelta(**pause)
    for pause in (
        {"seconds": 5}, {"minutes": 5}, {"minutes": 30}, {"hours": 2}, {"hours": 5}, {"hours": 10}, {"hours": 14},
        {"hours": 20}, {"hours": 24},
    )
)  # fmt: skip
JITTER: Final = 0.2
LONGEST_REST: Final = timedelta(minutes=5)
PATIENCE: Final = timedelta(days=3)
"""An endpoint that has failed for longer, with nothing between that it took, is disabled at its next failure."""
KEPT_DAYS: Final = 30
"""How long what was told can be looked up and sent once more."""


class State(StrEnum):
    """Whether an endpoint is told anything."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Reason(StrEnum):
    """Why an endpoint is told nothing any more."""

    GONE = "gone"
    FAILING = "failing"
    OWNER = "owner"


class Failure(StrEnum):
    """Why a message was not delivered, in a word; nothing of what the receiver said is repeated."""

    STATUS = "status"
    ADDRESS = "address_refused"
    UNRESOLVED = "name_not_resolved"
    UNREACHABLE = "not_reached"
    SLOW = "too_slow"
    DISABLED = "endpoint_disabled"


class EndpointNotFound(NotFound):
    """There is no such webhook within your reach."""


class DeliveryNotFound(NotFound):
    """This webhook was not told that, or so long ago that it is no longer known."""


class OwnerNeeded(Forbidden):
    """Webhooks are kept by coordinators of a section or country and by ESN International."""


class TooManyEndpoints(Conflict):
    """There may be ten webhooks of one section, of one country and of International; delete one first."""


class SecretNeeded(Conflict):
    """It has no secret yet, and nothing is sent unsigned: make one first."""


class EndpointDisabled(Conflict):
    """It is disabled: enable it first."""


def pause_after(tries: int, luck: float) -> timedelta | None:
    """How long to wait after so many tries have failed; None gives it up. `luck`, from 0 to 1, spreads the load.

    >>> pause_after(1, 0.0), pause_after(2, 1.0), pause_after(10, 0.5)
    (datetime.timedelta(seconds=5), datetime.timedelta(seconds=360), None)
    """
    if tries > len(_SCHEDULE):
        return None
    return _SCHEDULE[tries - 1] * (1 + JITTER * luck)


def rest_after(failures: int) -> timedelta:
    """How long an endpoint is left alone after so many failures in a row, whatever else is due to it.

    >>> rest_after(1), rest_after(40)
    (datetime.timedelta(seconds=5), datetime.timedelta(seconds=300))
    """
    return min(timedelta(seconds=5 << min(failures - 1, 10)), LONGEST_REST)
