"""Pure decisions about what is kept of people: how often a link is mailed, and the problems of those who ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from services.kernel.problems import NotFound, Problem

SCHEME: Final = "Link"
AS_FILE: Final = 'attachment; filename="socialerasmus.json"'
LINK_LASTS: Final = timedelta(hours=24)
"""How long a link works that somebody asked for."""

LINK_EVERY: Final = timedelta(hours=1)
"""How often at most a mailbox is sent such a link."""


class LinkNeeded(Problem):
    """Send the secret of a link that was mailed to you, as `Authorization: Link <secret>`."""

    status = 401
    title = "Link needed"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": f'{SCHEME} realm="socialerasmus"'})


class ConsentNotFound(NotFound):
    """Nobody is asked for consent to this purpose."""
