"""What the projections are asked for, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """Who was recorded as present at an activity, by class; `hours` is None where no hours were recorded."""

    international: int
    local: int
    esn_volunteer: int
    hours: Decimal | None

    @property
    def total(self) -> int:
        """Everybody who was present."""
        return self.international + self.local + self.esn_volunteer
