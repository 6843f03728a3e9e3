"""What OpenAPI is told beside what the framework finds out: If-Match, and bodies that name fields to change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from pydantic import BaseModel

_REFERENCE = "#/components/schemas/{model}"


def if_match(*, required: bool) -> dict[str, Any]:
    """The header parameter If-Match (RFC 9110, 13.1.1)."""
    unseen = "" if required else " Without it only what was not there yet can be written."
    return {
        "name": "If-Match",
        "in": "header",
        "required": required,
        "description": f"The ETag of what you have read and change.{unseen}",
        "schema": {"type": "string"},
    }


def with_if_match(extra: dict[str, Any] | None, *, methods: Collection[str], statuses: Collection[str]) -> Any:
    """What is added to the description of a route that answers 412, or 428 to a change without the header.

    A PUT may write what is not there yet, for which there is no ETag; one of what is always there says so itself.
    """
    told: dict[str, Any] = dict(extra or {})
    known = told.get("parameters", [])
    if "412" in statuses and not any(each["name"] == "If-Match" for each in known):
        told["parameters"] = [*known, if_match(required="428" in statuses and not {"PUT", "POST"} & set(methods))]
    return told or None


def changes_of(model: type[BaseModel]) -> dict[str, Any]:
    """The body of a PATCH to what a model describes: any of its fields, without a default, and at least one.

    What the model refers to stands in the document already, with the route that takes the whole.
    """
    fields: dict[str, Any] = model.model_json_schema(ref_template=_REFERENCE)["properties"]
    properties = {
        name: {key: value for key, value in each.items() if key != "default"} for name, each in fields.items()
    }
    schema = {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}, "required": True}}


ALWAYS_THERE: dict[str, Any] = {"parameters": [if_match(required=True)]}
"""For a PUT of what always is there."""


def with_cost(extra: dict[str, Any] | None, dependencies: Iterable[Any]) -> dict[str, Any] | None:
    """The same, and how much of the limit it costs at least, where that is more than one."""
    units = [units for each in dependencies if (units := getattr(each.dependency, "units", None)) is not None]
    return {**(extra or {}), "x-cost": sum(units)} if units else extra
