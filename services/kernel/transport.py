"""Whether what an address leads to is spoken to so that nobody on the way can listen, or pose as it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qs, urlsplit

_CHECKED: Final = frozenset({"verify-ca", "verify-full"})


def database_is_safe(url: str) -> bool:
    """Whether Postgres is on this machine, or its certificate is checked.

    >>> database_is_safe("postgresql+asyncpg://me@db/se?ssl=require"), database_is_safe("postgresql+asyncpg:///se")
    (False, True)
    """
    parts = urlsplit(url)
    told = parse_qs(parts.query)
    hosts = [each for host in told.get("host", []) for each in host.split(",")] or [parts.hostname or ""]
    return all(map(_is_here, hosts)) or set(told.get("ssl", ["-"])) <= _CHECKED


def redis_is_safe(url: str) -> bool:
    """Whether Redis is on this machine, or spoken to by TLS, for which its certificate is always checked."""
    parts = urlsplit(url)
    return parts.scheme in {"unix", "rediss"} or _is_here(parts.hostname or "")


def smtp_is_safe(url: str) -> bool:
    """Whether the mail server is on this machine, or is spoken to by TLS whatever it offers."""
    parts = urlsplit(url)
    return (
        parts.scheme == "smtps"
        or parse_qs(parts.query).get("starttls") == ["always"]
        or _is_here(parts.hostname or "localhost")
    )


def _is_here(host: str) -> bool:
    """Whether a host is this machine: by name, by address, by the folder of a socket, or since there is none."""
    if not host or host == "localhost" or host.startswith("/"):
        return True
    if host.count(":") == 1:
        return _is_here(host.partition(":")[0])
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
