"""Pure decisions about signing in: what a browser keeps meanwhile, and where it may go afterwards."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from services.kernel.problems import NotFound

COOKIE: Final = "__Host-sign-in"
SECONDS: Final = 600
"""How long somebody may be at the issuer."""

LONGEST_CODE: Final = 2000
CALLBACK: Final = "/registration/sign-in/callback"
_PAGE: Final = re.compile(r"(?:/[A-Za-z0-9_~-]{1,100}){1,8}(?:\?lang=[A-Za-z-]{2,35})?")


class NobodySignsIn(NotFound):
    """Nobody signs in here: no issuer is configured to sign people in at our pages."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """That a browser set out to sign in: a secret that it alone has, until when, and where it goes afterwards."""

    secret: str
    until: int
    back_to: str | None

    def derived(self, ours: bytes, what: str) -> str:
        """What is sent to the issuer of it (state, nonce) or later (verifier): nobody can work out one from another."""
        return _text(hmac.digest(ours, f"sign-in {what}\0{self.secret}".encode(), "sha256"))

    def challenge(self, ours: bytes) -> str:
        """The S256 challenge of the verifier (RFC 7636, 4.2)."""
        return _text(hashlib.sha256(self.derived(ours, "verifier").encode()).digest())

    def written(self, ours: bytes) -> str:
        """The attempt as its browser keeps it."""
        told = ".".join([self.secret, str(self.until), _text((self.back_to or "").encode())])
        return f"{told}.{_seal(ours, told)}"


def read(written: str, ours: bytes, *, now: float) -> Attempt | None:
    """The attempt that a browser kept, unless it took too long or is none of ours."""
    told, _, seal = written.rpartition(".")
    if not hmac.compare_digest(seal.encode("utf-8", "replace"), _seal(ours, told).encode()):
        return None
    secret, until, back_to = told.split(".")
    if int(until) <= now:
        return None
    page = base64.urlsafe_b64decode(back_to + "=" * (-len(back_to) % 4)).decode()
    return Attempt(secret, int(until), page or None)


def is_ours(address: str, base_url: str) -> bool:
    """Whether an address is the path of a page of ours, to which whoever signed in may be sent."""
    return _PAGE.fullmatch(address) is not None and address.startswith(f"{urlsplit(base_url).path}/registration/")


def is_same(told: str, expected: str) -> bool:
    """Whether two texts are the same; how long that takes says nothing of them."""
    return hmac.compare_digest(told.encode("utf-8", "replace"), expected.encode())


def _seal(ours: bytes, told: str) -> str:
    return _text(hmac.digest(ours, f"sign-in attempt\0{told}".encode("utf-8", "replace"), "sha256"))


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
