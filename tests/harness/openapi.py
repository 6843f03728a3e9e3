"""What a service says about itself, for tests that hold every route to the same habits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services import registry
from services.kernel.application import create_app
from services.kernel.runtime import Runtime
from tests.harness import databases as harness

_UNSAFE = ("post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    service: str
    path: str
    method: str
    description: dict[str, Any]
    components: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} /{self.service}{self.path}"

    def address(self, **known: str) -> str:
        """The address with each path parameter filled in: as told, else with an id or code that nobody has."""
        found = f"/{self.service}{self.path}"
        for parameter in self.description.get("parameters", ()):
            if parameter["in"] == "path":
                is_id = parameter["schema"].get("format") == "uuid"
                nobody = "01890000-0000-7000-8000-000000000000" if is_id else "XX-NONE"
                found = found.replace(f"{{{parameter['name']}}}", known.get(parameter["name"], nobody))
        return found

    def answers_json(self) -> bool:
        """Whether what it answers is meant for programs; the pages behind mailed links are not."""
        return any("application/json" in reply.get("content", {}) for reply in self.description["responses"].values())

    def body(self) -> dict[str, Any] | None:
        """The schema of its JSON body, if it takes one."""
        content = self.description.get("requestBody", {}).get("content", {})
        schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
        return schema

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema without references, nulls and single-entry unions."""
        while True:
            if "$ref" in schema:
                schema = self.components["schemas"][schema["$ref"].rpartition("/")[2]]
            elif choices := [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]:
                # Where one thing or a list of them may be sent, the list names every place.
                schema = next((each for each in choices if each.get("type") == "array"), choices[0])
            elif "allOf" in schema:
                schema = schema["allOf"][0]
            else:
                return schema

    def root(self) -> tuple[str | int, ...]:
        """The place of the object in its body."""
        return (0,) if self.resolved(self.body() or {}).get("type") == "array" else ()

    def texts(self) -> Iterator[tuple[str | int, ...]]:
        """The place of every text in its body, each list with one entry."""
        return self._places({"string"}, self.body() or {})

    def numbers(self) -> Iterator[tuple[str | int, ...]]:
        """The place of everything in its body that may be a number, each list with one entry."""
        return self._places({"integer", "number"}, self.body() or {})

    def _places(self, wanted: set[str], schema: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
        found = self.resolved(schema)
        kinds = found.get("type", "string" if {"enum", "const"} & found.keys() else [])
        kinds = {kinds} if isinstance(kinds, str) else set(kinds)
        if kinds & wanted:
            yield ()
        elif "array" in kinds:
            yield from ((0, *rest) for rest in self._places(wanted, found.get("items", {})))
        elif "object" in kinds:
            for name, inner in found.get("properties", {}).items():
                yield from ((name, *rest) for rest in self._places(wanted, inner))
            if isinstance(inner := found.get("additionalProperties"), dict):
                yield from (("any", *rest) for rest in self._places(wanted, inner))


def documents() -> dict[str, dict[str, Any]]:
    """The OpenAPI document of every service."""
    told = harness.settings("postgresql://nobody@localhost/none", "redis://localhost")
    return {
        name: create_app(service, Runtime(told, role=name)).openapi() for name, service in registry.SERVICES.items()
    }


DOCUMENTS = documents()
OPERATIONS = [
    Operation(service, path, method, description, document.get("components", {}))
    for service, document in DOCUMENTS.items()
    for path, methods in document["paths"].items()
    for method, description in methods.items()
]
READING = [operation for operation in OPERATIONS if operation.method == "get"]
WITH_BODY = [operation for operation in OPERATIONS if operation.method in _UNSAFE and operation.body() is not None]


def nested(place: tuple[str | int, ...], value: Any) -> Any:
    """The JSON value that has `value` at `place` and nothing else."""
    for step in reversed(place):
        value = [value] if isinstance(step, int) else {step: value}
    return value
