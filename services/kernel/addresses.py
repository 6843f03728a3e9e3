"""Where a request comes from: the peer, or what a proxy that is trusted says of it, never what a stranger says."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

Networks = tuple[IPv4Network | IPv6Network, ...]

UNKNOWN: Final = "unknown"
"""Who comes by a socket that has no address."""

_HOST_BITS_OF_IPV6: Final = 64
_KEPT_BITS: Final = {4: 24, 6: 48}


def networks(listed: str) -> Networks:
    """Networks in a list with commas: `10.0.0.0/8, ::1`."""
    return tuple(ip_network(each.strip()) for each in listed.split(",") if each.strip())


def client(scope: Scope, trusted: Networks) -> str:
    """The client's address; one of IPv6 stands for its network, for whoever has one address there has them all."""
    peer = scope["client"][0] if scope.get("client") else UNKNOWN
    if trusted and _is_trusted(peer, trusted):
        return _forwarded(peer, (value for name, value in scope["headers"] if name == b"x-forwarded-for"), trusted)
    return _counted(peer)


@lru_cache(maxsize=10_000)
def network_of(counted: str) -> str | None:
    """The network of an address that `client` answered: what may be kept of where somebody was, and no more."""
    found = _read(counted.partition("/")[0])
    return None if found is None else str(ip_network((int(found), _KEPT_BITS[found.version]), strict=False))


def _forwarded(peer: str, headers: Iterable[bytes], trusted: Networks) -> str:
    """The last address that no trusted proxy has: all before it may be made up."""
    found = peer
    for hop in reversed(b",".join(headers).decode("latin-1").split(",")):
        if _read(hop.strip()) is None:
            break
        found = hop.strip()
        if not _is_trusted(found, trusted):
            break
    return _counted(found)


@lru_cache(maxsize=10_000)
def _read(written: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(written)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(maxsize=10_000)
def _is_trusted(written: str, trusted: Networks) -> bool:
    found = _read(written)
    return found is not None and any(found in network for network in trusted)


@lru_cache(maxsize=10_000)
def _counted(written: str) -> str:
    found = _read(written)
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found), 128 - _HOST_BITS_OF_IPV6), strict=False))
    return str(found) if found is not None else UNKNOWN
