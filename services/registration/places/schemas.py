"""What goes over the wire about places: a sign-up, its answer, how many places there are, and the organisers' list."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from services.contracts import ParticipantClass
from services.kernel.mail import Outcome
from services.kernel.mailboxes import Address
from services.kernel.texts import AssignedCountryCode, Code, Flag, LanguageTag, Name, Received, Sent, Storable
from services.registration.cards.schemas import CardCheck, CardNumber
from services.registration.people.schemas import Consents, Token
from services.registration.places import rules
from services.registration.places.rules import MOST_DATES, MOST_GUESTS, AskedAgain, Mobility, State

_TEXT: TypeAdapter[str] = TypeAdapter(Annotated[str, Storable, StringConstraints(max_length=1000)])
LARGEST_NUMBER = 1_000_000_000


def _answer(value: Any) -> str | float | bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        # The size first, which also refuses infinity: a long integer fits into no float.
        if abs(value) > LARGEST_NUMBER or math.isnan(value):
            raise PydanticCustomError("number_out_of_range", "Must be a number of at most 1,000,000,000.")
        return value
    if isinstance(value, str):
        try:
            return _TEXT.validate_python(value)
        except ValidationError:
            raise PydanticCustomError("text", "Must be at most 1,000 characters that can be stored.") from None
    raise PydanticCustomError("answer", "Must be text, a number, true, false or null.")


Answer = Annotated[
    Any, BeforeValidator(_answer), WithJsonSchema({"type": ["string", "number", "boolean", "null"], "maxLength": 1000})
]


def _unique(identities: list[UUID]) -> list[UUID]:
    if len(set(identities)) != len(identities):
        raise PydanticCustomError("not_unique", "Names a date twice.")
    return identities


class GuestIn(Received):
    """Somebody who comes along. Nothing is mailed to them; they get a check-in code of their own."""

    given_name: Name
    family_name: Name
    participant_class: ParticipantClass
    home_country: AssignedCountryCode | None = None


class _Person(Received):
    """Somebody who wants a place, and those who come with them."""

    email: Address
    given_name: Name
    family_name: Name
    participant_class: ParticipantClass
    home_country: AssignedCountryCode | None = None
    host_section: Annotated[Code | None, Field(description="ESN section code", examples=["IT-SASS-ESN"])] = None
    mobility: Annotated[Mobility | None, Field(description="Of an international student: what they are here for.")] = (
        None
    )
    esncard_number: Annotated[
        CardNumber | None, Field(description="Where the terms ask for it. It is checked later and then not kept.")
    ] = None
    answers: Annotated[
        dict[Code, Answer],
        Field(max_length=30, description="To the organisers' questions; never anything about health."),
    ] = {}
    consents: Consents
    language: Annotated[LanguageTag, Field(description="In which to write to them.")] = "en"
    guests: Annotated[list[GuestIn], Field(max_length=MOST_GUESTS, description="As many as the terms allow.")] = []
    waiting_list: Annotated[Flag, Field(description="Whether to wait where there is no room; else that is a 409.")] = (
        False
    )

    def party(self) -> dict[ParticipantClass, int]:
        """How many of each class come."""
        return rules.party(Counter([self.participant_class, *(guest.participant_class for guest in self.guests)]))


class SignUp(_Person):
    """Somebody who wants a place, and those who come with them: a group that gets places together or none."""

    activity_id: UUID


class GuestNames(Received):
    """What somebody calls one of their guests, or somebody else who comes in that guest's stead."""

    given_name: Name
    family_name: Name


class Details(Received):
    """What somebody can still change of what they told, as a whole; not their class, by which places are counted."""

    given_name: Name
    family_name: Name
    home_country: AssignedCountryCode | None = None
    host_section: Code | None = None
    mobility: Mobility | None = None
    language: LanguageTag
    answers: Annotated[dict[Code, Answer], Field(max_length=30)] = {}
    guests: Annotated[
        Annotated[list[GuestNames], Field(max_length=MOST_GUESTS)] | None,
        Field(description="Every guest, in the order in which they were named; null leaves them as they are."),
    ] = None


class DetailsByLink(Details):
    """The same, with the secret of a link that manages the registration."""

    token: Token


class SignUpTogether(_Person):
    """Somebody who wants places on several dates of a series, and those who come with them on each."""

    activity_ids: Annotated[
        Annotated[list[UUID], Field(min_length=1, max_length=MOST_DATES), AfterValidator(_unique)] | None,
        Field(description="The dates; null is every date on which a sign-up would get a place now."),
    ] = None
    all_or_nothing: Annotated[
        Flag, Field(description="Whether one date that can't be given is a 409 and nothing is kept.")
    ] = True

    def on(self, activity_id: UUID, *, asked: Collection[str]) -> SignUp:
        """The sign-up for one of the dates, with the answers to what is asked there."""
        shared = {name: getattr(self, name) for name in _Person.model_fields}
        answers = {code: answer for code, answer in self.answers.items() if code in asked}
        return SignUp.model_construct(activity_id=activity_id, **{**shared, "answers": answers})


class SignedUp(Sent):
    """What everybody is answered who signs up; the rest is in the mail to their mailbox."""

    id: UUID = Field(description="For confirming and cancelling together with the mailed secret.")
    activity_id: UUID
    state: Literal[State.UNCONFIRMED, State.WAITLISTED, State.PENDING]
    held_until: datetime | None = Field(
        description="If it is `unconfirmed`: a place is held until then, for the mailed link to be opened."
    )


class Refusal(Sent):
    """Why a date could not be given: a problem of a sign-up for it alone."""

    type: str
    title: str
    status: int
    detail: str


class NotGiven(Sent):
    """A date on which there is no place."""

    activity_id: UUID
    problem: Refusal


class SignedUpTogether(Sent):
    """What became of a sign-up for several dates: each date in the order of the request, else of the dates."""

    series_id: UUID
    items: list[SignedUp | NotGiven]


class RegistrationOut(Sent):
    """A registration, for the person who holds the secret that was mailed."""

    id: UUID
    activity_id: UUID
    state: State
    held_until: datetime | None = Field(description="Null unless a place waits for its confirmation.")
    position: int | None = Field(description="In the waiting list, if it is `waitlisted`.")
    code: str | None = Field(description="To show at the door, once it is confirmed.")


class ClassAvailability(Sent):
    """How many places a class of participants has."""

    participant_class: ParticipantClass
    capacity: int
    taken: int


class AvailabilityOut(Sent):
    """How many places an activity has and how many are taken, held ones included."""

    activity_id: UUID
    capacity: int | None = Field(description="Null is unlimited.")
    taken: int
    waiting: int = Field(description="How many people are on the waiting list.")
    by_class: list[ClassAvailability] = Field(description="Each class that has a quota.")
    open: bool = Field(description="Whether a sign-up would get a place now.")
    closes_at: datetime | None


class AvailabilityList(Sent):
    """The availability of several activities; those that are not known are not in it."""

    items: list[AvailabilityOut]
    next: str | None


class RegistrationEntry(Sent):
    """A registration as its activity's organisers see it."""

    id: UUID
    lead_id: UUID | None = Field(description="With whom they come, if somebody else signed them up.")
    party_size: int = Field(description="How many come together, with the one who signed them up.")
    state: State
    given_name: str
    family_name: str
    participant_class: ParticipantClass
    home_country: str | None
    host_section: str | None
    mobility: Mobility | None
    esncard: CardCheck | None = Field(description="Null: they named none.")
    answers: dict[str, Any]
    code: str
    mail: Outcome | None = Field(description="Of the latest mail to them; `failed`: it does not reach them.")
    checked_in: bool
    signed_up_at: datetime
    held_until: datetime | None
    waiting_since: datetime | None
    after_move: AskedAgain | None = Field(
        description="Since time or place changed: whether they have said that they still come; null: nobody asked them."
    )


class Bounce(Received):
    """A mail that came back, as a mail server tells it."""

    message_id: Annotated[
        str,
        Storable,
        StringConstraints(pattern=r"^<?[0-9a-f]{32}@[A-Za-z0-9.-]{1,255}>?$"),
        Field(description="The Message-ID of the mail that came back.", examples=["<0199…@api.example.org>"]),
    ]
    status: Annotated[
        str,
        Storable,
        StringConstraints(pattern=r"^5(\.\d{1,3}\.\d{1,3}|\d\d)$"),
        Field(description="Why: an enhanced status code (RFC 3463) or a reply code, of a failure that stays."),
    ]

    @property
    def mail_id(self) -> UUID:
        """The mail's own id."""
        return UUID(self.message_id.removeprefix("<").partition("@")[0])
