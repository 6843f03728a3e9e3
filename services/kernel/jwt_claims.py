"""What a signed token says, once it is certain that its issuer said so, to us, and for now (RFC 7519, 8725, 9068)."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Collection
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from services.kernel.key_sets import PublishedKeys

LONGEST_TOKEN: Final = 8192
CLOCKS_MAY_DIFFER_BY: Final = 30
ALGORITHMS: Final = frozenset({"RS256", "ES256"})
ACCESS_TOKEN_TYPES: Final = frozenset({"at+jwt", "application/at+jwt", "jwt"})
ID_TOKEN_TYPES: Final = frozenset({"jwt"})
_KNOWN_PARAMETERS: Final = frozenset({"alg", "kid", "typ"})
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_OF_ID_TOKENS: Final = frozenset({"nonce", "at_hash", "c_hash"})


class NotOurs(Exception):
    """The token is not one that the issuer made for us, or not any more."""


class _Decoder(json.JSONDecoder):
    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_once, parse_constant=_no_number)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_number(_: str) -> Any:
    raise ValueError


def is_signed(token: str) -> bool:
    """Whether a token has the shape of a signed one."""
    return _SHAPE.fullmatch(token) is not None


class Verifier:
    """Verifies tokens of one issuer for one audience."""

    def __init__(self, keys: PublishedKeys, *, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer

    async def access_claims(self, token: str, *, audience: str) -> dict[str, Any]:
        """The claims of an access token, or `NotOurs`."""
        claims = await self._claims(token, audience=audience, types=ACCESS_TOKEN_TYPES)
        if _OF_ID_TOKENS & claims.keys():
            # It says who signed in at a page, to that page, and opens nothing.
            raise NotOurs
        return claims

    async def id_claims(self, token: str, *, client: str, nonce: str) -> dict[str, Any]:
        """The claims of the ID token that answers a sign-in of ours, or `NotOurs` (OpenID Connect Core, 3.1.3.7)."""
        claims = await self._claims(token, audience=client, types=ID_TOKEN_TYPES)
        if claims.get("nonce") != nonce or claims.get("azp", client) != client:
            raise NotOurs
        return claims

    async def _claims(self, token: str, *, audience: str, types: Collection[str]) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN or not is_signed(token):
            raise NotOurs
        header = _header(token)
        if header.get("alg") not in ALGORITHMS or str(header.get("typ", "JWT")).lower() not in types:
            raise NotOurs
        name = header.get("kid")
        if name is not None and not (isinstance(name, str) and 1 <= len(name) <= 200):
            raise NotOurs
        algorithm = header["alg"]
        key = await self._keys.find(algorithm, name)
        if key is None:
            raise NotOurs
        try:
            claims = jwt.decode(token, key, algorithms=[algorithm], decoder_cls=_Decoder).claims
            self._check(claims, audience)
        except (JoseError, ValueError, TypeError, RecursionError):
            raise NotOurs from None
        return claims

    def _check(self, claims: dict[str, Any], audience: str) -> None:
        JWTClaimsRegistry(
            now=int(time.time()),
            leeway=CLOCKS_MAY_DIFFER_BY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(claims)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
            raise NotOurs


def _header(token: str) -> dict[str, Any]:
    """The header, which may name a key and nothing that would lead to one: no `jku`, `x5u`, `jwk`, `crit`."""
    segment = token.partition(".")[0]
    try:
        told = json.loads(base64.b64decode(segment + "=" * (-len(segment) % 4), b"-_", validate=True), cls=_Decoder)
    except (binascii.Error, ValueError, RecursionError):
        raise NotOurs from None
    if not isinstance(told, dict) or told.keys() - _KNOWN_PARAMETERS:
        raise NotOurs
    return told
