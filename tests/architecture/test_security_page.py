"""SECURITY.md says what is so: each table is compared with the code."""

from __future__ import annotations

import ast
import importlib
import math
import re
from datetime import timedelta
from functools import cache
from typing import Any, Final

import pytest
import typer

from services.__main__ import app
from services.kernel import access
from services.kernel.auth import Role
from services.kernel.settings import Settings
from services.registration.door import rules as door
from services.registration.signing_in import rules as signing_in
from services.registry import SERVICES
from tests.harness import security_page
from tests.harness.openapi import OPERATIONS
from tests.harness.security_page import PAGE
from tests.harness.sources import ROOT, calls, imported, trees

TEXT: Final = PAGE.read_text(encoding="utf-8")
TABLES: Final = security_page.tables(TEXT)
_UNITS: Final = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def _names(cells: list[str]) -> list[str]:
    """What stands in code quotes in some cells."""
    return re.findall(r"`([^`]+)`", " ".join(cells))


def _column(heading: str, number: int) -> list[str]:
    return [row[number] for row in TABLES[heading]]


@pytest.mark.parametrize("heading", security_page.expected(TABLES))
def test_what_follows_from_the_code_is_as_it_is_today(heading: str) -> None:
    assert TABLES[heading] == security_page.expected(TABLES)[heading], "python -m tests.harness.security_page"


def test_every_table_says_something_in_each_cell() -> None:
    assert len(TABLES) == 13
    for heading, rows in TABLES.items():
        assert rows, heading
        for row in rows:
            assert len(row) == len(rows[0]), row
            assert all(row) or heading == "What is logged", row
    assert max(map(len, TEXT.splitlines())) < 1600
    assert max(len(line) for line in TEXT.splitlines() if not line.startswith("|")) <= 150


def test_every_way_to_sign_in_is_there_and_every_one_that_is_there_is_so() -> None:
    schemes = {name: scheme for each in OPERATIONS for name, scheme in each.components["securitySchemes"].items()}
    assert {name.strip("`") for name in _column("Ways to sign in", 0)} == schemes.keys()
    shown = " ".join(_column("Ways to sign in", 1))
    for prefix in (access.TOKEN_PREFIX, *access.KEY_PREFIXES.values(), door.PREFIX, access.SESSION_COOKIE):
        assert prefix in shown, prefix
    for scheme in schemes.values():
        assert scheme.get("name") is None or scheme["name"] in shown
        assert scheme.get("scheme") is None or scheme["scheme"].lower() in shown.lower()
    assert f"`{signing_in.COOKIE}`" in TEXT
    routes = {
        f"/{service.name}{route.path}"  # type: ignore[attr-defined]
        for service in SERVICES.values()
        for router in service.routers
        for route in router.routes
    }
    for named in _names(_column("Ways to sign in", 3)):
        address = named.rpartition(" ")[2]
        assert address in routes or named in _commands(), named


@cache
def _commands() -> set[str]:
    made: Any = typer.main.get_command(app)
    found = set(made.commands)
    return found | {f"{name} {inner}" for name in found for inner in getattr(made.commands[name], "commands", {})}


def _value(named: str) -> Any:
    """What a constant or setting is today; a setting without environment."""
    if named.startswith("SOCIALERASMUS_"):
        return Settings.model_fields[named.removeprefix("SOCIALERASMUS_").lower()].default
    module, _, name = named.rpartition(".")
    return getattr(importlib.import_module(f"services.{module}"), name)


def _said(cell: str) -> float:
    """How much a cell says, in seconds or bytes where it names such a unit."""
    number, _, unit = cell.partition(" ")
    if unit.rstrip("s") in {"second", "minute", "hour", "day"}:
        return timedelta(**{f"{unit.rstrip('s')}s": float(number)}).total_seconds()
    return float(number) * _UNITS.get(unit, 1)


@pytest.mark.parametrize(("what", "much", "where"), TABLES["How long and how much"])
def test_every_bound_is_the_one_in_force(what: str, much: str, where: str) -> None:
    value = _value(where.strip("`"))
    if isinstance(value, timedelta):
        assert _said(much) == value.total_seconds(), what
        return
    assert value is not None
    # A number in code has the unit that its name says.
    number = float(much.partition(" ")[0])
    assert value in {number, _said(much)}, what
    if (unit := re.search(r"(SECONDS|MINUTES|HOURS|DAYS)$", where.strip("`"))) is not None:
        assert unit[1].lower().rstrip("s") in much, what


def test_no_bound_that_can_be_set_or_that_ends_a_session_is_left_out() -> None:
    named = set(_names(_column("How long and how much", 2)))
    numbers = {
        f"SOCIALERASMUS_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool)
    }
    assert len(numbers) > 8
    assert numbers <= named
    sessions = importlib.import_module("services.kernel.sessions")
    spans = {f"kernel.sessions.{name}" for name, value in vars(sessions).items() if isinstance(value, timedelta)}
    assert len(spans) == 4
    assert spans <= named


_DRAWN_BY_SIGN: Final = {"registration/certificates/rules.py": "_RANDOM"}


def test_every_secret_has_the_bits_that_are_said() -> None:
    found = {}
    for each in calls():
        if each.name.startswith("secrets.") and each.path != "operations/development_issuer.py":
            module = importlib.import_module(f"services.{each.path.removesuffix('.py').replace('/', '.')}")
            if each.name == "secrets.choice":
                bits = math.log2(len(module.ALPHABET)) * getattr(module, _DRAWN_BY_SIGN[each.path])
            elif each.name == "secrets.randbits":
                [drawn] = each.call.args
                bits = eval(ast.unparse(drawn), vars(module))  # Of our own code.
            else:
                [drawn] = each.call.args
                bits = 8 * (drawn.value if isinstance(drawn, ast.Constant) else getattr(module, ast.unparse(drawn)))
            found[f"`{each.place}`"] = bits
    rows = TABLES["How guessing is held up"]
    told = {row[2]: float(row[1]) for row in rows}
    # Tokens, keys and sessions are drawn in one place.
    assert told == found


def test_every_role_has_its_row() -> None:
    assert _names(_column("Who may do what", 0)) == [role.value for role in Role]
    for path in re.findall(r"`(tests/[a-z_/.]+|kernel/[a-z_/.]+)`", TEXT):
        assert (ROOT / path).exists() or (PAGE.parent / path).exists(), path


def test_every_route_that_takes_a_file_is_named() -> None:
    found = {
        (f"{operation.method.upper()} /{operation.service}{operation.path}", kind)
        for operation in OPERATIONS
        for kind in operation.description.get("requestBody", {}).get("content", {})
        if kind != "application/json"
    }
    rows = [row for row in TABLES["Files that are taken"] if "POST" in row[0] or "PUT" in row[0]]
    assert {(row[0].strip("`"), _names([row[1]])[0]) for row in rows} == found
    commands = {name.removeprefix("python -m services ") for name in _names(_column("Files that are taken", 0))}
    assert {"import", "sync"} == commands - {route for route, _ in found}
    assert _commands() >= {"import", "sync"}


def test_whatever_makes_a_request_dearer_inside_is_named() -> None:
    part = TEXT.partition("## What is dear")[2].partition("## ")[0]
    assert set(re.findall(r"`([a-z_/]+\.py:\w+)`", part)) == security_page.dear_inside()


_LIBRARIES: Final = {"hashlib", "hmac", "secrets", "joserfc", "ssl", "random", "uuid_utils"}
_OTHERS: Final = re.compile(
    r"(cryptography|Crypto\w*|nacl|jwt|jose|OpenSSL|passlib|bcrypt|argon2|md5|crypt|rsa|ecdsa)(\.|$)"
)


def test_cryptography_is_that_of_proven_libraries_alone() -> None:
    users = {
        path
        for path, names in imported().items()
        for name in names
        if name.partition(".")[0] in _LIBRARIES and not name.endswith("errors")
    }
    told = set(_names(_column("Cryptography in use", 0)))
    # It is no part of a production.
    assert users - told == {"operations/development_issuer.py"}
    assert not [(path, name) for path, names in imported().items() for name in names if _OTHERS.match(name)]


def test_every_key_has_its_policy() -> None:
    told = set(_names(_column("Keys", 0)))
    secrets = {
        f"SOCIALERASMUS_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation) and name != "smtp_url"
    }
    # What keys are derived with is a label before a NUL.
    labels = {
        found
        for path in trees()
        for found in re.findall(r"f?b?\"([a-z][a-z -]+?)(?: \{what\})?\\0", (PAGE.parent / path).read_text("utf-8"))
    }
    assert len(labels) > 5
    assert told == secrets | labels | {"DATABASE_URL", "REDIS_URL", "SMTP_URL"}
    keys = {name for row in TABLES["Cryptography in use"] for name in _names([row[3]])}
    assert keys <= told


_CONNECTING: Final = re.compile(
    r"create_async_engine|create_engine|\w*Redis|aiosmtplib\.send|(httpx\.|httpcore\.)?Async(Client|ConnectionPool)"
    r"|httpx\.(Client|get|post|request|stream)|asyncio\.open_\w+|.*create_connection|urlopen|asyncpg\.connect|outbound\.client"
)
_NETWORK: Final = {
    "httpx", "httpcore", "aiosmtplib", "asyncpg", "urllib3", "requests", "aiohttp", "smtplib", "ftplib", "telnetlib",
}  # fmt: skip


def test_nothing_is_connected_to_but_what_is_listed() -> None:
    found = {f"`{each.place}`" for each in calls() if _CONNECTING.fullmatch(each.name)}
    # Those that say with which role the one above connects.
    own = {f"`{each.place}`" for each in calls() if each.name in {"create_engine", "db.create_engine"}}
    # By HTTP through the one client that knows whom it is for.
    through = "`kernel/outbound.py:client`"
    assert through in found
    assert set(_column("What is connected to", 1)) == found - own - {through}
    assert {each.place for each in calls() if each.name.startswith("httpx.Async")} == {through.strip("`")}
    users = {path for path, names in imported().items() if {name.partition(".")[0] for name in names} & _NETWORK}
    files = {place.strip("`").partition(":")[0] for place in _column("What is connected to", 1)}
    # It names the exceptions of the module that connects.
    assert users - files == {"kernel/webhooks/sending.py", "kernel/outbound.py"}
    assert not [path for path, names in imported().items() if {"urllib.request", "http.client"} & names]


def test_every_address_of_the_settings_is_connected_to_or_only_named() -> None:
    addresses = {
        f"SOCIALERASMUS_{name.upper()}"
        for name in Settings.model_fields
        if name.endswith("_url") and name not in {"database_url", "redis_url", "smtp_url"}
    }
    only_named = {"BASE_URL", "PUBLISHER_URL", "CONTACT_URL", "ISSUER_AUTHORIZE_URL"}
    told = set(_names(_column("What is connected to", 2))) - {"sync sections"}
    assert told == (addresses - {f"SOCIALERASMUS_{name}" for name in only_named}) | {
        "DATABASE_URL", "REDIS_URL", "SMTP_URL",
    }  # fmt: skip


def test_lines_of_the_log_are_written_in_one_place_and_go_where_it_is_said() -> None:
    writing = {
        each.path
        for each in calls()
        if re.search(r"(\w*Handler|sys\.std(out|err)\.write|logging\.basicConfig)$", each.name)
        or (each.name == "print" and not each.path.startswith(("commands/", "operations/", "__main__")))
    }
    told = {name for name in _names(_column("Logs", 0)) if name.endswith(".py")}
    assert writing == {"kernel/logs.py"}
    assert told == {"kernel/logs.py", "kernel/access_log.py"}
    assert "SOCIALERASMUS_LOG_FILE" in _names(_column("Logs", 1))
    tables = {
        name.partition(".")[2] if name.startswith("events") else name
        for name in _names(_column("Logs", 0))
        if not name.endswith(".py")
    }
    assert tables == {"audit_entries", "log", "webhook_deliveries"}


def test_weaknesses_are_mended_the_sooner_the_worse_they_are() -> None:
    days = [int(re.match(r"(\d+) days", cell)[1]) for cell in _column("How soon weaknesses are mended", 1)]  # type: ignore[index]
    assert days == sorted(days)
    assert [cell.partition(" ")[0] for cell in _column("How soon weaknesses are mended", 0)] == [
        "critical", "high", "medium", "low",
    ]  # fmt: skip
