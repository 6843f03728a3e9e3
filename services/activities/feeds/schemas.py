"""What goes over the wire where JSON of our own shape does."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from services.kernel.texts import Sent


class ChangedItem(Sent):
    """A change; `data` is missing from one that was deleted."""

    state: Literal["updated", "deleted"]
    kind: Literal["Event"]
    id: str
    modified: int
    data: dict[str, Any]


class ChangesPage(Sent):
    """A page of RPDE 1.0."""

    next: str
    items: list[ChangedItem]
    license: str


class FeatureCollection(Sent):
    """Activities on a map."""

    type: Literal["FeatureCollection"]
    is_whole: bool = Field(description="Whether nothing was cut off; if it was, ask for less.")
    features: list[dict[str, Any]]


class ExportPage(Sent):
    """A page of records; the one after the last is empty."""

    data: list[dict[str, Any]]
