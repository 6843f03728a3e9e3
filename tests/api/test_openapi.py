"""What a service says about itself is complete: every route has its words, every reference leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.network import Network
from tests.harness.openapi import DOCUMENTS, OPERATIONS, Operation

_TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}


def _nodes(node: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
        for key, child in node.items():
            yield from _nodes(child, f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from _nodes(child, f"{path}/{number}")


@pytest.mark.parametrize("service", sorted(DOCUMENTS))
async def test_the_document_is_served_as_openapi_3_1(shared: Network, service: str) -> None:
    document = (await shared.client.get(f"/{service}/openapi.json")).json()
    assert document == DOCUMENTS[service]
    assert document["openapi"].startswith("3.1.")
    assert document["servers"] == [{"url": f"/{service}"}]
    assert {"title", "version", "description"} <= document["info"].keys()


@pytest.mark.parametrize("service", sorted(DOCUMENTS))
def test_every_reference_leads_somewhere(service: str) -> None:
    known = {path for path, _ in _nodes(DOCUMENTS[service])}
    wanted = {node["$ref"] for _, node in _nodes(DOCUMENTS[service]) if isinstance(node.get("$ref"), str)}
    assert wanted
    assert wanted - known == set()


@pytest.mark.parametrize("service", sorted(DOCUMENTS))
def test_every_component_is_used(service: str) -> None:
    components = {f"#/components/schemas/{name}" for name in DOCUMENTS[service]["components"]["schemas"]}
    used = {node["$ref"] for _, node in _nodes(DOCUMENTS[service]) if isinstance(node.get("$ref"), str)}
    assert components - used == set()


@pytest.mark.parametrize("service", sorted(DOCUMENTS))
def test_every_schema_is_one_of_json_schema(service: str) -> None:
    for path, node in _nodes(DOCUMENTS[service]):
        if re.search(r"/(schema|items|additionalProperties)$|/schemas/[^/]+$|/properties/[^/]+$", path):
            types = node.get("type", [])
            assert ({types} if isinstance(types, str) else set(types)) <= _TYPES, path
            assert "nullable" not in node, f"{path} speaks OpenAPI 3.0"
            assert set(node.get("required", ())) <= node.get("properties", {}).keys(), path


def test_every_operation_has_its_own_id() -> None:
    ids = [operation.description["operationId"] for operation in OPERATIONS]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_every_operation_is_explained(operation: Operation) -> None:
    description = operation.description
    assert description["summary"]
    assert len(description["description"].split()) > 1
    assert description["tags"]
    assert any(code.startswith("2") for code in description["responses"])
    for code, reply in description["responses"].items():
        assert reply["description"], code
        if code.startswith(("4", "5")):
            schema = {"$ref": "#/components/schemas/ProblemDocument"}
            assert reply["content"]["application/problem+json"]["schema"] == schema, code
    assert {"400", "422", "503"} <= description["responses"].keys()
    for parameter in description.get("parameters", ()):
        assert parameter["schema"], parameter["name"]
    placeholders = set(re.findall(r"{(\w+)}", operation.path))
    assert placeholders == {each["name"] for each in description.get("parameters", ()) if each["in"] == "path"}


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.method == "get"], ids=str)
def test_what_is_read_has_its_shape(operation: Operation) -> None:
    content = operation.description["responses"]["200"]["content"]
    assert content
    if "application/json" in content:
        assert content["application/json"]["schema"], "an answer without a shape"


@pytest.mark.parametrize("service", sorted(DOCUMENTS))
def test_what_is_sent_out_has_every_field(service: str) -> None:
    for name, schema in DOCUMENTS[service]["components"]["schemas"].items():
        if name.endswith(("Out", "Page", "List")):
            assert set(schema.get("required", ())) == schema.get("properties", {}).keys(), name


_CHANGES = [each for each in OPERATIONS if {"412", "428"} & each.description["responses"].keys()]


@pytest.mark.parametrize("operation", _CHANGES, ids=str)
def test_what_may_need_if_match_declares_it_once(operation: Operation) -> None:
    parameters = operation.description["parameters"]
    (header,) = [each for each in parameters if (each["in"], each["name"]) == ("header", "If-Match")]
    if operation.method in {"patch", "delete"}:
        assert header["required"]
    elif operation.method == "post":
        assert not header["required"]


def test_a_put_needs_if_match_where_there_always_is_something_to_change() -> None:
    needed = {
        operation.path
        for operation in _CHANGES
        for each in operation.description["parameters"]
        if operation.method == "put" and each["name"] == "If-Match" and each["required"]
    }
    assert needed == {
        "/v1/activities/{activity_id}/reason",
        "/v1/countries/{code}/organisation",
        "/v1/countries/{code}/platform-memberships",
        "/v1/activities/{activity_id}/terms",
        "/v1/attendances/{attendance_id}",
    }


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.method == "patch"], ids=str)
def test_a_patch_names_its_fields_and_needs_none_of_them(operation: Operation) -> None:
    body = operation.body()
    assert body is not None
    schema = operation.resolved(body)
    assert schema["additionalProperties"] is False
    assert schema["properties"]
    assert not schema.get("required")
