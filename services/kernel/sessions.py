"""Who is signed in at our own pages: sessions in a browser's cookie, each as good as the issuer's word behind it."""

from __future__ import annotations

import asyncio
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID
from weakref import WeakValueDictionary

import sqlalchemy as sa
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from services.kernel.access import SESSION_COOKIE, SESSIONS, drawn
from services.kernel.auth import Actor, Tokens, hashed
from services.kernel.ids import new_id
from services.kernel.issuer import Grant, Issuer, NoRole, SignInRefused
from services.kernel.problems import Forbidden
from services.kernel.runtime import Runtime
from services.kernel.settings import Settings

COOKIE: Final = SESSION_COOKIE
LASTS: Final = timedelta(hours=8)
IDLE: Final = timedelta(minutes=30)
NOTED: Final = timedelta(seconds=60)
RENEWED_BEFORE: Final = timedelta(seconds=60)
MOST: Final = 10
"""In how many browsers somebody may be signed in at once."""

_SEALING: Final = {"alg": "dir", "enc": "A256GCM"}
_SAFE: Final = frozenset({"GET", "HEAD"})


class FromElsewhere(Forbidden):
    """A browser that is signed in here was sent by another website; only our own pages act for whoever signed in."""

    title = "From another website"


@dataclass(frozen=True, slots=True)
class _Found:
    """A session that has neither ended nor been idle for too long."""

    id: UUID
    sealed: str
    is_due: bool
    is_ending: bool


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser in which somebody is signed in."""

    id: UUID
    begun_at: datetime
    seen_at: datetime
    is_this_one: bool


def is_own(request: Request, base_url: str) -> bool:
    """Whether a page of ours sent a request, as its browser says; who only reads may have typed the address."""
    parts = urlsplit(base_url)
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_reading = request.method in _SAFE
    if origin is not None and origin != f"{parts.scheme}://{parts.netloc}":
        return False
    if site is not None:
        return site == "same-origin" or (is_reading and site == "none")
    return is_reading or origin is not None


class Sessions:
    """Begins, finds and ends sessions.

    Of a session's secret only the hash is kept, and the issuer's tokens only sealed with it: whoever reads the table
    can neither come in nor ask the issuer anything. What somebody may do is never kept, but asked of the issuer as for
    any other bearer of its tokens, so that a role that is taken away is gone within a minute.
    """

    def __init__(self, settings: Settings, issuer: Issuer, tokens: Tokens) -> None:
        self.issuer = issuer
        self._base_url = settings.base_url
        self._secret = settings.secret.get_secret_value().encode()
        self._tokens = tokens
        self._renewing: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def begin(self, session: AsyncSession, grant: Grant, holder: UUID) -> str:
        """Keep what the issuer granted, and answer the new session's secret; too many lose those unused longest."""
        secret = drawn("")
        # One at a time, or two that begin at once would make one too many.
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_number_of(holder))))
        kept = sa.select(SESSIONS.c.id).where(SESSIONS.c.holder == holder).order_by(SESSIONS.c.seen_at.desc())
        await session.execute(sa.delete(SESSIONS).where(SESSIONS.c.id.in_(kept.offset(MOST - 1))))
        await session.execute(
            sa.insert(SESSIONS).values(
                id=new_id(),
                secret_hash=hashed(secret),
                sealed=self._seal(secret, grant),
                token_ends_at=_ends(grant),
                holder=holder,
            )
        )
        return secret

    async def end(self, session: AsyncSession, secret: str) -> None:
        """Forget a session, if there is one."""
        await session.execute(sa.delete(SESSIONS).where(SESSIONS.c.secret_hash == hashed(secret)))

    async def browsers(self, session: AsyncSession, holder: UUID, secret: str) -> list[Browser]:
        """Where somebody is signed in, the last used first; `secret` is that of the browser that asks."""
        is_this_one = (SESSIONS.c.secret_hash == hashed(secret)).label("is_this_one")
        statement = (
            sa.select(SESSIONS.c.id, SESSIONS.c.begun_at, SESSIONS.c.seen_at, is_this_one)
            .where(SESSIONS.c.holder == holder, _is_live())
            .order_by(is_this_one.desc(), SESSIONS.c.seen_at.desc())
        )
        return [Browser(*row) for row in await session.execute(statement)]

    async def end_elsewhere(
        self, session: AsyncSession, holder: UUID, secret: str, *, identity: UUID | None = None
    ) -> None:
        """Forget one session of somebody's, or all but that of the browser that asks; others' are never met."""
        is_meant = SESSIONS.c.secret_hash != hashed(secret) if identity is None else SESSIONS.c.id == identity
        await session.execute(sa.delete(SESSIONS).where(SESSIONS.c.holder == holder, is_meant))

    async def actor(self, runtime: Runtime, request: Request) -> Actor | None:
        """Whoever is signed in in the browser that sent a request, if anybody is."""
        secret = request.cookies.get(COOKIE)
        if not secret:
            return None
        if not is_own(request, self._base_url):
            if request.method in _SAFE:
                return None
            raise FromElsewhere
        async with runtime.reading() as session:
            found = await _find(session, secret)
        access = None if found is None else await self._access(runtime, found, secret)
        if found is None or access is None:
            return None
        try:
            holder = await self._tokens.holder(runtime, access, is_certain=True)
        except NoRole:
            holder = None
        if not isinstance(holder, Actor):
            async with runtime.unit_of_work() as session:
                await self.end(session, secret)
            return None
        if found.is_due:
            runtime.soon(_see(runtime, found.id))
        return holder

    async def _access(self, runtime: Runtime, found: _Found, secret: str) -> str | None:
        """The access token of a session, renewed if it is about to end and the issuer renews it."""
        kept = self._open(secret, found.sealed)
        if kept is None or not found.is_ending or kept["refresh"] is None:
            return None if kept is None else str(kept["access"])
        lock = self._renewing.setdefault(found.id, asyncio.Lock())
        async with lock:
            async with runtime.reading() as session:
                now = await _find(session, secret)
            kept = None if now is None else self._open(secret, now.sealed)
            if now is None or kept is None or not now.is_ending:
                return None if kept is None else str(kept["access"])
            try:
                grant = await self.issuer.renewed(kept["refresh"])
            except SignInRefused:
                # Another process may have been quicker: then this one's token to renew with is spent.
                async with runtime.reading() as session:
                    later = await _find(session, secret)
                told = None if later is None or later.is_ending else self._open(secret, later.sealed)
                return None if told is None else str(told["access"])
            async with runtime.unit_of_work() as session:
                renewed = {"sealed": self._seal(secret, grant), "token_ends_at": _ends(grant)}
                await session.execute(sa.update(SESSIONS).where(SESSIONS.c.id == found.id).values(renewed))
            return grant.access

    def _seal(self, secret: str, grant: Grant) -> str:
        told = json.dumps({"access": grant.access, "refresh": grant.refresh})
        return jwe.encrypt_compact(dict(_SEALING), told, self._key(secret))

    def _open(self, secret: str, sealed: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(jwe.decrypt_compact(sealed, self._key(secret)).plaintext or b"null")
        except (JoseError, ValueError):
            # The services have another secret now: nobody is signed in any more.
            return None
        return found

    def _key(self, secret: str) -> OctKey:
        return OctKey.import_key(hmac.digest(self._secret, b"session\0" + secret.encode(), "sha256"))


def _ends(grant: Grant) -> Any:
    return None if grant.seconds is None else sa.func.now() + timedelta(seconds=grant.seconds)


def _number_of(holder: UUID) -> int:
    """The number of the lock under which somebody's sessions begin."""
    return int.from_bytes(holder.bytes[:8], signed=True)


def _is_live() -> Any:
    now = sa.func.now()
    return sa.and_(SESSIONS.c.begun_at > now - LASTS, SESSIONS.c.seen_at > now - IDLE)


async def _find(session: AsyncSession, secret: str) -> _Found | None:
    now = sa.func.now()
    statement = sa.select(
        SESSIONS.c.id,
        SESSIONS.c.sealed,
        (SESSIONS.c.seen_at < now - NOTED).label("is_due"),
        sa.func.coalesce(SESSIONS.c.token_ends_at < now + RENEWED_BEFORE, sa.false()).label("is_ending"),
    ).where(SESSIONS.c.secret_hash == hashed(secret), _is_live())
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else _Found(row.id, row.sealed, row.is_due, row.is_ending)


async def _see(runtime: Runtime, identity: UUID) -> None:
    async with runtime.unit_of_work() as session:
        await session.execute(sa.update(SESSIONS).where(SESSIONS.c.id == identity).values(seen_at=sa.func.now()))


async def forget_old(session: AsyncSession, _: Runtime) -> int:
    """Delete sessions that ended by time."""
    now = sa.func.now()
    old = sa.or_(SESSIONS.c.begun_at < now - LASTS, SESSIONS.c.seen_at < now - IDLE)
    return len((await session.execute(sa.delete(SESSIONS).where(old).returning(SESSIONS.c.id))).all())
