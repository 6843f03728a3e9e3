"""Whose word counts for a section: ESN Accounts' for what the section is, its own for what it has stated itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from services.activities.directory.section_rows import SectionRow

FACTS: Final = ("name", "country", "university", "state")
"""Owned by ESN Accounts, whatever was edited here."""

OWN: Final = {
    "website": ("website",),
    "cities": ("cities",),
    "position": ("latitude", "longitude"),
    "time_zone": ("time_zone",),
    "languages": ("languages",),
}
"""Owned by the section from the moment it edits one of the columns named."""

ACTIVE: Final = frozenset({"active", "warned"})
"""The states of a section that goes on."""

_FROM_A_LIST: Final = ("website", "cities", "position", "time_zone")
_NO_LONGER_ACTIVE: Final = frozenset({"merged", "withdrew"})


class Difference(NamedTuple):
    """A column whose value a list would change; `wins` says whose word counts."""

    column: str
    present: Any
    listed: Any
    wins: str


def differences(present: Mapping[str, Any], row: SectionRow, edited: Collection[str]) -> list[Difference]:
    """Where a list contradicts an entry, and who wins.

    A successor named here is not lost to a list that only knows that the section is no more.
    """
    found = []
    for column in FACTS:
        wins = "source"
        if column == "state" and present["merged_into"] is not None and row.state in _NO_LONGER_ACTIVE:
            wins = "directory"
        found.append((column, wins))
    for group in _FROM_A_LIST:
        found += [(column, "section" if group in edited else "source") for column in OWN[group]]
    return [
        Difference(column, present[column], value, wins)
        for column, wins in found
        if (value := _plain(getattr(row, column))) != present[column]
    ]


def edited_by(fields: Collection[str]) -> set[str]:
    """What a section owns once it edits these columns."""
    return {group for group, columns in OWN.items() if set(columns) & set(fields)}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
