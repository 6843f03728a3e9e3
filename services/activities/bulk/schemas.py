"""What goes over the wire about many activities at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from services.activities.bulk.rules import MOST_ITEMS
from services.activities.catalogue.drafts import ActivityDraft
from services.kernel.problems import FieldError
from services.kernel.texts import Flag, Line, Received, Sent


class CreateActivity(Received):
    """Draft an activity, as `POST /v1/activities` does."""

    op: Literal["create"]
    draft: ActivityDraft


class ReviseActivity(Received):
    """Change fields of an activity, as `PATCH /v1/activities/{id}` does."""

    op: Literal["revise"]
    id: UUID
    if_match: Annotated[Line, Field(description="The ETag of what was read, with its quotation marks.")]
    changes: Annotated[dict[str, Any], Field(description="Any fields of a draft; the others stay.")]


@dataclass(frozen=True, slots=True)
class Malformed:
    """An item that has not the form of one, with the validator's faults; it does not stop the others."""

    faults: list[dict[str, Any]]


def _or_malformed(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        # The place of a fault begins with the kind of item that was read, which is no part of what was sent.
        return Malformed([{**fault, "loc": fault["loc"][1:]} for fault in faults])


Item = Annotated[Annotated[CreateActivity | ReviseActivity, Field(discriminator="op")], WrapValidator(_or_malformed)]


class BulkIn(Received):
    """Up to 200 creations and changes, carried out in their order."""

    items: Annotated[list[Item], Field(min_length=1, max_length=MOST_ITEMS)]
    dry_run: Annotated[Flag, Field(description="Only say what would happen.")] = False
    all_or_nothing: Annotated[Flag, Field(description="One that is refused refuses all, by a 422.")] = False


class ItemProblem(Sent):
    """The problem that the item's own request would have been answered with."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError]


class ItemOut(Sent):
    """What became of one item: the status that its own request would have had."""

    index: int
    status: int
    id: UUID | None = Field(description="Null where nothing came of it, and for what a dry run would create.")
    etag: str | None
    problem: ItemProblem | None


class BulkOut(Sent):
    """What became of each item, in their order."""

    dry_run: bool
    succeeded: int
    refused: int
    items: list[ItemOut]
    next: None


class CellError(Sent):
    """What is wrong with a row; `column` is null where it is the whole row."""

    column: str | None
    detail: str


class LineOut(Sent):
    """What became of one row."""

    line: int = Field(description="The line of the file on which the row begins; the header is line 1.")
    external_id: str | None
    outcome: Literal["created", "revised", "unchanged", "refused"]
    id: UUID | None = Field(description="Null where the row was refused, and for what a dry run would create.")
    changed: list[str] = Field(description="The fields of a draft that it changes, of an activity that is there.")
    errors: list[CellError]


class ImportOut(Sent):
    """What became of each row, in their order."""

    dry_run: bool
    created: int
    revised: int
    unchanged: int
    refused: int
    items: list[LineOut]
    next: None
