"""Callers whom an issuer vouches for, as ESN Accounts does: by signed tokens, by opaque ones, and signing in here."""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, Final, TypeGuard
from urllib.parse import urlencode
from uuid import UUID

from services.kernel import roles
from services.kernel.auth import Actor, hashed
from services.kernel.issuer_wire import NotAnswered, Wire
from services.kernel.jwt_claims import CLOCKS_MAY_DIFFER_BY, LONGEST_TOKEN, NotOurs, Verifier, is_signed
from services.kernel.key_sets import PublishedKeys
from services.kernel.problems import Forbidden, Unavailable
from services.kernel.roles import RoleRules
from services.kernel.settings import Settings

PROFILE_SECONDS: Final = 25.0
"""How long a profile is remembered; with what is remembered of the token, a role taken away is gone within a minute."""

MOST_PROFILES: Final = 10_000
ASKED_AT_ONCE: Final = 20.0
ASKED_A_SECOND: Final = 5.0
"""How often the issuer is asked about opaque tokens: made-up ones must not become a flood of questions to it."""


class NoRole(Forbidden):
    """This account is known, and none of its groups gives it a role here."""

    title = "No role"


class SignInRefused(Exception):
    """The issuer did not confirm that somebody signed in, or is still signed in."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an issuer gives to whoever signed in: a token, perhaps one to renew it with, and for how many seconds."""

    access: str
    refresh: str | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Vouched:
    """An actor, and for how many seconds the token that says so may be believed."""

    actor: Actor
    seconds: float


class Issuer:
    """Asks one issuer who a caller is."""

    def __init__(self, settings: Settings) -> None:
        assert settings.issuer is not None
        self._told = settings
        self._issuer = settings.issuer
        self._rules = RoleRules.read(settings.roles_file)
        self._wire = Wire(settings.issuer_jwks_url, settings.issuer_userinfo_url, settings.issuer_token_url)
        self._verifier = (
            Verifier(PublishedKeys(self._wire, settings.issuer_jwks_url), issuer=settings.issuer)
            if settings.issuer_jwks_url is not None
            else None
        )
        self._profiles: OrderedDict[bytes, tuple[float, dict[str, Any] | None]] = OrderedDict()
        self._may_ask, self._counted_at = ASKED_AT_ONCE, time.monotonic()

    async def vouch(self, token: str, *, is_certain: bool = False) -> Vouched | None:
        """Who the bearer of a token is, or None; `NoRole` for somebody without a role, `Unavailable` if unknown."""
        if len(token) > LONGEST_TOKEN:
            return None
        if self._verifier is None or not is_signed(token):
            profile = await self._profile(token, is_certain=is_certain)
            if profile is None:
                return None
            return Vouched(self._actor(profile, profile), PROFILE_SECONDS)
        assert self._told.issuer_audience is not None
        try:
            claims = await self._verifier.access_claims(token, audience=self._told.issuer_audience)
        except NotOurs:
            return None
        profile = claims
        if self._told.issuer_userinfo_url is not None:
            # The token says what was the case when it was made; the profile says what is the case now.
            asked = await self._profile(token, is_certain=True)
            if asked is None or asked.get("sub") != claims["sub"]:
                return None
            profile = asked
        left = claims["exp"] + CLOCKS_MAY_DIFFER_BY - time.time()
        return Vouched(self._actor(claims, profile), max(left, 0.0))

    def sign_in_address(self, *, state: str, nonce: str, challenge: str, back_to: str) -> str:
        """Where somebody signs in (RFC 6749, 4.1.1; RFC 7636, 4.3)."""
        asked = {
            "response_type": "code",
            "client_id": self._told.issuer_client_id or "",
            "redirect_uri": back_to,
            "scope": self._told.issuer_scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = self._told.issuer_authorize_url or ""
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    async def signed_in(self, *, code: str, verifier: str, nonce: str, back_to: str) -> tuple[Grant, Actor]:
        """What is granted for a code and to whom, or `SignInRefused` or `NoRole` (RFC 6749, 4.1.3)."""
        grant, told = await self._granted(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": back_to, "code_verifier": verifier}
        )
        claims = await self._id_claims(told.get("id_token"), nonce)
        vouched = await self.vouch(grant.access, is_certain=True)
        if vouched is None or (claims is not None and vouched.actor.id != self._identity(claims["sub"])):
            raise SignInRefused
        return grant, vouched.actor

    async def renewed(self, refresh: str) -> Grant:
        """What is granted anew, or `SignInRefused` (RFC 6749, 6)."""
        grant, _ = await self._granted({"grant_type": "refresh_token", "refresh_token": refresh})
        return grant if grant.refresh is not None else replace(grant, refresh=refresh)

    async def _granted(self, form: dict[str, str]) -> tuple[Grant, dict[str, Any]]:
        form["client_id"] = self._told.issuer_client_id or ""
        if self._told.issuer_client_secret is not None:
            form["client_secret"] = self._told.issuer_client_secret.get_secret_value()
        try:
            status, told = await self._wire.post(self._told.issuer_token_url or "", form)
        except NotAnswered:
            raise Unavailable("ESN Accounts can't be asked just now.") from None
        if status >= 500:
            raise Unavailable("ESN Accounts can't be asked just now.")
        if not isinstance(told, dict) or str(told.get("token_type")).lower() != "bearer":
            raise SignInRefused
        access, refresh = told.get("access_token"), told.get("refresh_token")
        if not _is_token(access) or not (refresh is None or _is_token(refresh)):
            raise SignInRefused
        seconds = told.get("expires_in")
        lasts = float(seconds) if isinstance(seconds, int) and 0 < seconds < 10**9 else None
        return Grant(access, refresh, lasts), told

    async def _id_claims(self, token: Any, nonce: str) -> dict[str, Any] | None:
        if self._verifier is None or (token is None and self._told.issuer_userinfo_url is not None):
            # Plain OAuth 2: the code came back to whoever holds the verifier, and the profile says who that is.
            return None
        try:
            return await self._verifier.id_claims(str(token), client=self._told.issuer_client_id or "", nonce=nonce)
        except NotOurs:
            raise SignInRefused from None

    def _identity(self, subject: str) -> UUID:
        """The same account is the same actor for as long as the secret is, and nobody reads the account from it."""
        secret = self._told.secret.get_secret_value().encode()
        told = f"{self._issuer}\0{subject}".encode("utf-8", "surrogatepass")
        return UUID(bytes=hmac.digest(secret, told, "sha256")[:16], version=4)

    def _actor(self, claims: dict[str, Any], profile: dict[str, Any]) -> Actor:
        account = roles.account_of(self._rules, profile)
        acting = roles.widest(roles.granted(self._rules, account), account)
        if acting is None:
            raise NoRole
        return Actor(self._identity(claims["sub"]), acting.rule.role, acting.section, acting.country)

    async def _profile(self, token: str, *, is_certain: bool) -> dict[str, Any] | None:
        """The profile of a token's bearer, or None where the issuer knows of no such token."""
        if self._told.issuer_userinfo_url is None:
            return None
        key, now = hashed(token), time.monotonic()
        known = self._profiles.get(key)
        if known is not None and known[0] > now:
            return known[1]
        if not is_certain:
            self._count(now)
        try:
            status, told = await self._wire.get(self._told.issuer_userinfo_url, token=token)
        except NotAnswered:
            raise Unavailable("The issuer of this token can't be asked about it just now.") from None
        if status not in {200, 400, 401, 403}:
            raise Unavailable("The issuer of this token can't be asked about it just now.")
        profile = told if isinstance(told, dict) and _is_subject(told.get("sub")) else None
        self._profiles[key] = (now + PROFILE_SECONDS, profile)
        while len(self._profiles) > MOST_PROFILES:
            self._profiles.popitem(last=False)
        return profile

    def _count(self, now: float) -> None:
        self._may_ask = min(ASKED_AT_ONCE, self._may_ask + (now - self._counted_at) * ASKED_A_SECOND)
        self._counted_at = now
        if self._may_ask < 1:
            raise Unavailable("Too many tokens are unknown here just now.")
        self._may_ask -= 1


def _is_subject(told: Any) -> bool:
    return isinstance(told, str) and 1 <= len(told) <= 255


def _is_token(told: Any) -> TypeGuard[str]:
    return isinstance(told, str) and 1 <= len(told) <= LONGEST_TOKEN


def of(settings: Settings) -> Issuer | None:
    """The issuer that the settings name."""
    return None if settings.issuer is None else Issuer(settings)
