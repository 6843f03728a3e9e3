"""Acts as they are shown to those in whose reach they are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from services.kernel.texts import Sent


class ActorOut(Sent):
    """Who did it: a number that is the same for each act of one access, and no name."""

    id: Annotated[UUID | None, Field(description="null for what an operator ran as a command.")]
    role: str
    section: str | None
    country: str | None
    by_key: Annotated[bool, Field(description="Whether it was a program with a secret key.")]


class ChangeOut(Sent):
    """One thing that an act changed."""

    kind: Annotated[str, Field(description="What it is: `activities`, `reports`, `keys` and the like.")]
    key: Annotated[str, Field(description="Its id or code.")]
    act: Literal["insert", "update", "delete"]
    before: Annotated[dict[str, Any] | None, Field(description="The fields that changed, as they were.")]
    after: Annotated[dict[str, Any] | None, Field(description="The same fields, as they are since.")]
    named: Annotated[list[str], Field(description="Texts and contacts that changed: that they did, and not to what.")]


class EntryOut(Sent):
    """Something that somebody did."""

    id: UUID
    at: datetime
    actor: ActorOut
    client_network: Annotated[
        str | None, Field(description="From where, to the /24 or /48; for ESN International and operators only.")
    ]
    verb: Annotated[str, Field(description="As the operations of OpenAPI are called.")]
    object: Annotated[
        str,
        Field(
            description="Its address below this service's, as `activities/0199…`; in that of a registration, a digest "
            "stands for its number. Ask with the number to find it."
        ),
    ]
    sections: list[str]
    country: str | None
    status: Annotated[int | None, Field(description="The status that was answered.")]
    details: dict[str, Any] | None
    trace_id: str
    changes: Annotated[list[ChangeOut], Field(description="The first 20 things that it changed.")]
    has_more_changes: Annotated[bool, Field(description="The rest is at `…/audit/{id}/changes`.")]


class EntryPage(Sent):
    """A page of acts, the latest first."""

    items: list[EntryOut]
    next: str | None


class ChangePage(Sent):
    """A page of what one act changed, in the order in which it did."""

    items: list[ChangeOut]
    next: str | None
