"""That a limit is reached, as a page for people: in their language, with what to do."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

from services.kernel import preferences
from services.kernel.catalogues import ENGLISH, Catalogues
from services.kernel.languages import best
from services.kernel.page_policy import page_policy
from services.kernel.problems import TooManyRequests

TEXTS: Final = Catalogues(Path(__file__).parent)
_STYLE: Final = (
    ":root{color-scheme:light dark}html{background:Canvas;color:CanvasText}"
    "body{font:1.0625rem/1.5 system-ui,sans-serif;max-width:38rem;margin:0 auto;padding:2rem 1rem;"
    "overflow-wrap:anywhere}h1{font-size:1.75rem;line-height:1.2}a{color:LinkText;display:inline-block;"
    "min-height:24px;text-underline-offset:.2em}:focus-visible{outline:3px solid;outline-offset:3px}"
)
_HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept, Accept-Language",
}
_READING: Final = frozenset({"GET", "HEAD"})


def is_wanted(request: Request) -> bool:
    """Whether it is a browser that shows its user what it gets."""
    return preferences.prefers(request.headers.get("accept", ""), "text/html")


def page(request: Request, problem: TooManyRequests) -> HTMLResponse:
    """The page, with the headers of the problem."""
    asked, accepted = request.query_params.get("lang"), request.headers.get("accept-language", "")
    texts = TEXTS.catalogue(best(TEXTS.tags(), asked=asked, accept=accepted, otherwise=ENGLISH))
    is_read = request.method in _READING
    paragraphs = [
        texts.text("limit.why"),
        texts.counted("limit.wait", problem.seconds).format(seconds=problem.seconds),
        "" if is_read else texts.text("limit.sent"),
    ]
    heading = html.escape(texts.text("limit.heading"))
    body = "".join(f"<p>{html.escape(each)}</p>" for each in paragraphs if each)
    # To this page itself, whatever its address holds.
    again = f'<p><a href="">{html.escape(texts.text("limit.again"))}</a></p>' if is_read else ""
    content = (
        f'<!doctype html><html lang="{texts.tag}" dir="{texts.locale.text_direction}"><head><meta charset="utf-8">'
        f'<title>{heading}</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{heading}</h1>{body}{again}</main></body></html>"
    )
    headers = {**_HEADERS, **problem.headers, "Content-Language": texts.tag}
    return HTMLResponse(content, status_code=problem.status, headers=headers)
