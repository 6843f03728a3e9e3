"""What every refused request must look like from outside, and the proof that it left nothing behind."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

import httpx

from services import registry
from tests.harness.network import Network

MARKER = "Zq7Marker"

_TABLES = sorted(
    table.fullname for history in registry.HISTORIES.values() for table in history.metadata.tables.values()
)
_COUNTS = " UNION ALL ".join(f"SELECT '{name}', (SELECT count(*) FROM {name})" for name in _TABLES)


async def refused(
    network: Network,
    method: str,
    address: str,
    *,
    status: int | Iterable[int],
    pointers: Iterable[str] | None = None,
    hidden: Iterable[str] = (MARKER,),
    **request: Any,
) -> dict[str, Any]:
    """Send a request that must be refused; answers its problem document."""
    trace_id = secrets.token_hex(16)
    headers = httpx.Headers(request.pop("headers", None)).raw
    headers.append((b"traceparent", f"00-{trace_id}-{'1' * 16}-01".encode()))
    observer = await network.observer()
    before = await observer.fetch(_COUNTS)
    reply = await network.client.request(method, address, headers=headers, **request)
    after = await observer.fetch(_COUNTS)
    document = check_problem(reply, status=status, trace_id=trace_id, hidden=hidden)
    if pointers is not None:
        assert {fault["pointer"] for fault in document["errors"]} == set(pointers), document
        assert all(fault["detail"] for fault in document["errors"])
    assert after == before, "a refused request left something behind"
    return document


def check_problem(
    reply: httpx.Response,
    *,
    status: int | Iterable[int],
    trace_id: str | None = None,
    hidden: Iterable[str] = (MARKER,),
) -> dict[str, Any]:
    """Assert the habits of api.md about errors; answers the problem document."""
    expected = {status} if isinstance(status, int) else set(status)
    assert reply.status_code in expected, (reply.status_code, reply.text)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    document: dict[str, Any] = reply.json()
    always = {"type", "title", "status", "detail", "instance", "trace_id"}
    # It alone tells more than all do, and always does.
    own = {"challenge"} if document["type"].endswith("/problems/proof-required") else set[str]()
    assert always | own <= document.keys() <= always | own | {"errors"}
    assert document["status"] == reply.status_code
    assert document["trace_id"] == reply.headers["trace-id"]
    if trace_id is not None:
        assert document["trace_id"] == trace_id
    told = {name: value for name, value in document.items() if name != "instance"}
    for text in hidden:
        assert text not in str(told), f"the input is echoed: {document}"
    assert "Traceback" not in reply.text
    return document
