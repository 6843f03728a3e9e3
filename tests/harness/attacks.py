"""Requests of a coordinator about another's things: made from the services' own descriptions, the same each time."""

from __future__ import annotations

from random import Random
from typing import Any

import httpx

from tests.harness.attempts import ATTEMPTS, Attempt, route_of
from tests.harness.authorisation import OTHER, OWN, World, ids_of
from tests.harness.openapi import Operation

_MANY = 3
_PLAIN = ("a", "2027-05-15T10:00", "2027-05-15T10:00:00Z", "2027-05-15", "en", "areas", "health", "https://a.example/")


class Attacker:
    """Tries one route again and again, each time with other ids, parameters and bodies."""

    def __init__(self, world: World, operation: Operation, section: str) -> None:
        self._world, self._operation, self._section = world, operation, section
        self._attempt = ATTEMPTS.get(route_of(operation), Attempt())
        self._draw = Random(f"{route_of(operation)} {section}")  # It must draw the same each time.
        self._ids = list(ids_of(world, section).values())
        self._own = list(ids_of(world, OWN if section == OTHER else OTHER).values())

    @property
    def many(self) -> int:
        """How often it is worth trying: what everybody may read and depends on nothing, once."""
        is_guarded = self._operation.description.get("security") and self._operation.description.get("parameters")
        varies = is_guarded or self._operation.body()
        return _MANY if varies else 1

    async def strike(self, caller: str) -> tuple[str, httpx.Response]:
        """Send one request; answers it in words, too."""
        world, operation = self._world, self._operation
        address = f"/{operation.service}{operation.path}"
        query: dict[str, str] = {}
        for parameter in operation.description.get("parameters", ()):
            name, where = parameter["name"], parameter["in"]
            if where == "path":
                address = address.replace(f"{{{name}}}", self._in_address(name, parameter["schema"]))
            elif where == "query" and (parameter.get("required") or self._draw.random() < 0.2):
                query[name] = str(self._value(parameter["schema"]))
        headers = {**world.network.key(), **world.headers[caller]}
        if self._attempt.tagged:
            headers["If-Match"] = await self._tag(address) if self._draw.random() < 0.8 else "*"
        body, content = self._body(), self._attempt.content
        if content is not None:
            headers["Content-Type"], content = "text/csv", content.replace("title", "id", 1)
        reply = await world.network.client.request(
            operation.method, address, params=query, headers=headers, json=body, content=content
        )
        return f"{caller}: {operation.method} {address} {query} {body}", reply

    def _in_address(self, name: str, schema: dict[str, Any]) -> str:
        told = self._attempt.named.get(name, "")
        if schema.get("format") == "uuid" or (told and not told.startswith("=")):
            if self._section == OWN and self._draw.random() < 0.6 and told in self._world.ids:
                return self._world.ids[told]
            # One's own things with another's in the body are a way in, too.
            return self._draw.choice(self._own if self._draw.random() < 0.2 else self._ids)
        return self._renamed(told[1:]) if told else "none"

    def _renamed(self, text: str) -> str:
        if self._section == OWN:
            return text
        return {OWN: OTHER, "IT": "PL"}.get(text, text)

    async def _tag(self, address: str) -> str:
        for read in (address, address.rpartition("/")[0]):
            reply = await self._world.network.client.get(read, headers=self._world.headers["international"])
            if "etag" in reply.headers:
                return reply.headers["etag"]
        return "*"

    def _body(self) -> Any:
        schema = self._operation.body()
        if schema is None:
            return None
        if self._attempt.body is not None and self._draw.random() < 0.6:
            return self._filled_in(self._attempt.body)
        return self._value(schema)

    def _filled_in(self, body: Any) -> Any:
        if isinstance(body, dict):
            return {name: self._filled_in(each) for name, each in body.items()}
        if isinstance(body, list):
            return [self._filled_in(each) for each in body]
        if isinstance(body, str):
            return self._draw.choice(self._ids) if body.startswith("@") else self._renamed(body)
        return body

    def _value(self, schema: dict[str, Any]) -> Any:
        found, draw = self._operation.resolved(schema), self._draw
        if "enum" in found:
            return draw.choice(found["enum"])
        match found.get("type"):
            case "object":
                needed = found.get("required", ())
                return {
                    name: self._value(each)
                    for name, each in found.get("properties", {}).items()
                    if name in needed or draw.random() < 0.3
                }
            case "array":
                return [self._value(found.get("items", {})) for _ in range(draw.randint(1, 2))]
            case "integer" | "number":
                return draw.choice((0, 1, 7, 2027))
            case "boolean":
                return draw.random() < 0.5
        if found.get("format") == "uuid":
            return draw.choice(self._ids)
        return draw.choice((*self._ids, *[self._section] * 20, "IT", "PL", *_PLAIN))
