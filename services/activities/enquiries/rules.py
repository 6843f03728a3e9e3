"""How long enquiries are kept, how many are taken, and the capability's problems."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from services.kernel.problems import Conflict, Forbidden, NotFound, Problem

KEPT_AFTER_SENDING: Final = timedelta(days=30)
"""An enquiry is deleted so long after its mail was sent, or given up."""

MOST_A_DAY_FROM_ONE: Final = 5
MOST_A_DAY_TO_ONE: Final = 50
SECONDS_OF_A_DAY: Final = 24 * 3600


class State(StrEnum):
    """What has become of the mail, as long as nobody says that it was answered."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    ANSWERED = "answered"


class Level(StrEnum):
    """Whose mailbox it is."""

    SECTION = "section"
    COUNTRY = "country"
    INTERNATIONAL = "international"


class MailboxNotFound(NotFound):
    """No mailbox is set here."""


class MailboxOutOfReach(Forbidden):
    """This mailbox belongs to another section or country than yours."""

    title = "Out of reach"


class EnquiryNotFound(NotFound):
    """There is no such enquiry; it is deleted 30 days after its mail was sent."""


class NoMailbox(Conflict):
    """Nobody has said yet where enquiries go. Please write to the section itself; its website says how."""

    title = "No mailbox"


class TooManyEnquiries(Problem):
    """There were too many enquiries today. Please try again tomorrow."""

    status = 429
    title = "Too many enquiries"

    def __init__(self, seconds: int = 6 * 3600) -> None:
        super().__init__(headers={"Retry-After": str(seconds)})
