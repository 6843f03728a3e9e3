"""How much a caller may ask of a service: per key, else per address; told in the headers of the RateLimit draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi import Depends
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel import addresses
from services.kernel.auth import Tokens
from services.kernel.counting import ONE, Counters, Policy, Standing
from services.kernel.problems import TooManyRequests
from services.kernel.replies import respond
from services.kernel.runtime import Runtime, of
from services.kernel.settings import Settings

KNOWN_ALREADY: Final = ONE // 5
"""What an answer costs that the client had already (304)."""

_FREE: Final = ("/healthz", "/readyz")
_READING: Final = frozenset({"GET", "HEAD"})


@dataclass(slots=True)
class Charge:
    """What one request uses up; routes that are dear add to it."""

    counters: Counters
    policy: Policy
    who: str
    standing: Standing
    tenths: int = ONE
    asked: int = ONE
    """What it was charged before anything was given back."""

    def take(self, units: int) -> None:
        """Use up more, or raise the 429."""
        standing = self.counters.take(self.policy, self.who, units * ONE)
        if not standing.allowed:
            raise TooManyRequests(standing.seconds)
        self.standing = standing
        self.tenths += units * ONE
        self.asked = self.tenths

    def lower(self, tenths: int) -> None:
        """Use up this much only, for the answer was less work than was thought."""
        self.standing = self.counters.take(self.policy, self.who, tenths - self.tenths)
        self.tenths = tenths


def policies(told: Settings) -> dict[tuple[bool, bool], Policy]:
    """How much may be asked: of reads or not, with a key or not."""
    return {
        (is_read, is_key): Policy(name, quota * (told.key_allowance if is_key else 1))
        for is_read, name, quota in (
            (True, "reads", told.reads_a_minute),
            (False, "writes", told.writes_a_minute),
        )
        for is_key in (True, False)
    }


def charge(request: Request, units: int) -> None:
    """Let a request cost so much more than one; a 429 where that is not left."""
    made: Charge | None = getattr(request.state, "charge", None)
    if made is not None and units > 0:
        made.take(units)


@dataclass(frozen=True, slots=True)
class Dear:
    """What makes a route cost as much as so many others; OpenAPI tells it as `x-cost`."""

    units: int

    async def __call__(self, request: Request) -> None:
        """Charge for it."""
        charge(request, self.units - 1)


def costing(units: int) -> Any:
    """The dependency of a route that costs as much as so many others."""
    return Depends(Dear(units))


def count(request: Request, policy: Policy) -> Standing:
    """Count something that the client's address did under a policy of its own, whoever asks; no quota is no limit."""
    runtime = of(request)
    if not policy.quota:
        return Standing(True, 0, 0)
    return runtime.counters.take(policy, addresses.client(request.scope, runtime.settings.trusted_proxies))


class Limits:
    """The layer around a service's routes; what it refuses looks as any refusal does."""

    def __init__(self, app: ASGIApp, *, runtime: Runtime, tokens: Tokens) -> None:
        self._app = app
        self._runtime = runtime
        self._tokens = tokens
        self._policies = policies(runtime.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 429."""
        if scope["type"] != "http" or scope["method"] == "OPTIONS" or scope["path"].endswith(_FREE):
            await self._app(scope, receive, send)
            return
        address = addresses.client(scope, self._runtime.settings.trusted_proxies)
        key = self._tokens.bucket(self._runtime, scope["headers"], address)
        policy = self._policies[scope["method"] in _READING, key is not None]
        if not policy.quota:
            await self._app(scope, receive, send)
            return
        counters, who = self._runtime.counters, key or address
        made = Charge(counters, policy, who, counters.take(policy, who))

        async def send_with_standing(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 304:
                    made.lower(KNOWN_ALREADY)
                _tell(message, policy, made.standing)
            await send(message)

        if not made.standing.allowed:
            reply = respond(Request(scope), TooManyRequests(made.standing.seconds))
            await reply(scope, receive, send_with_standing)
            return
        scope.setdefault("state", {})["charge"] = made
        await self._app(scope, receive, send_with_standing)


def policy_header_of(policy: Policy) -> str:
    """How much a caller may ask, as the header RateLimit-Policy says it."""
    return f'"{policy.name}";q={policy.quota};w={policy.seconds}'


def header_of(policy: Policy, standing: Standing) -> str:
    """Where a caller stands, as the header RateLimit says it."""
    return f'"{policy.name}";r={standing.left};t={standing.seconds}'


def _tell(message: Message, policy: Policy, standing: Standing) -> None:
    headers = MutableHeaders(scope=message)
    headers["RateLimit-Policy"] = policy_header_of(policy)
    headers["RateLimit"] = header_of(policy, standing)
