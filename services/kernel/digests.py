"""What is stored of a secret that we drew: its digest, by the algorithm that the secret names, so that others can come.

A secret without a mark is hashed with the first algorithm. Those that are drawn with another say so before a tilde,
which no random part holds: `set_2~…`. So old ones and new ones are valid side by side, each is looked up once, and an
algorithm ends by being taken from the list: then nothing that was drawn with it opens anything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Final

_MARK: Final = re.compile(r"(?:[a-z]+_)?([a-z0-9]+)~")


def _sha256(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {"": _sha256}
"""By their marks. Secrets have 128 random bits and more, so none of these need be slow."""

NEWEST = ""
"""With which secrets are drawn from now on."""


def mark() -> str:
    """What stands before the random part of a new secret."""
    return f"{NEWEST}~" if NEWEST else ""


def stored(secret: str) -> bytes:
    """The digest of a secret; of one whose algorithm is not in the list, one that nothing was ever stored under."""
    found = _MARK.match(secret)
    algorithm = ALGORITHMS.get(found[1] if found else "", ALGORITHMS[NEWEST])
    return algorithm(secret.encode("utf-8", "surrogatepass"))
