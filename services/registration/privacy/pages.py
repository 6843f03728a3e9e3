"""The page of the person behind a link: plain HTML that loads nothing, runs nothing and needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from jinja2 import Environment, PackageLoader
from starlette.responses import HTMLResponse

from services.kernel.page_policy import page_policy
from services.registration.mail.languages import Language

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:2rem 1rem}"
    "h1{font-size:1.75rem;line-height:1.2}h2{font-size:1.125rem;margin:1.5rem 0 0}p{margin:.25rem 0 1rem}"
    "form{margin:2rem 0}button{font:inherit;font-weight:700;padding:.75rem 1.5rem;border:2px solid;"
    "border-radius:.5rem;cursor:pointer;background:none;color:inherit}"
    "button:focus-visible{outline:3px solid #ec008c;outline-offset:3px}"
)
_HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE, forms=True),
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_pages = Environment(loader=PackageLoader("services.registration.privacy", "."), autoescape=True)


def render(
    language: Language, *, email: str | None = None, registrations: Sequence[tuple[str, str]] = (), said: str = ""
) -> HTMLResponse:
    """What is known of somebody and what they may do about it; `said` names the text that tells what was done."""
    page = _pages.get_template("me.html").render(
        language=language, email=email, registrations=registrations, said=said, style=_STYLE
    )
    return HTMLResponse(page, headers=_HEADERS)
