"""The keys with which an issuer signs: asked for seldom, whatever tokens name, and kept while the issuer is away."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from services.kernel.issuer_wire import NotAnswered, Wire
from services.kernel.logs import logger
from services.kernel.problems import Unavailable

FRESH_SECONDS: Final = 600.0
KEPT_SECONDS: Final = 24 * 3600.0
BETWEEN_TRIES_SECONDS: Final = 30.0
"""However many tokens name keys that nobody knows, the issuer is asked this seldom."""

MOST_KEYS: Final = 50
SHORTEST_RSA_BITS: Final = 2048

log = logger(__name__)


class PublishedKeys:
    """The keys that an issuer publishes, by algorithm and name."""

    def __init__(self, wire: Wire, address: str) -> None:
        self._wire = wire
        self._address = address
        self._keys: dict[tuple[str, str | None], RSAKey | ECKey] = {}
        self._read_at = self._tried_at = float("-inf")
        self._asking = asyncio.Lock()

    async def find(self, algorithm: str, name: str | None) -> RSAKey | ECKey | None:
        """The key of a name for an algorithm; a token that names none is of the only key that there is."""
        now = time.monotonic()
        known = self._known(algorithm, name)
        if known is None or now - self._read_at > FRESH_SECONDS:
            async with self._asking:
                # Whoever waited here is answered by what the first one learnt.
                if time.monotonic() - self._tried_at > BETWEEN_TRIES_SECONDS:
                    await self._read()
            known = self._known(algorithm, name)
        if time.monotonic() - self._read_at > KEPT_SECONDS:
            raise Unavailable("The issuer of this token can't be asked for its keys just now.")
        return known

    def _known(self, algorithm: str, name: str | None) -> RSAKey | ECKey | None:
        if name is not None:
            return self._keys.get((algorithm, name))
        fitting = [key for (each, _), key in self._keys.items() if each == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    async def _read(self) -> None:
        self._tried_at = time.monotonic()
        try:
            status, told = await self._wire.get(self._address)
        except NotAnswered:
            status, told = 0, None
        listed = told.get("keys") if isinstance(told, dict) else None
        if not isinstance(listed, list):
            log.warning("the issuer's keys were not to be had", status=status)
            return
        self._keys = {
            (algorithm, each.get("kid")): key
            for each in listed[:MOST_KEYS]
            if (found := _read_key(each)) is not None
            for algorithm, key in [found]
        }
        self._read_at = time.monotonic()


def _read_key(told: Any) -> tuple[str, RSAKey | ECKey] | None:
    """A public key that signs by an algorithm that is allowed here; every other one is passed over."""
    if not isinstance(told, dict) or told.get("use", "sig") != "sig" or "d" in told:
        return None
    if not isinstance(told.get("kid", ""), str):
        return None
    try:
        if told.get("kty") == "RSA" and told.get("alg", "RS256") == "RS256":
            rsa = RSAKey.import_key(told)
            return ("RS256", rsa) if rsa.raw_value.key_size >= SHORTEST_RSA_BITS else None
        if told.get("kty") == "EC" and told.get("crv") == "P-256" and told.get("alg", "ES256") == "ES256":
            return "ES256", ECKey.import_key(told)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None
