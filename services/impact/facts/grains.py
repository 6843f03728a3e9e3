"""The roll-ups: which dimensions each of them keeps, and which is the smallest that can answer a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

_EVERYWHERE: Final = ("academic_year", "country", "platform", "source")

GRAINS: Final[Mapping[str, tuple[str, ...]]] = {
    "network": ("edition", *_EVERYWHERE),
    "organisers": ("section", "country", "platform", "source"),
    "months": ("edition", "month", *_EVERYWHERE),
    "kinds": ("edition", "kind", "programme", *_EVERYWHERE),
    "topics": ("edition", "area", "cause", *_EVERYWHERE),
    "sections": ("edition", "section", *_EVERYWHERE),
}
"""The smallest first. None grows with the activities: each is bounded by how many values its dimensions have."""

LABEL_GRAINS: Final = ("network",)
"""Those that are kept for each label, too."""


def covering(by: Iterable[str], filters: Iterable[str], *, among: Iterable[str] = GRAINS) -> str | None:
    """The smallest roll-up that has every dimension of a question; None where only the totals of each day have them.

    >>> covering(("country",), ("edition",)), covering(("month",), ("edition",)), covering(("area",), ("month",))
    ('network', 'months', None)
    """
    asked = {*by, *filters}
    return next((grain for grain in among if asked <= {*GRAINS[grain]}), None)
