"""DATABASE_URL and REDIS_URL taken apart: where they point, as whom, and never a password in what is said of them."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from deploy.failure import Failure

POSTGRES = re.compile(r"postgres(ql)?(\+[a-z0-9_]+)?", re.IGNORECASE)
REDIS = re.compile(r"rediss?|unix", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """A host and port, or a socket file."""

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        """Show it as people write it."""
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Address:
    """What a URL says."""

    places: tuple[Place, ...]
    user: str
    password: str
    database: str
    is_encrypted: bool


def postgres(name: str, url: str) -> Address:
    """Read the URL of a Postgres, several hosts and socket folders included."""
    scheme, user, password, hosts, database, options = _split(
        name, url, "postgresql://user:password@host:5432/database"
    )
    if not POSTGRES.fullmatch(scheme):
        raise Failure(
            f"{name} is not the URL of a Postgres: it begins with '{scheme}://' and not with 'postgresql://'."
        )
    named = (options.get("host") or hosts or "localhost").split(",")
    ports = options.get("port", "").split(",")
    places = [_place(name, host, ports[min(index, len(ports) - 1)] or "5432") for index, host in enumerate(named)]
    user = user or options.get("user", "")
    return Address(
        tuple(
            Place("", place.port, f"{place.host}/.s.PGSQL.{place.port}") if place.host[:1] == "/" else place
            for place in places
        ),
        user,
        password,
        database or options.get("dbname") or user,
        is_encrypted=False,
    )


def redis(name: str, url: str) -> Address:
    """Read the URL of a Redis or Valkey."""
    scheme, user, password, host, database, options = _split(name, url, "redis://:password@host:6379/0")
    if not REDIS.fullmatch(scheme):
        raise Failure(f"{name} is not the URL of a Redis: it begins with '{scheme}://' and not with 'redis://'.")
    user, password = user or options.get("username", ""), password or options.get("password", "")
    if scheme.lower() == "unix":
        return Address((Place("", 0, f"/{database}"),), user, password, options.get("db", ""), is_encrypted=False)
    return Address((_place(name, host or "localhost", "6379"),), user, password, database, scheme.lower() == "rediss")


def _split(name: str, url: str, example: str) -> tuple[str, str, str, str, str, dict[str, str]]:
    scheme, mark, rest = url.strip().partition("://")
    if not mark or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+._-]*", scheme):
        raise Failure(f"{name} is not a URL: it should look like {example}.")
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    credentials, _, hosts = authority.rpartition("@")
    user, _, password = credentials.partition(":")
    return scheme, unquote(user), unquote(password), unquote(hosts), unquote(path), dict(parse_qsl(query))


def _place(name: str, text: str, port: str) -> Place:
    """Read `host`, `host:port`, `[v6]:port` or a folder."""
    if text.startswith("/"):
        host, found = text, ""
    elif text.startswith("["):
        host, _, found = text[1:].partition("]")
        found = found.removeprefix(":")
    else:
        host, _, found = text.partition(":")
    number = found or port
    if not host or not number.isascii() or not number.isdigit() or not 0 < int(number) < 65536:
        raise Failure(
            f"{name} names no host and port that can be read: characters such as @ : / in a user name or password"
            " must be written as %40 %3A %2F."
        )
    return Place(host, int(number))
