"""The pages of signing in: why it did not work, that it did, and that somebody is signed out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse

from services.kernel.page_policy import page_policy
from services.kernel.sessions import MOST, Browser
from services.registration.mail.languages import Language

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:2rem 1rem}"
    "h1{font-size:1.75rem;line-height:1.2}a{color:inherit;display:inline-block;min-height:24px}"
    "button{font:inherit;font-weight:700;padding:.75rem 1.5rem;border:0;border-radius:.5rem;cursor:pointer;"
    "background:#2e3192;color:#fff}:focus-visible{outline:3px solid #ec008c;outline-offset:3px}"
)
_ZONE: Final = ZoneInfo("UTC")
_HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE, forms=True),
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept-Language",
}


def failed(language: Language, why: str, *, status: int, again: str | None) -> HTMLResponse:
    """That somebody is not signed in and why, with the way to try again where there is one."""
    way = f'<p><a href="{escape(again)}">{_text(language, "sign_in.again")}</a></p>' if again else ""
    return _page(language, "sign_in.failed_title", why, way, status=status)


def done(language: Language) -> HTMLResponse:
    """That somebody is signed in, with the button to sign out and the way to their other browsers."""
    where = f'<p><a href="browsers">{_text(language, "sign_in.browsers_title")}</a></p>'
    return _page(language, "sign_in.done_title", "sign_in.done", _button("../sign-out", language, "leave") + where)


def browsers(language: Language, found: Sequence[Browser]) -> HTMLResponse:
    """Where somebody is signed in: each browser with the button to end it there."""
    lines = "".join(f"<li>{_line(language, browser)}</li>" for browser in found)
    elsewhere = "" if len(found) < 2 else _button("browsers/end", language, "end_elsewhere")
    words = escape(language.text("sign_in.browsers").format(most=MOST))
    return _page(language, "sign_in.browsers_title", None, f"<p>{words}</p><ul>{lines}</ul>{elsewhere}")


def _line(language: Language, browser: Browser) -> str:
    at = {name: language.date(told, _ZONE) for name, told in (("begun", browser.begun_at), ("seen", browser.seen_at))}
    words = f"<p>{escape(language.text('sign_in.browser').format(**at))}</p>"
    if browser.is_this_one:
        return f"<strong>{_text(language, 'sign_in.this_browser')}</strong>{words}" + _button(
            "../sign-out", language, "leave"
        )
    return words + _button(f"browsers/{browser.id}/end", language, "end")


def _button(address: str, language: Language, name: str) -> str:
    return f'<form method="post" action="{address}"><button>{_text(language, f"sign_in.{name}")}</button></form>'


def left(language: Language) -> HTMLResponse:
    """That somebody is signed out."""
    return _page(language, "sign_in.left_title", "sign_in.left")


def _page(language: Language, title: str, paragraph: str | None, more: str = "", *, status: int = 200) -> HTMLResponse:
    heading = _text(language, title)
    first = "" if paragraph is None else f"<p>{_text(language, paragraph)}</p>"
    page = (
        f'<!doctype html><html lang="{escape(language.tag)}" dir="{language.direction}">'
        f'<head><meta charset="utf-8"><title>{heading}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main><h1>{heading}</h1>"
        f"{first}{more}</main></body></html>"
    )
    return HTMLResponse(page, status_code=status, headers={**_HEADERS, "Content-Language": language.tag})


def _text(language: Language, name: str) -> str:
    return escape(language.text(name))
