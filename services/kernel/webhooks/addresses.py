"""Where webhooks may go: to public addresses by https, whatever name hides them."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

# Addresses that carry another one within them, or are somebody's inside although they look public.
_REFUSED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # What a machine in one large cloud asks about itself.
        "192.88.99.0/24",  # 6to4 relays
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",  # discard only
        "2001::/23",  # Teredo, ORCHID, benchmarking and other assignments of the IETF
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local
    )
)


def is_public(address: str, *, loopback_allowed: bool = False) -> bool:
    """Whether a resolved address is one of the public internet.

    >>> is_public("93.184.216.34"), is_public("169.254.169.254"), is_public("::ffff:8.8.8.8"), is_public("fd00::1")
    (True, False, False, False)
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if found.is_loopback:
        return loopback_allowed
    if found.is_multicast or found.is_reserved or found.is_unspecified or not found.is_global:
        return False
    return not any(found.version == network.version and found in network for network in _REFUSED)


def fault_of(url: str, *, loopback_allowed: bool = False) -> str | None:
    """What is wrong with an endpoint's address before anybody resolves its name; None if nothing is.

    >>> fault_of("https://hooks.example.org/esn"), fault_of("https://me@hooks.example.org/")
    (None, 'Must not hold a user or password.')
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_here = loopback_allowed and (host == "localhost" or (_is_number(host) and _is_loopback(host)))
    if parts.username is not None or parts.password is not None:
        return "Must not hold a user or password."
    if parts.fragment:
        return "Must not hold a fragment."
    if parts.scheme != "https" and not is_here:
        return "Must be an https:// address."
    if is_here:
        return None
    if parts.port is not None and parts.port != 443 and parts.port < 1024:
        return "Must use port 443, or one from 1024 on."
    if _is_number(host):
        return "Must name its host; a number is no name."
    if not re.fullmatch(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]", host) or _is_inner(host):
        return "Must name a host on the public internet."
    return None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback


def _is_inner(host: str) -> bool:
    return host.rpartition(".")[2] in {"localhost", "local", "internal", "localdomain", "lan", "onion", "arpa", "home"}
