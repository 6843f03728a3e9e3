"""What goes over the wire about exports that are made by the worker."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from services.impact.exports.rules import State
from services.kernel.texts import Received, Sent


class Dataset(StrEnum):
    """What is exported row by row."""

    FACTS = "facts"
    QUANTITY_FACTS = "quantity-facts"


class Format(StrEnum):
    """The shapes of what is exported row by row."""

    CSV = "csv"
    PARQUET = "parquet"


class ExportIn(Received):
    """What is to be exported; which activities is said in the address, as for the facts themselves."""

    dataset: Dataset = Field(default=Dataset.FACTS, description="Facts of activities, or their quantities.")
    shape: Format = Format.CSV


class LinkOut(Sent):
    """Where an export can be fetched without a token, by whoever has the address."""

    url: str
    expires_at: datetime


class ExportOut(Sent):
    """An export and how far it is."""

    id: UUID
    dataset: Dataset
    shape: Format
    filters: dict[str, Any]
    state: State
    asked_at: datetime
    as_of: datetime | None = Field(description="What was recorded up to then is in it.")
    rows_written: int
    rows_expected: int | None = Field(description="Known once it has begun.")
    size: int = Field(description="In bytes.")
    reason: str | None = Field(description="Why it failed.")
    link: LinkOut | None = Field(description="Once it is ready, until it expires.")
