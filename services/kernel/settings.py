"""What a process is told by its environment, read once at its start and handed down."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from services.kernel import addresses, secret_files, transport
from services.kernel.failures import Misconfigured
from services.kernel.issuer_settings import IssuerSettings
from services.kernel.mailboxes import mailbox

SHORTEST_SECRET = 32


def asyncpg_url(url: str) -> str:
    """The same database in the words of SQLAlchemy's asyncpg dialect, which knows `ssl` and not `sslmode`.

    >>> asyncpg_url("postgres://me@db/se?sslmode=require")
    'postgresql+asyncpg://me@db/se?ssl=require'
    """
    parts = urlsplit(url)
    if not re.fullmatch(r"postgres(ql)?(\+asyncpg)?", parts.scheme):
        raise ValueError("must be a postgresql:// address")
    options = []
    for key, value in parse_qsl(parts.query):
        # The application's name and the time to wait are our own business.
        if key in {"application_name", "connect_timeout"}:
            continue
        if key not in {"ssl", "sslmode", "host", "port", "target_session_attrs"}:
            raise ValueError("has an option that is not known here; sslmode, host, port and target_session_attrs are")
        options.append(("ssl" if key == "sslmode" else key, value))
    # urlunsplit drops the "//" of an empty host, which a socket directory (?host=/run/…) needs.
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql+asyncpg://{parts.netloc}{parts.path}{query}"


def _redis_url(url: str) -> str:
    if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must be a redis:// address")
    return url


def _mailbox(address: str | None) -> str | None:
    return None if address is None else mailbox(address).reachable


def _without_slash(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("must be an http:// or https:// address")
    return urlunsplit(parts).rstrip("/")


def _web_address(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"{}|\\^`]+", url):
        raise ValueError("must be an http:// or https:// address")
    return url


def _security_contact(address: str) -> str:
    scheme, _, rest = address.partition(":")
    if scheme == "mailto":
        return f"mailto:{mailbox(rest).reachable}"
    if scheme != "https":
        raise ValueError("must be a mailto: or https:// address")
    return _web_address(address)


def _networks(listed: object) -> object:
    try:
        return addresses.networks(listed) if isinstance(listed, str) else listed
    except ValueError:
        raise ValueError("must be networks with commas between them, as 10.0.0.0/8,::1") from None


_Quota = Annotated[int, Field(ge=0, le=10_000_000)]


class Settings(IssuerSettings):
    """Frozen settings of one process; `Settings.load()` is the only reader of the environment."""

    model_config = SettingsConfigDict(
        env_prefix="SOCIALERASMUS_", frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True
    )

    environment: Literal["development", "test", "production"] = "development"
    database_url: Annotated[str, AfterValidator(asyncpg_url)] = Field(
        validation_alias=AliasChoices("DATABASE_URL", "database_url"), repr=False
    )
    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(
        validation_alias=AliasChoices("REDIS_URL", "redis_url"), repr=False
    )
    smtp_url: SecretStr | None = Field(default=None, validation_alias=AliasChoices("SMTP_URL", "smtp_url"))
    secret: SecretStr
    audit_secret: SecretStr | None = None
    base_url: Annotated[str, AfterValidator(_without_slash)] = "http://127.0.0.1:8000"
    mailbox: Path | None = None
    mail_from: str = "SocialErasmus <no-reply@socialerasmus.invalid>"
    enquiries_to: Annotated[str | None, AfterValidator(_mailbox)] = None
    publisher: Annotated[str, Field(min_length=1, max_length=200)] = "SocialErasmus"
    publisher_url: Annotated[str, AfterValidator(_web_address)] | None = None
    contact_email: Annotated[str | None, AfterValidator(_mailbox)] = None
    contact_url: Annotated[str, AfterValidator(_web_address)] | None = None
    security_contact: Annotated[str, AfterValidator(_security_contact)] | None = None
    log_file: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    pool_size: Annotated[int, Field(ge=1, le=50)] = 5
    hold_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 24 * 60
    controller: str = "the ESN section that organises the activity, with the Erasmus Student Network"
    privacy_contact: str | None = None
    report_within_days: Annotated[int, Field(ge=1, le=365)] = 14
    esncard_check_url: Annotated[str, AfterValidator(_web_address)] | None = None
    keep_people_days: Annotated[int, Field(ge=1, le=3650)] = 365
    keep_unconfirmed_days: Annotated[int, Field(ge=1, le=3650)] = 30
    webhooks_to_loopback: bool = False
    trusted_network: bool = False
    reads_a_minute: _Quota = 1200
    writes_a_minute: _Quota = 300
    enquiries_a_day: _Quota = 20
    proof_after_held_percent: Annotated[int, Field(ge=0, le=100)] = 50
    proof_after_from_address: _Quota = 20
    proof_after_from_network: _Quota = 100
    proof_after_for_mailbox: _Quota = 5
    proof_cost: Annotated[int, Field(ge=1, le=100_000)] = 2000
    key_allowance: Annotated[int, Field(ge=1, le=1000)] = 10
    trusted_proxies: Annotated[addresses.Networks, NoDecode, BeforeValidator(_networks)] = ()
    sweep_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # As pydantic has it.
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[Any, ...]:
        """Secrets come from files as well, which vaults mount and environments name."""
        assert isinstance(env_settings, EnvSettingsSource)
        from_files = partial(secret_files.read, env_settings.env_vars)
        return (init_settings, env_settings, dotenv_settings, file_secret_settings, from_files)

    @model_validator(mode="after")
    def _fit_for_its_environment(self) -> Settings:
        if len(self.secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"SOCIALERASMUS_SECRET needs at least {SHORTEST_SECRET} characters")
        if self.environment == "production":
            if self.smtp_url is None:
                raise ValueError("SMTP_URL is needed in production: students confirm their place by mail")
            if not self.base_url.startswith("https://"):
                raise ValueError("SOCIALERASMUS_BASE_URL must be https:// in production: mailed links hold secrets")
            if self.esncard_check_url is not None and not self.esncard_check_url.startswith("https://"):
                raise ValueError("SOCIALERASMUS_ESNCARD_CHECK_URL must be https:// in production: it is sent numbers")
            if self.webhooks_to_loopback:
                raise ValueError("SOCIALERASMUS_WEBHOOKS_TO_LOOPBACK is for development: it reaches our own machines")
            if (insecure := self.insecure_issuer_setting()) is not None:
                raise ValueError(f"{insecure} must be https:// in production: it says who may do what")
            if not self.trusted_network and (why := self._can_be_overheard()) is not None:
                raise ValueError(
                    f"{why} in production, or SOCIALERASMUS_TRUSTED_NETWORK that nobody else is on the way"
                )
        return self

    def _can_be_overheard(self) -> str | None:
        """What an address lacks so that nobody on the way reads or changes what is sent there, if one does."""
        if not transport.database_is_safe(self.database_url):
            return "DATABASE_URL must say sslmode=verify-full or verify-ca"
        if not transport.redis_is_safe(self.redis_url):
            return "REDIS_URL must be rediss://"
        if self.smtp_url is not None and not transport.smtp_is_safe(self.smtp_url.get_secret_value()):
            return "SMTP_URL must be smtps://, or end in ?starttls=always,"
        return None

    @classmethod
    def load(cls) -> Settings:
        """Read the environment, or raise `Misconfigured` with one sentence that names the variable and no value."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            if name and not name.isupper():
                name = f"SOCIALERASMUS_{name.upper()}"
            reason = first["msg"].removeprefix("Value error, ")
            raise Misconfigured(f"{name}: {reason}." if name else f"{reason}.") from None
