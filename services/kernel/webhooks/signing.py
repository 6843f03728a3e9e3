"""Signatures of Standard Webhooks 1.0 (`v1`, HMAC-SHA256), and the secrets that they are made with.

A secret is derived from the service's own and a salt, so that neither the database nor a copy of it holds one.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

PREFIX = "whsec_"


def new_salt() -> bytes:
    """What makes the next secret of an endpoint another one than the last."""
    return secrets.token_bytes(16)


def key_of(service_secret: str, endpoint: UUID, salt: bytes) -> bytes:
    """The 32 bytes that an endpoint's messages are signed with."""
    return hmac.digest(service_secret.encode(), b"webhook\0" + endpoint.bytes + salt, "sha256")


def written(key: bytes) -> str:
    """A key as a receiver is given it."""
    return PREFIX + base64.b64encode(key).decode()


def headers(identity: UUID, now: datetime, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """What goes with a message: its id, the instant of this attempt, and one signature for each key."""
    timestamp = str(int(now.timestamp()))
    content = b".".join((str(identity).encode(), timestamp.encode(), body))
    signatures = (base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys)
    return {
        "webhook-id": str(identity),
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
