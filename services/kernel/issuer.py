"""Callers whom an issuer vouches for, as ESN Accounts does: by signed tokens and by opaque ones."""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final
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
        self._wire = Wire()
        self._verifier = (
            Verifier(PublishedKeys(self._wire, settings.issuer_jwks_url), issuer=settings.issuer)
            if settings.issuer_jwks_url is not None
            else None
        )
        self._profiles: OrderedDict[bytes, tuple[float, dict[str, Any] | None]] = OrderedDict()
        self._may_ask, self._counted_at = ASKED_AT_ONCE, time.monotonic()

    async def vouch(self, token: str) -> Vouched | None:
        """Who the bearer of a token is, or None; `NoRole` for somebody without a role, `Unavailable` if unknown."""
        if len(token) > LONGEST_TOKEN:
            return None
        if self._verifier is None or not is_signed(token):
            profile = await self._profile(token, is_certain=False)
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

    def _actor(self, claims: dict[str, Any], profile: dict[str, Any]) -> Actor:
        account = roles.account_of(self._rules, profile)
        acting = roles.widest(roles.granted(self._rules, account), account)
        if acting is None:
            raise NoRole
        secret = self._told.secret.get_secret_value().encode()
        told = f"{self._issuer}\0{claims['sub']}".encode("utf-8", "surrogatepass")
        # The same account is the same actor for as long as the secret is, and nobody reads the account from it.
        identity = UUID(bytes=hmac.digest(secret, told, "sha256")[:16], version=4)
        return Actor(identity, acting.rule.role, acting.section, acting.country)

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


def of(settings: Settings) -> Issuer | None:
    """The issuer that the settings name."""
    return None if settings.issuer is None else Issuer(settings)
