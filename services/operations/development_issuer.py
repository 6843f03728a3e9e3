"""An issuer for development: OAuth 2 with PKCE and OpenID Connect as ESN Accounts speaks it, for made-up people."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.kernel.failures import Stop
from services.kernel.settings import Settings

AUDIENCE: Final = "socialerasmus"
CLIENT: Final = "socialerasmus-pages"
CODE_SECONDS: Final = 60
TOKEN_SECONDS: Final = 600
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Somebody:
    """An account, with what ESN says of it."""

    name: str
    groups: Sequence[str]
    section: str | None = None
    country: str | None = None

    def profile(self) -> dict[str, Any]:
        """What userinfo answers of it."""
        told = {"sub": self.name, "groups": [{"id": group} for group in self.groups]}
        more = {"section_code": self.section, "country_code": self.country}
        return {**told, **{name: value for name, value in more.items() if value is not None}}


PEOPLE: Final = (
    Somebody("local", ["Local.socialerasmus:IT-SASS-ESN"], "IT-SASS-ESN", "IT"),
    Somebody("other-local", ["Local.socialerasmus:PT-PORT-ESN"], "PT-PORT-ESN", "PT"),
    Somebody("national", ["NATIONAL_ORGANISATION:socialerasmus"], "IT-MILA-STA", "IT"),
    Somebody("international", ["International.socialerasmus"]),
    Somebody("nobody", ["Local.webmaster:IT-SASS-ESN"], "IT-SASS-ESN", "IT"),
)


@dataclass(frozen=True)
class _Code:
    person: str
    back_to: str
    challenge: str
    nonce: str | None
    until: float


@dataclass
class DevelopmentIssuer:
    """One issuer: its people, its keys, and what it handed out. All of it is gone when the process ends."""

    address: str
    people: dict[str, Somebody] = field(default_factory=lambda: {each.name: each for each in PEOPLE})
    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [new_key("ES256")])
    codes: dict[str, _Code] = field(default_factory=dict)
    opaque: dict[str, str] = field(default_factory=dict)
    refreshing: dict[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """The variables of services that shall take this issuer's word."""
        at = self.address
        return {
            "issuer": at,
            "issuer_audience": AUDIENCE,
            "issuer_jwks_url": f"{at}/jwks",
            "issuer_userinfo_url": f"{at}/oauth/v1/userinfo",
            "issuer_authorize_url": f"{at}/oauth/authorize",
            "issuer_token_url": f"{at}/oauth/token",
            "issuer_client_id": CLIENT,
        }

    def text(self) -> str:
        """What to tell services that shall take its word, and a token for each of its people."""
        variables = [f"  SOCIALERASMUS_{name.upper()}={value}" for name, value in self.settings().items()]
        tokens = [f"  {name:<14} {self.access_token(name, exp=int(time.time()) + 86400)}" for name in self.people]
        return "\n".join(["Its word is taken by services with", *variables, "Tokens, a day long", *tokens])

    def sign(self, claims: Mapping[str, Any], *, kind: str) -> str:
        """A signed token, by the newest key."""
        key = self.keys[-1]
        header = {"alg": key.get("alg"), "kid": key.kid, "typ": kind}
        return jwt.encode(header, dict(claims), key, algorithms=[str(key.get("alg"))])

    def access_token(self, person: str, **changes: Any) -> str:
        """A signed access token for somebody; a change to None leaves the claim out."""
        now = int(time.time())
        claims = {
            "iss": self.address, "aud": AUDIENCE, "sub": person, "iat": now, "nbf": now, "exp": now + TOKEN_SECONDS,
            "jti": secrets.token_hex(8), **changes,
        }  # fmt: skip
        return self.sign({name: value for name, value in claims.items() if value is not None}, kind="at+jwt")

    def opaque_token(self, person: str) -> str:
        """An access token that says nothing, of somebody."""
        token = secrets.token_urlsafe(32)
        self.opaque[token] = person
        return token

    def app(self) -> Starlette:
        """The issuer as an application."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/jwks", self._jwks),
                Route("/oauth/authorize", self._authorize, methods=["GET", "POST"]),
                Route("/oauth/token", self._token, methods=["POST"]),
                Route("/oauth/v1/userinfo", self._userinfo),
            ]
        )

    async def _configuration(self, _: Request) -> Response:
        at = self.settings()
        return JSONResponse(
            {
                "issuer": at["issuer"],
                "authorization_endpoint": at["issuer_authorize_url"],
                "token_endpoint": at["issuer_token_url"],
                "userinfo_endpoint": at["issuer_userinfo_url"],
                "jwks_uri": at["issuer_jwks_url"],
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "authorization_response_iss_parameter_supported": True,
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        if asked.get("client_id") != CLIENT or not _is_here(asked.get("redirect_uri", "")):
            # Whoever asks so is not sent anywhere.
            return JSONResponse({"error": "invalid_request"}, status_code=400)
        back_to, state = asked["redirect_uri"], asked.get("state", "")
        is_right = (
            asked.get("response_type") == "code"
            and asked.get("code_challenge_method") == "S256"
            and len(asked.get("code_challenge", "")) == 43
        )
        if not is_right:
            return _back(back_to, error="invalid_request", state=state)
        if request.method == "GET":
            return self._choice(request)
        person = (await _form(request)).get("person")
        if person is None or person not in self.people:
            return _back(back_to, error="access_denied", state=state)
        code = secrets.token_urlsafe(24)
        until = time.monotonic() + CODE_SECONDS
        self.codes[code] = _Code(person, back_to, asked["code_challenge"], asked.get("nonce"), until)
        return _back(back_to, code=code, state=state, iss=self.address)

    def _choice(self, request: Request) -> Response:
        buttons = "".join(
            f'<p><button name="person" value="{html.escape(each.name)}">{html.escape(each.name)}</button> '
            f"{html.escape(', '.join(each.groups))}</p>"
            for each in self.people.values()
        )
        action = html.escape(f"?{request.url.query}")
        return HTMLResponse(
            '<!doctype html><html lang="en"><title>Development sign-in</title><h1>Who are you?</h1>'
            f'<p>These people are made up.</p><form method="post" action="{action}">{buttons}</form>',
            headers={"Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"},
        )

    async def _token(self, request: Request) -> Response:
        told = await _form(request)
        if told.get("grant_type") == "refresh_token":
            return self._renew(told)
        code = self.codes.pop(told.get("code", ""), None)  # It is good for one try.
        is_right = (
            code is not None
            and told.get("grant_type") == "authorization_code"
            and told.get("client_id") == CLIENT
            and told.get("redirect_uri") == code.back_to
            and code.until > time.monotonic()
            and hmac.compare_digest(challenge_of(told.get("code_verifier", "")), code.challenge)
        )
        if code is None or not is_right:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        about = {
            "iss": self.address, "aud": CLIENT, "sub": code.person, "iat": now, "exp": now + TOKEN_SECONDS,
        }  # fmt: skip
        if code.nonce is not None:
            about["nonce"] = code.nonce
        return self._grant(code.person, id_token=self.sign(about, kind="JWT"))

    def _renew(self, told: Mapping[str, str]) -> Response:
        person = self.refreshing.pop(told.get("refresh_token", ""), None)  # Each is good for once.
        if person is None or person not in self.people or told.get("client_id") != CLIENT:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        return self._grant(person)

    def _grant(self, person: str, **more: str) -> Response:
        refresh = secrets.token_urlsafe(32)
        self.refreshing[refresh] = person
        answer = {
            "access_token": self.access_token(person),
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            **more,
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def _userinfo(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        person = self.people.get(self.opaque.get(token) or self._subject(token) or "")
        if person is None:
            return JSONResponse({"error": "invalid_token"}, status_code=401)
        return JSONResponse(person.profile())

    def _subject(self, token: str) -> str | None:
        for key in self.keys:
            try:
                claims = jwt.decode(token, key, algorithms=["ES256", "RS256"]).claims
            except (JoseError, ValueError):
                continue
            return str(claims.get("sub"))
        return None


def new_key(algorithm: str) -> RSAKey | ECKey:
    """A key of an issuer."""
    told: Any = {"use": "sig", "alg": algorithm, "kid": secrets.token_hex(6)}
    return ECKey.generate_key("P-256", told) if algorithm == "ES256" else RSAKey.generate_key(2048, told)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _is_here(address: str) -> bool:
    """Whether an address is of a page or an app on this machine, at whichever port (RFC 8252, 7.3)."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname in LOOPBACK and not parts.query and not parts.fragment


def _back(address: str, **told: str) -> Response:
    return RedirectResponse(f"{address}?{urlencode(told)}", status_code=303)


def made(settings: Settings, *, address: str) -> DevelopmentIssuer:
    """The issuer of a development, reached at an address of this machine; anything else is refused."""
    if settings.environment == "production":
        raise Stop("The development issuer lets anybody be anybody: it does not start in production.")
    if urlsplit(address).hostname not in LOOPBACK:
        raise Stop("The development issuer is for this machine only: its address is of 127.0.0.1, ::1 or localhost.")
    return DevelopmentIssuer(address)
