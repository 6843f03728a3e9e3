"""How long a search may take before it gives up, which costs figures and never safety."""

from __future__ import annotations


class GaveUp(Exception):
    """What may be told was not found within the steps that were allowed."""


class Patience:
    """How many steps a search may take; counted and not timed, so that it ends the same on every machine."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Take steps; raises `GaveUp` when none are left."""
        self._left -= steps
        if self._left < 0:
            raise GaveUp
