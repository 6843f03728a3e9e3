"""The pages behind mailed links: plain HTML that loads nothing, runs nothing and needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from services.kernel.page_policy import page_policy
from services.registration.mail import letters
from services.registration.mail.languages import Language, Page

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:2rem 1rem}"
    "h1{font-size:1.75rem;line-height:1.2}dt{font-weight:700}dd{margin:0 0 .75rem}"
    "a{color:inherit;display:inline-block;min-height:24px}"
    ".code{font:700 1.75rem ui-monospace,monospace;letter-spacing:.1em}"
    "button{font:inherit;font-weight:700;padding:.75rem 1.5rem;border:0;border-radius:.5rem;cursor:pointer;"
    "background:#2e3192;color:#fff}form+form{margin-top:1rem}"
    "button.second{background:none;color:inherit;border:2px solid currentcolor}"
    "nav{margin-top:2rem}nav ul{list-style:none;padding:0}nav a{display:inline-block;padding:.5rem 0;color:inherit}"
    ":focus-visible{outline:3px solid #ec008c;outline-offset:3px}"
)
_HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE, forms=True),
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def render(
    kind: Page,
    language: Language,
    facts: letters.Facts | None = None,
    *,
    status: int = 200,
    action: str | None = None,
    decline: str | None = None,
    shows_code: bool = False,
    picture: str | None = None,
    ways: Sequence[tuple[str, str]] = (),
) -> HTMLResponse:
    """A page; its buttons, if it has any, send their forms to `action` and `decline`, relative to the page.

    `picture` is where the check-in code is shown as one, likewise. Its `ways` lead elsewhere: the name of a text, and
    the address relative to the page.
    """
    text = letters.page(kind, language, facts)
    shown = (facts.dates or (facts,)) if facts is not None else ()
    details = "".join(_details(language, each, shows_code=shows_code, picture=picture) for each in shown)
    buttons = _button(text.button, action) + _button(text.decline, decline, style=' class="second"')
    listed = "".join(f'<li><a href="{escape(to)}">{escape(language.text(name))}</a></li>' for name, to in ways)
    elsewhere = f"<nav><ul>{listed}</ul></nav>" if listed else ""
    title = f"{text.heading}: {facts.title}" if facts is not None else text.heading
    page = (
        f'<!doctype html><html lang="{escape(language.tag)}" dir="{language.direction}">'
        f'<head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(text.heading)}</h1>{details}"
        f"<p>{escape(text.paragraph)}</p>{buttons}{elsewhere}</main></body></html>"
    )
    return HTMLResponse(page, status_code=status, headers=_HEADERS)


def _button(words: str | None, action: str | None, *, style: str = "") -> str:
    if words is None or action is None:
        return ""
    return f'<form method="post" action="{escape(action)}"><button{style}>{escape(words)}</button></form>'


def _details(language: Language, facts: letters.Facts, *, shows_code: bool, picture: str | None) -> str:
    words = letters.words(language, facts)
    rows = [(language.text("label.when"), words["when"], ""), (language.text("label.where"), words["location"], "")]
    if shows_code:
        rows.append((language.text("label.code"), words["code"], ' class="code"'))
    listed = "".join(f"<dt>{escape(name)}</dt><dd{style}>{escape(value)}</dd>" for name, value, style in rows)
    if picture is not None:
        listed += f'<dd><a href="{escape(picture)}">{escape(language.text("label.qr"))}</a></dd>'
    age = f"<p>{escape(words['minimum_age'])}</p>" if words["minimum_age"] else ""
    return f'<h2 dir="auto">{escape(words["title"])}</h2><dl>{listed}</dl>{age}'
