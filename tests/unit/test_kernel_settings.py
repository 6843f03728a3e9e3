"""What a process is told by its environment: what is wrong is one sentence that repeats no value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.kernel import secret_files
from services.kernel.failures import Misconfigured
from services.kernel.settings import Settings, asyncpg_url

RIGHT = {
    "DATABASE_URL": "postgresql://me:pa55word@db/se",
    "REDIS_URL": "redis://:pa55word@queue/0",
    "SOCIALERASMUS_SECRET": "s3cret-" * 6,
}
PRODUCTION = {
    **RIGHT,
    "DATABASE_URL": "postgresql://me:pa55word@db/se?sslmode=verify-full",
    "REDIS_URL": "rediss://:pa55word@queue/0",
    "SOCIALERASMUS_ENVIRONMENT": "production",
    "SMTP_URL": "smtps://me:pa55word@mail",
    "SOCIALERASMUS_BASE_URL": "https://social.example/",
}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {*PRODUCTION, "SOCIALERASMUS_MAILBOX", "SOCIALERASMUS_POOL_SIZE"}:
        monkeypatch.delenv(name, raising=False)


def _load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings.load()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgres://me@db/se", "postgresql+asyncpg://me@db/se"),
        ("postgresql://me:a%40b@db:5433/se", "postgresql+asyncpg://me:a%40b@db:5433/se"),
        ("postgresql+asyncpg://db/se", "postgresql+asyncpg://db/se"),
        ("postgres://me@db/se?sslmode=require", "postgresql+asyncpg://me@db/se?ssl=require"),
        ("postgres://db/se?sslmode=verify-full&application_name=x", "postgresql+asyncpg://db/se?ssl=verify-full"),
        ("postgresql:///se?host=/run/postgresql", "postgresql+asyncpg:///se?host=%2Frun%2Fpostgresql"),
        ("postgresql://[::1]:5432/se", "postgresql+asyncpg://[::1]:5432/se"),
    ],
)
def test_an_address_of_postgres_is_put_into_the_words_of_the_driver(given: str, expected: str) -> None:
    assert asyncpg_url(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        *("mysql://db/se", "postgresqlx://db/se", "db/se", "", "sqlite:///se", "postgresql+psycopg://db/se"),
        "postgresql://db/se?an_option_that_no_driver_knows=1",
    ],
)
def test_what_the_driver_cannot_take_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"must be a postgresql:// address|option that is not known here"):
        asyncpg_url(given)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _load(monkeypatch, **PRODUCTION)
    assert settings.environment == "production"
    assert settings.database_url == "postgresql+asyncpg://me:pa55word@db/se?ssl=verify-full"
    assert settings.base_url == "https://social.example"


@pytest.mark.parametrize("missing", sorted(RIGHT))
def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    environment = {name: value for name, value in RIGHT.items() if name != missing}
    with pytest.raises(Misconfigured, match=f"^{missing}: "):
        _load(monkeypatch, **environment)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"DATABASE_URL": "mysql://me:pa55word@db"}, "DATABASE_URL: must be a postgresql:// address."),
        ({"REDIS_URL": "http://pa55word"}, "REDIS_URL: must be a redis:// address."),
        ({"SOCIALERASMUS_SECRET": "pa55word"}, "SOCIALERASMUS_SECRET needs at least 32 characters."),
        ({"SOCIALERASMUS_BASE_URL": "pa55word"}, "SOCIALERASMUS_BASE_URL: must be an http:// or https:// address."),
        ({"SOCIALERASMUS_POOL_SIZE": "pa55word"}, "SOCIALERASMUS_POOL_SIZE: "),
        ({"SOCIALERASMUS_POOL_SIZE": "0"}, "SOCIALERASMUS_POOL_SIZE: "),
        ({"SOCIALERASMUS_ENVIRONMENT": "pa55word"}, "SOCIALERASMUS_ENVIRONMENT: "),
    ],
)
def test_a_wrong_setting_is_one_sentence_without_its_value(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Misconfigured) as refusal:
        _load(monkeypatch, **{**RIGHT, **changes})
    told = str(refusal.value)
    assert told.startswith(sentence)
    assert "\n" not in told
    assert "pa55word" not in told
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SMTP_URL": None}, "SMTP_URL is needed in production"),
        ({"SOCIALERASMUS_BASE_URL": "http://social.example"}, "must be https:// in production"),
        ({"SOCIALERASMUS_BASE_URL": None}, "must be https:// in production"),
        ({"SOCIALERASMUS_SECRET": "short"}, "at least 32 characters"),
    ],
)
def test_production_refuses_what_is_only_good_enough_for_development(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], words: str
) -> None:
    environment = {name: value for name, value in {**PRODUCTION, **changes}.items() if value is not None}
    with pytest.raises(Misconfigured, match=words):
        _load(monkeypatch, **environment)


_DATABASE, _REDIS, _SMTP = "DATABASE_URL", "REDIS_URL", "SMTP_URL"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        *((_DATABASE, f"postgresql://me:pa55word@db/se?sslmode={mode}") for mode in ("disable", "prefer", "require")),
        (_DATABASE, "postgresql://me:pa55word@db/se"),
        (_DATABASE, "postgresql://me:pa55word@10.0.0.1/se"), (_DATABASE, "postgresql:///se?host=127.0.0.1,db"),
        (_DATABASE, "postgresql:///se?host=db"), (_DATABASE, "postgresql://localhost.example/se"),
        (_REDIS, "redis://:pa55word@queue/0"), (_REDIS, "redis://10.0.0.1"), (_SMTP, "smtp://me:pa55word@mail"),
        (_SMTP, "smtp://mail?starttls=never"), (_SMTP, "smtp://mail:465"),
    ],
)  # fmt: skip
def test_production_speaks_to_other_machines_by_tls_alone(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    with pytest.raises(Misconfigured, match=rf"{name} must .* in production") as refusal:
        _load(monkeypatch, **{**PRODUCTION, name: address})
    assert "pa55word" not in str(refusal.value)
    assert _load(monkeypatch, **{**PRODUCTION, name: address}, SOCIALERASMUS_TRUSTED_NETWORK="true").trusted_network


@pytest.mark.parametrize(
    ("name", "address"),
    [
        *((_DATABASE, f"postgresql://{host}/se") for host in ("127.0.0.2:5433", "[::1]:5432", "localhost")),
        (_DATABASE, "postgresql:///se"),
        (_DATABASE, "postgresql:///se?host=/run/postgresql"), (_DATABASE, "postgresql://db/se?sslmode=verify-ca"),
        (_DATABASE, "postgresql:///se?host=/run/postgresql,localhost:5433"),
        (_REDIS, "redis://127.0.0.1:6379"), (_REDIS, "unix:///run/redis.sock"), (_REDIS, "redis://[::1]/1"),
        (_SMTP, "smtp://localhost:25"), (_SMTP, "smtp://mail:587?starttls=always"), (_SMTP, "smtps://mail"),
    ],
)  # fmt: skip
def test_production_takes_what_nobody_can_listen_to(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    assert _load(monkeypatch, **{**PRODUCTION, name: address}).environment == "production"


def test_no_secret_is_shown_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Any = _load(monkeypatch, **PRODUCTION)
    for text in (repr(settings), str(settings)):
        assert "pa55word" not in text
        assert "s3cret" not in text


SECRETS = {
    "DATABASE_URL": PRODUCTION["DATABASE_URL"],
    "REDIS_URL": PRODUCTION["REDIS_URL"],
    "SMTP_URL": PRODUCTION["SMTP_URL"],
    "SOCIALERASMUS_SECRET": "s3cret-" * 6,
    "SOCIALERASMUS_AUDIT_SECRET": "former-" * 6,
    "SOCIALERASMUS_ISSUER_CLIENT_SECRET": "theirs-" * 6,
}
WITH_ISSUER = {
    "SOCIALERASMUS_ISSUER": "https://accounts.example",
    "SOCIALERASMUS_ISSUER_USERINFO_URL": "https://accounts.example/userinfo",
}


def test_every_secret_can_come_from_a_file_as_vaults_mount_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in SECRETS.items():
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    others = {name: value for name, value in PRODUCTION.items() if name not in SECRETS}
    from_files = _load(monkeypatch, **others, **WITH_ISSUER)
    for name in SECRETS:
        monkeypatch.delenv(f"{name}_FILE")
    assert from_files == _load(monkeypatch, **others, **WITH_ISSUER, **SECRETS)
    # Whatever else is a secret has a file too.
    marked = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert set(SECRETS) == set(secret_files.FROM_FILES)
    assert {name.removeprefix("SOCIALERASMUS_").lower() for name in SECRETS} >= marked | {"database_url", "redis_url"}


@pytest.mark.parametrize("name", sorted(SECRETS))
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "can't be read: No such file or directory."),
        (b"", "must name a file of one line of text."),
        (b"pa55word\npa55word", "must name a file of one line of text."),
        (b"pa55word\0", "must name a file of one line of text."),
        (b"\xffpa55word", "must name a file of one line of text."),
        (b"pa55word" * 4096, "must name a file of one line of text."),
    ],
    ids=["none", "empty", "two lines", "NUL", "no text", "endless"],
)
def test_a_file_that_holds_no_secret_is_named_without_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "pa55word").write_bytes(content)
    with pytest.raises(Misconfigured) as refusal:
        _load(monkeypatch, **{f"{name}_FILE": str(tmp_path / "pa55word")})
    assert str(refusal.value) == f"{name}_FILE {sentence}"


def test_a_secret_comes_by_one_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("pa55word" * 8)
    with pytest.raises(Misconfigured, match="both set: only one can be meant"):
        _load(monkeypatch, **RIGHT, SOCIALERASMUS_SECRET_FILE=str(tmp_path / "secret"))


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _load(monkeypatch, **RIGHT)
    with pytest.raises(ValidationError):
        settings.pool_size = 7  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("CONTACT_EMAIL", "Data <data@example.org>"), ("CONTACT_EMAIL", "a@b c"), ("CONTACT_EMAIL", ""),
        ("CONTACT_URL", "javascript:alert(1)"), ("PUBLISHER_URL", "https://example.org/<x>"), ("PUBLISHER", ""),
    ],
)  # fmt: skip
def test_whom_data_portals_name_is_an_address(monkeypatch: pytest.MonkeyPatch, name: str, wrong: str) -> None:
    with pytest.raises(Misconfigured, match=f"^SOCIALERASMUS_{name}: "):
        _load(monkeypatch, **RIGHT, **{f"SOCIALERASMUS_{name}": wrong})


def test_trusted_proxies_are_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _load(monkeypatch, **RIGHT, SOCIALERASMUS_TRUSTED_PROXIES="10.0.0.0/8, ::1,")
    assert [str(each) for each in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    for wrong in ("10.0.0.1/8", "proxy", "*", "10.0.0.0/8;::1"):
        with pytest.raises(Misconfigured, match=r"^SOCIALERASMUS_TRUSTED_PROXIES: must be networks") as refusal:
            _load(monkeypatch, **RIGHT, SOCIALERASMUS_TRUSTED_PROXIES=wrong)
        assert wrong not in str(refusal.value)


@pytest.mark.parametrize(
    "name",
    [
        *("READS_A_MINUTE", "WRITES_A_MINUTE", "ENQUIRIES_A_DAY", "KEY_ALLOWANCE", "PROOF_AFTER_HELD_PERCENT"),
        *("PROOF_AFTER_FROM_ADDRESS", "PROOF_AFTER_FROM_NETWORK", "PROOF_AFTER_FOR_MAILBOX", "PROOF_COST"),
    ],
)
def test_a_limit_is_a_number(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(Misconfigured, match=f"^SOCIALERASMUS_{name}: "):
        _load(monkeypatch, **RIGHT, **{f"SOCIALERASMUS_{name}": "-1"})


ISSUER = {
    "ISSUER": "https://accounts.example",
    "ISSUER_AUDIENCE": "pa55word",
    "ISSUER_JWKS_URL": "https://accounts.example/jwks",
    "ISSUER_AUTHORIZE_URL": "https://accounts.example/authorize",
    "ISSUER_TOKEN_URL": "https://accounts.example/token",
    "ISSUER_CLIENT_ID": "pages",
    "ISSUER_CLIENT_SECRET": "pa55word",
    "ROLES_FILE": "/etc/roles.toml",
}


def test_an_issuer_is_told_of_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _load(monkeypatch, **PRODUCTION, **{f"SOCIALERASMUS_{name}": value for name, value in ISSUER.items()})
    assert (settings.issuer, settings.issuer_audience) == ("https://accounts.example", "pa55word")
    assert settings.signs_in
    assert "pa55word" not in repr(settings.issuer_client_secret)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ISSUER": None}, "says nothing without SOCIALERASMUS_ISSUER"),
        ({"ISSUER_AUDIENCE": None}, "tokens for others are not for us"),
        ({"ISSUER_JWKS_URL": None}, "needs SOCIALERASMUS_ISSUER_JWKS_URL or"),
        ({"ISSUER_CLIENT_ID": None}, "go together"),
        ({"ISSUER_TOKEN_URL": None}, "go together"),
        ({"ISSUER_TOKEN_URL": "http://accounts.example/token"}, "ISSUER_TOKEN_URL must be https:// in production"),
        ({"ISSUER_JWKS_URL": "pa55word"}, "^SOCIALERASMUS_ISSUER_JWKS_URL: must be an http"),
        (
            {"ISSUER_JWKS_URL": "https://me:pa55word@accounts.example"},
            "^SOCIALERASMUS_ISSUER_JWKS_URL: must be an http",
        ),
        ({"ISSUER_JWKS_URL": "http://accounts.example/jwks"}, "ISSUER_JWKS_URL must be https:// in production"),
        ({"ISSUER": "http://127.0.0.1:8010"}, "ISSUER must be https:// in production"),
    ],
)
def test_half_an_issuer_or_one_that_anybody_could_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], words: str
) -> None:
    wanted = {name: value for name, value in {**ISSUER, **changes}.items() if value is not None}
    with pytest.raises(Misconfigured, match=words) as refusal:
        _load(monkeypatch, **PRODUCTION, **{f"SOCIALERASMUS_{name}": value for name, value in wanted.items()})
    assert "pa55word" not in str(refusal.value)
