"""What the projections are asked for, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID


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


class Seen(NamedTuple):
    """Whether somebody was there, and their key, which a guest does not have."""

    present: bool
    person: UUID | None


NOBODY: Final = Seen(present=False, person=None)


class Kept(NamedTuple):
    """An attendance that was written, and what it took the place of."""

    activity_id: UUID
    before: Seen
    after: Seen
