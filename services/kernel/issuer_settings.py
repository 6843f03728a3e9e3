"""What a process is told about the issuer of its callers' tokens, as ESN Accounts is; without one there are none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

_ADDRESSES = (
    "issuer",
    "issuer_jwks_url",
    "issuer_userinfo_url",
    "issuer_authorize_url",
    "issuer_token_url",
)
_SIGN_IN = ("issuer_authorize_url", "issuer_token_url", "issuer_client_id")


def _address(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"{}|\\^`#@]+", url):
        raise ValueError("must be an http:// or https:// address")
    return url


Address = Annotated[str, AfterValidator(_address)]


class IssuerSettings(BaseSettings):
    """The settings named SOCIALERASMUS_ISSUER…; `Settings` reads them with its own."""

    issuer: Address | None = None
    issuer_audience: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    issuer_jwks_url: Address | None = None
    issuer_userinfo_url: Address | None = None
    issuer_authorize_url: Address | None = None
    issuer_token_url: Address | None = None
    issuer_client_id: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    issuer_client_secret: SecretStr | None = None
    issuer_scope: str = "openid profile"
    roles_file: Path | None = None

    @model_validator(mode="after")
    def _whole_or_not_at_all(self) -> IssuerSettings:
        told = [name for name in type(self).model_fields if name.startswith("issuer_") and name != "issuer_scope"]
        if self.issuer is None:
            if found := next((name for name in told if getattr(self, name) is not None), None):
                raise ValueError(f"SOCIALERASMUS_{found.upper()} says nothing without SOCIALERASMUS_ISSUER")
            return self
        if self.issuer_jwks_url is None and self.issuer_userinfo_url is None:
            raise ValueError("SOCIALERASMUS_ISSUER needs SOCIALERASMUS_ISSUER_JWKS_URL or …_USERINFO_URL beside it")
        if self.issuer_jwks_url is not None and self.issuer_audience is None:
            raise ValueError("SOCIALERASMUS_ISSUER_JWKS_URL needs …_AUDIENCE: tokens for others are not for us")
        known: list[Any] = [getattr(self, name) for name in _SIGN_IN]
        if any(known) and not all(known):
            raise ValueError("SOCIALERASMUS_ISSUER_AUTHORIZE_URL, …_TOKEN_URL and …_CLIENT_ID go together")
        return self

    @property
    def signs_in(self) -> bool:
        """Whether people can sign in at our own pages."""
        return self.issuer_authorize_url is not None

    def insecure_issuer_setting(self) -> str | None:
        """The variable of the first address of the issuer that is not https://, if there is one."""
        for name in _ADDRESSES:
            url = getattr(self, name)
            if url is not None and not url.startswith("https://"):
                return f"SOCIALERASMUS_{name.upper()}"
        return None
