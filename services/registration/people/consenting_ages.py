"""From which age somebody consents alone, country by country, as `consenting_ages.csv` lists it (GDPR, Art. 8(1)).

As in the Commission's staff working document SWD(2020) 115, p. 17, with what Slovenia (2023) and Denmark (2024) have
enacted since.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_suffix(".csv")
ELSEWHERE: Final = 16
"""The age where no law has lowered it."""


@cache
def listed() -> Mapping[str, int]:
    """The countries whose law has lowered the age."""
    with _FILE.open(encoding="utf-8", newline="") as rows:
        return {row["country"]: int(row["age"]) for row in csv.DictReader(rows)}


def age_in(country: str | None) -> int:
    """The age of a country.

    >>> age_in("IT"), age_in("DE"), age_in(None)
    (14, 16, 16)
    """
    return listed().get(country or "", ELSEWHERE)
