"""Which media types a reader likes, with their weights (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re


def weights(header: str) -> dict[str, float]:
    """Each alternative of an Accept header with its weight, in lower case; one of a weight that can't be read has 0."""
    found: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        found[name] = float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0.0
    return found


def prefers(accept: str, media_type: str) -> bool:
    """Whether a reader names a media type, and does not like plain JSON better."""
    liked = weights(accept)
    wanted = liked.get(media_type, 0.0)
    return wanted > 0 and wanted >= liked.get("application/json", 0.0)
