"""Pure decisions about what is kept of people: the problems of those who ask, and from which age one consents alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from services.kernel.problems import NotFound, Problem

SCHEME: Final = "Link"
AS_FILE: Final = 'attachment; filename="socialerasmus.json"'
LINK_LASTS: Final = timedelta(hours=24)
"""How long a link works that somebody asked for."""

LINK_EVERY: Final = timedelta(hours=1)
"""How often at most a mailbox is sent such a link."""

CONSENTING_AGES: Final[Mapping[str, int]] = {
    "AT": 14, "BE": 13, "BG": 14, "CY": 14, "CZ": 15, "DK": 15, "EE": 13, "ES": 14, "FI": 13, "FR": 15, "GR": 15,
    "IT": 14, "LT": 14, "LV": 13, "MT": 13, "PT": 13, "SE": 13, "SI": 15,
}  # fmt: skip
"""The age from which somebody consents alone, where a state lowered it from 16 (GDPR, Art. 8(1)).

As in the Commission's staff working document SWD(2020) 115, p. 17, with what Slovenia (2023) and Denmark (2024) have
enacted since. It is told in the privacy notice; the declaration `of_age` speaks of the age of one's own country.
"""


class LinkNeeded(Problem):
    """Send the secret of a link that was mailed to you, as `Authorization: Link <secret>`."""

    status = 401
    title = "Link needed"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": f'{SCHEME} realm="socialerasmus"'})


class ConsentNotFound(NotFound):
    """Nobody is asked for consent to this purpose."""
