"""Who calls: bearer tokens of people in ESN and of machines, stored hashed, revocable within half a minute."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Protocol
from uuid import UUID

import sqlalchemy as sa
from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from services.kernel import db
from services.kernel.ids import new_id
from services.kernel.problems import Unauthenticated
from services.kernel.runtime import Runtime, of

METADATA = db.metadata("access")

TOKENS = sa.Table(
    "tokens",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("section", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("(role = 'local_coordinator') = (section IS NOT NULL)", name="section_of_a_local_coordinator"),
    sa.CheckConstraint(
        "role NOT IN ('local_coordinator', 'national_coordinator') OR country IS NOT NULL",
        name="country_of_a_coordinator",
    ),
)

PREFIX = "set_"  # SocialErasmus token: a leaked one is found by scanners that look for it.
REMEMBERED_SECONDS = 30.0
MOST_REMEMBERED = 10_000
_CARRIERS = (b"authorization", b"x-api-key")


class Role(StrEnum):
    """What a caller is in ESN."""

    LOCAL_COORDINATOR = "local_coordinator"
    NATIONAL_COORDINATOR = "national_coordinator"
    INTERNATIONAL = "international"
    OPERATOR = "operator"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of a request: a role and how far it reaches."""

    id: UUID
    role: Role
    section: str | None
    country: str | None

    def reaches(self, *, sections: frozenset[str], country: str | None) -> bool:
        """Whether something of these sections, in this country, lies within the actor's reach."""
        if self.role in {Role.INTERNATIONAL, Role.OPERATOR}:
            return True
        if self.role is Role.NATIONAL_COORDINATOR:
            return country is not None and country == self.country
        return self.role is Role.LOCAL_COORDINATOR and self.section in sections


def hashed(token: str) -> bytes:
    """What is stored of a token: 128 random bits and more need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def issue(
    session: AsyncSession, *, role: Role, section: str | None, country: str | None, label: str, lasts: timedelta
) -> str:
    """Make a token and answer it; it can't be read again."""
    token = PREFIX + secrets.token_urlsafe(32)
    await session.execute(
        sa.insert(TOKENS).values(
            id=new_id(),
            token_hash=hashed(token),
            role=role.value,
            section=section,
            country=country,
            label=label,
            expires_at=sa.func.now() + lasts,
        )
    )
    return token


class Vouched(Protocol):
    """An actor whom somebody else vouches for, and for how many seconds."""

    @property
    def actor(self) -> Actor:
        """Who it is."""

    @property
    def seconds(self) -> float:
        """For how long the token that says so may be believed."""


class Issuer(Protocol):
    """Somebody else whose tokens are taken here."""

    async def vouch(self, token: str) -> Vouched | None:
        """Who the bearer of a token is, or None."""


class Tokens:
    """Looks tokens up and remembers the answers for half a minute, so that a revocation works within it.

    What is valid and what is not are remembered apart: no flood of made-up tokens makes the valid ones forgotten.
    """

    def __init__(self, issuer: Issuer | None = None) -> None:
        self._issuer = issuer
        self._valid: dict[bytes, tuple[float, Actor]] = {}
        self._invalid: dict[bytes, float] = {}

    def bucket(self, runtime: Runtime, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Whose requests these are counted as, where a token comes along that is known: made-up ones are nobody's.

        One that was not heard of yet is looked up beside the request, since not every route asks who calls.
        """
        sent = next((value for name, value in headers if name in _CARRIERS), None)
        if sent is None:
            return None
        token = sent.decode("latin-1").rpartition(" ")[2]
        key, now = hashed(token), time.monotonic()
        known = self._valid.get(key)
        is_news = (known is None or known[0] <= now) and self._invalid.get(key, 0.0) <= now
        if is_news and self._is_ours(token):
            runtime.soon(self._learn(runtime, token))
        # A count may go on a while longer than what the token opens.
        return f"token {known[1].id}" if known is not None else None

    async def actor(self, runtime: Runtime, token: str) -> Actor | None:
        """The actor of a valid token, else None."""
        key, now = hashed(token), time.monotonic()
        known = self._valid.get(key)
        if known is not None and known[0] > now:
            return known[1]
        if self._invalid.get(key, 0.0) > now:
            return None
        found, lasts = await self._find(runtime, token, key)
        self._remember(key, now + min(lasts, REMEMBERED_SECONDS), found)
        return found

    async def _find(self, runtime: Runtime, token: str, key: bytes) -> tuple[Actor | None, float]:
        if self._issuer is not None and not token.startswith(PREFIX):
            vouched = await self._issuer.vouch(token)
            return (None, REMEMBERED_SECONDS) if vouched is None else (vouched.actor, vouched.seconds)
        async with runtime.reading() as session:
            return await _look_up(session, key), REMEMBERED_SECONDS

    def _is_ours(self, token: str) -> bool:
        return self._issuer is None or token.startswith(PREFIX)

    async def _learn(self, runtime: Runtime, token: str) -> None:
        await self.actor(runtime, token)

    def _remember(self, key: bytes, until: float, found: Actor | None) -> None:
        for memory in (self._valid, self._invalid):
            if len(memory) >= MOST_REMEMBERED:
                memory.clear()
        if found is None:
            self._valid.pop(key, None)
            self._invalid[key] = until
        else:
            self._invalid.pop(key, None)
            self._valid[key] = (until, found)


async def _look_up(session: AsyncSession, key: bytes) -> Actor | None:
    statement = sa.select(TOKENS.c.id, TOKENS.c.role, TOKENS.c.section, TOKENS.c.country).where(
        TOKENS.c.token_hash == key, TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > sa.func.now()
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Actor(row.id, Role(row.role), row.section, row.country)


_scheme = HTTPBearer(auto_error=False, scheme_name="token", description="A token of a coordinator, ESN or a machine.")


async def _authenticate(
    request: Request, sent: Annotated[HTTPAuthorizationCredentials | None, Security(_scheme)]
) -> Actor | None:
    if sent is None:
        # A header that is there but no bearer token is a mistake, not an anonymous call.
        if "authorization" in request.headers:
            raise Unauthenticated("The Authorization header holds no bearer token.")
        return None
    if len(request.headers.getlist("authorization")) > 1:
        raise Unauthenticated("More than one Authorization header.")
    tokens: Tokens = request.app.state.tokens
    actor = await tokens.actor(of(request), sent.credentials)
    if actor is None:
        raise Unauthenticated("This token is not valid, has expired or was revoked.")
    return actor


async def _required(actor: Annotated[Actor | None, Depends(_authenticate)]) -> Actor:
    if actor is None:
        raise Unauthenticated
    return actor


Caller = Annotated[Actor, Depends(_required)]
"""The authenticated caller; without a valid token the request is a 401."""

PerhapsCaller = Annotated[Actor | None, Depends(_authenticate)]
"""The caller where strangers may call too; a wrong token is still a 401."""


_key_scheme = APIKeyHeader(
    name="X-Api-Key", auto_error=False, scheme_name="key", description="The same token, as older scripts send it."
)


async def _authenticate_by_key(
    request: Request,
    bearer: Annotated[Actor | None, Depends(_authenticate)],
    _described: Annotated[str | None, Security(_key_scheme)],
) -> Actor | None:
    # Read by hand, for the framework takes an empty header for none, and two for one.
    keys = request.headers.getlist(_key_scheme.model.name)
    if not keys:
        return bearer
    if bearer is not None or len(keys) > 1:
        raise Unauthenticated("Send one token, in one header.")
    tokens: Tokens = request.app.state.tokens
    actor = await tokens.actor(of(request), keys[0])
    if actor is None:
        raise Unauthenticated("This key is not valid, has expired or was revoked.")
    return actor


PerhapsKeyHolder = Annotated[Actor | None, Depends(_authenticate_by_key)]
"""The caller, who may send the token as `X-Api-Key` too; a wrong one is a 401 there as well."""
