"""The kinds of files that can be imported."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a file holds."""

    SECTIONS = "sections"
    EDITIONS = "editions"
    ACTIVITIES = "activities"
    COUNTRIES = "countries"
