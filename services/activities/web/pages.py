"""The page that demonstrates the element; it loads nothing but the script that it shows."""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from services.kernel.page_policy import page_policy

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.0625rem/1.6 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:2rem 1rem 4rem}"
    "h1{font-size:2rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.375rem;margin:2.5rem 0 .75rem}"
    "pre,table{font-size:.9375rem}pre{padding:1rem;border:1px solid;border-radius:.5rem;white-space:pre-wrap;"
    "overflow-wrap:anywhere}table{border-collapse:collapse}"
    "th,td{text-align:start;vertical-align:top;padding:.375rem 1rem .375rem 0;border-block-end:1px solid #8888}"
    "th{font-weight:400}a{color:LinkText}:focus-visible{outline:3px solid;outline-offset:3px}"
)
_HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE, scripts=True),
    "Cache-Control": "public, max-age=300",
}
_ATTRIBUTES: Final = {
    "section, country, edition, area, cause, kind, programme": "Which activities; several codes with spaces between.",
    "limit": "How many at most: 1 to 100, else 10.",
    "lang": "en, es or it; without it the language of the page, else the visitor’s.",
    "heading-level": "2 to 6, to fit below your own headings; else 3.",
    "activity-url": "A page of yours that titles lead to; {id} becomes the activity’s id. Without it they lead to our "
    "page of the activity; where it is empty, nowhere.",
    "sign-up-url": "A page of yours that the sign-up button leads to, likewise. Without it it leads to our form; "
    "where it is empty, there is no button.",
    "api": "The address of the API, where it is not the one that the script came from.",
}
_PROPERTIES: Final = {
    "--socialerasmus-accent, --socialerasmus-on-accent": "Links and buttons, and the text on a button.",
    "--socialerasmus-text, --socialerasmus-muted": "Text, and text of less weight.",
    "--socialerasmus-background, --socialerasmus-border": "Of a card.",
    "--socialerasmus-radius, --socialerasmus-gap": "Roundness of cards, space between them.",
    "--socialerasmus-columns": "The least width of a column, else 18rem.",
}


def demo(base_url: str) -> HTMLResponse:
    """The page, with the lines to paste for this installation."""
    snippet = (
        f'<script src="{base_url}/activities/widget.js" async></script>\n'
        '<h2>Volunteer with us</h2>\n<socialerasmus-activities section="IT-MILA-STA"></socialerasmus-activities>'
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Activities on your website</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style>{_STYLE}</style><script src="widget.js" async></script></head><body><main>'
        "<h1>Activities on your website</h1>"
        "<p>Three lines show what your section plans, with the places that are free right now. No key, no cookie.</p>"
        f"<h2>Paste this</h2><pre><code>{escape(snippet)}</code></pre>"
        "<p>A site with a Content-Security-Policy allows this address in <code>script-src</code> and "
        "<code>connect-src</code>, and nothing else.</p>"
        '<h2>This is what it shows</h2><socialerasmus-activities limit="6"></socialerasmus-activities>'
        f"<h2>Attributes</h2>{_table(_ATTRIBUTES)}"
        f"<h2>Colours</h2><p>It is dark where your page’s <code>color-scheme</code> is. "
        f"These custom properties of CSS change the rest.</p>{_table(_PROPERTIES)}"
        "</main></body></html>"
    )
    return HTMLResponse(page, headers=_HEADERS)


def _table(rows: dict[str, str]) -> str:
    listed = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{escape(meaning)}</td></tr>'
        for name, meaning in rows.items()
    )
    return f"<table>{listed}</table>"
