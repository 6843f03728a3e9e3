"""The shape of a fact that services tell each other; pure, so that the contracts depend on no database."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """A fact that one service tells the others; it holds nothing that identifies a person."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: ClassVar[str]
    heard_by: ClassVar[tuple[str, ...]]

    def aggregate(self) -> str:
        """What the event is about: events of one aggregate keep their order, even past a failure.

        The order is that of their transactions' first writes. A writer that writes anything before it locks the
        aggregate may be heard before one that held the lock earlier; its event carries a revision, and the higher wins.
        """
        raise TypeError(f"{type(self).__name__} does not say what it is about")
