"""Who calls: bearer tokens of people in ESN and of machines, stored hashed, revocable within half a minute."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Protocol
from uuid import UUID

import sqlalchemy as sa
from fastapi import Depends, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from services.kernel import access, digests, reach
from services.kernel.access import KEYS, TOKENS
from services.kernel.audit.noting import Act
from services.kernel.audit.reach import Asked
from services.kernel.ids import new_id
from services.kernel.logs import logger
from services.kernel.problems import Forbidden, Unauthenticated
from services.kernel.runtime import Runtime, let_reach, of

PREFIX = access.TOKEN_PREFIX
REMEMBERED_SECONDS = 30.0
MOST_REMEMBERED = 10_000
USE_NOTED_SECONDS = 60.0
_KEYS = tuple(access.KEY_PREFIXES.values())
_OURS = (PREFIX, *_KEYS)
_CARRIERS = (b"authorization", b"x-api-key")

log = logger(__name__)


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
    scopes: frozenset[str] | None = None
    """What a key is for, as `activities:read`; None for whoever is no key."""
    asked: Asked | None = field(default=None, compare=False, repr=False)
    """Where it is noted what an act of the actor's is about; None while nothing is changed."""

    def reaches(self, *, sections: frozenset[str], country: str | None) -> bool:
        """Whether something of these sections, in this country, lies within the actor's reach.

        Every decision about an object comes by here, so here it is noted for the audit what the act is about.
        """
        does = self._reaches(sections, country)
        if does and self.asked is not None:
            self.asked.note(sections, country)
        return does

    def _reaches(self, sections: frozenset[str], country: str | None) -> bool:
        if self.role in {Role.INTERNATIONAL, Role.OPERATOR}:
            return True
        if self.role is Role.NATIONAL_COORDINATOR:
            return country is not None and country == self.country
        return self.role is Role.LOCAL_COORDINATOR and self.section in sections

    @property
    def reach(self) -> str:
        """The same, for the second wall."""
        if self.role in {Role.INTERNATIONAL, Role.OPERATOR}:
            return reach.NETWORK
        if self.role is Role.NATIONAL_COORDINATOR and self.country is not None:
            return reach.of_country(self.country)
        if self.role is Role.LOCAL_COORDINATOR and self.section is not None:
            return reach.of_section(self.section)
        return reach.NOBODY


@dataclass(frozen=True, slots=True)
class Website:
    """The holder of a publishable key: no more than a stranger, on websites of these origins alone."""

    id: UUID
    origins: frozenset[str]


Holder = Actor | Website


def hashed(token: str) -> bytes:
    """What is stored of a token: 128 random bits and more need no slow hash."""
    return digests.stored(token)


async def issue(
    session: AsyncSession, *, role: Role, section: str | None, country: str | None, label: str, lasts: timedelta
) -> str:
    """Make a token and answer it; it can't be read again."""
    token = access.drawn(PREFIX)
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

    async def vouch(self, token: str, *, is_certain: bool = False) -> Vouched | None:
        """Who the bearer of a token is, or None; it is certain that the issuer made those that it gave to us."""


class SignedIn(Protocol):
    """Those who signed in at our own pages."""

    async def actor(self, runtime: Runtime, request: Request) -> Actor | None:
        """Who signed in in the browser that sent a request, if anybody did."""


class Tokens:
    """Looks tokens and keys up and remembers the answers for half a minute, so that a revocation works within it.

    What is valid and what is not are remembered apart: no flood of made-up tokens makes the valid ones forgotten.
    """

    def __init__(self, issuer: Issuer | None = None) -> None:
        self._issuer = issuer
        self._valid: dict[bytes, tuple[float, Holder]] = {}
        self._invalid: dict[bytes, float] = {}
        self._noted: dict[UUID, float] = {}

    def bucket(self, runtime: Runtime, headers: Sequence[tuple[bytes, bytes]], address: str) -> str | None:
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
        if known is None:
            return None
        # A count may go on a while longer than what the token opens.
        holder = known[1]
        if isinstance(holder, Website):
            origin = next((value for name, value in headers if name == b"origin"), b"").decode("latin-1")
            if origin not in holder.origins:
                return None
            self._note(runtime, holder, now)
            # Its key can be read by anybody, who must not use up what its other visitors may.
            return f"key {holder.id} {address}"
        self._note(runtime, holder, now)
        return f"token {holder.id}"

    async def holder(self, runtime: Runtime, token: str, *, is_certain: bool = False) -> Holder | None:
        """The holder of a valid token or key, else None."""
        key, now = hashed(token), time.monotonic()
        known = self._valid.get(key)
        if known is not None and known[0] > now:
            return known[1]
        if self._invalid.get(key, 0.0) > now:
            return None
        found, lasts = await self._find(runtime, token, key, is_certain=is_certain)
        if found is not None:
            log.info("admitted", actor=str(found.id), by=_kind_of(token))
        self._remember(key, now + min(lasts, REMEMBERED_SECONDS), found)
        return found

    async def _find(self, runtime: Runtime, token: str, key: bytes, *, is_certain: bool) -> tuple[Holder | None, float]:
        if self._issuer is not None and not token.startswith(_OURS):
            vouched = await self._issuer.vouch(token, is_certain=is_certain)
            return (None, REMEMBERED_SECONDS) if vouched is None else (vouched.actor, vouched.seconds)
        async with runtime.reading() as session:
            found = await (_look_up_key(session, key) if token.startswith(_KEYS) else _look_up(session, key))
        return found, REMEMBERED_SECONDS

    def _is_ours(self, token: str) -> bool:
        return self._issuer is None or token.startswith(_OURS)

    async def _learn(self, runtime: Runtime, token: str) -> None:
        found = await self.holder(runtime, token)
        if isinstance(found, Actor):
            self._note(runtime, found, time.monotonic())

    def _note(self, runtime: Runtime, holder: Holder, now: float) -> None:
        """Let the use of a key be written down, once a minute at most."""
        is_key = isinstance(holder, Website) or holder.scopes is not None
        if (
            is_key
            and self._noted.get(holder.id, -USE_NOTED_SECONDS) + USE_NOTED_SECONDS <= now
            and runtime.soon(_used(runtime, holder.id))
        ):
            self._noted[holder.id] = now

    def _remember(self, key: bytes, until: float, found: Holder | None) -> None:
        for memory in (self._valid, self._invalid):
            if len(memory) >= MOST_REMEMBERED:
                memory.clear()
        if found is None:
            self._valid.pop(key, None)
            self._invalid[key] = until
        else:
            self._invalid.pop(key, None)
            self._valid[key] = (until, found)


def _kind_of(token: str) -> str:
    return "key" if token.startswith(_KEYS) else "token" if token.startswith(PREFIX) else "issuer's token"


async def _look_up(session: AsyncSession, key: bytes) -> Actor | None:
    statement = sa.select(TOKENS.c.id, TOKENS.c.role, TOKENS.c.section, TOKENS.c.country).where(
        TOKENS.c.token_hash == key, TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > sa.func.now()
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Actor(row.id, Role(row.role), row.section, row.country)


async def _look_up_key(session: AsyncSession, key: bytes) -> Holder | None:
    its_former = sa.and_(KEYS.c.former_hash == key, KEYS.c.former_until > sa.func.now())
    statement = sa.select(KEYS.c.id, KEYS.c.kind, KEYS.c.scopes, KEYS.c.origins, KEYS.c.section, KEYS.c.country).where(
        sa.or_(KEYS.c.key_hash == key, its_former), KEYS.c.revoked_at.is_(None), KEYS.c.expires_at > sa.func.now()
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    if row.kind == access.Kind.PUBLISHABLE:
        return Website(row.id, frozenset(row.origins))
    # It acts as whoever coordinates its reach, so that no decision elsewhere has to know of keys.
    role = Role.INTERNATIONAL
    if row.country is not None:
        role = Role.LOCAL_COORDINATOR if row.section is not None else Role.NATIONAL_COORDINATOR
    return Actor(row.id, role, row.section, row.country, frozenset(row.scopes))


async def _used(runtime: Runtime, key_id: UUID) -> None:
    a_minute_ago = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 1)
    is_due = sa.or_(KEYS.c.last_used_at.is_(None), KEYS.c.last_used_at < a_minute_ago)
    async with runtime.unit_of_work() as session:
        await session.execute(sa.update(KEYS).where(KEYS.c.id == key_id, is_due).values(last_used_at=sa.func.now()))


_scheme = HTTPBearer(auto_error=False, scheme_name="token", description="A token of a coordinator, ESN or a machine.")


_cookie_scheme = APIKeyCookie(
    name=access.SESSION_COOKIE,
    auto_error=False,
    scheme_name="session",
    description="Of whoever signed in at our pages, from these pages alone.",
)


async def _authenticate(
    request: Request,
    sent: Annotated[HTTPAuthorizationCredentials | None, Security(_scheme)],
    _described: Annotated[str | None, Security(_cookie_scheme)],
) -> Actor | None:
    if sent is None:
        # A header that is there but no bearer token is a mistake, not an anonymous call.
        if "authorization" in request.headers:
            raise Unauthenticated("The Authorization header holds no bearer token.")
        return await _signed_in(request)
    if len(request.headers.getlist("authorization")) > 1:
        raise Unauthenticated("More than one Authorization header.")
    return await _admitted(request, sent.credentials, "This token is not valid, has expired or was revoked.")


async def _signed_in(request: Request) -> Actor | None:
    """Whoever signed in in this browser, unless it sends something that was chosen for this request."""
    sessions: SignedIn | None = request.app.state.sessions
    if sessions is None or "x-api-key" in request.headers:
        return None
    actor = await sessions.actor(of(request), request)
    # A cookie does not keep caches off as the Authorization header does.
    request.state.is_signed_in = actor is not None
    return None if actor is None else await _acting(request, actor)


async def _admitted(request: Request, token: str, refusal: str) -> Actor | None:
    """Who calls with a token or key, if that may be used here; None for whoever is no more than a stranger."""
    runtime, tokens = of(request), request.app.state.tokens
    holder: Holder | None = await tokens.holder(runtime, token)
    if holder is None:
        raise Unauthenticated(refusal)
    request.state.actor_id = holder.id
    if isinstance(holder, Website):
        if request.headers.get("origin") not in holder.origins:
            raise Forbidden("This publishable key is for the websites that it was made for.")
        request.state.is_website = True
        return None
    if holder.scopes is not None:
        needed = f"{runtime.role}:{'read' if request.method in {'GET', 'HEAD'} else 'write'}"
        if needed not in holder.scopes:
            raise Forbidden(f"This key lacks the scope {needed}.")
    return await _acting(request, holder)


async def _acting(request: Request, actor: Actor) -> Actor:
    """Let somebody act: what they do is entered in the audit, and they reach as far as they may."""
    act: Act | None = getattr(request.state, "act", None)
    if act is not None:
        actor = replace(actor, asked=act.asked)
        act.actor = actor
    await let_reach(request, actor.reach)
    return actor


async def _required(request: Request, actor: Annotated[Actor | None, Depends(_authenticate)]) -> Actor:
    if actor is None:
        if getattr(request.state, "is_website", False):
            raise Forbidden("A publishable key opens no more than what strangers may read and do.")
        raise Unauthenticated
    return actor


Caller = Annotated[Actor, Depends(_required)]
"""The authenticated caller; without a valid token the request is a 401."""

IDENTIFIES = _authenticate
"""What every route depends on that asks who calls."""

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
    return await _admitted(request, keys[0], "This key is not valid, has expired or was revoked.")


PerhapsKeyHolder = Annotated[Actor | None, Depends(_authenticate_by_key)]
"""The caller, who may send the token as `X-Api-Key` too; a wrong one is a 401 there as well."""
