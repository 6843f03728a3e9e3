"""Whom to tell of a weakness: security.txt (RFC 9116), of each service and, by the proxy, of the whole host."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from services.kernel.settings import Settings

ADDRESS: Final = "/.well-known/security.txt"
_MONTHS: Final = 6


def text(settings: Settings, now: datetime) -> str | None:
    """The file, or None where nobody is named who could be told."""
    contact = settings.security_contact or (settings.contact_email and f"mailto:{settings.contact_email}")
    if not contact:
        return None
    lines = [
        f"Contact: {contact}",
        f"Expires: {_expires(now):%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.base_url}{ADDRESS}",
    ]
    return "\n".join([*lines, ""])


def _expires(now: datetime) -> datetime:
    """The first of a month some half a year ahead: far enough to be kept, near enough to be right (5.3)."""
    months = now.year * 12 + now.month - 1 + _MONTHS + 1
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
