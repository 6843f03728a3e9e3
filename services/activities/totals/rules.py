"""Which editions an edition is compared with, and what growth is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

_SEASONS: Final = {None: 0, "spring": 0, "autumn": 1}

Figure = int | Decimal | None


class Place(NamedTuple):
    """Where an edition stands among the others."""

    code: str
    series: str
    year: int
    season: str | None
    sample: bool

    def position(self) -> tuple[int, int]:
        """Its place in time, also where its days are not known."""
        return self.year, _SEASONS[self.season]


class Before(NamedTuple):
    """The codes of the editions to compare with, where there are any."""

    previous: str | None
    same_season: str | None


def before(edition: Place, others: Iterable[Place], predecessors: Mapping[str, str | None]) -> Before:
    """The edition before this one, and the one of the same season a year earlier.

    Both are of its own series or of those that it took the place of. Sample editions are compared with nothing but
    sample editions, and no other with them.

    >>> week, days, sample = (Place("2017-spring", "week", 2017, "spring", False),
    ...     Place("2017-autumn", "days", 2017, "autumn", False), Place("2018-spring", "days", 2018, "spring", True))
    >>> before(days, [week, sample], {"days": "week", "week": None})
    Before(previous='2017-spring', same_season=None)
    """
    chain = set[str]()
    series: str | None = edition.series
    while series is not None and series not in chain:
        chain.add(series)
        series = predecessors.get(series)
    year, season = edition.position()
    earlier = [
        other
        for other in others
        if other.series in chain and other.sample == edition.sample and other.position() < (year, season)
    ]
    previous = max(earlier, key=lambda other: (other.position(), other.code), default=None)
    same_season = next((other for other in earlier if other.position() == (year - 1, season)), None)
    return Before(previous and previous.code, same_season and same_season.code)


def growth(now: Figure, base: Figure) -> tuple[Figure, float | None]:
    """By how much a figure grew, and by what part of what it was: null where that is not known, or was nought.

    >>> growth(30, 20), growth(5, 0), growth(None, 3), growth(3, None)
    ((10, 0.5), (5, None), (None, None), (None, None))
    """
    if now is None or base is None:
        return None, None
    absolute = now - base
    return absolute, round(float(absolute / base), 4) if base else None
