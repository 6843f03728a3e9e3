"""How an issuer is asked: JSON over HTTP, soon or not at all, and nothing of what was sent in any error."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import httpx

from services.kernel import outbound

PATIENCE_SECONDS: Final = 5.0
LONGEST_ANSWER: Final = 256 * 1024


class NotAnswered(Exception):
    """The issuer did not answer, or not with what was asked for."""


@cache
def _trusted() -> ssl.SSLContext:
    # Reading the certificates of this world takes longer than asking.
    return httpx.create_ssl_context()


class Wire:
    """Asks one issuer, at the addresses that the settings name."""

    def __init__(self, *addresses: str | None) -> None:
        self._addresses = [each for each in addresses if each is not None]

    async def get(self, address: str, *, token: str | None = None) -> tuple[int, Any]:
        """The status and the object that an address answers, with a bearer token if need be."""
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return await self._ask("GET", address, headers=headers)

    async def post(self, address: str, form: Mapping[str, str]) -> tuple[int, Any]:
        """The status and the object that an address answers to a form."""
        return await self._ask("POST", address, headers={"Accept": "application/json"}, data=dict(form))

    async def _ask(self, method: str, address: str, **request: Any) -> tuple[int, Any]:
        try:
            async with (
                outbound.client(*self._addresses, seconds=PATIENCE_SECONDS, verify=_trusted()) as client,
                client.stream(method, address, **request) as reply,
            ):
                body = b""
                async for part in reply.aiter_bytes():
                    body += part
                    if len(body) > LONGEST_ANSWER:
                        raise NotAnswered
        except (httpx.HTTPError, httpx.InvalidURL):
            # Neither a token nor an address that holds one goes into a log with this.
            raise NotAnswered from None
        if reply.status_code != httpx.codes.OK:
            return reply.status_code, None
        try:
            return reply.status_code, json.loads(body)
        except (ValueError, RecursionError):
            raise NotAnswered from None
