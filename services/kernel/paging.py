"""Keyset pages: an opaque, signed cursor that says where the next page begins; no offsets and no counts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request

from services.kernel.problems import Invalid
from services.kernel.runtime import of

SIGNATURE_BYTES = 12
LONGEST_CURSOR = 1000

Limit = Annotated[int, Query(ge=1, le=200, description="How many items a page holds.")]
Cursor = Annotated[
    str | None, Query(max_length=LONGEST_CURSOR, description="Opaque; take it from `next` of the page before.")
]


def encode(secret: str, scope: str, position: Sequence[Any]) -> str:
    """A cursor for `position`, a list of JSON values, that only holds for `scope`."""
    body = json.dumps(list(position), separators=(",", ":")).encode()
    return _written(_signature(secret, scope, body) + body)


def decode(secret: str, scope: str, cursor: str) -> list[Any]:
    """The position in a cursor of ours; anything else is a 422."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raw = b""
    body = raw[SIGNATURE_BYTES:]
    # Python's decoder skips characters outside of the alphabet and spare bits; a cursor is only what we wrote.
    is_ours = hmac.compare_digest(raw[:SIGNATURE_BYTES], _signature(secret, scope, body)) and _written(raw) == cursor
    if not is_ours:
        raise Invalid.at("query/cursor", "This cursor is not one of this list with these filters.")
    position = json.loads(body)
    assert isinstance(position, list)
    return position


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signature(secret: str, scope: str, body: bytes) -> bytes:
    key = hashlib.sha256(b"cursor\0" + secret.encode()).digest()
    return hmac.digest(key, scope.encode() + b"\0" + body, "sha256")[:SIGNATURE_BYTES]


class Page:
    """The page that a request asks for: where it begins, and the address of the one after it."""

    def __init__(self, request: Request, cursor: str | None) -> None:
        self._request = request
        self._settings = of(request).settings
        filters = sorted((key, value) for key, value in request.query_params.multi_items() if key != "cursor")
        self._scope = json.dumps([request.url.path, [pair for pair in filters if pair[0] != "limit"]])
        secret = self._settings.secret.get_secret_value()
        self.after = decode(secret, self._scope, cursor) if cursor is not None else None

    def next_url(self, position: Sequence[Any]) -> str:
        """The absolute address of the page that begins after `position`, which the route also tells in `Link`."""
        cursor = encode(self._settings.secret.get_secret_value(), self._scope, position)
        url = self._request.url.include_query_params(cursor=cursor)
        self._request.state.next_url = f"{self._settings.base_url}{url.path}?{url.query}"
        return str(self._request.state.next_url)
