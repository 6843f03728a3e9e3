"""Which language a reader wants: `lang` in the query, else Accept-Language (RFC 9110, 12.5.4; lookup of RFC 4647)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request

from services.kernel.texts import LanguageTag

MOST_READ = 1000
MOST_TAGS = 20
_RANGE = re.compile(
    r"(?P<tag>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)(?:\s*;\s*q=(?P<quality>0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?"
)
VARY = "Accept-Language"


def accepted(header: str) -> tuple[str, ...]:
    """The tags to look for, in small letters and the best first, until `*`; what is malformed is passed over.

    >>> accepted("it;q=0.5, pt-BR, *;q=0.1")
    ('pt-br', 'pt', 'it')
    """
    matches = [_RANGE.fullmatch(part.strip()) for part in header[:MOST_READ].split(",")]
    ranges = [(match["tag"].lower(), float(match["quality"] or 1)) for match in matches if match]
    refused = {tag for tag, quality in ranges if not quality}
    wanted: dict[str, None] = {}
    for tag, quality in sorted(ranges, key=lambda each: -each[1]):
        if tag == "*":
            break
        if quality:
            wanted.update(dict.fromkeys(each for each in _ever_shorter(tag) if each not in refused))
    return tuple(wanted)[:MOST_TAGS]


def _ever_shorter(tag: str) -> list[str]:
    parts = tag.split("-")
    # A single letter introduces what follows it, so it is no end of a tag (RFC 4647, 3.4).
    return ["-".join(parts[:end]) for end in range(len(parts), 0, -1) if end == 1 or len(parts[end - 1]) > 1]


def chosen(wanted: tuple[str, ...], available: Container[str], *, original: str) -> str | None:
    """The first tag wanted that there is, in small letters; None is the original."""
    found = next((tag for tag in wanted if tag == original.lower() or tag in available), None)
    return None if found == original.lower() else found


def best(known: Iterable[str], *, asked: str | None, accept: str, otherwise: str) -> str:
    """The known language that suits best: what was asked for by name, else a browser's wish, else `otherwise`.

    >>> best(["en", "pt-BR"], asked="pt-br", accept="en", otherwise="en")
    'pt-BR'
    """
    by_tag = {each.lower(): each for each in known}
    wanted = [*(_ever_shorter(asked.lower()) if asked else ()), *accepted(accept)]
    return next((by_tag[tag] for tag in wanted if tag in by_tag), otherwise)


async def _wanted(
    request: Request,
    lang: Annotated[
        LanguageTag | None, Query(description="Titles and texts in this language where there are such.")
    ] = None,
) -> tuple[str, ...]:
    return tuple(_ever_shorter(lang.lower())) if lang else accepted(request.headers.get("accept-language", ""))


Languages = Annotated[tuple[str, ...], Depends(_wanted)]
"""The tags that a reader wants texts in, the best first; none is the original."""
