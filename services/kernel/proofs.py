"""Proofs of work in the format of ALTCHA (PoW v2, PBKDF2/SHA-256): signed challenges that nobody has to remember.

A challenge says in itself what it is for, how much is asked and until when, and is signed. Whoever solves it tries
counters until a key that is derived from its nonce and the counter begins as it says: one in 256 does. Nobody is
followed by it, and the libraries of ALTCHA solve it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

import pydantic
from pydantic import ConfigDict, Field

from services.kernel.problems import Challenge, ChallengeParameters

ALGORITHM: Final = "PBKDF2/SHA-256"
VALID_FOR: Final = timedelta(minutes=10)
LONGEST: Final = 4096
_PREFIX: Final = "00"
_KEY_BYTES: Final = 32
_RANDOM_BYTES: Final = 16


class Fault(StrEnum):
    """Why a proof is none."""

    MALFORMED = "This is no proof in the format of ALTCHA."
    FORGED = "This challenge is not ours."
    ELSEWHERE = "This challenge is for something else."
    EXPIRED = "This challenge has expired."
    WRONG = "This does not solve its challenge."
    EASIER = "More is asked by now than this challenge did."
    USED = "This proof was used already."


@dataclass(frozen=True, slots=True)
class Proof:
    """A challenge that somebody has solved."""

    nonce: bytes
    cost: int
    expires_at: datetime


class _Strict(pydantic.BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Solution(_Strict):
    counter: Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
    derived_key: Annotated[str, Field(alias="derivedKey", pattern="^[0-9a-f]{64}$")]
    time: float | None = None


class _Payload(_Strict):
    challenge: Challenge
    solution: _Solution


def challenge(secret: str, about: str, *, cost: int, now: datetime) -> Challenge:
    """A new challenge for one thing; twice the `cost` is twice the work."""
    parameters = ChallengeParameters(
        algorithm=ALGORITHM,
        cost=cost,
        data={"for": about},
        expires_at=int((now + VALID_FOR).timestamp()),
        key_length=_KEY_BYTES,
        key_prefix=_PREFIX,
        nonce=secrets.token_hex(_RANDOM_BYTES),
        salt=secrets.token_hex(_RANDOM_BYTES),
    )
    return Challenge(parameters=parameters, signature=_signature(secret, parameters))


async def read(secret: str, written: str, about: str, *, now: datetime) -> Proof | Fault:
    """What somebody sent as a proof that they solved a challenge for this; whether it was used before is not known."""
    try:
        if len(written) > LONGEST:
            return Fault.MALFORMED
        payload = _Payload.model_validate_json(base64.b64decode(written, validate=True))
    except (binascii.Error, ValueError):
        return Fault.MALFORMED
    told, solution = payload.challenge.parameters, payload.solution
    if not hmac.compare_digest(payload.challenge.signature.encode(), _signature(secret, told).encode()):
        return Fault.FORGED
    if told.data != {"for": about}:
        return Fault.ELSEWHERE
    expires_at = datetime.fromtimestamp(told.expires_at, UTC)
    if expires_at <= now:
        return Fault.EXPIRED
    # What is signed is ours, so it is well-formed and costs no more than we ask for.
    key = await asyncio.to_thread(derived, told, solution.counter)
    if not key.startswith(told.key_prefix) or not hmac.compare_digest(key, solution.derived_key):
        return Fault.WRONG
    return Proof(bytes.fromhex(told.nonce), told.cost, expires_at)


def derived(told: ChallengeParameters, counter: int) -> str:
    """The key that a counter leads to."""
    password = bytes.fromhex(told.nonce) + counter.to_bytes(4, "big")
    return hashlib.pbkdf2_hmac("sha256", password, bytes.fromhex(told.salt), told.cost, told.key_length).hex()


def _signature(secret: str, told: ChallengeParameters) -> str:
    """As ALTCHA signs: sorted names, nothing between them; with a key for nothing else."""
    key = hmac.digest(secret.encode(), b"proof of work\0", "sha256")
    canonical = json.dumps(told.model_dump(by_alias=True), sort_keys=True, separators=(",", ":"))
    return hmac.digest(key, canonical.encode(), "sha256").hex()
