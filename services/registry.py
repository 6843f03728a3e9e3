"""The three services and the histories of their database. The only module that knows all three.

Each is imported when it is asked for, so that the process of one service holds no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Generic, TypeVar

from services.contracts import ACTIVITIES, IMPACT, REGISTRATION
from services.kernel import access, events
from services.kernel.audit.tables import APPEND_ONLY
from services.kernel.revisions import History
from services.kernel.service import Service

Entry = TypeVar("Entry")


class _WhenAsked(Mapping[str, Entry], Generic[Entry]):
    """Entries by their names, each made when it is first asked for."""

    def __init__(self, made: Mapping[str, Callable[[], Entry]]) -> None:
        self._made = {name: cache(make) for name, make in made.items()}

    def __getitem__(self, name: str) -> Entry:
        return self._made[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._made

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def _activities() -> Service:
    from services.activities.main import SERVICE

    return SERVICE


def _registration() -> Service:
    from services.registration.main import SERVICE

    return SERVICE


def _impact() -> Service:
    from services.impact.main import SERVICE

    return SERVICE


def _of_activities() -> History:
    from services.activities.main import METADATA

    return History(ACTIVITIES, METADATA, owner=ACTIVITIES, append_only=APPEND_ONLY)


def _of_registration() -> History:
    from services.registration.main import METADATA

    return History(REGISTRATION, METADATA, owner=REGISTRATION, append_only=APPEND_ONLY)


def _of_impact() -> History:
    from services.impact.main import METADATA

    return History(IMPACT, METADATA, owner=IMPACT, append_only=APPEND_ONLY)


def _of_events() -> History:
    return History(
        "events",
        events.METADATA,
        grants=(
            ("alembic_version", "SELECT"),
            ("count", "SELECT"),
            ("log", "SELECT, INSERT"),
            ("cursors", "SELECT, INSERT, UPDATE"),
            ("dead_letters", "SELECT, INSERT, UPDATE, DELETE"),
        ),
    )


def _of_access() -> History:
    return History(
        "access",
        access.METADATA,
        grants=(
            ("alembic_version", "SELECT"),
            ("tokens", "SELECT"),
            ("keys", "SELECT, UPDATE (last_used_at)"),
            ("sessions", "SELECT, UPDATE (sealed, token_ends_at, seen_at), DELETE"),
        ),
        grants_to=((ACTIVITIES, "keys", "INSERT, UPDATE"), (REGISTRATION, "sessions", "INSERT")),
    )


SERVICES: Mapping[str, Service] = _WhenAsked(
    {ACTIVITIES: _activities, REGISTRATION: _registration, IMPACT: _impact},
)
HISTORIES: Mapping[str, History] = _WhenAsked(
    {
        "events": _of_events,
        "access": _of_access,
        ACTIVITIES: _of_activities,
        REGISTRATION: _of_registration,
        IMPACT: _of_impact,
    }
)
"""In the order in which they migrate."""
