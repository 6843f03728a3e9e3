"""How large a feed grows, under which licence it goes out, and which characters can."""

from __future__ import annotations

import re
from typing import Any, Final

MOST_IN_A_CALENDAR: Final = 1000
MOST_NEWS: Final = 100
MOST_ON_A_MAP: Final = 2000
LICENCE: Final = "https://creativecommons.org/licenses/by/4.0/"
LAST_PAGE_SECONDS: Final = 8
PAGE_SECONDS: Final = 3600

# What one reader or another takes for the end of a line.
_LINE_ENDS: Final = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# What neither RFC 5545 nor XML 1.0 can hold.
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

_PHRASES: Final = {"held": "This activity took place.", "cancelled": "Cancelled."}


def lines(text: str) -> str:
    """Text whose only control characters are tabs and plain line feeds."""
    return _UNWRITABLE.sub("", _LINE_ENDS.sub("\n", text))


def line(text: str) -> str:
    """The same in one line."""
    return lines(text).replace("\n", " ").replace("\t", " ").strip()


def place(document: dict[str, Any]) -> str | None:
    """Where it takes place, in one line."""
    known = document["place"] or {}
    parts = [known[part] for part in ("name", "address", "city") if known.get(part)]
    return line(", ".join(parts)) or document["online_url"]


def description(document: dict[str, Any]) -> str:
    """What a reader who sees nothing but text should know, its state first."""
    organisers = ", ".join(organiser["name"] for organiser in document["organisers"])
    state = _PHRASES.get(document["state"], "")
    cancelled_for = document["reason"] if document["state"] == "cancelled" and document["reason"] else ""
    first = f"{state} {cancelled_for}".strip()
    paragraphs = [first, document["summary"] or "", organisers, document["online_url"] or ""]
    return lines("\n\n".join(paragraph for paragraph in paragraphs if paragraph))
