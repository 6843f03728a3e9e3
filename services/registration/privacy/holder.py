"""Who holds the secret of a managing link, and sends it as `Authorization: Link <secret>`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security.http import HTTPAuthorizationCredentials, HTTPBase
from starlette.requests import Request

from services.registration.privacy import rules

LONGEST_SECRET = 200

_scheme = HTTPBase(
    scheme=rules.SCHEME,
    scheme_name="link",
    description="The secret of a managing link that was mailed: `Authorization: Link <secret>`.",
    auto_error=False,
)


async def _perhaps(
    request: Request, sent: Annotated[HTTPAuthorizationCredentials | None, Security(_scheme)]
) -> str | None:
    if (
        sent is None
        or sent.scheme.casefold() != rules.SCHEME.casefold()
        or len(sent.credentials) > LONGEST_SECRET
        or len(request.headers.getlist("authorization")) > 1
    ):
        return None
    return sent.credentials


PerhapsSecret = Annotated[str | None, Depends(_perhaps)]
"""The secret, if there is one; for a route that judges its body first."""


def needed(secret: PerhapsSecret) -> str:
    """The secret, without which the request is a 401."""
    if secret is None:
        raise rules.LinkNeeded
    return secret


async def _needed(secret: PerhapsSecret) -> str:
    return needed(secret)


Secret = Annotated[str, Depends(_needed)]
"""The secret; without one the request is a 401."""
