"""oEmbed 1.0: how another website embeds the page of an activity that it was given the address of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final
from uuid import UUID

from services.activities.web.phrases import LANGUAGES

WIDTH: Final = 600
HEIGHT: Final = 420
CACHE_SECONDS: Final = 3600
_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PATH: Final = re.compile(rf"/activities/(?:v1/activities/)?({_ID})(?:/embed)?/?")


def activity_of(url: str, base_url: str) -> tuple[UUID, str | None] | None:
    """The activity that an address of ours leads to, and the language that it asks for; None for any other address."""
    # Cut by hand: the library's own function raises on some of what strangers send.
    address, _, query = url.partition("#")[0].partition("?")
    # What a website was sent may have come over either scheme.
    known = {f"{scheme}://{base_url.partition('://')[2]}" for scheme in ("http", "https")}
    ours = next((base for base in known if address.startswith(f"{base}/")), None)
    matched = _PATH.fullmatch(address.removeprefix(ours)) if ours else None
    if matched is None:
        return None
    asked = re.search(r"(?:^|&)lang=([a-z]{2})(?:&|$)", query)
    language = asked[1] if asked and asked[1] in LANGUAGES else None
    return UUID(matched[1]), language


def answer(
    document: Mapping[str, Any], base_url: str, *, language: str | None, max_width: int | None, max_height: int | None
) -> dict[str, Any]:
    """The activity as a rich resource, never larger than asked."""
    width, height = min(WIDTH, max_width or WIDTH), min(HEIGHT, max_height or HEIGHT)
    source = f"{base_url}/activities/{document['id']}/embed" + (f"?lang={language}" if language else "")
    return {
        "type": "rich",
        "version": "1.0",
        "title": document["title"],
        "author_name": ", ".join(organiser["name"] for organiser in document["organisers"]),
        "provider_name": "SocialErasmus",
        "provider_url": base_url,
        "cache_age": CACHE_SECONDS,
        "html": f'<iframe src="{escape(source)}" width="{width}" height="{height}" title="{escape(document["title"])}" '
        'loading="lazy" style="border:0;max-width:100%"></iframe>',
        "width": width,
        "height": height,
    }
