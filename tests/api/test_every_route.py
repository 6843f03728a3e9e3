"""Habits that no route may miss, old or new: driven from the services' own OpenAPI documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.network import Network
from tests.harness.openapi import OPERATIONS, READING, WITH_BODY, Operation, nested
from tests.harness.refusals import MARKER, refused

# Their bodies are laid over what is there, and nothing is there under an id that nobody has: test_bad_input.py has
# their cases.
_LAID_OVER = [operation for operation in WITH_BODY if "minProperties" in (operation.body() or {})]
_NEW = [operation for operation in WITH_BODY if operation not in _LAID_OVER]
_DESCRIBED = [operation for operation in _NEW if list(operation.texts())]
_TEXTS = [(operation, place) for operation in _DESCRIBED for place in operation.texts()]
_NUMBERS = [(operation, place) for operation in _NEW for place in operation.numbers()]
_WITHOUT_A_ROLE = [operation for operation in OPERATIONS if operation.description.get("security")]


def _name(value: Any) -> str:
    return str(value) if isinstance(value, Operation) else "/".join(map(str, value))


@pytest.fixture(scope="module")
async def headers(shared: Network) -> dict[str, str]:
    return {**await shared.token("international"), "If-Match": '"1"', "Content-Type": "application/json"}


async def _refused(network: Network, operation: Operation, headers: dict[str, str], text: str, pointer: str) -> None:
    document = await refused(
        network,
        operation.method.upper(),
        operation.address(),
        status=422,
        headers={**headers, **network.key()},
        content=text,
    )
    assert pointer in {fault["pointer"] for fault in document["errors"]}


@pytest.mark.parametrize("text", [rf'"{MARKER}\u0000"', rf'"\ud800{MARKER}"'], ids=["nul", "surrogate"])
@pytest.mark.parametrize(("operation", "place"), _TEXTS, ids=_name)
async def test_no_text_of_any_body_holds_nul_or_half_a_character(
    shared: Network, headers: dict[str, str], operation: Operation, place: tuple[str | int, ...], text: str
) -> None:
    body = json.dumps(nested(place, "@@")).replace('"@@"', text)
    await _refused(shared, operation, headers, body, "#/" + "/".join(map(str, place)))


@pytest.mark.parametrize("number", ["1" * 400, f"-{'1' * 400}", "1e400", "-1e400"], ids=lambda number: number[:5])
@pytest.mark.parametrize(("operation", "place"), _NUMBERS, ids=_name)
async def test_no_number_of_any_body_is_out_of_all_measure(
    shared: Network, headers: dict[str, str], operation: Operation, place: tuple[str | int, ...], number: str
) -> None:
    body = json.dumps(nested(place, "@@")).replace('"@@"', number)
    await _refused(shared, operation, headers, body, "#/" + "/".join(map(str, place)))


@pytest.mark.parametrize("number", ["-0", "-0.0", "1e-400"])
@pytest.mark.parametrize(("operation", "place"), _NUMBERS, ids=_name)
async def test_no_number_of_any_body_is_too_small(
    shared: Network, headers: dict[str, str], operation: Operation, place: tuple[str | int, ...], number: str
) -> None:
    body = json.dumps(nested(place, "@@")).replace('"@@"', number)
    told = {**headers, **shared.key()}
    reply = await shared.client.request(operation.method, operation.address(), content=body, headers=told)
    assert reply.status_code < 500


@pytest.mark.parametrize("operation", _DESCRIBED, ids=_name)
async def test_an_unknown_field_of_any_body_is_refused(
    shared: Network, headers: dict[str, str], operation: Operation
) -> None:
    place = (*operation.root(), "zq7")
    body = json.dumps(nested(place, MARKER))
    await _refused(shared, operation, headers, body, "#/" + "/".join(map(str, place)))


@pytest.mark.parametrize("operation", WITH_BODY, ids=_name)
@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"NaN", 400), (b"\xff", 400), (b'{"a":1,"a":1}', 400), (b"[]", 422), (b"null", 422), (b'"a"', 422)],
    ids=ascii,
)
async def test_any_body_is_one_json_object(
    shared: Network, headers: dict[str, str], operation: Operation, content: bytes, status: int
) -> None:
    await refused(
        shared,
        operation.method.upper(),
        operation.address(),
        status=status,
        headers={**headers, **shared.key()},
        content=content,
    )


@pytest.mark.parametrize("operation", WITH_BODY, ids=_name)
async def test_any_body_in_another_type_is_415(shared: Network, headers: dict[str, str], operation: Operation) -> None:
    told = {**headers, **shared.key(), "Content-Type": "text/plain"}
    await refused(shared, operation.method.upper(), operation.address(), status=415, headers=told, content=b"{}")


@pytest.mark.parametrize("operation", WITH_BODY, ids=_name)
async def test_any_body_over_one_mebibyte_is_413(
    shared: Network, headers: dict[str, str], operation: Operation
) -> None:
    told = {**headers, **shared.key()}
    await refused(
        shared, operation.method.upper(), operation.address(), status=413, headers=told, content=b" " * (2**20 + 1)
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
async def test_any_route_refuses_an_unknown_parameter(
    shared: Network, headers: dict[str, str], operation: Operation
) -> None:
    address = f"{operation.address()}?zq7={MARKER}"
    await refused(
        shared,
        operation.method.upper(),
        address,
        status=422,
        pointers=["query/zq7"],
        headers={**headers, **shared.key()},
    )


@pytest.mark.parametrize("operation", READING, ids=_name)
async def test_any_text_parameter_refuses_nul(shared: Network, headers: dict[str, str], operation: Operation) -> None:
    for parameter in operation.description.get("parameters", ()):
        if parameter["in"] == "query":
            address = f"{operation.address()}?{parameter['name']}=a%00{MARKER}"
            await refused(shared, "GET", address, status=422, headers=headers)


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
async def test_any_id_in_an_address_is_written_in_one_way(
    shared: Network, headers: dict[str, str], operation: Operation
) -> None:
    for parameter in operation.description.get("parameters", ()):
        if parameter["in"] == "path" and parameter["schema"].get("format") == "uuid":
            address = operation.address(**{parameter["name"]: "01890000-0000-7000-8000-00000000000A"})
            await refused(
                shared,
                operation.method.upper(),
                address,
                status=404,
                headers={**headers, **shared.key()},
                content=b"{}",
            )


@pytest.mark.parametrize("operation", _WITHOUT_A_ROLE, ids=_name)
async def test_any_route_refuses_a_token_that_nobody_has(shared: Network, operation: Operation) -> None:
    headers = {"Authorization": f"Bearer set_{MARKER}", "Content-Type": "application/json", **shared.key()}
    await refused(shared, operation.method.upper(), operation.address(), status=401, headers=headers, content=b"{}")
