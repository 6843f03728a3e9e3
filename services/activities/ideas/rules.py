"""What an idea may say about itself, what can be done with it, and the capability's problems."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from services.kernel.problems import Conflict, Forbidden, NotFound

SEASONS: Final = {"spring": "Spring", "summer": "Summer", "autumn": "Autumn", "winter": "Winter"}
"""When it can be done."""

SETTINGS: Final = {
    "welfare_state": "In a welfare state",
    "big_city": "In a big city",
    "small_city": "In a small city",
    "rural": "In the countryside",
    "campus": "On a campus",
    "online": "Online",
    "low_budget": "With hardly any money",
    "few_volunteers": "With few volunteers",
}
"""Where and under which conditions it works."""

INTERNATIONAL: Final = "international"
"""Who endorses for ESN International, where others have the code of their country."""


class State(StrEnum):
    """Whether an idea is on the market."""

    OFFERED = "offered"
    WITHDRAWN = "withdrawn"


class Sort(StrEnum):
    """The orders of the market."""

    NEWEST = "newest"
    ADAPTED = "adapted"
    ENDORSED = "endorsed"


class IdeaNotFound(NotFound):
    """There is no such idea."""


class IdeaOutOfReach(Forbidden):
    """This idea belongs to another section or country than yours."""

    title = "Out of reach"


class EndorserNeeded(Forbidden):
    """Only national coordinators and ESN International endorse ideas."""

    title = "Not allowed"


class NotHeld(Conflict):
    """Only an activity that was held can be offered as an idea."""

    title = "Not held"


class OfferedAlready(Conflict):
    """This activity is offered as an idea already."""

    title = "Offered already"


class Withdrawn(Conflict):
    """This idea was withdrawn by its organisers."""

    title = "Withdrawn"
