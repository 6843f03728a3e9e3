"""Webhooks as their owners ask for them and as they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from services.kernel.mailboxes import Address
from services.kernel.texts import Code, Flag, Line, Link, Received, Sent, unique


class EndpointIn(Received):
    """An endpoint as its owner describes it."""

    url: Annotated[Link, Field(description="Where messages are POSTed to, by https.")]
    kinds: Annotated[
        Annotated[list[Code], Field(min_length=1, max_length=20), AfterValidator(unique)] | None,
        Field(description="What to tell, as `GET …/webhooks/kinds` lists it; null is all of it, further kinds too."),
    ] = None
    description: Line | None = None
    contact_email: Annotated[
        Address | None,
        Field(description="A function mailbox, never a person's: it is told when the endpoint is disabled."),
    ] = None


class EndpointChanges(EndpointIn):
    """An endpoint with what can be changed of it only."""

    is_enabled: Annotated[Flag, Field(description="false tells it nothing more; true begins again.")] = True


class Rotation(Received):
    """A new secret."""

    overlap_hours: Annotated[
        int,
        Field(strict=True, ge=0, le=168, description="How long messages are signed with the former secret as well."),
    ] = 24


class KindOut(Sent):
    """A kind of message."""

    kind: str
    description: str


class KindsOut(Sent):
    """Everything that this service tells."""

    items: list[KindOut]
    next: str | None


class EndpointOut(Sent):
    """An endpoint as those see it in whose reach it is."""

    id: UUID
    url: str
    kinds: list[str] | None
    description: str | None
    contact_email: str | None
    section: str | None = Field(description="Whose it is; null with a country: of the country, else International's.")
    country: str | None
    state: str = Field(description="active or disabled")
    disabled_because: str | None = Field(description="gone (it answered 410), failing (for days) or owner")
    failing_since: datetime | None = Field(description="Since when nothing was delivered that was tried.")
    has_secret: bool = Field(description="Nothing is told until it has one.")
    former_secret_until: datetime | None
    made_at: datetime


class EndpointPage(Sent):
    """One page of endpoints."""

    items: list[EndpointOut]
    next: str | None


class SecretOut(Sent):
    """A secret, which is shown this once."""

    secret: str = Field(description="`whsec_…`, as the libraries of Standard Webhooks take it.")
    former_secret_until: datetime | None


class DeliveryOut(Sent):
    """What became of a message to one endpoint."""

    id: UUID = Field(description="The `webhook-id`, the same at every attempt.")
    kind: str
    made_at: datetime
    state: str = Field(description="due, delivered or given_up")
    tries: int
    tried_at: datetime | None
    due_at: datetime | None
    status: int | None = Field(description="What the receiver last answered.")
    error: str | None = Field(
        description="status, address_refused, name_not_resolved, not_reached, too_slow or endpoint_disabled"
    )
    took_ms: int | None


class DeliveryPage(Sent):
    """One page of what an endpoint was told, latest first."""

    items: list[DeliveryOut]
    next: str | None
