"""Growth: how far figures are from what they were, and why that can't be said where it can't."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from services.impact.facts.rules import Figures
from services.impact.reports.rules import plain
from services.impact.statistics.measures import QUANTITIES
from services.impact.statistics.rules import Group, row

NOTHING_BEFORE: Final = "No period before it is known."
WAS_NOUGHT: Final = "It was 0."
NOT_COUNTED: Final = "One of the two is not known."
SEVERAL: Final = "The total is of several periods; each item has its own growth."


def growth(now: float | None, base: float | None) -> dict[str, Any]:
    """By how much a figure grew, and by what part of what it was.

    >>> growth(30, 20)
    {'absolute': 10, 'ratio': 0.5, 'reason': None}
    >>> growth(2, 0)
    {'absolute': 2, 'ratio': None, 'reason': 'It was 0.'}
    """
    if now is None or base is None:
        return {"absolute": None, "ratio": None, "reason": NOT_COUNTED}
    absolute = _rounded(now - base)
    if not base:
        return {"absolute": absolute, "ratio": None, "reason": WAS_NOUGHT}
    return {"absolute": absolute, "ratio": round((now - base) / base, 4), "reason": None}


def compared(
    now: Mapping[str, Any], base: Mapping[str, Any] | None, measures: Iterable[str], *, reason: str = NOTHING_BEFORE
) -> dict[str, Any]:
    """The growth of each measure from one told row to another; quantities by their own unit."""
    grown: dict[str, Any] = {}
    for name in measures:
        if name == QUANTITIES:
            grown[name] = [] if base is None else _quantities(now[name], base[name])
        elif base is None:
            grown[name] = {"absolute": None, "ratio": None, "reason": reason}
        else:
            grown[name] = growth(now[name], base[name])
    return grown


def _quantities(now: Sequence[Mapping[str, str]] | None, base: Sequence[Mapping[str, str]] | None) -> list[Any]:
    amounts = [
        {(each["measure"], each["unit"]): Decimal(each["amount"]) for each in side or ()} for side in (now, base)
    ]
    found = []
    for measure, unit in sorted(amounts[0].keys() | amounts[1].keys()):
        after, first = (side.get((measure, unit), Decimal(0)) for side in amounts)
        ratio = round(float((after - first) / first), 4) if first else None
        reason = None if first else WAS_NOUGHT
        absolute = plain(after - first)
        found.append({"measure": measure, "unit": unit, "absolute": absolute, "ratio": ratio, "reason": reason})
    return found


def _rounded(value: float) -> float:
    # Hours have hundredths; what floating point adds to them is nobody's hour.
    return round(value, 4) if isinstance(value, float) else value


class Comparison:
    """Groups beside those of the periods before theirs.

    `earlier` leads from a period to the one before it, or to None where that is not known; `place` is where the period
    stands in a group's key, or None where all groups are of one and the same.
    """

    def __init__(self, before: Iterable[Group], *, earlier: Mapping[str, str | None], place: int | None) -> None:
        self._before = {group.key: group for group in before}
        self._earlier = dict(earlier)
        self._place = place

    def base(self, key: tuple[Any, ...]) -> Group | None:
        """What a group is compared with: nothing, where no period before is known, or where it is not of any."""
        if self._place is None:
            if not any(self._earlier.values()):
                return None
        else:
            period = self._earlier.get(key[self._place]) if key[self._place] is not None else None
            if period is None:
                return None
            key = (*key[: self._place], period, *key[self._place + 1 :])
        return self._before.get(key, Group(key, Figures(), ()))

    def gone(self, present: Iterable[Group]) -> list[Group]:
        """Groups of nothing for those that were there before and are not now, so that the items add up."""
        known = {group.key for group in present}
        later: dict[Any, list[str]] = {}
        for period, before in self._earlier.items():
            later.setdefault(before, []).append(period)
        found = []
        for key in self._before:
            keys = [key]
            if self._place is not None:
                after = later.get(key[self._place], [])
                keys = [(*key[: self._place], period, *key[self._place + 1 :]) for period in after]
            found += [Group(each, Figures(), ()) for each in keys if each not in known]
        return found

    def told(self, group: Group, told: dict[str, Any], by: Sequence[str], measures: Sequence[str]) -> dict[str, Any]:
        """A row with what it was before, and its growth."""
        base = self.base(group.key)
        was = None if base is None else row(base, by, measures)
        return told | {"previous": was, "growth": compared(told, was, measures)}
