"""What goes over the wire about passes, and the list of the day with what is needed at the door and nothing more."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.contracts import ParticipantClass
from services.kernel.texts import Day, Line, Received, Sent
from services.registration.attendance.rules import Presence


class PassIn(Received):
    """For which day the door is lent, and how the coordinators tell one pass from another."""

    on: Annotated[
        Day | None,
        Field(description="A day where the activity is. Without one it is for the activity's first day from now on."),
    ] = None
    label: Annotated[Line | None, Field(max_length=60, examples=["South entrance"])] = None


class PassOut(Sent):
    """A pass, without its secret."""

    id: UUID
    label: str | None
    made_at: datetime
    begins_at: datetime = Field(description="Noon of the day before, so that the pass can be tried.")
    expires_at: datetime = Field(
        description="The end of its day where the activity is, or of the activity if that goes on past midnight."
    )
    revoked_at: datetime | None


class PassMade(PassOut):
    """A new pass with its secret, which is shown this once."""

    secret: str = Field(description="For the header `X-Check-In-Pass`.")
    url: str = Field(description="Opens the check-in page with it. What follows the `#` is sent to nobody.")
    picture: str = Field(description="The address as a QR code, for the helper's phone: SVG.")


class PassPage(Sent):
    """One page of an activity's passes, oldest first."""

    items: list[PassOut]
    next: str | None


class DoorOut(Sent):
    """An activity as whoever keeps its door sees it."""

    activity_id: UUID
    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    capacity: int | None
    present: int
    walk_ins: int


class DoorEntry(Sent):
    """Somebody who has a place, as whoever keeps the door sees them: no address, no answers, nothing of where from."""

    id: UUID
    lead_id: UUID | None
    code: str
    given_name: str
    family_name: str
    participant_class: ParticipantClass
    presence: Presence


class DoorPage(Sent):
    """One page of those who have a place, in the order of sign-up."""

    items: list[DoorEntry]
    next: str | None
