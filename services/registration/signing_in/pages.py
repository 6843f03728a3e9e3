"""The pages of signing in: why it did not work, that it did, and that somebody is signed out."""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from services.kernel.page_policy import page_policy
from services.registration.mail.languages import Language

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:2rem 1rem}"
    "h1{font-size:1.75rem;line-height:1.2}a{color:inherit;display:inline-block;min-height:24px}"
    "button{font:inherit;font-weight:700;padding:.75rem 1.5rem;border:0;border-radius:.5rem;cursor:pointer;"
    "background:#2e3192;color:#fff}:focus-visible{outline:3px solid #ec008c;outline-offset:3px}"
)
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
    """That somebody is signed in, with the button to sign out."""
    leave = f'<form method="post" action="../sign-out"><button>{_text(language, "sign_in.leave")}</button></form>'
    return _page(language, "sign_in.done_title", "sign_in.done", leave)


def left(language: Language) -> HTMLResponse:
    """That somebody is signed out."""
    return _page(language, "sign_in.left_title", "sign_in.left")


def _page(language: Language, title: str, paragraph: str, more: str = "", *, status: int = 200) -> HTMLResponse:
    heading = _text(language, title)
    page = (
        f'<!doctype html><html lang="{escape(language.tag)}" dir="{language.direction}">'
        f'<head><meta charset="utf-8"><title>{heading}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main><h1>{heading}</h1>"
        f"<p>{_text(language, paragraph)}</p>{more}</main></body></html>"
    )
    return HTMLResponse(page, status_code=status, headers={**_HEADERS, "Content-Language": language.tag})


def _text(language: Language, name: str) -> str:
    return escape(language.text(name))
