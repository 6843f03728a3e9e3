"""Pages of the day: check-in codes as pictures, and the page on which organisers take them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader
from starlette.responses import HTMLResponse

from services.kernel.page_policy import page_policy
from services.kernel.texts import one_line
from services.registration.attendance.rules import MOST_HOURS
from services.registration.mail import catalogues
from services.registration.mail.languages import Language, others
from services.registration.places.rules import show_code

_CODES_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;line-height:1.2}figure{margin:0 0 3rem}figcaption{font-weight:700}"
    ".qr{display:block;width:100%;height:auto;max-width:24rem}"
    ".code{font:700 1.75rem ui-monospace,monospace;letter-spacing:.1em}"
)
_PREFIX: Final = "check_in."
_STYLE: Final = Path(__file__).with_name("check_in.css").read_text(encoding="utf-8")
_SHARED: Final = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
_pages = Environment(loader=PackageLoader("services.registration.attendance", "."), autoescape=True)


def codes_page(language: Language, title: str, shown: Sequence[tuple[str, str, str]]) -> HTMLResponse:
    """Codes to be shown at the door: (whose, code, picture)."""
    page = _pages.get_template("codes.html").render(
        language=language,
        title=one_line(title),
        shown=[(one_line(name), show_code(code), picture) for name, code, picture in shown],
        style=_CODES_STYLE,
    )
    headers = {"Content-Security-Policy": page_policy(_CODES_STYLE), "Cache-Control": "private, no-store"}
    return HTMLResponse(page, headers={**_SHARED, **headers})


def check_in_page(language: Language, *, signs_in: bool) -> HTMLResponse:
    """The page on which organisers check people in: the same for every activity, since all it shows it asks for.

    Where an issuer is, organisers sign in there instead of pasting a token.
    Its script reads the language's texts from a block of data within the page, so that they are there offline, too.
    """
    texts = _texts(language.tag)
    page = _pages.get_template("check_in.html").render(
        language=language,
        text=texts.__getitem__,
        texts=texts,
        languages=others(language),
        languages_label=language.text("form.languages"),
        most_hours=MOST_HOURS,
        signs_in=signs_in,
        style=_STYLE,
    )
    headers = {
        "Content-Security-Policy": page_policy(_STYLE, scripts=True),
        "Cache-Control": "no-cache",
        "Content-Language": language.tag,
        "Vary": "Accept-Language",
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    }
    return HTMLResponse(page, headers={**_SHARED, **headers})


@cache
def _texts(tag: str) -> dict[str, str]:
    known = catalogues.catalogue(tag)
    return {name.removeprefix(_PREFIX): known.text(name) for name in known.texts if name.startswith(_PREFIX)}
