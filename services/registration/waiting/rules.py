"""The problems of choosing."""

from __future__ import annotations

from services.kernel.problems import Conflict, NotFound


class RegistrationNotFound(NotFound):
    """There is no such registration."""


class NotUndecided(Conflict):
    """This registration waits for no decision of the organisers; a guest is decided about with their host."""

    title = "Nothing to decide"
